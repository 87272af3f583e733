//! Fuzz targets of Waxseal; see `targets`.

#![forbid(unsafe_code)]

pub mod targets;

#[doc(hidden)]
pub use libfuzzer_sys;

/// The entry of libFuzzer for one function of [`targets`]. An input that the
/// function has no use for is kept out of the corpus.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| -> $crate::libfuzzer_sys::Corpus {
            if $crate::targets::$name(input) {
                $crate::libfuzzer_sys::Corpus::Keep
            } else {
                $crate::libfuzzer_sys::Corpus::Reject
            }
        });
    };
}
