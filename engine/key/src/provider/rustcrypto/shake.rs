//! SHAKE256 as a digest of 512 bits (RFC 8702 section 3.1): the function of
//! extendable output behind the traits that all other digests have.

use ::shake::{ExtendableOutput, Update, XofReader};
use digest::{
    FixedOutput, FixedOutputReset, HashMarker, Output, OutputSizeUser, Reset,
    common::BlockSizeUser,
    consts::{U64, U136},
};

#[derive(Clone, Default)]
pub(crate) struct Shake256(::shake::Shake256);

impl HashMarker for Shake256 {}

impl OutputSizeUser for Shake256 {
    type OutputSize = U64;
}

impl BlockSizeUser for Shake256 {
    type BlockSize = U136;
}

impl Update for Shake256 {
    fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }
}

impl Reset for Shake256 {
    fn reset(&mut self) {
        self.0.reset();
    }
}

impl FixedOutput for Shake256 {
    fn finalize_into(self, out: &mut Output<Self>) {
        self.0.finalize_xof().read(out);
    }
}

impl FixedOutputReset for Shake256 {
    fn finalize_into_reset(&mut self, out: &mut Output<Self>) {
        std::mem::take(self).finalize_into(out);
    }
}
