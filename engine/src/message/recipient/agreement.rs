//! Content keys that are wrapped under a key that was agreed on (RFC 5652
//! section 6.2.2, RFC 5753 section 3, RFC 8418).

use waxseal_key::{Decryptor, DigestAlgorithm, KeyWrap};
use zeroize::Zeroizing;

use super::{Refusal, shared};
use crate::ber::{Cursor, Tag, writer as w};
use crate::cms::{AgreedKey, AlgorithmIdentifier, KeyAgreement, Originator};
use crate::message::context::Context;

/// How a key comes from the agreed secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Derivation {
    /// ANSI X9.63 (SEC 1 section 3.6.1).
    X963(DigestAlgorithm),
    /// HKDF (RFC 5869), without a salt.
    Hkdf(DigestAlgorithm),
}

/// Agreement schemes: RFC 5753 sections 7.1.4 and 7.1.5, RFC 8418 section 2.3.
/// The cofactor of every curve here is 1, so that both forms of Diffie-Hellman
/// give the same secret.
const SCHEMES: &[(&str, Derivation)] = {
    use Derivation::{Hkdf, X963};
    use DigestAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
    &[
        ("1.3.133.16.840.63.0.2", X963(Sha1)),
        ("1.3.132.1.11.0", X963(Sha224)),
        ("1.3.132.1.11.1", X963(Sha256)),
        ("1.3.132.1.11.2", X963(Sha384)),
        ("1.3.132.1.11.3", X963(Sha512)),
        ("1.3.133.16.840.63.0.3", X963(Sha1)),
        ("1.3.132.1.14.0", X963(Sha224)),
        ("1.3.132.1.14.1", X963(Sha256)),
        ("1.3.132.1.14.2", X963(Sha384)),
        ("1.3.132.1.14.3", X963(Sha512)),
        ("1.2.840.113549.1.9.16.3.19", Hkdf(Sha256)),
        ("1.2.840.113549.1.9.16.3.20", Hkdf(Sha384)),
        ("1.2.840.113549.1.9.16.3.21", Hkdf(Sha512)),
    ]
};

/// The content key of one recipient of an agreement.
pub(super) fn content_key(
    info: &KeyAgreement,
    agreed: &AgreedKey,
    decryptor: &dyn Decryptor,
    place: &str,
    context: &Context<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let scheme = SCHEMES.iter().find(|row| row.0 == info.algorithm.oid);
    let (_, derivation) = scheme.ok_or_else(|| Refusal::unsupported(place, &info.algorithm.name()))?;
    let (wrap, wrap_der) = key_wrap(&info.algorithm, place)?;
    let peer = match &info.originator {
        key @ Originator::Key { .. } => key.spki(&algorithm_of(decryptor.public_key())),
        Originator::Certificate(id) => {
            let mut known = context.request.extra_certificates.iter();
            known.find(|certificate| context.is_named(certificate, id)).map(|certificate| certificate.spki().to_vec())
        }
    };
    let peer = peer.ok_or_else(|| Refusal::bad_parameters(place, "the originator's key is not known"))?;
    let secret = decryptor.agree(&peer).map_err(|error| Refusal::key(&error, place))?;
    let info = shared_info(&wrap_der, info.ukm.as_deref(), wrap.key_len());
    let arithmetic = context.request.arithmetic;
    let key = match *derivation {
        Derivation::X963(digest) => arithmetic.x963_kdf(digest, &secret, &info, wrap.key_len()),
        Derivation::Hkdf(digest) => arithmetic.hkdf(digest, None, &secret, &info, wrap.key_len()),
    };
    let key = key.map_err(|error| Refusal::key(&error, place))?;
    shared::unwrap(wrap, &key, &agreed.encrypted_key, place, context)
}

/// The key wrap that the parameters of an agreement name, with its encoding.
fn key_wrap(algorithm: &AlgorithmIdentifier, place: &str) -> Result<(KeyWrap, Vec<u8>), Refusal> {
    let der = algorithm.parameters.clone().unwrap_or_default();
    let element = Cursor::new(&der, 0).take().ok().flatten().filter(|element| element.tag == Tag::SEQUENCE);
    let inner = element
        .and_then(|element| AlgorithmIdentifier::read(&element, place).ok())
        .ok_or_else(|| Refusal::bad_parameters(place, "they are no KeyWrapAlgorithm (RFC 5753 section 7.1.7)"))?;
    let wrap = KeyWrap::from_oid(&inner.oid).ok_or_else(|| Refusal::unsupported(place, &inner.name()))?;
    Ok((wrap, der))
}

/// ECC-CMS-SharedInfo (RFC 5753 section 7.2); lengths in bits.
fn shared_info(wrap: &[u8], ukm: Option<&[u8]>, key_len: usize) -> Vec<u8> {
    let bits = u32::try_from(key_len * 8).unwrap_or(u32::MAX).to_be_bytes();
    let mut fields = vec![wrap.to_vec()];
    fields.extend(ukm.map(|ukm| w::context(0, &w::octet_string(ukm))));
    fields.push(w::context(2, &w::octet_string(&bits)));
    w::sequence(fields)
}

/// The AlgorithmIdentifier of a SubjectPublicKeyInfo.
fn algorithm_of(spki: &[u8]) -> Vec<u8> {
    let outer = Cursor::new(spki, 0).take().ok().flatten();
    let algorithm = outer.and_then(|outer| outer.inside().take().ok().flatten());
    algorithm.map(|algorithm| algorithm.whole.to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_stands_in_the_algorithm_table() {
        for (oid, derivation) in SCHEMES {
            let row = waxseal_key::algorithm::by_oid(oid).unwrap();
            let (Derivation::X963(digest) | Derivation::Hkdf(digest)) = derivation;
            let kind = if matches!(derivation, Derivation::Hkdf(_)) { "hkdf" } else { "-kdf" };
            assert!(row.name.contains(digest.name()) && row.name.contains(kind), "{oid}: {}", row.name);
        }
    }

    /// RFC 5753 section 7.2, written out by hand.
    #[test]
    fn the_shared_info_of_aes_128() {
        let wrap = w::sequence([w::oid("2.16.840.1.101.3.4.1.5").unwrap()]);
        let tail = [0xa2, 6, 4, 4, 0, 0, 0, 0x80];
        assert_eq!(shared_info(&wrap, None, 16), [&[0x30, 21][..], &wrap, &tail].concat());
        let with_ukm = [&[0x30, 26][..], &wrap, &[0xa0, 3, 4, 1, 7], &tail].concat();
        assert_eq!(shared_info(&wrap, Some(&[7]), 16), with_ukm);
    }
}
