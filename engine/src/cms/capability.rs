//! The entries of the SMIMECapabilities attribute (RFC 8551 section 2.5.2).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use waxseal_key::algorithm;

use super::AlgorithmIdentifier;
use crate::ber::writer::{self, ValueError};

/// One capability: an algorithm, and what tells its variants apart.
///
/// As text: a name of the algorithm table or a dotted object identifier, then
/// nothing, `:null`, `:NUMBER`, or `:x` and hex octets of an encoded value.
/// `aes-256-cbc`; `1.2.840.113549.3.2:128` for RC2 with 128 bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Capability {
    oid: String,
    parameters: CapabilityParameters,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum CapabilityParameters {
    Absent,
    Null,
    Number(u64),
    Encoded(Vec<u8>),
}

/// A text that is no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no capability: a known algorithm name or dotted object identifier is expected, then optionally :null, :NUMBER or :xHEX"
)]
pub struct CapabilityError(String);

impl Capability {
    /// What this engine can decrypt, most wanted first.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        [
            waxseal_key::ContentCipher::Aes256Cbc,
            waxseal_key::ContentCipher::Aes192Cbc,
            waxseal_key::ContentCipher::Aes128Cbc,
        ]
        .into_iter()
        .map(|cipher| Self { oid: cipher.oid().to_owned(), parameters: CapabilityParameters::Absent })
        .collect()
    }

    /// What a holder of a key of SM2 announces: SM4, what everybody else does, and
    /// then that signatures of SM2 and keys under SM2 are known.
    #[must_use]
    pub fn defaults_with_sm2() -> Vec<Self> {
        const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
        const SM2_ENCRYPTION: &str = "1.2.156.10197.1.301.3";
        let named = |oid: &str| Self { oid: oid.to_owned(), parameters: CapabilityParameters::Absent };
        let sm4 = [waxseal_key::AeadCipher::Sm4Gcm.oid(), waxseal_key::ContentCipher::Sm4Cbc.oid()];
        let others = [SM2_WITH_SM3, SM2_ENCRYPTION, waxseal_key::DigestAlgorithm::Sm3.oid()];
        sm4.map(named).into_iter().chain(Self::defaults()).chain(others.map(named)).collect()
    }

    /// Object identifier of the algorithm, dotted.
    #[must_use]
    pub fn oid(&self) -> &str {
        &self.oid
    }

    /// The algorithm's name in the algorithm table, or its object identifier.
    #[must_use]
    pub fn name(&self) -> &str {
        algorithm::by_oid(&self.oid).map_or(self.oid.as_str(), |row| row.name)
    }

    /// The parameters, if they are a number: the effective key bits of RC2.
    #[must_use]
    pub const fn number(&self) -> Option<u64> {
        match self.parameters {
            CapabilityParameters::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Whether there are parameters that may tell variants apart; NULL does not.
    #[must_use]
    pub const fn has_parameters(&self) -> bool {
        matches!(self.parameters, CapabilityParameters::Number(_) | CapabilityParameters::Encoded(_))
    }

    /// SMIMECapability: parameters that tell nothing apart are left out.
    pub(super) fn encode(&self) -> Result<Vec<u8>, ValueError> {
        let parameters = match &self.parameters {
            CapabilityParameters::Absent => Vec::new(),
            CapabilityParameters::Null => writer::null(),
            CapabilityParameters::Number(number) => writer::integer(*number),
            CapabilityParameters::Encoded(octets) => octets.clone(),
        };
        Ok(writer::sequence([writer::oid(&self.oid)?, parameters]))
    }
}

impl From<AlgorithmIdentifier> for Capability {
    fn from(identifier: AlgorithmIdentifier) -> Self {
        let parameters = match identifier.parameters {
            None => CapabilityParameters::Absent,
            Some(octets) if octets == [5, 0] => CapabilityParameters::Null,
            Some(octets) => number(&octets).map_or(CapabilityParameters::Encoded(octets), CapabilityParameters::Number),
        };
        Self { oid: identifier.oid, parameters }
    }
}

/// The number whose DER this is.
fn number(octets: &[u8]) -> Option<u64> {
    let content = match octets {
        [2, length, content @ ..] if usize::from(*length) == content.len() && content.len() <= 8 => content,
        _ => return None,
    };
    let number = content.iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
    (writer::integer(number) == octets).then_some(number)
}

impl FromStr for Capability {
    type Err = CapabilityError;

    fn from_str(text: &str) -> Result<Self, CapabilityError> {
        let wrong = || CapabilityError(text.to_owned());
        let (name, parameters) = match text.split_once(':') {
            None => (text, CapabilityParameters::Absent),
            Some((name, "null")) => (name, CapabilityParameters::Null),
            Some((name, rest)) => (
                name,
                match rest.strip_prefix('x') {
                    Some(hex) => CapabilityParameters::Encoded(octets(hex).ok_or_else(wrong)?),
                    None => CapabilityParameters::Number(rest.parse().map_err(|_| wrong())?),
                },
            ),
        };
        let oid = match algorithm::by_name(name) {
            Some(row) => row.oid.to_owned(),
            None => writer::oid(name).map(|_| name.to_owned()).map_err(|_| wrong())?,
        };
        Ok(Self { oid, parameters })
    }
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match &self.parameters {
            CapabilityParameters::Absent => Ok(()),
            CapabilityParameters::Null => f.write_str(":null"),
            CapabilityParameters::Number(number) => write!(f, ":{number}"),
            CapabilityParameters::Encoded(octets) => write!(f, ":x{}", crate::hex::hex(octets)),
        }
    }
}

impl TryFrom<String> for Capability {
    type Error = CapabilityError;

    fn try_from(text: String) -> Result<Self, CapabilityError> {
        text.parse()
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> Self {
        capability.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_encoding() {
        let check = |text: &str, encoded: &[u8]| {
            let capability: Capability = text.parse().unwrap();
            assert_eq!(capability.to_string(), text);
            assert_eq!(capability.encode().unwrap(), encoded, "{text}");
            let mut cursor = crate::ber::Cursor::new(encoded, 0);
            let read = AlgorithmIdentifier::read(&cursor.take().unwrap().unwrap(), "capability").unwrap();
            assert_eq!(Capability::from(read), capability, "{text}");
        };
        check("aes-256-cbc", b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a");
        check("aes-256-cbc:null", b"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x05\x00");
        check("2.999.2:128", b"\x30\x09\x06\x03\x88\x37\x02\x02\x02\x00\x80");
        check("2.999:x0c00", b"\x30\x06\x06\x02\x88\x37\x0c\x00");
        // Not the shortest form, and a negative number.
        check("2.999:x02020005", b"\x30\x08\x06\x02\x88\x37\x02\x02\x00\x05");
        check("2.999:x0201ff", b"\x30\x07\x06\x02\x88\x37\x02\x01\xff");
        check("2.999:255", b"\x30\x08\x06\x02\x88\x37\x02\x02\x00\xff");
    }

    #[test]
    fn what_is_no_capability() {
        for wrong in ["", "aes", "aes-256-cbc:", "aes-256-cbc:x0", "aes-256-cbc:xé", "3.1", "2.999:-1"] {
            assert_eq!(wrong.parse::<Capability>(), Err(CapabilityError(wrong.to_owned())));
        }
    }
}
