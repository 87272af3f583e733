//! The authenticated content ciphers.

use std::fmt;

use der::{Decode, Encode, Sequence, asn1::OctetString};

use crate::{KeyError, constant_time_eq};

/// An authenticated content-encryption algorithm (RFC 5084, RFC 8103), also
/// with SM4 in the modes of RFC 5084.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AeadCipher {
    /// AES in GCM with a key of 128 bits.
    Aes128Gcm,
    /// AES in GCM with a key of 192 bits.
    Aes192Gcm,
    /// AES in GCM with a key of 256 bits.
    Aes256Gcm,
    /// AES in CCM with a key of 128 bits.
    Aes128Ccm,
    /// AES in CCM with a key of 192 bits.
    Aes192Ccm,
    /// AES in CCM with a key of 256 bits.
    Aes256Ccm,
    /// ChaCha20 with Poly1305.
    ChaCha20Poly1305,
    /// SM4 in GCM.
    Sm4Gcm,
    /// SM4 in CCM.
    Sm4Ccm,
}

impl AeadCipher {
    /// Every authenticated cipher.
    pub const ALL: [Self; 9] = [
        Self::Aes128Gcm,
        Self::Aes192Gcm,
        Self::Aes256Gcm,
        Self::Aes128Ccm,
        Self::Aes192Ccm,
        Self::Aes256Ccm,
        Self::ChaCha20Poly1305,
        Self::Sm4Gcm,
        Self::Sm4Ccm,
    ];

    /// The name in verdicts and cases, for example `aes-256-gcm`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The object identifier in dotted form.
    pub fn oid(self) -> &'static str {
        self.facts().oid
    }

    /// The cipher with this object identifier in dotted form.
    pub fn from_oid(oid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.oid() == oid)
    }

    /// The cipher with this name, exactly as [`name`](Self::name) spells it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.name() == name)
    }

    /// Octets of the key.
    pub fn key_len(self) -> usize {
        self.facts().key_len
    }

    /// Octets of the nonce to write a content with (RFC 5084 sections 3.1 and
    /// 3.2, RFC 8103 section 3): 12, but of CCM fewer for a content of 16 MiB
    /// and more, as the nonce takes its place from what counts the content (RFC
    /// 3610 section 2.2).
    pub fn nonce_len(self, content_len: u64) -> usize {
        match (self.mode(), content_len) {
            (Mode::Ccm, 0x1_0000_0000..) => 7,
            (Mode::Ccm, 0x100_0000..) => 11,
            _ => 12,
        }
    }

    /// Whether the length of the content must be known before its first octet.
    pub fn needs_content_len(self) -> bool {
        self.mode() == Mode::Ccm
    }

    /// Whether a nonce of this length can be worked with: of GCM any but an
    /// empty one, of CCM 7 to 13 octets (RFC 5084 section 3.1).
    pub fn takes_nonce_len(self, len: usize) -> bool {
        match self.mode() {
            Mode::Gcm => (1..=MAX_NONCE).contains(&len),
            Mode::Ccm => (7..=13).contains(&len),
            Mode::ChaCha20Poly1305 => len == 12,
        }
    }

    /// Whether the tag may have this length (RFC 5084 sections 3.1 and 3.2: of
    /// GCM 12 to 16 octets, of CCM an even number from 4 to 16).
    pub fn takes_tag_len(self, len: usize) -> bool {
        match self.mode() {
            Mode::Gcm => (12..=16).contains(&len),
            Mode::Ccm => (4..=16).contains(&len) && len.is_multiple_of(2),
            Mode::ChaCha20Poly1305 => len == 16,
        }
    }

    /// Reads the parameters of an AlgorithmIdentifier (DER of the whole
    /// element): nonce and octets of the tag.
    ///
    /// GCMParameters and CCMParameters are a SEQUENCE, in which the length of
    /// the tag is 12 where it is left out (RFC 5084 sections 3.1 and 3.2); of
    /// ChaCha20-Poly1305 it is the nonce alone (RFC 8103 section 3).
    ///
    /// # Errors
    /// They are missing, damaged, or of a length that the cipher cannot take.
    pub fn read_parameters(self, parameters: Option<&[u8]>) -> Result<(Vec<u8>, usize), KeyError> {
        let der = parameters.ok_or_else(|| self.bad("there are no parameters".to_owned()))?;
        let damaged = |error: der::Error| self.bad(format!("they are damaged: {error}"));
        let (nonce, tag_len) = if self == Self::ChaCha20Poly1305 {
            (OctetString::from_der(der).map_err(damaged)?, 16)
        } else {
            let read = ParametersDer::from_der(der).map_err(damaged)?;
            (read.nonce, usize::from(read.tag_len.unwrap_or(12)))
        };
        self.check_lengths(nonce.as_bytes().len(), tag_len)?;
        Ok((nonce.into_bytes().into(), tag_len))
    }

    /// The parameters of an AlgorithmIdentifier in DER.
    ///
    /// # Errors
    /// The cipher takes no nonce or tag of that length.
    pub fn parameters_der(self, nonce: &[u8], tag_len: usize) -> Result<Vec<u8>, KeyError> {
        self.check_lengths(nonce.len(), tag_len)?;
        let octets = OctetString::new(nonce).map_err(|error| self.bad(error.to_string()))?;
        let written = if self == Self::ChaCha20Poly1305 {
            octets.to_der()
        } else {
            // DER leaves a default out.
            let tag_len = u8::try_from(tag_len).ok().filter(|len| *len != 12);
            ParametersDer { nonce: octets, tag_len }.to_der()
        };
        written.map_err(|error| self.bad(error.to_string()))
    }

    pub(crate) fn check_lengths(self, nonce_len: usize, tag_len: usize) -> Result<(), KeyError> {
        if !self.takes_nonce_len(nonce_len) {
            return Err(self.bad(format!("a nonce of {nonce_len} octets")));
        }
        if !self.takes_tag_len(tag_len) {
            return Err(self.bad(format!("a tag of {tag_len} octets")));
        }
        Ok(())
    }

    pub(crate) fn bad(self, why: String) -> KeyError {
        KeyError::BadParameters { algorithm: self.name().to_owned(), why }
    }

    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm | Self::Sm4Gcm => Mode::Gcm,
            Self::Aes128Ccm | Self::Aes192Ccm | Self::Aes256Ccm | Self::Sm4Ccm => Mode::Ccm,
            Self::ChaCha20Poly1305 => Mode::ChaCha20Poly1305,
        }
    }

    fn facts(self) -> &'static Facts {
        match self {
            Self::Aes128Gcm => &Facts { name: "aes-128-gcm", oid: "2.16.840.1.101.3.4.1.6", key_len: 16 },
            Self::Aes192Gcm => &Facts { name: "aes-192-gcm", oid: "2.16.840.1.101.3.4.1.26", key_len: 24 },
            Self::Aes256Gcm => &Facts { name: "aes-256-gcm", oid: "2.16.840.1.101.3.4.1.46", key_len: 32 },
            Self::Aes128Ccm => &Facts { name: "aes-128-ccm", oid: "2.16.840.1.101.3.4.1.7", key_len: 16 },
            Self::Aes192Ccm => &Facts { name: "aes-192-ccm", oid: "2.16.840.1.101.3.4.1.27", key_len: 24 },
            Self::Aes256Ccm => &Facts { name: "aes-256-ccm", oid: "2.16.840.1.101.3.4.1.47", key_len: 32 },
            Self::ChaCha20Poly1305 => {
                &Facts { name: "chacha20-poly1305", oid: "1.2.840.113549.1.9.16.3.18", key_len: 32 }
            }
            Self::Sm4Gcm => &Facts { name: "sm4-gcm", oid: "1.2.156.10197.1.104.8", key_len: 16 },
            Self::Sm4Ccm => &Facts { name: "sm4-ccm", oid: "1.2.156.10197.1.104.9", key_len: 16 },
        }
    }
}

impl fmt::Display for AeadCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an authenticated cipher is started with.
#[derive(Clone, Copy)]
pub struct AeadSetup<'a> {
    /// The cipher.
    pub cipher: AeadCipher,
    /// The key.
    pub key: &'a [u8],
    /// The nonce; never the same one twice with one key.
    pub nonce: &'a [u8],
    /// What is authenticated beside the content: the authAttrs (RFC 5083
    /// section 2.2).
    pub additional: &'a [u8],
    /// Octets of the tag.
    pub tag_len: usize,
    /// Octets of the content. CCM needs to know it; the others do not look at it.
    pub content_len: Option<u64>,
}

/// An authenticated encryption that is running.
pub struct AeadSealer {
    pub(crate) mode: Box<dyn AeadMode>,
}

impl AeadSealer {
    /// Encrypts in place; pieces may have any length.
    ///
    /// # Errors
    /// The content is longer than the cipher can take, or than was said.
    pub fn process(&mut self, octets: &mut [u8]) -> Result<(), KeyError> {
        self.mode.process(octets)
    }

    /// The tag.
    ///
    /// # Errors
    /// The content is shorter than was said.
    pub fn finish(self) -> Result<Vec<u8>, KeyError> {
        self.mode.finish()
    }
}

/// An authenticated decryption that is running.
///
/// Nothing vouches for what [`process`](Self::process) gives before
/// [`finish`](Self::finish) said so: until then it is nobody's to see.
pub struct AeadOpener {
    pub(crate) mode: Box<dyn AeadMode>,
    pub(crate) cipher: AeadCipher,
    pub(crate) tag_len: usize,
}

impl AeadOpener {
    /// Decrypts in place; pieces may have any length.
    ///
    /// # Errors
    /// The content is longer than the cipher can take, or than was said.
    pub fn process(&mut self, octets: &mut [u8]) -> Result<(), KeyError> {
        self.mode.process(octets)
    }

    /// Checks the tag, in constant time.
    ///
    /// # Errors
    /// [`KeyError::DecryptionFailed`]: it is not that of the content, or has
    /// not the length that was said. Or the content is shorter than was said.
    pub fn finish(self, tag: &[u8]) -> Result<(), KeyError> {
        let found = self.mode.finish()?;
        if tag.len() == self.tag_len && constant_time_eq(&found, tag) {
            return Ok(());
        }
        Err(KeyError::DecryptionFailed(self.cipher.name().to_owned()))
    }
}

/// What a provider runs.
pub(crate) trait AeadMode: Send {
    fn process(&mut self, octets: &mut [u8]) -> Result<(), KeyError>;

    /// The tag, of the length that was asked.
    fn finish(self: Box<Self>) -> Result<Vec<u8>, KeyError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Gcm,
    Ccm,
    ChaCha20Poly1305,
}

/// Nobody has a reason for a longer nonce, and it stands in a message.
const MAX_NONCE: usize = 4096;

struct Facts {
    name: &'static str,
    oid: &'static str,
    key_len: usize,
}

/// GCMParameters and CCMParameters (RFC 5084).
#[derive(Sequence)]
struct ParametersDer {
    nonce: OctetString,
    #[asn1(optional = "true")]
    tag_len: Option<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::{Kind, by_oid};

    #[test]
    fn names_and_oids_lead_back() {
        for cipher in AeadCipher::ALL {
            let row = by_oid(cipher.oid()).unwrap();
            assert_eq!((row.name, row.kind), (cipher.name(), Kind::AuthenticatedCipher));
            assert_eq!((AeadCipher::from_oid(row.oid), AeadCipher::from_name(row.name)), (Some(cipher), Some(cipher)));
            let der = cipher.parameters_der(&[1; 12], 16).unwrap();
            assert_eq!(cipher.read_parameters(Some(&der)), Ok((vec![1; 12], 16)));
            assert!(cipher.read_parameters(None).is_err());
            assert!(cipher.read_parameters(Some(&[5, 0])).is_err());
            assert!(cipher.parameters_der(&[1; 12], 3).is_err());
            assert!(cipher.parameters_der(&[], 16).is_err());
        }
    }

    #[test]
    fn the_default_tag_has_twelve_octets() {
        // RFC 5084 section 3.2.
        let der = [&[0x30, 14, 4, 12][..], &[9; 12]].concat();
        assert_eq!(AeadCipher::Aes128Gcm.read_parameters(Some(&der)), Ok((vec![9; 12], 12)));
        assert_eq!(AeadCipher::Aes128Gcm.parameters_der(&[9; 12], 12).unwrap(), der);
        let bare = [&[4, 12][..], &[9; 12]].concat();
        assert!(AeadCipher::Aes128Gcm.read_parameters(Some(&bare)).is_err(), "a bare nonce is none of GCM");
        assert_eq!(AeadCipher::ChaCha20Poly1305.read_parameters(Some(&bare)), Ok((vec![9; 12], 16)));
    }
}
