//! The content ciphers that work on streams.

use std::fmt;

use der::{Decode, Encode, Sequence, asn1::OctetString};

use crate::{KeyError, rc2_version};

/// A content-encryption algorithm without authentication: in CBC mode (RFC 3370
/// section 5, RFC 3565, RFC 2984, RFC 3657, GB/T 35275), and SM4 in CTR mode too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ContentCipher {
    /// AES with a key of 128 bits.
    Aes128Cbc,
    /// AES with a key of 192 bits.
    Aes192Cbc,
    /// AES with a key of 256 bits.
    Aes256Cbc,
    /// Triple DES with three keys.
    TripleDesCbc,
    /// DES: only for old mail.
    DesCbc,
    /// RC2 (RFC 2268): only for old mail. Its key may have any length; what
    /// counts is how many bits of it are effective.
    Rc2Cbc {
        /// Effective key bits, 1 to 1024.
        effective_bits: u16,
    },
    /// CAST-128 (RFC 2984).
    Cast5Cbc {
        /// Bits of the key: 40 to 128, a multiple of eight.
        key_bits: u16,
    },
    /// Camellia with a key of 128 bits (RFC 3657).
    Camellia128Cbc,
    /// Camellia with a key of 192 bits (RFC 3657).
    Camellia192Cbc,
    /// Camellia with a key of 256 bits (RFC 3657).
    Camellia256Cbc,
    /// SM4 (GB/T 32907), whose key has 128 bits.
    Sm4Cbc,
    /// SM4 in CTR mode, which pads nothing. No RFC has it; OpenSSL writes it.
    Sm4Ctr,
}

impl ContentCipher {
    /// Every content cipher; those whose keys vary with 128 bits.
    pub const ALL: [Self; 12] = [
        Self::Aes128Cbc,
        Self::Aes192Cbc,
        Self::Aes256Cbc,
        Self::TripleDesCbc,
        Self::DesCbc,
        Self::Rc2Cbc { effective_bits: 128 },
        Self::Cast5Cbc { key_bits: 128 },
        Self::Camellia128Cbc,
        Self::Camellia192Cbc,
        Self::Camellia256Cbc,
        Self::Sm4Cbc,
        Self::Sm4Ctr,
    ];

    /// The name in verdicts and cases, for example `aes-256-cbc`; without the
    /// bits where they vary.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The object identifier to write, in dotted form.
    pub fn oid(self) -> &'static str {
        self.facts().oid
    }

    /// The cipher with this object identifier in dotted form, where that says
    /// it all: RC2 and CAST-128 need their parameters, see
    /// [`from_identifier`](Self::from_identifier).
    pub fn from_oid(oid: &str) -> Option<Self> {
        Self::with_oid(oid).filter(|cipher| cipher.varying_bits().is_none())
    }

    /// The cipher with this object identifier, also with another one than
    /// [`oid`](Self::oid).
    fn with_oid(oid: &str) -> Option<Self> {
        let written = ALIASES.iter().find(|row| row.0 == oid).map_or(oid, |row| row.1);
        Self::ALL.into_iter().find(|cipher| cipher.oid() == written)
    }

    /// The cipher with this name, exactly as [`name`](Self::name) spells it;
    /// those whose keys vary have 128 bits, or the bits that stand after the
    /// name: `rc2-cbc-40`.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(cipher) = Self::ALL.into_iter().find(|cipher| cipher.name() == name) {
            return Some(cipher);
        }
        let (name, bits) = name.rsplit_once('-')?;
        let bits = bits.parse().ok()?;
        match name {
            "rc2-cbc" => Some(Self::Rc2Cbc { effective_bits: bits }).filter(|_| (1..=1024).contains(&bits)),
            "cast5-cbc" => Some(Self::Cast5Cbc { key_bits: bits }).filter(|_| is_cast5(bits)),
            _ => None,
        }
    }

    /// Reads an AlgorithmIdentifier: the cipher, and its initialization vector.
    ///
    /// The parameters (DER of the whole element) are the vector alone (RFC 3370
    /// section 5.1, RFC 3565 section 4.1, RFC 3657 section 3.1), a SEQUENCE with
    /// the coded effective bits before it (RC2, RFC 2268 section 6; the vector
    /// alone means 32 bits) or with the bits of the key after it (CAST-128, RFC
    /// 2984 section 3; the vector alone means 128 bits there, against the RFC).
    ///
    /// # Errors
    /// The cipher is unknown, or its parameters are missing, damaged or of the
    /// wrong length.
    pub fn from_identifier(oid: &str, parameters: Option<&[u8]>) -> Result<(Self, Vec<u8>), KeyError> {
        let cipher = Self::with_oid(oid).ok_or_else(|| KeyError::UnknownAlgorithm(crate::algorithm::describe(oid)))?;
        let bad = |why: String| KeyError::BadParameters { algorithm: cipher.name().to_owned(), why };
        let der = parameters.ok_or_else(|| bad("there are none".to_owned()))?;
        let damaged = |error: der::Error| bad(format!("they are damaged: {error}"));
        let (cipher, iv) = match cipher {
            Self::Rc2Cbc { .. } if der.first() == Some(&0x04) => {
                (Self::Rc2Cbc { effective_bits: 32 }, OctetString::from_der(der).map_err(damaged)?)
            }
            Self::Rc2Cbc { .. } => {
                let read = Rc2Der::from_der(der).map_err(damaged)?;
                let effective_bits = rc2_version::effective_bits(read.version)
                    .ok_or_else(|| bad(format!("version {} means no number of effective bits", read.version)))?;
                (Self::Rc2Cbc { effective_bits }, read.iv)
            }
            // OpenSSL 3.0 writes it so.
            Self::Cast5Cbc { .. } if der.first() == Some(&0x04) => {
                (Self::Cast5Cbc { key_bits: 128 }, OctetString::from_der(der).map_err(damaged)?)
            }
            Self::Cast5Cbc { .. } => {
                let read = Cast5Der::from_der(der).map_err(damaged)?;
                if !is_cast5(read.key_bits) {
                    return Err(bad(format!("a key of {} bits", read.key_bits)));
                }
                let iv = read.iv.map_or_else(|| OctetString::new([0; 8]), Ok).map_err(damaged)?;
                (Self::Cast5Cbc { key_bits: read.key_bits }, iv)
            }
            fixed => (fixed, OctetString::from_der(der).map_err(damaged)?),
        };
        if iv.as_bytes().len() != cipher.iv_len() {
            return Err(bad(format!("a vector of {} octets, it must have {}", iv.as_bytes().len(), cipher.iv_len())));
        }
        Ok((cipher, iv.into_bytes().into()))
    }

    /// The parameters of an AlgorithmIdentifier in DER, for an initialization
    /// vector.
    ///
    /// # Errors
    /// The vector or the effective bits cannot be written.
    pub fn parameters_der(self, iv: &[u8]) -> Result<Vec<u8>, KeyError> {
        let bad = |why: String| KeyError::BadParameters { algorithm: self.name().to_owned(), why };
        if iv.len() != self.iv_len() {
            return Err(bad(format!("a vector of {} octets, it must have {}", iv.len(), self.iv_len())));
        }
        let owned = || OctetString::new(iv);
        match self {
            Self::Rc2Cbc { effective_bits } => {
                let version = rc2_version::parameter_version(effective_bits)
                    .ok_or_else(|| bad(format!("{effective_bits} effective bits have no version")))?;
                owned().and_then(|iv| Rc2Der { version, iv }.to_der())
            }
            Self::Cast5Cbc { key_bits } => owned().and_then(|iv| Cast5Der { iv: Some(iv), key_bits }.to_der()),
            _ => owned().and_then(|iv| iv.to_der()),
        }
        .map_err(|error| bad(error.to_string()))
    }

    /// Octets of the key to write with; of DES and Triple DES with the parity
    /// bits.
    pub fn key_len(self) -> usize {
        match self {
            Self::Rc2Cbc { effective_bits } => usize::from(effective_bits.div_ceil(8)),
            Self::Cast5Cbc { key_bits } => usize::from(key_bits / 8),
            _ => self.facts().key_len,
        }
    }

    /// Whether a key of this length can be read with: of RC2 any from one octet
    /// to 128, of all others the one of [`key_len`](Self::key_len).
    pub fn takes_key_len(self, len: usize) -> bool {
        match self {
            Self::Rc2Cbc { effective_bits } => (1..=128).contains(&len) && (1..=1024).contains(&effective_bits),
            _ => len == self.key_len(),
        }
    }

    /// The bits of the key where they vary: they are in the parameters.
    pub fn varying_bits(self) -> Option<u16> {
        match self {
            Self::Rc2Cbc { effective_bits: bits } | Self::Cast5Cbc { key_bits: bits } => Some(bits),
            _ => None,
        }
    }

    /// Octets of the initialization vector.
    pub fn iv_len(self) -> usize {
        self.facts().block_len
    }

    /// Whether the content is padded to whole blocks (RFC 5652 section 6.3): in
    /// CBC mode, and not in CTR mode.
    pub fn is_padded(self) -> bool {
        self != Self::Sm4Ctr
    }

    /// Octets of a block.
    pub fn block_len(self) -> usize {
        self.facts().block_len
    }

    fn facts(self) -> &'static Facts {
        match self {
            Self::Aes128Cbc => {
                &Facts { name: "aes-128-cbc", oid: "2.16.840.1.101.3.4.1.2", key_len: 16, block_len: 16 }
            }
            Self::Aes192Cbc => {
                &Facts { name: "aes-192-cbc", oid: "2.16.840.1.101.3.4.1.22", key_len: 24, block_len: 16 }
            }
            Self::Aes256Cbc => {
                &Facts { name: "aes-256-cbc", oid: "2.16.840.1.101.3.4.1.42", key_len: 32, block_len: 16 }
            }
            Self::TripleDesCbc => &Facts { name: "3des-cbc", oid: "1.2.840.113549.3.7", key_len: 24, block_len: 8 },
            Self::DesCbc => &Facts { name: "des-cbc", oid: "1.3.14.3.2.7", key_len: 8, block_len: 8 },
            Self::Rc2Cbc { .. } => &Facts { name: "rc2-cbc", oid: "1.2.840.113549.3.2", key_len: 16, block_len: 8 },
            Self::Cast5Cbc { .. } => {
                &Facts { name: "cast5-cbc", oid: "1.2.840.113533.7.66.10", key_len: 16, block_len: 8 }
            }
            Self::Camellia128Cbc => {
                &Facts { name: "camellia-128-cbc", oid: "1.2.392.200011.61.1.1.1.2", key_len: 16, block_len: 16 }
            }
            Self::Camellia192Cbc => {
                &Facts { name: "camellia-192-cbc", oid: "1.2.392.200011.61.1.1.1.3", key_len: 24, block_len: 16 }
            }
            Self::Camellia256Cbc => {
                &Facts { name: "camellia-256-cbc", oid: "1.2.392.200011.61.1.1.1.4", key_len: 32, block_len: 16 }
            }
            Self::Sm4Cbc => &Facts { name: "sm4-cbc", oid: "1.2.156.10197.1.104.2", key_len: 16, block_len: 16 },
            Self::Sm4Ctr => &Facts { name: "sm4-ctr", oid: "1.2.156.10197.1.104.7", key_len: 16, block_len: 16 },
        }
    }
}

impl fmt::Display for ContentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Identifiers that are read beside the one to write. The bare one of SM4 is what
/// CFCA's toolkit writes where it means CBC mode.
const ALIASES: &[(&str, &str)] = &[("1.2.156.10197.1.104", "1.2.156.10197.1.104.2")];

fn is_cast5(key_bits: u16) -> bool {
    (40..=128).contains(&key_bits) && key_bits.is_multiple_of(8)
}

struct Facts {
    name: &'static str,
    oid: &'static str,
    key_len: usize,
    block_len: usize,
}

/// RC2-CBCParameter (RFC 2268 section 6).
#[derive(Sequence)]
struct Rc2Der {
    version: u32,
    iv: OctetString,
}

/// CAST5CBCParameters (RFC 2984 section 3). The vector has a default of zeros.
#[derive(Sequence)]
struct Cast5Der {
    #[asn1(optional = "true")]
    iv: Option<OctetString>,
    key_bits: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_oids_lead_back() {
        for cipher in ContentCipher::ALL {
            assert_eq!(ContentCipher::from_name(cipher.name()), Some(cipher));
            assert_eq!(ContentCipher::from_oid(cipher.oid()), Some(cipher).filter(|it| it.varying_bits().is_none()));
            assert_eq!(cipher.iv_len(), cipher.block_len());
            let iv = vec![7; cipher.iv_len()];
            let der = cipher.parameters_der(&iv).unwrap();
            assert_eq!(ContentCipher::from_identifier(cipher.oid(), Some(&der)), Ok((cipher, iv)));
            assert!(ContentCipher::from_identifier(cipher.oid(), None).is_err());
            assert!(ContentCipher::from_identifier(cipher.oid(), Some(&[5, 0])).is_err());
            assert!(cipher.parameters_der(&[1]).is_err());
        }
        assert_eq!(ContentCipher::from_oid("1.2.3"), None);
        let bare = "1.2.156.10197.1.104";
        assert_eq!(ContentCipher::from_oid(bare), Some(ContentCipher::Sm4Cbc));
        let iv = ContentCipher::Sm4Cbc.parameters_der(&[7; 16]).unwrap();
        assert_eq!(ContentCipher::from_identifier(bare, Some(&iv)), Ok((ContentCipher::Sm4Cbc, vec![7; 16])));
        assert_eq!(ContentCipher::from_name("rc2-cbc-40"), Some(ContentCipher::Rc2Cbc { effective_bits: 40 }));
        assert_eq!(ContentCipher::from_name("cast5-cbc-41"), None);
        assert_eq!(ContentCipher::from_name("aes-128-cbc-40"), None);
    }

    #[test]
    fn the_parameters_of_old_ciphers() {
        let rc2 = |der: &[u8]| ContentCipher::from_identifier("1.2.840.113549.3.2", Some(der)).map(|found| found.0);
        // What Outlook Express wrote for 40 bits (160) and for 128 bits (58).
        let of_40 = [&[0x30, 14, 2, 2, 0, 0xa0, 4, 8][..], &[1; 8]].concat();
        let of_128 = [&[0x30, 13, 2, 1, 58, 4, 8][..], &[1; 8]].concat();
        let alone = [&[4, 8][..], &[1; 8]].concat();
        assert_eq!(rc2(&of_40), Ok(ContentCipher::Rc2Cbc { effective_bits: 40 }));
        assert_eq!(rc2(&of_128), Ok(ContentCipher::Rc2Cbc { effective_bits: 128 }));
        assert_eq!(rc2(&alone), Ok(ContentCipher::Rc2Cbc { effective_bits: 32 }));
        assert!(rc2(&[&[0x30, 14, 2, 2, 0x7f, 0xff, 4, 8][..], &[1; 8]].concat()).is_err());
        assert_eq!(ContentCipher::Rc2Cbc { effective_bits: 40 }.parameters_der(&[1; 8]).unwrap(), of_40);
        let cast5 =
            |der: &[u8]| ContentCipher::from_identifier("1.2.840.113533.7.66.10", Some(der)).map(|found| found.0);
        assert_eq!(
            cast5(&[&[0x30, 13, 4, 8][..], &[1; 8], &[2, 1, 40]].concat()),
            Ok(ContentCipher::Cast5Cbc { key_bits: 40 })
        );
        assert_eq!(cast5(&[0x30, 4, 2, 2, 0, 128]), Ok(ContentCipher::Cast5Cbc { key_bits: 128 }));
        assert!(cast5(&[0x30, 3, 2, 1, 39]).is_err());
    }
}
