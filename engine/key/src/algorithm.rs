//! The algorithm table: every algorithm that mail is known to use, as data.
//!
//! It also holds algorithms that the engine cannot do (yet), so that a message
//! which uses one of them is described by its right name.

mod names;
mod table;

pub use names::oid_name;
pub use table::TABLE;

use crate::{DigestAlgorithm, KeyError, PssParameters, SignatureScheme, public_key::RSASSA_PSS};

/// One object identifier of the table.
///
/// Several identifiers may stand for one algorithm: they have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The object identifier in dotted form.
    pub oid: &'static str,
    /// The name in verdicts and cases.
    pub name: &'static str,
    /// What it is first of all.
    pub kind: Kind,
    /// What it is used for beside that: `rsaEncryption` is a kind of public
    /// key, and also stands for key transport and, in old mail, for signatures.
    pub also: &'static [Kind],
    /// Security strength in bits (NIST SP 800-57 part 1, table 2 and 3; of a
    /// broken algorithm the published attack). 0: it depends on the key, on
    /// the parameters, or on the algorithm that it is used with.
    pub strength_bits: u16,
    /// What each version of S/MIME asks of it, in the order of [`Era::ALL`].
    pub status: [Status; 6],
}

impl Row {
    /// What that version of S/MIME asks of this algorithm.
    pub fn status_in(&self, era: Era) -> Status {
        self.status[era as usize]
    }

    /// Whether the algorithm is used as `kind`, first of all or beside that.
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind || self.also.contains(&kind)
    }
}

/// What an algorithm does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A message digest.
    Digest,
    /// A signature, mostly together with its digest.
    Signature,
    /// A kind of public key, in a SubjectPublicKeyInfo.
    PublicKey,
    /// Encryption of a content key to a public key.
    KeyTransport,
    /// Agreement on a key-encryption key.
    KeyAgreement,
    /// Encryption of a content key under another symmetric key.
    KeyWrap,
    /// Encapsulation of a key (RFC 9629).
    KeyEncapsulation,
    /// Encryption of the content without authentication.
    ContentCipher,
    /// Authenticated encryption of the content (RFC 5083).
    AuthenticatedCipher,
    /// A message authentication code.
    Mac,
    /// An elliptic curve, named in the parameters of a public key.
    Curve,
    /// Derivation of a key from a secret or a password.
    KeyDerivation,
    /// A mask generation function (RFC 8017 appendix B.2).
    MaskGeneration,
    /// Encryption under a password (RFC 8018, RFC 7292).
    PasswordEncryption,
    /// Compression (RFC 3274).
    Compression,
}

impl Kind {
    /// The kind in a word, for example `content-cipher`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Signature => "signature",
            Self::PublicKey => "public-key",
            Self::KeyTransport => "key-transport",
            Self::KeyAgreement => "key-agreement",
            Self::KeyWrap => "key-wrap",
            Self::KeyEncapsulation => "key-encapsulation",
            Self::ContentCipher => "content-cipher",
            Self::AuthenticatedCipher => "authenticated-cipher",
            Self::Mac => "mac",
            Self::Curve => "curve",
            Self::KeyDerivation => "key-derivation",
            Self::MaskGeneration => "mask-generation",
            Self::PasswordEncryption => "password-encryption",
            Self::Compression => "compression",
        }
    }
}

/// A version of S/MIME, as the age of a peer, or the family of messages that
/// stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// Version 2, 1998 (RFC 2311).
    Smime2 = 0,
    /// Version 3, 1999 (RFC 2633).
    Smime3 = 1,
    /// Version 3.1, 2004 (RFC 3851).
    Smime31 = 2,
    /// Version 3.2, 2010 (RFC 5751).
    Smime32 = 3,
    /// Version 4.0, 2019 (RFC 8551).
    Smime4 = 4,
    /// The algorithms of GM/T 0010, which are no version of S/MIME.
    GmT = 5,
}

impl Era {
    /// Every version, oldest first, then GM/T.
    pub const ALL: [Self; 6] = [Self::Smime2, Self::Smime3, Self::Smime31, Self::Smime32, Self::Smime4, Self::GmT];

    /// The number of the version, `2`, `3`, `3.1`, `3.2` or `4.0`; or `gm/t`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Smime2 => "2",
            Self::Smime3 => "3",
            Self::Smime31 => "3.1",
            Self::Smime32 => "3.2",
            Self::Smime4 => "4.0",
            Self::GmT => "gm/t",
        }
    }

    /// The era with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|era| era.name() == name)
    }
}

/// What an era asks of an algorithm.
///
/// Where it asks different things of the sending and of the receiving side,
/// this is what it asks of the receiving side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// MUST.
    Must,
    /// MUST-: expected to become SHOULD.
    MustMinus,
    /// SHOULD+: expected to become MUST.
    ShouldPlus,
    /// SHOULD.
    Should,
    /// SHOULD-: expected to become MAY.
    ShouldMinus,
    /// Only to read old mail (RFC 8551 appendix B).
    Historic,
    /// That version does not name it.
    Unnamed,
}

impl Status {
    /// The word of the RFC, for example `MUST-`; empty where that version does
    /// not name the algorithm.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::MustMinus => "MUST-",
            Self::ShouldPlus => "SHOULD+",
            Self::Should => "SHOULD",
            Self::ShouldMinus => "SHOULD-",
            Self::Historic => "historic",
            Self::Unnamed => "",
        }
    }
}

/// The row of an object identifier in dotted form.
pub fn by_oid(oid: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.oid == oid)
}

/// The first row with this name, which holds the identifier to write.
pub fn by_name(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// What a signature algorithm identifier means: the scheme, and the digest if
/// the identifier fixes it.
///
/// `rsaEncryption` and `id-ecPublicKey` name no digest: the digest algorithm
/// of the SignerInfo holds (RFC 3370 section 3.2, RFC 5753 section 2.1.1).
pub fn signature_from_oid(oid: &str) -> Option<(SignatureScheme, Option<DigestAlgorithm>)> {
    SIGNATURES.iter().find(|row| row.0 == oid).map(|row| (row.1, row.2))
}

/// What a signature AlgorithmIdentifier means: as [`signature_from_oid`], but
/// also RSASSA-PSS, whose parameters (DER of the whole element) say it all.
///
/// # Errors
/// The identifier is RSASSA-PSS, and its parameters are missing, damaged, or
/// name an unknown algorithm.
pub fn signature_from_identifier(
    oid: &str,
    parameters: Option<&[u8]>,
) -> Result<Option<(SignatureScheme, Option<DigestAlgorithm>)>, KeyError> {
    if oid == RSASSA_PSS {
        let (digest, parameters) = PssParameters::from_der(parameters)?;
        return Ok(Some((SignatureScheme::RsaPss(parameters), Some(digest))));
    }
    Ok(signature_from_oid(oid))
}

/// The identifier to write for a signature scheme with a digest.
///
/// MD5 and SM3 with ECDSA have none; `id-ecPublicKey` is returned for them, which
/// fixes no digest. RSASSA-PSS has one for all, whose parameters are those of
/// [`PssParameters::to_der`].
pub fn signature_oid(scheme: SignatureScheme, digest: DigestAlgorithm) -> &'static str {
    if matches!(scheme, SignatureScheme::RsaPss(_)) {
        return RSASSA_PSS;
    }
    SIGNATURES
        .iter()
        .find(|row| row.1 == scheme && row.2 == Some(digest))
        .or_else(|| SIGNATURES.iter().find(|row| row.1 == scheme && row.2.is_none()))
        .map_or("", |row| row.0)
}

/// An object identifier with its name, for error texts.
pub(crate) fn describe(oid: &str) -> String {
    oid_name(oid).map_or_else(|| oid.to_owned(), |name| format!("{name} ({oid})"))
}

/// Signature identifiers; of several for one meaning the first is written.
const SIGNATURES: &[(&str, SignatureScheme, Option<DigestAlgorithm>)] = {
    use DigestAlgorithm::{Md5, Sha1, Sha3_224, Sha3_256, Sha3_384, Sha3_512, Sha224, Sha256, Sha384, Sha512, Sm3};
    use SignatureScheme::{Dsa, Ecdsa, Ed448, Ed25519, MlDsa44, MlDsa65, MlDsa87, RsaPkcs1, Sm2};
    &[
        ("1.2.840.113549.1.1.1", RsaPkcs1, None),
        ("1.2.840.113549.1.1.4", RsaPkcs1, Some(Md5)),
        ("1.3.14.3.2.3", RsaPkcs1, Some(Md5)),
        ("1.2.840.113549.1.1.5", RsaPkcs1, Some(Sha1)),
        ("1.3.14.3.2.29", RsaPkcs1, Some(Sha1)),
        ("1.2.840.113549.1.1.14", RsaPkcs1, Some(Sha224)),
        ("1.2.840.113549.1.1.11", RsaPkcs1, Some(Sha256)),
        ("1.2.840.113549.1.1.12", RsaPkcs1, Some(Sha384)),
        ("1.2.840.113549.1.1.13", RsaPkcs1, Some(Sha512)),
        ("2.16.840.1.101.3.4.3.13", RsaPkcs1, Some(Sha3_224)),
        ("2.16.840.1.101.3.4.3.14", RsaPkcs1, Some(Sha3_256)),
        ("2.16.840.1.101.3.4.3.15", RsaPkcs1, Some(Sha3_384)),
        ("2.16.840.1.101.3.4.3.16", RsaPkcs1, Some(Sha3_512)),
        ("1.2.156.10197.1.504", RsaPkcs1, Some(Sm3)),
        ("1.2.840.10045.2.1", Ecdsa, None),
        ("1.2.840.10045.4.1", Ecdsa, Some(Sha1)),
        ("1.2.840.10045.4.3.1", Ecdsa, Some(Sha224)),
        ("1.2.840.10045.4.3.2", Ecdsa, Some(Sha256)),
        ("1.2.840.10045.4.3.3", Ecdsa, Some(Sha384)),
        ("1.2.840.10045.4.3.4", Ecdsa, Some(Sha512)),
        ("2.16.840.1.101.3.4.3.9", Ecdsa, Some(Sha3_224)),
        ("2.16.840.1.101.3.4.3.10", Ecdsa, Some(Sha3_256)),
        ("2.16.840.1.101.3.4.3.11", Ecdsa, Some(Sha3_384)),
        ("2.16.840.1.101.3.4.3.12", Ecdsa, Some(Sha3_512)),
        ("1.2.840.10040.4.1", Dsa, None),
        ("1.2.840.10040.4.3", Dsa, Some(Sha1)),
        ("1.3.14.3.2.27", Dsa, Some(Sha1)),
        ("2.16.840.1.101.3.4.3.1", Dsa, Some(Sha224)),
        ("2.16.840.1.101.3.4.3.2", Dsa, Some(Sha256)),
        ("1.3.101.112", Ed25519, None),
        ("1.3.101.113", Ed448, None),
        ("2.16.840.1.101.3.4.3.17", MlDsa44, None),
        ("2.16.840.1.101.3.4.3.18", MlDsa65, None),
        ("2.16.840.1.101.3.4.3.19", MlDsa87, None),
        ("1.2.156.10197.1.501", Sm2, Some(Sm3)),
        ("1.2.156.10197.1.301.1", Sm2, Some(Sm3)),
        // The curve, in the place of an algorithm: seen in GM/T 0010 objects of an authority.
        ("1.2.156.10197.1.301", Sm2, Some(Sm3)),
    ]
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::ContentCipher;

    #[test]
    fn every_oid_stands_once() {
        let mut seen = HashSet::new();
        for row in TABLE {
            assert!(seen.insert(row.oid), "{} stands twice", row.oid);
            assert!(const_oid::ObjectIdentifier::new(row.oid).is_ok(), "{} is no OID", row.oid);
        }
    }

    #[test]
    fn the_enums_agree_with_the_table() {
        for digest in DigestAlgorithm::ALL {
            let row = by_oid(digest.oid()).unwrap();
            assert_eq!((row.name, row.kind), (digest.name(), Kind::Digest));
            assert_eq!(by_name(digest.name()).unwrap().oid, digest.oid());
        }
        for cipher in ContentCipher::ALL {
            let row = by_oid(cipher.oid()).unwrap();
            assert_eq!((row.name, row.kind), (cipher.name(), Kind::ContentCipher));
        }
        for (oid, scheme, digest) in SIGNATURES {
            let row = by_oid(oid).unwrap();
            assert!(row.is(Kind::Signature), "{oid}");
            // The curve has its own name, whatever it stands for.
            if let Some(digest) = digest.filter(|_| row.kind != Kind::Curve) {
                assert_eq!(row.name, format!("{}-{}", scheme.name(), digest.name()));
            }
        }
    }

    #[test]
    fn signature_oids_lead_back() {
        for digest in DigestAlgorithm::ALL.into_iter().filter(|digest| !digest.is_extendable()) {
            let rsa = signature_oid(SignatureScheme::RsaPkcs1, digest);
            assert_eq!(signature_from_oid(rsa), Some((SignatureScheme::RsaPkcs1, Some(digest))));
            let ecdsa = signature_oid(SignatureScheme::Ecdsa, digest);
            let fixed = (!matches!(digest, DigestAlgorithm::Md5 | DigestAlgorithm::Sm3)).then_some(digest);
            assert_eq!(signature_from_oid(ecdsa), Some((SignatureScheme::Ecdsa, fixed)));
        }
        assert_eq!(signature_from_oid("1.2.840.113549.1.1.1"), Some((SignatureScheme::RsaPkcs1, None)));
        assert_eq!(signature_from_oid("1.2.840.113549.1.1.10"), None, "PSS is no PKCS#1 v1.5");
    }

    #[test]
    fn status_by_era() {
        let sha1 = by_oid("1.3.14.3.2.26").unwrap();
        assert_eq!(sha1.status_in(Era::Smime31), Status::Must);
        assert_eq!(sha1.status_in(Era::Smime4), Status::Historic);
        assert_eq!(by_oid("2.16.840.1.101.3.4.1.6").unwrap().status_in(Era::Smime4), Status::Must);
    }
}
