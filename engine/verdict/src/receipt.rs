//! Receipts: the signed ones of RFC 2634, and the notifications of RFC 8098.

use serde::{Deserialize, Serialize};

use crate::Aspect;

/// A signed receipt (RFC 2634 section 2.8).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Receipt {
    /// Type of the content that was received, dotted.
    pub content_type: String,
    /// The content identifier of the request, lower-case hexadecimal.
    pub identifier: String,
    /// The signature value of the message that was received, lower-case hexadecimal.
    pub signature: String,
    /// Is it the receipt for the message that the caller gave? Absent if none was given.
    #[serde(default)]
    pub original: Aspect,
}

/// A disposition notification (RFC 8098 section 3). A program, not a person,
/// wrote it; only a signature around it says whose.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Notification {
    /// The part that holds it.
    pub path: String,
    /// The innermost layer that protects it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// `displayed`, `deleted`, `dispatched` or `processed`.
    pub disposition: String,
    /// Words after the disposition, such as `error`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<String>,
    /// `manual-action` or `automatic-action`.
    pub action: String,
    /// `MDN-sent-manually` or `MDN-sent-automatically`.
    pub sending: String,
    /// The address of whom it is about.
    pub final_recipient: String,
    /// The address that the message was sent to, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_recipient: Option<String>,
    /// Message-ID of the message that was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_message_id: Option<String>,
}

/// An attribute certificate that a message carries (RFC 5755, RFC 5652 section
/// 10.2.2). It is shown, and nothing is checked with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttributeCertificate {
    /// 1 or 2, as people count.
    pub version: u32,
    /// Who has the attributes.
    pub holder: String,
    /// Who says so.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
}
