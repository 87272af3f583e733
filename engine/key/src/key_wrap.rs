//! The algorithms that wrap one symmetric key under another.

use std::fmt;

/// A key-wrap algorithm (RFC 3394, RFC 3217, RFC 3657), or SM4 in the
/// construction of RFC 3394.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyWrap {
    /// AES with a key of 128 bits (RFC 3394).
    Aes128,
    /// AES with a key of 192 bits (RFC 3394).
    Aes192,
    /// AES with a key of 256 bits (RFC 3394).
    Aes256,
    /// Triple DES with three keys (RFC 3217 section 3).
    TripleDes,
    /// Camellia with a key of 128 bits (RFC 3657 section 3.4).
    Camellia128,
    /// Camellia with a key of 192 bits (RFC 3657 section 3.4).
    Camellia192,
    /// Camellia with a key of 256 bits (RFC 3657 section 3.4).
    Camellia256,
    /// SM4, in the construction of RFC 3394.
    Sm4,
}

impl KeyWrap {
    /// Every key-wrap algorithm.
    pub const ALL: [Self; 8] = [
        Self::Aes128,
        Self::Aes192,
        Self::Aes256,
        Self::TripleDes,
        Self::Camellia128,
        Self::Camellia192,
        Self::Camellia256,
        Self::Sm4,
    ];

    /// The name in verdicts and cases, for example `aes-256-wrap`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The object identifier in dotted form.
    pub fn oid(self) -> &'static str {
        self.facts().oid
    }

    /// The algorithm with this object identifier in dotted form.
    pub fn from_oid(oid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wrap| wrap.oid() == oid)
    }

    /// The algorithm with this name, exactly as [`name`](Self::name) spells it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wrap| wrap.name() == name)
    }

    /// Octets of the key-encryption key.
    pub fn key_len(self) -> usize {
        self.facts().key_len
    }

    /// Octets by which a wrapped key is longer than the key.
    pub fn overhead(self) -> usize {
        if self == Self::TripleDes { 16 } else { 8 }
    }

    fn facts(self) -> &'static Facts {
        match self {
            Self::Aes128 => &Facts { name: "aes-128-wrap", oid: "2.16.840.1.101.3.4.1.5", key_len: 16 },
            Self::Aes192 => &Facts { name: "aes-192-wrap", oid: "2.16.840.1.101.3.4.1.25", key_len: 24 },
            Self::Aes256 => &Facts { name: "aes-256-wrap", oid: "2.16.840.1.101.3.4.1.45", key_len: 32 },
            Self::TripleDes => &Facts { name: "3des-wrap", oid: "1.2.840.113549.1.9.16.3.6", key_len: 24 },
            Self::Camellia128 => &Facts { name: "camellia-128-wrap", oid: "1.2.392.200011.61.1.1.3.2", key_len: 16 },
            Self::Camellia192 => &Facts { name: "camellia-192-wrap", oid: "1.2.392.200011.61.1.1.3.3", key_len: 24 },
            Self::Camellia256 => &Facts { name: "camellia-256-wrap", oid: "1.2.392.200011.61.1.1.3.4", key_len: 32 },
            Self::Sm4 => &Facts { name: "sm4-wrap", oid: "1.2.156.10197.1.104.11", key_len: 16 },
        }
    }
}

impl fmt::Display for KeyWrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

struct Facts {
    name: &'static str,
    oid: &'static str,
    key_len: usize,
}
