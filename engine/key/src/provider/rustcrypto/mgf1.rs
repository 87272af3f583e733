//! MGF1 (RFC 8017 appendix B.2.1), the mask of PSS and of OAEP.

use digest::Digest;
use zeroize::Zeroizing;

use crate::{DigestAlgorithm, digest::with_digest};

/// Lays the mask that grows from `seed` over `octets`.
pub(super) fn mask(digest: DigestAlgorithm, seed: &[u8], octets: &mut [u8]) {
    with_digest!(digest, D => {
        for (counter, piece) in (0_u32..).zip(octets.chunks_mut(digest.output_len())) {
            let block = Zeroizing::new(
                D::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize().to_vec(),
            );
            for (octet, mask) in piece.iter_mut().zip(&*block) {
                *octet ^= mask;
            }
        }
    });
}
