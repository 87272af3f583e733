//! The digest algorithms.

use std::fmt;

/// A digest algorithm (RFC 3370 section 2, RFC 5754 section 2, RFC 8702
/// section 3.1, GB/T 32905).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// MD5 (RFC 1321): only for reading old mail.
    Md5,
    /// SHA-1 (FIPS 180-4): only for reading old mail.
    Sha1,
    /// SHA-224 (FIPS 180-4).
    Sha224,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384 (FIPS 180-4).
    Sha384,
    /// SHA-512 (FIPS 180-4).
    Sha512,
    /// SHA3-224 (FIPS 202).
    Sha3_224,
    /// SHA3-256 (FIPS 202).
    Sha3_256,
    /// SHA3-384 (FIPS 202).
    Sha3_384,
    /// SHA3-512 (FIPS 202).
    Sha3_512,
    /// SHAKE256 (FIPS 202) with 512 bits of output (RFC 8702 section 3.1).
    Shake256,
    /// SM3 (GB/T 32905).
    Sm3,
}

impl DigestAlgorithm {
    /// Every digest algorithm, weakest first, and then SHA-3, SHAKE and SM3.
    pub const ALL: [Self; 12] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha3_224,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
        Self::Shake256,
        Self::Sm3,
    ];

    /// The name in verdicts and cases, for example `sha-256`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The object identifier in dotted form.
    pub const fn oid(self) -> &'static str {
        self.facts().oid
    }

    /// The algorithm with this object identifier in dotted form.
    pub fn from_oid(oid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.oid() == oid)
    }

    /// The algorithm of an AlgorithmIdentifier: its object identifier in dotted
    /// form, and its parameters in DER. Parameters tell something only with
    /// `id-shake256-len`, which is SHAKE256 if they are the number 512 (RFC 8419
    /// section 2.3).
    pub fn from_identifier(oid: &str, parameters: Option<&[u8]>) -> Option<Self> {
        const ID_SHAKE256_LEN: &str = "2.16.840.1.101.3.4.2.18";
        const INTEGER_512: &[u8] = &[2, 2, 2, 0];
        match oid {
            ID_SHAKE256_LEN => (parameters == Some(INTEGER_512)).then_some(Self::Shake256),
            _ => Self::from_oid(oid),
        }
    }

    /// The algorithm with this name, exactly as [`name`](Self::name) spells it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.name() == name)
    }

    /// Octets of the digest value.
    pub fn output_len(self) -> usize {
        self.facts().output_len as usize
    }

    /// The same, where a number of 32 bits is wanted, also in constants.
    pub(crate) const fn len_as_u32(self) -> u32 {
        self.facts().output_len
    }

    /// Whether the output could be of any length. No DigestInfo, HMAC and MGF1 is
    /// defined with such a function (RFC 8702 has other signatures and MACs for
    /// it): it hashes content beside a scheme that signs the attributes
    /// themselves, and nothing else.
    pub(crate) const fn is_extendable(self) -> bool {
        matches!(self, Self::Shake256)
    }

    /// The digest of the HMAC with this object identifier (RFC 8018 appendix
    /// B.1, RFC 3370 section 6.1, RFC 9688).
    pub fn from_hmac_oid(oid: &str) -> Option<Self> {
        HMACS.iter().find(|row| row.0 == oid).map(|row| row.1)
    }

    /// The object identifier to write for the HMAC with this digest, also as
    /// the function of PBKDF2; MD5 and SHAKE256 have none. (RFC 3370 section 6.1 gives
    /// HMAC-SHA-1 another one beside it, `1.3.6.1.5.5.8.1.2`.)
    pub fn hmac_oid(self) -> Option<&'static str> {
        HMACS.iter().find(|row| row.1 == self).map(|row| row.0)
    }

    /// The `micalg` value of RFC 8551 section 3.5.3.2, for example `sha-256`; of
    /// SM3 `sm3`, which no registry has.
    pub fn micalg(self) -> &'static str {
        self.facts().name
    }

    /// The algorithm that a `micalg` value means, in any letter case and in the
    /// spellings of older writers: `sha1` and `sha256` (RFC 3851 section
    /// 3.4.3.2), `rsa-md5` and `rsa-sha1` (RFC 2311 section 3.4.3.2), or an
    /// object identifier in dotted form.
    ///
    /// A value other than [`micalg`](Self::micalg) is a deviation.
    pub fn from_micalg(value: &str) -> Option<Self> {
        let value = value.trim().to_ascii_lowercase();
        let plain = value.strip_prefix("rsa-").unwrap_or(&value).replace('-', "");
        Self::ALL
            .into_iter()
            .find(|digest| digest.name().replace('-', "") == plain)
            .or_else(|| Self::from_oid(value.strip_prefix("oid.").unwrap_or(&value)))
    }

    const fn facts(self) -> &'static Facts {
        match self {
            Self::Md5 => &Facts { name: "md5", oid: "1.2.840.113549.2.5", output_len: 16 },
            Self::Sha1 => &Facts { name: "sha-1", oid: "1.3.14.3.2.26", output_len: 20 },
            Self::Sha224 => &Facts { name: "sha-224", oid: "2.16.840.1.101.3.4.2.4", output_len: 28 },
            Self::Sha256 => &Facts { name: "sha-256", oid: "2.16.840.1.101.3.4.2.1", output_len: 32 },
            Self::Sha384 => &Facts { name: "sha-384", oid: "2.16.840.1.101.3.4.2.2", output_len: 48 },
            Self::Sha512 => &Facts { name: "sha-512", oid: "2.16.840.1.101.3.4.2.3", output_len: 64 },
            Self::Sha3_224 => &Facts { name: "sha3-224", oid: "2.16.840.1.101.3.4.2.7", output_len: 28 },
            Self::Sha3_256 => &Facts { name: "sha3-256", oid: "2.16.840.1.101.3.4.2.8", output_len: 32 },
            Self::Sha3_384 => &Facts { name: "sha3-384", oid: "2.16.840.1.101.3.4.2.9", output_len: 48 },
            Self::Sha3_512 => &Facts { name: "sha3-512", oid: "2.16.840.1.101.3.4.2.10", output_len: 64 },
            Self::Shake256 => &Facts { name: "shake256", oid: "2.16.840.1.101.3.4.2.12", output_len: 64 },
            Self::Sm3 => &Facts { name: "sm3", oid: "1.2.156.10197.1.401", output_len: 32 },
        }
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Identifiers of HMAC; of several for one digest the first is written.
const HMACS: &[(&str, DigestAlgorithm)] = &[
    ("1.2.840.113549.2.7", DigestAlgorithm::Sha1),
    ("1.3.6.1.5.5.8.1.2", DigestAlgorithm::Sha1),
    ("1.2.840.113549.2.8", DigestAlgorithm::Sha224),
    ("1.2.840.113549.2.9", DigestAlgorithm::Sha256),
    ("1.2.840.113549.2.10", DigestAlgorithm::Sha384),
    ("1.2.840.113549.2.11", DigestAlgorithm::Sha512),
    ("2.16.840.1.101.3.4.2.13", DigestAlgorithm::Sha3_224),
    ("2.16.840.1.101.3.4.2.14", DigestAlgorithm::Sha3_256),
    ("2.16.840.1.101.3.4.2.15", DigestAlgorithm::Sha3_384),
    ("2.16.840.1.101.3.4.2.16", DigestAlgorithm::Sha3_512),
    ("1.2.156.10197.1.401.2", DigestAlgorithm::Sm3),
];

/// Runs an expression with the RustCrypto type of a digest algorithm.
macro_rules! with_digest {
    ($digest:expr, $type:ident => $run:expr) => {
        match $digest {
            $crate::DigestAlgorithm::Md5 => {
                type $type = md5::Md5;
                $run
            }
            $crate::DigestAlgorithm::Sha1 => {
                type $type = sha1::Sha1;
                $run
            }
            $crate::DigestAlgorithm::Sha224 => {
                type $type = sha2::Sha224;
                $run
            }
            $crate::DigestAlgorithm::Sha256 => {
                type $type = sha2::Sha256;
                $run
            }
            $crate::DigestAlgorithm::Sha384 => {
                type $type = sha2::Sha384;
                $run
            }
            $crate::DigestAlgorithm::Sha512 => {
                type $type = sha2::Sha512;
                $run
            }
            $crate::DigestAlgorithm::Sha3_224 => {
                type $type = sha3::Sha3_224;
                $run
            }
            $crate::DigestAlgorithm::Sha3_256 => {
                type $type = sha3::Sha3_256;
                $run
            }
            $crate::DigestAlgorithm::Sha3_384 => {
                type $type = sha3::Sha3_384;
                $run
            }
            $crate::DigestAlgorithm::Sha3_512 => {
                type $type = sha3::Sha3_512;
                $run
            }
            $crate::DigestAlgorithm::Shake256 => {
                type $type = $crate::provider::rustcrypto::shake::Shake256;
                $run
            }
            $crate::DigestAlgorithm::Sm3 => {
                type $type = sm3::Sm3;
                $run
            }
        }
    };
}
pub(crate) use with_digest;

/// Runs an expression with the RustCrypto type of the HMAC with a digest
/// algorithm, or leaves the function with an error. That of SHA-3 is the simple
/// one: its crate shows no blocks.
macro_rules! with_hmac {
    ($digest:expr, $type:ident => $run:expr) => {
        match $digest {
            $crate::DigestAlgorithm::Md5 => {
                type $type = hmac::Hmac<md5::Md5>;
                $run
            }
            $crate::DigestAlgorithm::Sha1 => {
                type $type = hmac::Hmac<sha1::Sha1>;
                $run
            }
            $crate::DigestAlgorithm::Sha224 => {
                type $type = hmac::Hmac<sha2::Sha224>;
                $run
            }
            $crate::DigestAlgorithm::Sha256 => {
                type $type = hmac::Hmac<sha2::Sha256>;
                $run
            }
            $crate::DigestAlgorithm::Sha384 => {
                type $type = hmac::Hmac<sha2::Sha384>;
                $run
            }
            $crate::DigestAlgorithm::Sha512 => {
                type $type = hmac::Hmac<sha2::Sha512>;
                $run
            }
            $crate::DigestAlgorithm::Sha3_224 => {
                type $type = hmac::SimpleHmac<sha3::Sha3_224>;
                $run
            }
            $crate::DigestAlgorithm::Sha3_256 => {
                type $type = hmac::SimpleHmac<sha3::Sha3_256>;
                $run
            }
            $crate::DigestAlgorithm::Sha3_384 => {
                type $type = hmac::SimpleHmac<sha3::Sha3_384>;
                $run
            }
            $crate::DigestAlgorithm::Sha3_512 => {
                type $type = hmac::SimpleHmac<sha3::Sha3_512>;
                $run
            }
            $crate::DigestAlgorithm::Shake256 => return $crate::provider::lacks("hmac with shake256"),
            $crate::DigestAlgorithm::Sm3 => {
                type $type = hmac::Hmac<sm3::Sm3>;
                $run
            }
        }
    };
}
pub(crate) use with_hmac;

struct Facts {
    name: &'static str,
    oid: &'static str,
    output_len: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_oids_lead_back() {
        for digest in DigestAlgorithm::ALL {
            assert_eq!(DigestAlgorithm::from_name(digest.name()), Some(digest));
            assert_eq!(DigestAlgorithm::from_oid(digest.oid()), Some(digest));
            assert_eq!(DigestAlgorithm::from_micalg(digest.micalg()), Some(digest));
        }
        let with_length = |parameters| DigestAlgorithm::from_identifier("2.16.840.1.101.3.4.2.18", parameters);
        assert_eq!(with_length(Some(&[2, 2, 2, 0])), Some(DigestAlgorithm::Shake256));
        assert_eq!([with_length(Some(&[2, 2, 1, 0])), with_length(Some(&[5, 0])), with_length(None)], [None; 3]);
        assert_eq!(DigestAlgorithm::from_name("SHA-256"), None);
        assert_eq!(DigestAlgorithm::from_oid("1.2.3"), None);
    }

    #[test]
    fn hmacs_are_in_the_table() {
        for (oid, digest) in HMACS {
            let row = crate::algorithm::by_oid(oid).unwrap();
            assert_eq!((row.name, row.kind), (format!("hmac-{digest}").as_str(), crate::algorithm::Kind::Mac));
            assert_eq!(DigestAlgorithm::from_hmac_oid(oid), Some(*digest));
            assert_eq!(DigestAlgorithm::from_hmac_oid(digest.hmac_oid().unwrap()), Some(*digest));
        }
        assert_eq!(DigestAlgorithm::Md5.hmac_oid(), None);
        assert_eq!(DigestAlgorithm::Shake256.hmac_oid(), None);
    }

    #[test]
    fn micalg_spellings_of_old_writers() {
        let cases = [
            ("sha1", DigestAlgorithm::Sha1),
            ("SHA1", DigestAlgorithm::Sha1),
            ("rsa-sha1", DigestAlgorithm::Sha1),
            ("rsa-md5", DigestAlgorithm::Md5),
            ("SHA-256", DigestAlgorithm::Sha256),
            ("sha256", DigestAlgorithm::Sha256),
            ("2.16.840.1.101.3.4.2.3", DigestAlgorithm::Sha512),
        ];
        for (value, digest) in cases {
            assert_eq!(DigestAlgorithm::from_micalg(value), Some(digest), "{value}");
        }
        assert_eq!(DigestAlgorithm::from_micalg("unknown"), None);
        assert_eq!(DigestAlgorithm::from_micalg(""), None);
    }
}
