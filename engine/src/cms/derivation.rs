//! From a secret that two sides share to a key that wraps another: for
//! agreement (RFC 5753 section 7, RFC 8418) and encapsulation (RFC 9629).

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError};
use zeroize::Zeroizing;

use crate::ber::writer as w;

/// How a key comes from a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derivation {
    /// ANSI X9.63 (SEC 1 section 3.6.1).
    X963(DigestAlgorithm),
    /// HKDF (RFC 5869), without a salt.
    Hkdf(DigestAlgorithm),
}

impl Derivation {
    /// The key of this length.
    pub(crate) fn derive(
        self,
        arithmetic: &Arithmetic,
        secret: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::X963(digest) => arithmetic.x963_kdf(digest, secret, info, len),
            Self::Hkdf(digest) => arithmetic.hkdf(digest, None, secret, info, len),
        }
    }
}

/// A form of Diffie-Hellman (RFC 5753 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiffieHellman {
    /// The standard form; the one that RFC 8418 has for X25519, too.
    Standard,
    /// With the cofactor. That of every curve here is 1, so that both forms
    /// give the same secret.
    Cofactor,
}

/// Agreement schemes: RFC 5753 sections 7.1.4 and 7.1.5, RFC 8418 section 2.3.
pub(crate) const AGREEMENTS: &[(&str, DiffieHellman, Derivation)] = {
    use Derivation::{Hkdf, X963};
    use DiffieHellman::{Cofactor, Standard};
    use DigestAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
    &[
        ("1.3.133.16.840.63.0.2", Standard, X963(Sha1)),
        ("1.3.132.1.11.0", Standard, X963(Sha224)),
        ("1.3.132.1.11.1", Standard, X963(Sha256)),
        ("1.3.132.1.11.2", Standard, X963(Sha384)),
        ("1.3.132.1.11.3", Standard, X963(Sha512)),
        ("1.3.133.16.840.63.0.3", Cofactor, X963(Sha1)),
        ("1.3.132.1.14.0", Cofactor, X963(Sha224)),
        ("1.3.132.1.14.1", Cofactor, X963(Sha256)),
        ("1.3.132.1.14.2", Cofactor, X963(Sha384)),
        ("1.3.132.1.14.3", Cofactor, X963(Sha512)),
        ("1.2.840.113549.1.9.16.3.19", Standard, Hkdf(Sha256)),
        ("1.2.840.113549.1.9.16.3.20", Standard, Hkdf(Sha384)),
        ("1.2.840.113549.1.9.16.3.21", Standard, Hkdf(Sha512)),
    ]
};

/// What encapsulated secrets are derived with: HKDF without a salt (RFC 8619).
pub(crate) const ENCAPSULATIONS: &[(&str, Derivation)] = &[
    ("1.2.840.113549.1.9.16.3.28", Derivation::Hkdf(DigestAlgorithm::Sha256)),
    ("1.2.840.113549.1.9.16.3.29", Derivation::Hkdf(DigestAlgorithm::Sha384)),
    ("1.2.840.113549.1.9.16.3.30", Derivation::Hkdf(DigestAlgorithm::Sha512)),
];

/// ECC-CMS-SharedInfo (RFC 5753 section 7.2), with the AlgorithmIdentifier of
/// the key wrap; lengths in bits.
pub(crate) fn shared_info(wrap: &[u8], ukm: Option<&[u8]>, key_len: usize) -> Vec<u8> {
    let bits = u32::try_from(key_len * 8).unwrap_or(u32::MAX).to_be_bytes();
    let mut fields = vec![wrap.to_vec()];
    fields.extend(ukm.map(|ukm| w::context(0, &w::octet_string(ukm))));
    fields.push(w::context(2, &w::octet_string(&bits)));
    w::sequence(fields)
}

/// CMSORIforKEMOtherInfo (RFC 9629 section 5), with the AlgorithmIdentifier of
/// the key wrap; `kek_length` in octets.
pub(crate) fn kem_other_info(wrap: &[u8], kek_length: u64, ukm: Option<&[u8]>) -> Vec<u8> {
    let mut fields = vec![wrap.to_vec(), w::integer(kek_length)];
    fields.extend(ukm.map(|ukm| w::context(0, &w::octet_string(ukm))));
    w::sequence(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_stands_in_the_algorithm_table() {
        for (oid, form, derivation) in AGREEMENTS {
            let row = waxseal_key::algorithm::by_oid(oid).unwrap();
            let (Derivation::X963(digest) | Derivation::Hkdf(digest)) = derivation;
            let kind = if matches!(derivation, Derivation::Hkdf(_)) { "hkdf" } else { "-kdf" };
            assert!(row.name.contains(digest.name()) && row.name.contains(kind), "{oid}: {}", row.name);
            assert_eq!(row.name.contains("cofactor"), *form == DiffieHellman::Cofactor, "{}", row.name);
        }
        for (oid, derivation) in ENCAPSULATIONS {
            let Derivation::Hkdf(digest) = derivation else { panic!("{oid}") };
            assert_eq!(waxseal_key::algorithm::by_oid(oid).unwrap().name, format!("hkdf-{digest}"));
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
