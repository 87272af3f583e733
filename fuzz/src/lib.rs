//! Fuzz targets of Waxseal; see `targets` for those of the engine, and `card`.

#![forbid(unsafe_code)]

pub mod card;
pub mod targets;

#[doc(hidden)]
pub use libfuzzer_sys;

/// The entry of libFuzzer for one function of [`targets`], or of another module.
/// An input that the function has no use for is kept out of the corpus.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        $crate::target!(targets::$name);
    };
    ($module:ident :: $name:ident) => {
        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| -> $crate::libfuzzer_sys::Corpus {
            if $crate::$module::$name(input) {
                $crate::libfuzzer_sys::Corpus::Keep
            } else {
                $crate::libfuzzer_sys::Corpus::Reject
            }
        });
    };
}
