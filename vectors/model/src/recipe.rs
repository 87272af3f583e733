//! How a message is made: a base entity, then steps.
//!
//! A recipe is deterministic: the same bytes come out on every machine. The
//! crate `waxseal-forge` follows it; this is only its description.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{Dialect, Form};

use crate::Instant;
use crate::case::SharedKey;
use crate::code::codes;

/// A base entity, the steps that turn it into the message, and the header above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The entity to protect.
    pub base: Base,
    /// What is done with it, in order; the last step makes the outermost layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The value of From, such as a display name and an address; that of the first signer, or of `alice`, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Further header fields after From, each a whole line such as `Sender: Carol <carol@example.test>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The moment in Date; the clock of the case if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Instant>,
    /// How the message is stored.
    #[serde(default, skip_serializing_if = "LineEnds::is_crlf")]
    pub line_ends: LineEnds,
}

codes! {
    /// The entity that a recipe protects.
    Base {
        /// One text part in 7bit.
        Text = "text",
        /// Lines that end in spaces and tabs.
        TrailingSpaces = "trailing-spaces",
        /// Text outside ASCII, quoted-printable with soft breaks.
        QuotedPrintable = "quoted-printable",
        /// Text outside ASCII, base64.
        Base64 = "base64",
        /// Text outside ASCII, 8bit.
        EightBit = "8bit",
        /// Text and an attachment in multipart/mixed.
        Mixed = "mixed",
        /// Plain text and HTML in multipart/alternative.
        Alternative = "alternative",
        /// An octet stream in binary, with every octet value.
        Binary = "binary",
        /// A text part without a single octet.
        Empty = "empty",
        /// Lines longer than 998 octets.
        LongLines = "long-lines",
        /// Lines that begin with `From ` and with a dot.
        LineBeginnings = "line-beginnings",
        /// A line feed without carriage return inside CRLF text.
        BareLf = "bare-lf",
        /// A multipart whose inner multipart is never closed.
        Unclosed = "unclosed",
        /// A multipart whose boundary begins like the one around it.
        BoundaryPrefix = "boundary-prefix",
        /// Two hundred thousand octets of text: several segments and reads.
        Large = "large",
    }
}

/// One thing done with the entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Sign what there is so far.
    Sign(SignStep),
    /// Encrypt what there is so far.
    Encrypt(EncryptStep),
    /// Compress what there is so far (RFC 8551 section 3.6).
    Compress(CompressStep),
    /// Put a digest beside what there is so far (RFC 5652 section 7).
    Digest(DigestStep),
    /// Encrypt what there is so far under a key that both sides have (RFC 5652 section 8).
    EncryptWithKey(EncryptWithKeyStep),
    /// Authenticate what there is so far (RFC 5652 section 9).
    Authenticate(AuthenticateStep),
    /// Put the entity into the multipart/mixed of a mailing list, a footer beside it.
    ListFooter(Nothing),
    /// Put the whole mail into a `message/rfc822` (RFC 8551 section 3.1), a copy of its header outside.
    Wrap(WrapStep),
    /// Put a time-stamp on the first signature of the outermost layer (RFC 3161 appendix A).
    Stamp(StampStep),
    /// Replace the only occurrence of a text in the entity as it stands.
    Replace(ReplaceStep),
    /// Change something inside the CMS object of the outermost layer.
    Tamper(TamperStep),
}

/// A step without parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Sign the entity (RFC 8551 section 3.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignStep {
    /// The signers.
    pub by: Vec<String>,
    /// Clear or opaque.
    pub form: Form,
    /// Digest algorithm, by the name of the algorithm table.
    #[serde(default = "sha_256")]
    pub digest: String,
    /// Names, and sends, this entity's certificate as that of the first signer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_of: Option<String>,
    /// How a signer is named.
    #[serde(default)]
    pub identifier: Identifier,
    /// RSA keys sign with RSASSA-PSS (RFC 4056).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pss: Option<Pss>,
    /// rsaEncryption as the signature algorithm, without the digest (RFC 3370 section 3.2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bare_rsa: bool,
    /// NULL parameters on the digest algorithm (RFC 5754 section 2: accepted, not written).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub digest_null: bool,
    /// BER with indefinite lengths and content in segments of this many octets; DER if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// Certificates sent along; the signers' paths without the root if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<Vec<String>>,
    /// CRLs sent along, by their names in `pki/revocation.toml`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crls: Vec<String>,
    /// OCSP responses sent along (RFC 5940), by their names in `pki/revocation.toml`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocsp: Vec<String>,
    /// Which signed attributes there are.
    #[serde(default)]
    pub attributes: Attributes,
    /// What SMIMECapabilities announces, most wanted first: names of the algorithm table, or object identifiers, then
    /// `:` and parameters; what the engine reads if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// Names this entity's certificate to encrypt for (RFC 8551 section 2.5.3), and sends it along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_certificate: Option<String>,
    /// The signingTime; the date of the message if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_time: Option<Instant>,
    /// Copies the header into what is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect_headers: Option<ProtectHeaders>,
    /// How SM2 and SM3 are named and written.
    #[serde(default, skip_serializing_if = "Sm2::is_usual")]
    pub sm2: Sm2,
    /// How the MIME header around it is spelt.
    #[serde(default, skip_serializing_if = "Spelling::is_usual")]
    pub mime: Spelling,
}

/// How SM2, SM3 and SM4 are named and written; what is absent is as the dialect has it, without a dialect as CMS
/// implementations have it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sm2 {
    /// The family of the message, and the habits of its writers. Attributes and identifiers of the step that differ
    /// from what is usual hold nevertheless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// The name of the signature: `with-sm3` (….501), `signature` (….301.1), `curve` (….301).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// NULL parameters on the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_null: Option<bool>,
    /// NULL parameters on SM3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_null: Option<bool>,
    /// What is signed: `with-z`, `without-z`, `gmssl3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The identifier that signers sign under, in the place of 1234567812345678.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the encryption of the content key: `with-sm3` (….301.3.2.1), `encryption` (….301.3),
    /// `key-exchange` (….301.2), `curve` (….301).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
    /// NULL parameters on that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_null: Option<bool>,
    /// The form of the encrypted content key: `asn1`, `c1c3c2`, `c1c2c3`, each of the last two with `-bare` or
    /// `-compressed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext: Option<String>,
    /// SM4-CBC is named by the bare identifier of SM4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_sm4: Option<bool>,
}

impl Sm2 {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Copy the header into the payload (RFC 9788 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtectHeaders {
    /// The hp parameter; `cipher` where the mail is encrypted, now or by a later step.
    pub hp: Hp,
    /// What is hidden outside; only with `cipher`.
    #[serde(default)]
    pub policy: HeaderPolicy,
    /// Repeats what is hidden in the main body parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy_display: bool,
}

/// Encrypt the entity (RFC 8551 section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncryptStep {
    /// The recipients; what the kind of a key leaves open, `key_management` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Key-encryption keys for further recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<SharedKey>,
    /// Passwords for further recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<String>,
    /// How the content key gets to them.
    #[serde(default, skip_serializing_if = "KeyManagement::is_usual")]
    pub key_management: KeyManagement,
    /// Content cipher, by the name of the algorithm table; `rc2-cbc-40` for RC2 with so many effective bits.
    pub cipher: String,
    /// Octets of the authentication tag; 16 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_octets: Option<u8>,
    /// The content type stands in an authenticated attribute.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub authenticated_attributes: bool,
    /// A cipher that authenticates stands in EnvelopedData, its tag after the content.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tag_in_content: bool,
    /// How a recipient is named.
    #[serde(default)]
    pub identifier: Identifier,
    /// BER with indefinite lengths and content in segments of this many octets; DER if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// Signers of the content in the same object: signedAndEnvelopedData, which GM/T 0010 alone has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed_by: Vec<String>,
    /// How SM2, SM3 and SM4 are named and written.
    #[serde(default, skip_serializing_if = "Sm2::is_usual")]
    pub sm2: Sm2,
    /// Copies the header into what is encrypted; hp is `cipher`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect_headers: Option<ProtectHeaders>,
    /// How the MIME header around it is spelt.
    #[serde(default, skip_serializing_if = "Spelling::is_usual")]
    pub mime: Spelling,
}

/// The parameters of RSASSA-PSS (RFC 4055 section 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pss {
    /// The digest of the mask generation; that of the signature if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mgf: Option<String>,
    /// Octets of the salt; those of the digest if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<u32>,
}

/// How a content key gets to its recipients; what is absent goes with the key, as RFC 8551 section 2.3 wants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyManagement {
    /// RSAES-OAEP for RSA keys (RFC 3560).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oaep: Option<Oaep>,
    /// The digest of the key derivation of agreement and encapsulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derivation: Option<String>,
    /// Agreement is called the one with the cofactor (RFC 5753 section 7.1.4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cofactor: bool,
    /// SM2 keys agree on a key (RFC 5753), in place of SM2 encryption.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sm2_agreement: bool,
    /// The key wrap, by the name of the algorithm table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrap: Option<String>,
    /// Octets of user keying material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ukm: Option<u8>,
    /// The digest under HMAC in PBKDF2; SHA-256 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prf: Option<String>,
    /// The iterations of PBKDF2; 10000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u32>,
    /// The cipher under a password, by the name of the algorithm table; AES-256-CBC if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_cipher: Option<String>,
}

impl KeyManagement {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// The parameters of RSAES-OAEP (RFC 4055 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oaep {
    /// The digest of the label; SHA-256 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The digest of the mask generation; `digest` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mgf: Option<String>,
    /// The label, as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
}

/// Compress the entity (RFC 8551 section 3.6, RFC 3274).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompressStep {
    /// BER with indefinite lengths and content in segments of this many octets; DER if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// How the MIME header around it is spelt.
    #[serde(default, skip_serializing_if = "Spelling::is_usual")]
    pub mime: Spelling,
}

/// Put a digest beside the entity (RFC 5652 section 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DigestStep {
    /// Digest algorithm, by the name of the algorithm table.
    #[serde(default = "sha_256")]
    pub digest: String,
    /// BER with indefinite lengths and content in segments of this many octets; DER if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// How the MIME header around it is spelt.
    #[serde(default, skip_serializing_if = "Spelling::is_usual")]
    pub mime: Spelling,
}

/// Encrypt the entity under a key that both sides have (RFC 5652 section 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncryptWithKeyStep {
    /// The content key, lower-case hexadecimal.
    pub key: String,
    /// Content cipher, by the name of the algorithm table.
    pub cipher: String,
    /// How SM4 is named and written.
    #[serde(default, skip_serializing_if = "Sm2::is_usual")]
    pub sm2: Sm2,
    /// BER with indefinite lengths and content in segments of this many octets; DER if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// How the MIME header around it is spelt.
    #[serde(default, skip_serializing_if = "Spelling::is_usual")]
    pub mime: Spelling,
}

/// Authenticate the entity for its recipients (RFC 5652 section 9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthenticateStep {
    /// The recipients.
    pub to: Vec<String>,
    /// How the key gets to them.
    #[serde(default, skip_serializing_if = "KeyManagement::is_usual")]
    pub key_management: KeyManagement,
    /// The digest under HMAC, by the name of the algorithm table.
    #[serde(default = "sha_256")]
    pub digest: String,
    /// Without authenticated attributes the code is over the content itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_attributes: bool,
    /// BER with indefinite lengths and content in segments of this many octets; DER if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// How the MIME header around it is spelt.
    #[serde(default, skip_serializing_if = "Spelling::is_usual")]
    pub mime: Spelling,
}

/// Make the whole mail the content of a new one with the same header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrapStep {
    /// The `forwarded` parameter of the drafts before RFC 9788, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<String>,
}

/// Put a time-stamp on the first signature of the outermost layer (RFC 3161 appendix A).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StampStep {
    /// The authority.
    pub by: String,
    /// The time that it stamps; the date of the message if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
    /// What it stamps.
    #[serde(default, skip_serializing_if = "Stamped::is_signature")]
    pub over: Stamped,
    /// Sends no certificates, and names its own by the digest alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compact: bool,
}

codes! {
    /// What a time-stamp is over.
    #[derive(Default)]
    Stamped {
        /// The value of the signature.
        #[default]
        Signature = "signature",
        /// Another value.
        Other = "other",
    }
}

impl Stamped {
    const fn is_signature(&self) -> bool {
        matches!(self, Self::Signature)
    }
}

/// Replace the only occurrence of a text in the entity as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceStep {
    /// The text as it stands; it must occur exactly once.
    pub find: String,
    /// The text that takes its place.
    pub put: String,
}

/// Change something inside the CMS object of the outermost layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TamperStep {
    /// What is changed.
    pub with: Tampering,
}

/// A change inside a CMS object. Lengths around it are corrected, except by `truncate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tampering {
    /// Change a signed attribute of the first signer, or an authenticated one.
    Attribute {
        /// Which one.
        name: Attribute,
        /// What happens to it.
        change: AttributeChange,
        /// Whether the first signer signs again afterwards: only the attribute is wrong then.
        #[serde(default)]
        signed_again: bool,
    },
    /// Invert the last bit of the first signer's signature value.
    Signature {},
    /// Write this signature algorithm into the first SignerInfo, with NULL parameters.
    SignatureAlgorithm {
        /// Name of the algorithm table.
        name: String,
    },
    /// Send these entities' certificates instead.
    Certificates {
        /// The entities, perhaps none.
        of: Vec<String>,
    },
    /// Remove every SignerInfo.
    NoSigners {},
    /// Put the signed content into a detached signature.
    AttachContent {},
    /// Name another digest algorithm in digestAlgorithms.
    DigestAlgorithms {
        /// Name of the algorithm table.
        name: String,
    },
    /// Invert the last bit of an octet in the middle of the (encrypted) content.
    Content {},
    /// Invert the last bit of the authentication code or digest after the content.
    Mac {},
    /// Invert a bit of the first recipient's encrypted key.
    EncryptedKey {},
    /// Encrypt with a padding that RFC 5652 section 6.3 does not know.
    Padding {},
    /// Remove every RecipientInfo.
    NoRecipients {},
    /// Name this entity's certificate in the first RecipientInfo, by issuer and serial number.
    RecipientIdentifier {
        /// The entity.
        of: String,
    },
    /// Write another version number into the SignedData or EnvelopedData.
    Version {
        /// The number.
        number: u8,
    },
    /// End the object there.
    Truncate {
        /// The structural border.
        after: Border,
    },
    /// Add an octet after the object.
    Trailing {},
    /// Put other DER in the place of an element.
    Replace {
        /// The way to it: numbers of children, from SignedData or what else the object is.
        at: Vec<usize>,
        /// The DER that takes its place, lower-case hexadecimal.
        put: String,
    },
    /// Put further DER before an element, or after the last one.
    Insert {
        /// The way to it, as of `replace`.
        at: Vec<usize>,
        /// The DER, lower-case hexadecimal.
        put: String,
    },
    /// Take an element away.
    Remove {
        /// The way to it, as of `replace`.
        at: Vec<usize>,
    },
    /// Let the first signer sign the attributes as they now are.
    SignAgain {},
}

codes! {
    /// A signed attribute.
    Attribute {
        /// contentType.
        ContentType = "content-type",
        /// messageDigest.
        MessageDigest = "message-digest",
        /// signingTime.
        SigningTime = "signing-time",
    }
}

codes! {
    /// What happens to an attribute.
    AttributeChange {
        /// The last bit of its value is inverted.
        Alter = "alter",
        /// It is removed.
        Remove = "remove",
        /// It stands there twice.
        Repeat = "repeat",
        /// Its value stands there twice.
        TwoValues = "two-values",
    }
}

codes! {
    /// A structural border of a CMS object: the object ends right after what is named.
    Border {
        /// Tag and length of ContentInfo.
        ContentInfo = "content-info",
        /// ContentInfo.contentType.
        ContentType = "content-type",
        /// Tag and length of the explicit tag of ContentInfo.content.
        Content = "content",
        /// Tag and length of SignedData or EnvelopedData.
        Data = "data",
        /// The version.
        Version = "version",
        /// SignedData.digestAlgorithms.
        DigestAlgorithms = "digest-algorithms",
        /// SignedData.encapContentInfo.
        EncapsulatedContent = "encapsulated-content",
        /// SignedData.certificates.
        Certificates = "certificates",
        /// Tag and length of signerInfos.
        SignerInfos = "signer-infos",
        /// The first SignerInfo's identifier.
        SignerIdentifier = "signer-identifier",
        /// The first SignerInfo's signed attributes.
        SignedAttributes = "signed-attributes",
        /// All but the last octet of the signature value.
        Signature = "signature",
        /// EnvelopedData.recipientInfos.
        RecipientInfos = "recipient-infos",
        /// EncryptedContentInfo.contentType.
        EncryptedContentType = "encrypted-content-type",
        /// EncryptedContentInfo.contentEncryptionAlgorithm.
        ContentCipher = "content-cipher",
        /// The first half of the encrypted content.
        HalfContent = "half-content",
        /// The encrypted content, before what closes the object.
        EncryptedContent = "encrypted-content",
    }
}

codes! {
    /// The hp parameter (RFC 9788 section 2.1.1).
    Hp {
        /// The mail is sent without encryption.
        Clear = "clear",
        /// The mail is sent encrypted.
        Cipher = "cipher",
    }
}

codes! {
    /// A Header Confidentiality Policy (RFC 9788 section 3.2).
    #[derive(Default)]
    HeaderPolicy {
        /// `hcp_baseline`.
        #[default]
        Baseline = "baseline",
        /// `hcp_shy`.
        Shy = "shy",
        /// `hcp_no_confidentiality`.
        NoConfidentiality = "none",
    }
}

codes! {
    /// How a signer or recipient is named (RFC 5652 sections 5.3 and 6.2.1).
    #[derive(Default)]
    Identifier {
        /// issuerAndSerialNumber.
        #[default]
        IssuerAndSerial = "issuer-and-serial",
        /// subjectKeyIdentifier.
        SubjectKey = "subject-key",
    }
}

codes! {
    /// Which signed attributes a SignerInfo has.
    #[derive(Default)]
    Attributes {
        /// contentType, messageDigest, signingTime, SMIMECapabilities.
        #[default]
        Usual = "usual",
        /// contentType, messageDigest, signingTime.
        Plain = "plain",
        /// None: the signature is over the content itself (RFC 5652 section 5.4).
        None = "none",
        /// As `usual`, with signingCertificateV2 and CMSAlgorithmProtection.
        Full = "full",
        /// As `plain`, signed in an order that is not DER, as Gmail does.
        NotDer = "not-der",
    }
}

codes! {
    /// How the message is stored.
    #[derive(Default)]
    LineEnds {
        /// As it was sent.
        #[default]
        Crlf = "crlf",
        /// As list archives store it; the signature is over the CRLF form.
        Lf = "lf",
    }
}

impl LineEnds {
    const fn is_crlf(&self) -> bool {
        matches!(self, Self::Crlf)
    }
}

/// How the MIME header around a CMS object is spelt; what is absent is spelt as RFC 8551 wants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spelling {
    /// Media type of the part that holds the object, such as `application/x-pkcs7-mime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// smime-type; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smime_type: Option<String>,
    /// protocol of multipart/signed; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// micalg of multipart/signed; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micalg: Option<String>,
    /// Boundary of multipart/signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// File name, in `name` and `filename`; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Characters on a base64 line; 0 for a single line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64_line: Option<u32>,
    /// Text before the first boundary of multipart/signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preamble: Option<String>,
}

impl Spelling {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

fn sha_256() -> String {
    "sha-256".to_owned()
}
