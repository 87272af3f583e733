//! The structure that a writer's program leaves in a message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::codes;
use crate::{FORMAT, Form, Kind};

codes! {
    /// What is looked at in a layer. A fact that a layer does not show (micalg of an encrypted mail, the size of
    /// segments of which there is one) is left out.
    FactName: "fact" {
        /// Media type of the part, in lower case.
        MediaType = "media-type",
        /// Names of the parameters of Content-Type, in order and as they are spelt.
        Parameters = "parameters",
        /// Those of them whose values are quoted.
        Quoted = "quoted",
        /// The parameters that begin a line, each with `tab:` or `space:` before it.
        Folding = "folding",
        /// The protocol parameter.
        Protocol = "protocol",
        /// The micalg parameter, in the letter case of the message.
        Micalg = "micalg",
        /// The smime-type parameter, in the letter case of the message.
        SmimeType = "smime-type",
        /// The boundary, what is random in it replaced by what it consists of: `{digits}`, `{hex:8}`, `{UUID}`.
        Boundary = "boundary",
        /// The lines before the first part: `none`, `empty line`, or their text.
        Preamble = "preamble",
        /// MIME-Version and the Content fields of the part, in order and as they are spelt.
        Fields = "fields",
        /// The value of MIME-Version; words in a comment are left out.
        MimeVersion = "mime-version",
        /// Content-Disposition, unfolded.
        Disposition = "disposition",
        /// Content-Description.
        Description = "description",
        /// Content-Type of the signature's part, unfolded.
        SignatureType = "signature-type",
        /// The fields of the signature's part, in order and as they are spelt.
        SignatureFields = "signature-fields",
        /// The parameters in the signature's part that begin a line.
        SignatureFolding = "signature-folding",
        /// Content-Disposition of the signature's part, unfolded.
        SignatureDisposition = "signature-disposition",
        /// Content-Description of the signature's part.
        SignatureDescription = "signature-description",
        /// Characters of a line of base64; only where there is more than one line.
        Columns = "columns",
        /// The fields of the signed entity, in order and as they are spelt.
        ContentFields = "content-fields",
        /// The elements that have indefinite lengths, or `definite`.
        Encoding = "encoding",
        /// Octets of a segment of the content, or `uneven`; only where there is more than one.
        SegmentSize = "segment-size",
        /// Whether the last cipher block has a segment of its own.
        LastBlockApart = "last-block-apart",
        /// Version of the outermost structure.
        Version = "version",
        /// Number of signers. What follows is about the first.
        Signers = "signers",
        /// Version of the signer.
        SignerVersion = "signer-version",
        /// How the signer's certificate is named.
        SignerId = "signer-id",
        /// The digest.
        Digest = "digest",
        /// Its parameters: `null` or `absent`.
        DigestParameters = "digest-parameters",
        /// The signature algorithm.
        SignatureAlgorithm = "signature-algorithm",
        /// Its parameters: `null`, `absent` or `present`.
        SignatureParameters = "signature-parameters",
        /// Types of the signed attributes, in order.
        Attributes = "attributes",
        /// Whether they stand in the order of DER.
        AttributesSorted = "attributes-sorted",
        /// What the signature is over where they do not: `sorted` or `as-received`.
        AttributesSigned = "attributes-signed",
        /// The form of the signing time: `utc` or `generalized`.
        SigningTime = "signing-time",
        /// What is announced, in order: name or identifier, and a number where there is one.
        Capabilities = "capabilities",
        /// The certificates in order: `signer`, `subject` (another of the signer's), `root`, `ca`, `other`.
        Certificates = "certificates",
        /// Whether a self-issued one is among several.
        RootIncluded = "root-included",
        /// Types of the unsigned attributes, in order.
        UnsignedAttributes = "unsigned-attributes",
        /// The kinds of recipients, with version and how each is named; those that are alike once.
        Recipients = "recipients",
        /// The algorithms by which they get the content key; those that are alike once.
        KeyEncryption = "key-encryption",
        /// The content cipher.
        ContentCipher = "content-cipher",
    }
}

impl FactName {
    /// Whether it is about MIME, which a bare object does not have; the others are about the object.
    #[must_use]
    pub fn is_mime(self) -> bool {
        self < Self::Encoding
    }
}

/// A fact as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Fact {
    /// One word or number.
    Word(String),
    /// Several, in order.
    List(Vec<String>),
}

impl Fact {
    /// The fact as one text; the elements of a list are parted by spaces.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::List(list) => list.join(" "),
        }
    }
}

/// The structure of one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LayerFingerprint {
    /// Where it is, as in the verdict.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// The form, of signed layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Whether it was found inside an encrypted layer.
    pub inside_encryption: bool,
    /// What was found.
    pub facts: BTreeMap<FactName, Fact>,
    /// Where reading its object ended, if it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A header field in which a program names itself. It is shown, and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Claim {
    /// The field.
    pub field: String,
    /// Its value.
    pub value: String,
}

/// The structure of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fingerprint {
    /// Version of this format.
    pub format: u32,
    /// What the header says of the program that wrote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// Every layer that could be seen, outermost first.
    pub layers: Vec<LayerFingerprint>,
}

impl Fingerprint {
    /// The structure of these layers.
    #[must_use]
    pub const fn new(claims: Vec<Claim>, layers: Vec<LayerFingerprint>) -> Self {
        Self { format: FORMAT, claims, layers }
    }
}

impl LayerFingerprint {
    /// A layer of which nothing was looked at yet.
    #[must_use]
    pub const fn new(path: String, kind: Kind, form: Option<Form>) -> Self {
        Self { path, kind, form, inside_encryption: false, facts: BTreeMap::new(), error: None }
    }

    /// Notes a word.
    pub fn word(&mut self, name: FactName, word: impl Into<String>) {
        self.facts.insert(name, Fact::Word(word.into()));
    }

    /// Notes a list.
    pub fn list(&mut self, name: FactName, list: Vec<String>) {
        self.facts.insert(name, Fact::List(list));
    }

    /// A fact as one text.
    #[must_use]
    pub fn text(&self, name: FactName) -> Option<String> {
        self.facts.get(&name).map(Fact::text)
    }
}
