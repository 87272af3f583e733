//! What a reader said of a message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::codes;
use crate::{
    Aspect, AspectName, AttributeCertificate, Deviation, HeaderField, HeaderProtection, Notification, Receipt,
    Statements,
};

/// The number of the verdict format written by this version.
pub const FORMAT: u32 = 1;

/// What a reader said of a whole message: its layers, outermost first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The format of this record, [`FORMAT`].
    pub format: u32,
    /// The layers drawn together, see [`Overall`].
    pub overall: Overall,
    /// Which arithmetic did the work: `auto`, `rustcrypto`, `aws-lc`, or a peer's own word.
    pub provider: String,
    /// One entry for each wrapping, outermost first.
    pub layers: Vec<Layer>,
    /// How the message protects its header fields, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_protection: Option<HeaderProtection>,
    /// Every header field that the message protects, and what a reader would
    /// show that stands outside alone; by name in lower case. Empty without
    /// header protection: all fields are unprotected then.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderField>,
    /// Time-stamps found on signatures, and tokens that are layers.
    #[serde(default)]
    pub timestamps: Vec<Timestamp>,
    /// Disposition notifications: what became of an earlier message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<Notification>,
    /// The family of messages: that of the outermost layer that is not in CMS,
    /// or `cms`.
    pub dialect: Dialect,
}

impl Verdict {
    /// A verdict over these layers, with [`Overall`] drawn from them.
    #[must_use]
    pub fn new(provider: impl Into<String>, layers: Vec<Layer>) -> Self {
        let dialect = layers.iter().find_map(|layer| layer.dialect).unwrap_or(Dialect::Cms);
        Self {
            format: FORMAT,
            overall: Overall::of(&layers),
            provider: provider.into(),
            layers,
            header_protection: None,
            headers: BTreeMap::new(),
            timestamps: Vec::new(),
            notifications: Vec::new(),
            dialect,
        }
    }

    /// Whether any aspect of any layer is bad (exit code 1).
    #[must_use]
    pub fn has_bad(&self) -> bool {
        self.layers.iter().any(|layer| AspectName::ALL.iter().any(|name| layer.aspect(*name).is_bad()))
    }
}

codes! {
    /// The layers drawn together in one word.
    Overall: "overall" {
        /// Everything that applies was checked, and nothing is bad.
        Valid = "valid",
        /// Only coverage, identity, policy or time is bad.
        Warning = "warning",
        /// Nothing is bad, but an aspect that applies is unchecked.
        Undetermined = "undetermined",
        /// Structure, decryption, integrity or chain is bad somewhere.
        Invalid = "invalid",
        /// There is no layer that protects anything: an ordinary mail.
        Unprotected = "unprotected",
    }
}

impl Overall {
    /// Draws the layers together.
    #[must_use]
    pub fn of(layers: &[Layer]) -> Self {
        let any = |names: &[AspectName], test: fn(&Aspect) -> bool| {
            layers.iter().any(|layer| names.iter().any(|name| test(layer.aspect(*name))))
        };
        use AspectName as A;
        if any(&[A::Structure, A::Decryption, A::Integrity, A::Chain], Aspect::is_bad) {
            Self::Invalid
        } else if any(AspectName::ALL, Aspect::is_bad) {
            Self::Warning
        } else if any(AspectName::ALL, |aspect| matches!(aspect, Aspect::Unchecked(_))) {
            Self::Undetermined
        } else if layers.iter().any(|layer| layer.kind.protects()) {
            Self::Valid
        } else {
            Self::Unprotected
        }
    }
}

codes! {
    /// What kind of wrapping a layer is. The list is open: kinds are added.
    Kind: "kind" {
        /// SignedData with at least one signer.
        Signed = "signed",
        /// EnvelopedData.
        Encrypted = "encrypted",
        /// AuthEnvelopedData.
        AuthEnveloped = "authenveloped",
        /// CompressedData.
        Compressed = "compressed",
        /// SignedData that only carries certificates.
        CertsOnly = "certs-only",
        /// DigestedData.
        Digested = "digested",
        /// EncryptedData.
        EncryptedData = "encrypted-data",
        /// AuthenticatedData.
        Authenticated = "authenticated",
        /// A signed receipt.
        Receipt = "receipt",
        /// A time-stamp token.
        Timestamp = "timestamp",
        /// Content without any wrapping but a ContentInfo.
        Data = "data",
        /// A CMS object whose kind could not be read.
        Unknown = "unknown",
    }
}

codes! {
    /// The family of messages that an object belongs to, and the habits of its writer.
    Dialect: "dialect" {
        /// CMS (RFC 5652), with whatever algorithms.
        Cms = "cms",
        /// The syntax of GM/T 0010 (GB/T 35275): content types of its own, version 1.
        Gmt0010 = "gmt0010",
        /// GM/T 0010 or PKCS #7 with the habits of CFCA's kit: SM4-CBC named by the bare SM4
        /// identifier, SM2 points without their first octet, recipients by key identifier in version 2.
        Cfca = "cfca",
        /// GM/T 0010 as GmSSL 3 writes it: signatures over the digest of the whole ContentInfo, without Z; content keys
        /// under the identifier of the key exchange.
        Gmssl3Digest = "gmssl-3-digest",
    }
}

impl Kind {
    /// Whether a layer of this kind protects its content from anybody. The
    /// others hold or transform it, and everybody can make them anew.
    #[must_use]
    pub const fn protects(self) -> bool {
        !matches!(self, Self::Data | Self::CertsOnly | Self::Compressed | Self::Digested)
    }
}

codes! {
    /// How a signature is attached to what it signs.
    Form: "form" {
        /// multipart/signed: readable without S/MIME.
        Clear = "clear",
        /// The content is inside the SignedData.
        Opaque = "opaque",
    }
}

/// One wrapping of the message: a CMS object at one place of the MIME tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Layer {
    /// Place in the MIME tree and kind of object, such as `1.2/signed-data`.
    pub path: String,
    /// What kind of wrapping this is.
    pub kind: Kind,
    /// Clear or opaque; only on signed layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The GM/T dialect that the layer is written in; none on a layer in CMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Is it a well-formed message of its kind?
    #[serde(default)]
    pub structure: Aspect,
    /// Could it be decrypted?
    #[serde(default)]
    pub decryption: Aspect,
    /// Is the content the one that was signed or authenticated?
    #[serde(default)]
    pub integrity: Aspect,
    /// Which of the displayed bytes are protected?
    #[serde(default)]
    pub coverage: Aspect,
    /// Does a path lead from the signer's certificate to an anchor?
    #[serde(default)]
    pub chain: Aspect,
    /// Is the sender the one the certificate names?
    #[serde(default)]
    pub identity: Aspect,
    /// Do algorithms and encodings satisfy the policy?
    #[serde(default)]
    pub policy: Aspect,
    /// Are signing time, Date and time-stamps consistent?
    #[serde(default)]
    pub time: Aspect,
    /// What a standard forbids and the reader accepted on this layer.
    #[serde(default)]
    pub deviations: Vec<Deviation>,
    /// The signers, in the order of signerInfos.
    #[serde(default)]
    pub signers: Vec<Signer>,
    /// The recipients, in the order of recipientInfos.
    #[serde(default)]
    pub recipients: Vec<Recipient>,
    /// The content cipher, such as `aes-256-cbc`.
    #[serde(default)]
    pub content_cipher: Option<String>,
    /// The message authentication code, such as `hmac-sha-256`; only on authenticated layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// What the receipt says; only on a signed receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Attribute certificates that were sent along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attribute_certificates: Vec<AttributeCertificate>,
    /// How many CRLs were sent along.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub crls: u32,
    /// Types of other revocation information that was sent along, dotted (RFC 5652 section 10.2.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revocation: Vec<String>,
    /// MIME parts that this layer protects.
    #[serde(default)]
    pub covered: Vec<String>,
    /// MIME parts that are shown beside it without protection.
    #[serde(default)]
    pub uncovered: Vec<String>,
}

impl Layer {
    /// A layer on which nothing has been judged yet: every aspect absent.
    #[must_use]
    pub fn new(path: impl Into<String>, kind: Kind) -> Self {
        Self {
            path: path.into(),
            kind,
            form: None,
            dialect: None,
            structure: Aspect::Absent,
            decryption: Aspect::Absent,
            integrity: Aspect::Absent,
            coverage: Aspect::Absent,
            chain: Aspect::Absent,
            identity: Aspect::Absent,
            policy: Aspect::Absent,
            time: Aspect::Absent,
            deviations: Vec::new(),
            signers: Vec::new(),
            recipients: Vec::new(),
            content_cipher: None,
            mac: None,
            receipt: None,
            attribute_certificates: Vec::new(),
            crls: 0,
            revocation: Vec::new(),
            covered: Vec::new(),
            uncovered: Vec::new(),
        }
    }

    /// One aspect by name.
    #[must_use]
    pub const fn aspect(&self, name: AspectName) -> &Aspect {
        match name {
            AspectName::Structure => &self.structure,
            AspectName::Decryption => &self.decryption,
            AspectName::Integrity => &self.integrity,
            AspectName::Coverage => &self.coverage,
            AspectName::Chain => &self.chain,
            AspectName::Identity => &self.identity,
            AspectName::Policy => &self.policy,
            AspectName::Time => &self.time,
        }
    }

    /// One aspect by name, to be set.
    pub const fn aspect_mut(&mut self, name: AspectName) -> &mut Aspect {
        match name {
            AspectName::Structure => &mut self.structure,
            AspectName::Decryption => &mut self.decryption,
            AspectName::Integrity => &mut self.integrity,
            AspectName::Coverage => &mut self.coverage,
            AspectName::Chain => &mut self.chain,
            AspectName::Identity => &mut self.identity,
            AspectName::Policy => &mut self.policy,
            AspectName::Time => &mut self.time,
        }
    }

    /// Notes a deviation once.
    pub fn deviate(&mut self, deviation: Deviation) {
        if !self.deviations.contains(&deviation) {
            self.deviations.push(deviation);
        }
    }
}

/// One signer of a signed layer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signer {
    /// Addresses that the signer's certificate names; empty if none or no certificate.
    #[serde(default)]
    pub email: Vec<String>,
    /// The one of them that From or Sender names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_address: Option<String>,
    /// Subject of the certificate, RFC 4514 form.
    #[serde(default)]
    pub subject: String,
    /// Issuer of the certificate, RFC 4514 form.
    #[serde(default)]
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    #[serde(default)]
    pub serial: String,
    /// Digest algorithm, such as `sha-256`, or an object identifier.
    #[serde(default)]
    pub digest: String,
    /// Signature algorithm, such as `rsa-pkcs1-v1_5`, or an object identifier.
    #[serde(default)]
    pub signature: String,
    /// The signingTime attribute, RFC 3339.
    #[serde(default)]
    pub signing_time: Option<String>,
    /// Digest of the content as computed by the reader, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_digest: Option<String>,
    /// Object identifiers of the signed attributes, in the order received.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// What the attributes say, as far as it is known.
    #[serde(default, skip_serializing_if = "Statements::is_empty")]
    pub statements: Statements,
    /// Signatures over this signature (RFC 5652 section 11.4). They change nothing about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countersignatures: Vec<Signer>,
    /// Is the content the one this signer signed?
    #[serde(default)]
    pub integrity: Aspect,
    /// Does a path lead from this signer's certificate to an anchor?
    #[serde(default)]
    pub chain: Aspect,
    /// Is the sender the one this certificate names?
    #[serde(default)]
    pub identity: Aspect,
    /// Do this signer's algorithms satisfy the policy?
    #[serde(default)]
    pub policy: Aspect,
    /// Is this signer's signing time consistent?
    #[serde(default)]
    pub time: Aspect,
    /// The time at which the chain was judged, RFC 3339, where that is the time
    /// of a time-stamp and not that of reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_at: Option<String>,
    /// What a standard forbids and the reader accepted on this signer.
    #[serde(default)]
    pub deviations: Vec<Deviation>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One recipient of an encrypted layer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recipient {
    /// Kind of RecipientInfo: `ktri`, `kari`, `kekri`, `pwri`, `ori`.
    pub kind: String,
    /// How the recipient is named: `issuer=…, serial=…` or `ski=…`.
    pub id: String,
    /// Key management algorithm, such as `rsa-pkcs1-v1_5`, or an object identifier.
    pub algorithm: String,
    /// Whether a key that was given belongs to this recipient.
    #[serde(default)]
    pub matched: bool,
}

/// A time-stamp found on a signature, or a token that is a layer itself (RFC 3161).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timestamp {
    /// The layer that carries it.
    pub layer: String,
    /// The signer on whose signature it stands, from 0; nothing for a token by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<u32>,
    /// The time it states, RFC 3339.
    pub time: Option<String>,
    /// Subject of the authority's certificate; where there is none, the name the authority gives itself.
    pub authority: Option<String>,
    /// Digest algorithm of the imprint, such as `sha-256`, or an object identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The imprint, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imprint_hash: Option<String>,
    /// Serial number of the token, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The policy of the authority, dotted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_policy: Option<String>,
    /// How far the time may be off, in microseconds, if that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_micros: Option<u64>,
    /// Whether the authority's tokens are in the order of their times.
    #[serde(default)]
    pub ordering: bool,
    /// Is it a well-formed token?
    #[serde(default)]
    pub structure: Aspect,
    /// Is it for this signature, or for the content that was given?
    #[serde(default)]
    pub imprint: Aspect,
    /// Did the authority sign it?
    #[serde(default)]
    pub integrity: Aspect,
    /// Does a path lead from the authority's certificate to an anchor, and is it for time-stamps?
    #[serde(default)]
    pub chain: Aspect,
    /// Do its algorithms satisfy the policy?
    #[serde(default)]
    pub policy: Aspect,
    /// Whether this is the one that counts: the earliest of those that are good.
    #[serde(default)]
    pub counts: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    fn layer(set: impl FnOnce(&mut Layer)) -> Layer {
        let mut layer = Layer::new("1/signed-data", Kind::Signed);
        layer.structure = Aspect::Good;
        layer.integrity = Aspect::Good;
        set(&mut layer);
        layer
    }

    #[test]
    fn overall_follows_the_contract() {
        assert_eq!(Overall::of(&[]), Overall::Unprotected);
        assert_eq!(Overall::of(&[layer(|_| ())]), Overall::Valid);
        let unchecked = layer(|layer| layer.chain = Aspect::unchecked(Reason::NoAnchor));
        assert_eq!(Overall::of(std::slice::from_ref(&unchecked)), Overall::Undetermined);
        let warning = layer(|layer| layer.identity = Aspect::bad(Reason::AddressMismatch, ""));
        assert_eq!(Overall::of(&[warning.clone(), unchecked]), Overall::Warning);
        let invalid = layer(|layer| layer.integrity = Aspect::bad(Reason::DigestMismatch, ""));
        assert_eq!(Overall::of(&[warning, invalid]), Overall::Invalid);
    }
}
