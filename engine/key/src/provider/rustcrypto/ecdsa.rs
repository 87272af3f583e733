//! ECDSA over the curves of NIST, one module a curve with the same functions.

use crate::{DigestAlgorithm, KeyError, digest::with_digest, public_key::bad};

macro_rules! curve {
    ($name:ident, $curve:ty, $title:literal) => {
        pub(crate) mod $name {
            use super::{DigestAlgorithm, KeyError, bad, with_digest};
            use ::ecdsa::{
                Signature, VerifyingKey,
                hazmat::{sign_prehashed_rfc6979, verify_prehashed},
            };

            /// Refuses what is no point on the curve.
            pub(crate) fn check(point: &[u8]) -> Result<(), KeyError> {
                read(point).map(drop)
            }

            fn read(point: &[u8]) -> Result<VerifyingKey<$curve>, KeyError> {
                VerifyingKey::from_sec1_bytes(point)
                    .map_err(|_| bad(concat!("no point on the curve ", $title).to_owned()))
            }

            /// Verifies an ECDSA-Sig-Value in DER. One that is not in DER, or
            /// whose numbers are out of range, does not verify.
            pub(crate) fn verify(point: &[u8], value: &[u8], signature: &[u8]) -> Result<bool, KeyError> {
                let key = read(point)?;
                let Ok(signature) = Signature::<$curve>::from_der(signature) else { return Ok(false) };
                Ok(verify_prehashed::<$curve>(&(*key.as_affine()).into(), value, &signature).is_ok())
            }

            /// Signs deterministically (RFC 6979), with the HMAC of the digest
            /// algorithm that made the value, as section 3.2 of it says.
            pub(crate) fn sign(key: &::$name::SecretKey, digest: DigestAlgorithm, value: &[u8]) -> Vec<u8> {
                let scalar = &key.to_nonzero_scalar();
                let (signature, _) =
                    with_digest!(digest, D => sign_prehashed_rfc6979::<$curve, D>(scalar, value, &[]));
                signature.to_der().as_bytes().to_vec()
            }
        }
    };
}

curve!(p256, ::p256::NistP256, "P-256");
curve!(p384, ::p384::NistP384, "P-384");
curve!(p521, ::p521::NistP521, "P-521");
