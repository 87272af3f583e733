//! What a message's cryptography says of its header fields (RFC 9788).

use serde::{Deserialize, Serialize};

use crate::code::codes;

codes! {
    /// How one header field is protected (RFC 9788 section 4.3).
    HeaderState: "header state" {
        /// Anybody on the way could read and change it.
        Unprotected = "unprotected",
        /// It is signed, and stands outside for all to read.
        SignedOnly = "signed-only",
        /// It is hidden from all but the recipients, and nobody signed it.
        EncryptedOnly = "encrypted-only",
        /// It is signed, and hidden from all but the recipients.
        SignedAndEncrypted = "signed-and-encrypted",
    }
}

codes! {
    /// How a message says that its payload's header fields are the message's own.
    HeaderScheme: "header protection scheme" {
        /// `hp="clear"`: nothing is hidden outside (RFC 9788 section 2.1.1).
        Clear = "clear",
        /// `hp="cipher"`: HP-Outer tells what is readable outside (RFC 9788 section 2.1.1).
        Cipher = "cipher",
        /// The whole message as `message/rfc822` (RFC 8551 section 3.1, RFC 9788 section 4.10).
        Rfc8551 = "rfc8551hp",
    }
}

/// That, where and how a message protects its header fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeaderProtection {
    /// How the message says it.
    pub scheme: HeaderScheme,
    /// Place of the part whose header fields are protected.
    pub payload: String,
    /// Main body parts that begin with a copy of hidden fields for readers that
    /// do not know header protection (`hp-legacy-display="1"`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legacy_display: Vec<String>,
}

/// All fields of one name. Values are unfolded, encoded words as they stand,
/// in the order of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeaderField {
    /// The protection of the field; of several values the least.
    pub state: HeaderState,
    /// The values in the Cryptographic Payload: those that count. Empty where
    /// the field stands outside only.
    pub protected: Vec<String>,
    /// The values of the outer header section, where they differ; empty where
    /// the field is not outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer: Option<Vec<String>>,
    /// The values that the sender says to have put outside (HP-Outer); only
    /// where there are some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hp_outer: Vec<String>,
}
