//! What a signer says in attributes beside the content: the Enhanced Security
//! Services (RFC 2634, RFC 5035), capabilities, header fields (RFC 7508).

use serde::{Deserialize, Serialize};

/// What one signer's attributes say. A reader may act on it only where the
/// signer's integrity is good.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Statements {
    /// What the innermost content is (RFC 2634 section 2.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_hints: Option<ContentHints>,
    /// The content identifier, lower-case hexadecimal (RFC 2634 section 2.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_identifier: Option<String>,
    /// Another message that this one belongs to (RFC 2634 section 2.11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_reference: Option<ContentReference>,
    /// Whose receipts are asked for (RFC 2634 section 2.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_request: Option<ReceiptRequest>,
    /// Digest of the signed attributes that a receipt is for, lower-case hexadecimal (RFC 2634 section 2.12).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_digest: Option<String>,
    /// Who may see the content (RFC 2634 section 3.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_label: Option<SecurityLabel>,
    /// The same label in the words of other policies (RFC 2634 section 3.4).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equivalent_labels: Vec<SecurityLabel>,
    /// The mailing lists that the message went through, first one first (RFC 2634 section 4.2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expansion_history: Vec<Expansion>,
    /// The certificates that the signature is bound to, the signer's first (RFC 5035 section 5.4).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_certificates: Vec<NamedCertificate>,
    /// SMIMECapabilities, best first: names of the algorithm table or object identifiers (RFC 8551 section 2.5.2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// The certificate to encrypt answers for (RFC 8551 section 2.5.3): `issuer=…, serial=…` or `ski=…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<String>,
    /// Header fields that the signature covers (RFC 7508).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub header_fields: Vec<SecuredField>,
}

impl Statements {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// ContentHints.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContentHints {
    /// Words for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Type of the innermost content, dotted.
    pub content_type: String,
}

/// ContentReference: type, identifier and signature value of another message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContentReference {
    /// Type of its content, dotted.
    pub content_type: String,
    /// Its content identifier, lower-case hexadecimal.
    pub identifier: String,
    /// Its signature value, lower-case hexadecimal.
    pub signature: String,
}

/// ReceiptRequest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceiptRequest {
    /// The content identifier that the receipt must repeat, lower-case hexadecimal.
    pub identifier: String,
    /// `all`, `first-tier` (no members of mailing lists), or `list`.
    pub from: String,
    /// With `list`: the names of each that is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_list: Vec<Vec<String>>,
    /// Where the receipts go: the names of each.
    #[serde(default)]
    pub to: Vec<Vec<String>>,
}

/// ESSSecurityLabel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecurityLabel {
    /// The policy that gives the other words their meaning, dotted.
    pub policy: String,
    /// 0 unmarked, 1 unclassified, 2 restricted, 3 confidential, 4 secret, 5
    /// top secret; others are the policy's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<u32>,
    /// Words for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_mark: Option<String>,
    /// Further restrictions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<SecurityCategory>,
}

/// SecurityCategory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecurityCategory {
    /// Its type, dotted.
    pub kind: String,
    /// The text of a string, or else the encoding in lower-case hexadecimal.
    pub value: String,
}

/// MLData: one passage through a mailing list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Expansion {
    /// The list: `issuer=…, serial=…` or `ski=…`.
    pub list: String,
    /// When, RFC 3339.
    pub time: String,
    /// What becomes of requested receipts, if it is said: `none`, `instead-of` or `in-addition-to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<String>,
    /// With `instead-of` and `in-addition-to`: the names of each that gets one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts_to: Vec<Vec<String>>,
}

/// ESSCertID and ESSCertIDv2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedCertificate {
    /// The digest algorithm.
    pub digest: String,
    /// Digest of the certificate, lower-case hexadecimal.
    pub hash: String,
    /// Its issuer, RFC 4514 form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Its serial number, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

/// HeaderField of RFC 7508 section 4.5.1.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecuredField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// `duplicated`, `deleted` or `modified`: what was done with the field outside.
    pub status: String,
}
