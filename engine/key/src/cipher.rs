//! The content ciphers that work on streams.

use std::fmt;

/// A content-encryption algorithm in CBC mode (RFC 3370 section 5.1, RFC 3565).
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
}

impl ContentCipher {
    /// Every content cipher.
    pub const ALL: [Self; 4] = [Self::Aes128Cbc, Self::Aes192Cbc, Self::Aes256Cbc, Self::TripleDesCbc];

    /// The name in verdicts and cases, for example `aes-256-cbc`.
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

    /// Octets of the key; of Triple DES with the parity bits.
    pub fn key_len(self) -> usize {
        self.facts().key_len
    }

    /// Octets of the initialization vector.
    pub fn iv_len(self) -> usize {
        self.facts().block_len
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
        }
    }
}

impl fmt::Display for ContentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

struct Facts {
    name: &'static str,
    oid: &'static str,
    key_len: usize,
    block_len: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_oids_lead_back() {
        for cipher in ContentCipher::ALL {
            assert_eq!(ContentCipher::from_name(cipher.name()), Some(cipher));
            assert_eq!(ContentCipher::from_oid(cipher.oid()), Some(cipher));
            assert_eq!(cipher.iv_len(), cipher.block_len());
        }
        assert_eq!(ContentCipher::from_oid("1.2.3"), None);
    }
}
