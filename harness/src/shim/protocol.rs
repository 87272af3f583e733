//! Shim protocol, version 1: one JSON object a line, a request on standard
//! input, its answer on standard output. `harness/SHIM.md` is its manual.
//!
//! Every request has an `id` and an `op`; the answer repeats the `id` and holds
//! exactly one of `hello`, `verdict`, `unsupported`, `error`. An operation that
//! a shim does not know is answered `unsupported`: this is what lets operations
//! be added without a new version of the protocol.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_json::{Map, Value};
use waxseal_model::{CardState, SharedKey};
use waxseal_verdict::{Aspect, Dialect, Form, Hello, Verdict};

/// The number of the protocol that this version speaks.
pub const PROTOCOL: u32 = 1;

/// Names of the operations as they stand in `op`.
pub mod op {
    /// What can you do?
    pub const HELLO: &str = "hello";
    /// Read a message and judge it.
    pub const OPEN: &str = "open";
    /// Sign an entity.
    pub const SIGN: &str = "sign";
    /// Encrypt an entity.
    pub const ENCRYPT: &str = "encrypt";
    /// Judge chain and identity of a certificate.
    pub const CHECK_CERTIFICATE: &str = "check-certificate";
    /// An operation that no shim has; a shim is admitted only after it refused it.
    pub const UNKNOWN: &str = "waxseal-admission-unknown-operation";
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Number of the request; its answer repeats it.
    pub id: u64,
    /// Name of the operation, see [`op`].
    pub op: String,
    /// What the operation needs, beside `id` and `op`.
    #[serde(flatten)]
    pub arguments: Map<String, Value>,
}

impl Request {
    /// `hello`: the first request that a shim gets.
    #[must_use]
    pub fn hello(id: u64) -> Self {
        let arguments = Map::from_iter([("protocol".to_owned(), PROTOCOL.into())]);
        Self { id, op: op::HELLO.to_owned(), arguments }
    }

    /// A request for an operation that no shim has.
    #[must_use]
    pub fn unknown(id: u64) -> Self {
        Self { id, op: op::UNKNOWN.to_owned(), arguments: Map::new() }
    }

    /// `open`: read the message of a case directory.
    ///
    /// # Errors
    /// The arguments cannot be written as JSON: a path in them is not Unicode.
    pub fn open(id: u64, arguments: &OpenArguments) -> Result<Self, serde_json::Error> {
        Self::new(id, op::OPEN, arguments)
    }

    /// A request for an operation, with the arguments that it takes.
    ///
    /// # Errors
    /// The arguments cannot be written as JSON: a path in them is not Unicode.
    pub fn new(id: u64, op: &str, arguments: &impl Serialize) -> Result<Self, serde_json::Error> {
        let Value::Object(arguments) = serde_json::to_value(arguments)? else { unreachable!("a struct is an object") };
        Ok(Self { id, op: op.to_owned(), arguments })
    }

    /// The arguments as the type of an operation.
    ///
    /// # Errors
    /// A field is missing or has another type; the message names it.
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.arguments.clone()))
    }
}

/// What `open` is given. Every file name is relative to `dir`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct OpenArguments {
    /// The case's own directory.
    pub dir: String,
    /// The message: a mail, or bare CMS in DER, BER or PEM.
    pub message: String,
    /// The content of a detached bare CMS object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Private keys, each with the certificate it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyFiles>,
    /// Trust anchors: PEM, several in one file. Any certificate can be an anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchors: Option<String>,
    /// Further certificates that may help to build a path: PEM, several in one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_certificates: Option<String>,
    /// CRLs that may tell of revoked certificates: one in DER a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crls: Vec<String>,
    /// OCSP responses that may, too: one in DER a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocsp: Vec<String>,
    /// Passwords that may open the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<String>,
    /// Keys that both sides have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symmetric_keys: Vec<SharedKey>,
    /// Mails that the reader got before, oldest first; only to a shim that learns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierMail>,
    /// The time at which to judge, RFC 3339; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// The sender's address, where it is not the From of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The PIN that the keys ask for, and what their holder enters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinEntry>,
    /// Name of the policy to judge by; absent: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Whether a certificate is bad of which nothing tells that it was not revoked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_revocation: bool,
    /// Where to write the innermost entity (with its MIME headers, CRLF).
    pub out: String,
}

/// What `sign` is given. Every file name is relative to `dir`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SignArguments {
    /// The directory.
    pub dir: String,
    /// The mail to sign: its Content fields and its body are signed, its other
    /// fields stay outside.
    pub message: String,
    /// Clear or opaque; absent: clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The digest, by its name in the algorithm table; absent: the
    /// implementation's habit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The signature scheme, such as `rsassa-pss`; absent: the implementation's
    /// habit with such a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The dialect of a message with SM2; absent: the first that it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// The signer's private key and certificate.
    pub key: KeyFiles,
    /// Certificates to send along: PEM, several in one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<String>,
    /// Trust anchors, PEM: some programs sign with a key only if they trust its
    /// certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchors: Option<String>,
    /// The certificate that answers are to be encrypted for, which is sent along, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_certificate: Option<String>,
    /// What SMIMECapabilities announces, most wanted first: names of the
    /// algorithm table, or object identifiers, then `:` and parameters; no
    /// attribute if empty, what the implementation reads if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announces: Option<Vec<String>>,
    /// Settings of the program that are not its defaults, by its own names; one
    /// that it does not have is `unsupported`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The signing time, RFC 3339; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Where to write the signed mail.
    pub out: String,
}

/// What `encrypt` is given: certificates and cipher, or what earlier mail taught,
/// by which the writer then chooses them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EncryptArguments {
    /// As in `open`: what the writer reads earlier mail with. `message` is the
    /// mail to encrypt, `out` where to write the encrypted one.
    #[serde(flatten)]
    pub reading: OpenArguments,
    /// The addresses of the recipients.
    pub to: Vec<String>,
    /// The certificates to encrypt for, PEM, one in a file: exactly these, and
    /// nothing is learned or chosen. Empty: chosen for the addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// The content cipher, as [`Wrote::cipher`] spells it; absent: what the
    /// implementation chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// How the content key is encrypted for RSA keys: `rsaes-oaep`; absent: the
    /// implementation's habit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_encryption: Option<String>,
    /// The dialect of a message with SM2; absent: the first that it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Settings of the program that are not its defaults, as in `sign`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Sign inside, with this key; only to a SUT that writes `signed-encrypted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<KeyFiles>,
    /// Beside `signer`: certificates to send along, PEM, several in one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<String>,
    /// The certificate of the writer, for a copy (RFC 8551 section 3.3): PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_for: Option<String>,
    /// The ciphers that may be used, best first, in the place of those of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sends: Option<Vec<String>>,
}

/// What `check-certificate` is given. Every file name is relative to `dir`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CheckCertificateArguments {
    /// The directory.
    pub dir: String,
    /// The certificate: PEM.
    pub certificate: String,
    /// The address that it should be for; absent: identity is not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What it is to be used for.
    #[serde(default)]
    pub purpose: CertificatePurpose,
    /// Trust anchors: PEM, several in one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchors: Option<String>,
    /// Further certificates that may help to build a path: PEM, several in one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_certificates: Option<String>,
    /// CRLs: one in DER a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crls: Vec<String>,
    /// OCSP responses: one in DER a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocsp: Vec<String>,
    /// The time at which to judge, RFC 3339; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Whether it is bad that nothing tells that it was not revoked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_revocation: bool,
}

/// What a certificate is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CertificatePurpose {
    /// To verify signatures on mail (RFC 8550 section 4.4.2).
    #[default]
    Sign,
    /// To encrypt mail for its holder.
    Encrypt,
}

/// What a SUT says of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedCertificate {
    /// Whether it leads to an anchor.
    pub chain: Aspect,
    /// Whether it is for the address.
    pub identity: Aspect,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Wrote {
    /// The content cipher of an encrypted mail; `rc2-cbc-40` for RC2 with so many effective bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// Serial numbers of the certificates that it is encrypted for, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// What led to the cipher, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Why nothing was written, though the shim can write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// A stable word: `not-known`, `signs-only`, `certificate-unusable`, `not-announced`, `nothing-usable`,
    /// `nothing-common`.
    pub reason: String,
    /// The same for a person.
    pub detail: String,
}

/// A card with the keys of a request on it: its PIN, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PinEntry {
    /// What the card asks for.
    pub pin: String,
    /// What its holder enters.
    pub entered: String,
    /// What was done to the card before, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardState>,
}

/// A mail that was read before the one in question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EarlierMail {
    /// The mail.
    pub message: String,
    /// When it was read, RFC 3339.
    pub clock: String,
}

/// A private key and its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct KeyFiles {
    /// The key: PKCS#8 in PEM, not encrypted.
    pub key: String,
    /// Its certificate: PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// One answer, as it stands on its line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AnswerLine {
    /// The id of the request.
    pub id: u64,
    /// The protocol that the shim speaks; only beside `hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u32>,
    /// What the shim can do.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::newer::hello")]
    pub hello: Option<Hello>,
    /// What it says of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What it wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrote: Option<Wrote>,
    /// Why it would not write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// What it says of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<JudgedCertificate>,
    /// Why it cannot do what was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// What went wrong in the shim itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The implementation's own words, beside any of the above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
}

/// One answer, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What the shim can do.
    Hello(Hello),
    /// What it says of the message, and the implementation's own words.
    Verdict(Verdict, Option<String>),
    /// What it wrote.
    Wrote(Wrote),
    /// Why it would not write.
    Refused(Refused),
    /// What it says of the certificate.
    Certificate(JudgedCertificate),
    /// It cannot do what was asked, and why.
    Unsupported(String),
    /// Something went wrong in the shim itself, and the implementation's own words.
    Error(String, Option<String>),
}

const ONE_THING: &str =
    "an answer must hold exactly one of hello, verdict, wrote, refused, certificate, unsupported, error";

impl Answer {
    /// The line that says this to request `id`.
    #[must_use]
    pub fn into_line(self, id: u64) -> AnswerLine {
        let line = AnswerLine { id, ..AnswerLine::default() };
        match self {
            Self::Hello(hello) => AnswerLine { protocol: Some(PROTOCOL), hello: Some(hello), ..line },
            Self::Verdict(verdict, native) => AnswerLine { verdict: Some(verdict), native, ..line },
            Self::Wrote(wrote) => AnswerLine { wrote: Some(wrote), ..line },
            Self::Refused(refused) => AnswerLine { refused: Some(refused), ..line },
            Self::Certificate(judged) => AnswerLine { certificate: Some(judged), ..line },
            Self::Unsupported(why) => AnswerLine { unsupported: Some(why), ..line },
            Self::Error(error, native) => AnswerLine { error: Some(error), native, ..line },
        }
    }

    /// Reads the answer to request `id` from a line.
    ///
    /// # Errors
    /// Why the line is no answer to this request, for the record.
    pub fn parse(line: &[u8], id: u64) -> Result<Self, String> {
        let line: AnswerLine = serde_json::from_slice(line).map_err(|error| match error.classify() {
            Category::Data => format!("the answer is JSON, but not as the protocol has it: {error}"),
            Category::Io | Category::Syntax | Category::Eof => format!("the answer is no JSON: {error}"),
        })?;
        if line.id != id {
            return Err(format!("an answer to request {}, expected one to {id}", line.id));
        }
        // Each member that is there, as the answer that it makes; more or less than one is none.
        let AnswerLine { protocol, hello, verdict, wrote, refused, certificate, unsupported, error, native, .. } = line;
        let answers = [
            hello.map(Self::Hello),
            verdict.map(|verdict| Self::Verdict(verdict, native.clone())),
            wrote.map(Self::Wrote),
            refused.map(Self::Refused),
            certificate.map(Self::Certificate),
            unsupported.map(Self::Unsupported),
            error.map(|error| Self::Error(error, native)),
        ];
        let mut answers = answers.into_iter().flatten();
        match (answers.next(), answers.next()) {
            (Some(Self::Hello(hello)), None) => match protocol {
                Some(PROTOCOL) => Ok(Self::Hello(hello)),
                Some(other) => Err(format!("the shim speaks protocol {other}, expected {PROTOCOL}")),
                None => Err("hello without the field protocol".to_owned()),
            },
            (Some(Self::Verdict(verdict, _)), None) if verdict.format != waxseal_verdict::FORMAT => {
                Err(format!("a verdict of format {}, expected {}", verdict.format, waxseal_verdict::FORMAT))
            }
            (Some(answer), None) => Ok(answer),
            _ => Err(ONE_THING.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_flat_object() {
        let arguments = OpenArguments {
            dir: "case".to_owned(),
            message: "message.eml".to_owned(),
            keys: vec![KeyFiles { key: "key-1.pem".to_owned(), certificate: None }],
            out: "content".to_owned(),
            ..OpenArguments::default()
        };
        let request = Request::open(7, &arguments).unwrap();
        let line = serde_json::to_string(&request).unwrap();
        assert_eq!(
            line,
            r#"{"id":7,"op":"open","dir":"case","message":"message.eml","keys":[{"key":"key-1.pem"}],"out":"content"}"#
        );
        let back: Request = serde_json::from_str(&line).unwrap();
        assert_eq!(back.arguments::<OpenArguments>().unwrap(), arguments);
    }

    #[test]
    fn an_answer_says_one_thing_to_one_request() {
        for (line, wrong) in [
            ("", "the answer is no JSON: EOF"),
            ("hello", "the answer is no JSON: expected value at line 1 column 1"),
            (r#"{"id":1,"unsupported":"no"} {}"#, "the answer is no JSON: trailing characters"),
            ("{}", "not as the protocol has it: missing field `id`"),
            (r#"{"id":"1","unsupported":"no"}"#, "not as the protocol has it: invalid type: string"),
            (
                r#"{"id":1,"certificate":{"chain":"fine","identity":"good"}}"#,
                "not as the protocol has it: an aspect is good, absent, unchecked,",
            ),
            (r#"{"id":2,"unsupported":"no"}"#, "request 2, expected one to 1"),
            (r#"{"id":1}"#, "exactly one"),
            (r#"{"id":1,"unsupported":"no","error":"no"}"#, "exactly one"),
            (
                r#"{"id":1,"verdict":{"format":9,"overall":"valid","provider":"x","layers":[],"dialect":"cms"}}"#,
                "format 9",
            ),
        ] {
            let error = Answer::parse(line.as_bytes(), 1).unwrap_err();
            assert!(error.contains(wrong), "{line}: {error}");
        }
        let answer = Answer::parse(br#"{"id":1,"unsupported":"no sign","added-later":1}"#, 1);
        assert_eq!(answer, Ok(Answer::Unsupported("no sign".to_owned())));
    }
}
