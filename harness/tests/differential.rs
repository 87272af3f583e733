//! The engine against three implementations that nobody here wrote: `rasn-cms`
//! reads the same objects, `cryptographic-message-syntax` those that are signed,
//! `openssl` checks the same signatures and paths and opens what is encrypted.
//!
//! The object of every layer is cut out of the mail first, so that what is
//! compared is the reading of CMS: what openssl makes of the mail around it is
//! a matter of the runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Arguments, Failed, Trial};
use rasn_cms::{
    AuthEnvelopedData, AuthenticatedData, ContentInfo, DigestedData, EncryptedData, EnvelopedData,
    KeyEncryptionAlgorithmIdentifier, RecipientInfo, RecipientInfos, SignedData,
};
use support::engine::{open, recordings};
use waxseal::cases::Cases;
use waxseal::shim::openssl::OpenSsl;
use waxseal::shim::serve::Shim as _;
use waxseal::task::{CaseFiles, Task};
use waxseal_engine::Limits;
use waxseal_engine::mime::{self, smime};
use waxseal_key::{ProviderChoice, algorithm};
use waxseal_model::{Corpus, SharedKey};
use waxseal_verdict::{Aspect, Deviation, Dialect, Kind, Layer, Reason, Signer};

/// What OpenSSL 3.0 has not, or not without its legacy provider, by the names of the algorithm table.
const BEYOND_OPENSSL: &[&str] = &[
    "aes-128-ccm",
    "aes-192-ccm",
    "aes-256-ccm",
    "cast5-cbc",
    "chacha20-poly1305",
    "des-cbc",
    "ecdh-hkdf-sha-256",
    "ecdh-hkdf-sha-384",
    "ecdh-hkdf-sha-512",
    "ed25519",
    "ed448",
    "ml-dsa-44",
    "ml-dsa-65",
    "ml-dsa-87",
    "ml-kem-512",
    "ml-kem-768",
    "ml-kem-1024",
    "rc2-cbc",
    "sm2",
    "sm4-ccm",
    "sm4-gcm",
    "sm4-wrap",
    "x25519",
];

/// What `cryptographic-message-syntax` 0.28 says where it is the one that cannot read.
const BEYOND_SYNTAX: &[&str] = &[
    "RevocationInfoChoices parsing not implemented",
    "UnknownSignatureAlgorithm",
    "UnknownDigestAlgorithm",
    // It takes the [0] of a key identifier for a constructed element; RFC 5652 section 5.3 has it implicit.
    "expected constructed value",
    // The names that GM/T 0010 has for signed-data and for data.
    "expected signed data OID",
];

const MESSAGE_DIGEST: &[u32] = &[1, 2, 840, 113_549, 1, 9, 4];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus = Corpus::embedded().unwrap();
    let recordings = recordings();
    let openssl = openssl();
    let cases = Cases { corpus: &corpus, recordings: recordings.as_ref() };
    let all: Vec<_> = corpus.cases().iter().collect();
    let trials = cases.tasks(&all).unwrap().into_iter().map(|task| {
        let absent = task.files.is_err();
        // Each is explained in the corpus, with the reason why it is not the engine that errs.
        let disagreements = corpus.case(&task.id).unwrap().disagreements.clone();
        let disagrees = |name: &str| disagreements.iter().any(|one| one.implementation == name);
        let known = !task.algorithms.iter().any(|name| BEYOND_OPENSSL.contains(&name.as_str())) && !of_gm(&task);
        let others = Others {
            openssl: openssl && known && !disagrees("openssl"),
            rasn: !disagrees("rasn-cms"),
            syntax: !disagrees("cryptographic-message-syntax"),
        };
        Trial::test(task.id.clone(), move || compare(&task, others)).with_ignored_flag(absent)
    });
    let trials = trials.collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let is_all = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list && !arguments.ignored;
    if is_all && !conclusion.has_failed() {
        let too_few = COMPARISONS.iter().filter(|one| openssl || !one.is_of_openssl).filter_map(|one| one.too_few());
        let too_few: Vec<_> = too_few.collect();
        assert!(too_few.is_empty(), "{}", too_few.join("; "));
    }
    conclusion.exit_code()
}

/// How often two readings were held against each other. A case is no failure
/// where a reader has nothing to say, so that one who never says anything would
/// not be noticed.
struct Comparison {
    name: &'static str,
    is_of_openssl: bool,
    /// How many the corpus alone has, without recordings, and some less.
    least: usize,
    made: AtomicUsize,
}

impl Comparison {
    const fn new(name: &'static str, is_of_openssl: bool, least: usize) -> Self {
        Self { name, is_of_openssl, least, made: AtomicUsize::new(0) }
    }

    fn count(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    fn too_few(&self) -> Option<String> {
        let (name, least, made) = (self.name, self.least, self.made.load(Ordering::Relaxed));
        (made < least).then(|| format!("{name}: {made} comparisons, expected {least}"))
    }
}

static SIGNERS: Comparison = Comparison::new("signers, rasn-cms", false, 590);
static RECIPIENTS: Comparison = Comparison::new("recipients and ciphers, rasn-cms", false, 360);
static SYNTAX: Comparison = Comparison::new("signers, cryptographic-message-syntax", false, 440);
static INTEGRITY: Comparison = Comparison::new("integrity, openssl", true, 440);
static DIGESTS: Comparison = Comparison::new("content digests, openssl", true, 410);
static CHAINS: Comparison = Comparison::new("chains, openssl", true, 390);
static DECRYPTED: Comparison = Comparison::new("decryption, openssl", true, 215);

static COMPARISONS: [&Comparison; 7] = [&SIGNERS, &RECIPIENTS, &SYNTAX, &INTEGRITY, &DIGESTS, &CHAINS, &DECRYPTED];

/// Whether a layer has the content types of GM/T 0010, or its algorithms under other names.
fn of_gm(task: &Task) -> bool {
    task.expectation.layers.iter().any(|layer| layer.dialect.is_some_and(|dialect| dialect != Dialect::Cms))
}

/// Whether openssl is here; with `CI` set it must be.
fn openssl() -> bool {
    match OpenSsl::default().hello() {
        Ok(_) => true,
        Err(why) => {
            waxseal_testing::not_installed(format_args!("{why}: nothing is compared with openssl"));
            false
        }
    }
}

/// Whose answer counts for a case.
#[derive(Clone, Copy)]
struct Others {
    openssl: bool,
    rasn: bool,
    syntax: bool,
}

fn compare(task: &Task, others: Others) -> Result<(), Failed> {
    let files = task.files.as_ref().unwrap();
    let (verdict, _) = open(task, files, ProviderChoice::Auto);
    let dir = tempfile::tempdir().unwrap();
    let place = Place { dir: dir.path(), task, files, others };
    place.write_given();
    let mut next = Some(Inside::Message(files.message.clone()));
    let mut differences = Vec::new();
    for layer in &verdict.layers {
        let Some(object) = next.take().and_then(|inside| inside.object(files.content.as_deref())) else { break };
        let Ok(info) = rasn::ber::decode::<ContentInfo>(&object.octets) else {
            if layer.structure.is_good() {
                differences.push(format!("{}: structure is good, rasn-cms cannot read the object", layer.path));
            }
            break;
        };
        next = match layer.kind {
            Kind::Signed | Kind::CertsOnly => place.signed(layer, &object, &info, &mut differences),
            // It is PKCS #7's, and none of the others reads it.
            Kind::Encrypted if layer.path.ends_with("signed-and-enveloped-data") => None,
            Kind::Encrypted | Kind::AuthEnveloped | Kind::Authenticated | Kind::EncryptedData | Kind::Digested => {
                place.other(layer, &object, &info, &mut differences)
            }
            // Data has nothing to compare, and CompressedData no type there.
            _ => None,
        };
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}

/// A CMS object, and what it signs if that stands outside of it.
struct Object {
    octets: Vec<u8>,
    content: Option<Vec<u8>>,
}

/// What the next layer is in.
enum Inside {
    /// The message of the case: mail, or bare CMS.
    Message(Vec<u8>),
    /// What came out of a layer: an entity.
    Entity(Vec<u8>),
}

impl Inside {
    /// The object, cut out of the mail around it.
    fn object(self, detached: Option<&[u8]>) -> Option<Object> {
        let octets = match self {
            Self::Message(octets) if octets.first() == Some(&0x30) => {
                return Some(Object { octets, content: detached.map(<[u8]>::to_vec) });
            }
            Self::Message(octets) if octets.starts_with(b"-----BEGIN ") => {
                return Some(Object { octets: from_pem(&octets), content: detached.map(<[u8]>::to_vec) });
            }
            Self::Message(octets) | Self::Entity(octets) => octets,
        };
        let mut source = Cursor::new(octets);
        let root = mime::parse(&mut source, &Limits::default()).ok()?;
        let found = smime::find(&root);
        let protected = &found.first()?.smime;
        let content = match &protected.role {
            smime::Role::Signed { content, .. } => {
                let mut octets = Vec::new();
                mime::canonical(&mut source, content.entity(), content.line_ends).read_to_end(&mut octets).unwrap();
                Some(octets)
            }
            _ => None,
        };
        let mut octets = Vec::new();
        // What cannot be decoded to its end is no object that others could read.
        mime::decode_body(&mut source, protected.object()?).ok()?.read_to_end(&mut octets).ok()?;
        Some(Object { octets, content })
    }
}

/// Where openssl works on one case.
struct Place<'a> {
    dir: &'a Path,
    task: &'a Task,
    files: &'a CaseFiles,
    others: Others,
}

impl Place<'_> {
    /// Signers, attributes and digests; the result is what is inside.
    fn signed(
        &self,
        layer: &Layer,
        object: &Object,
        info: &ContentInfo,
        differences: &mut Vec<String>,
    ) -> Option<Inside> {
        if self.others.syntax {
            compare_syntax(layer, object, differences);
        }
        let Ok(signed) = rasn::ber::decode::<SignedData>(info.content.as_bytes()) else {
            if layer.structure.is_good() && self.others.rasn {
                differences.push(format!("{}: structure is good, rasn-cms cannot read the SignedData", layer.path));
            }
            return None;
        };
        if !layer.signers.is_empty() {
            self.compare_signers(layer, &signed, differences);
        }
        let content =
            object.content.clone().or_else(|| signed.encap_content_info.content.as_ref().map(|octets| octets.to_vec()));
        if self.others.openssl && layer.structure.is_good() {
            self.openssl_signed(layer, object, differences);
        }
        content.map(Inside::Entity)
    }

    fn compare_signers(&self, layer: &Layer, signed: &SignedData, differences: &mut Vec<String>) {
        let mut theirs = Vec::new();
        let mut digests = Vec::new();
        for signer in signed.signer_infos.to_vec() {
            let mut attributes = Vec::new();
            let mut digest = None;
            for attribute in signer.signed_attrs.iter().flat_map(|attributes| attributes.to_vec()) {
                attributes.push(attribute.r#type.iter().map(u32::to_string).collect::<Vec<_>>().join("."));
                if &attribute.r#type[..] == MESSAGE_DIGEST {
                    let value = attribute.values.to_vec().first().map(|value| value.as_bytes().to_vec());
                    digest = value.and_then(|der| rasn::ber::decode::<rasn::types::OctetString>(&der).ok());
                }
            }
            attributes.sort();
            theirs.push(attributes);
            digests.push(digest.map(|octets| hex(&octets)));
        }
        let mut ours: Vec<_> = layer.signers.iter().map(|signer| signer.attributes.clone()).collect();
        ours.iter_mut().for_each(|attributes| attributes.sort());
        ours.sort();
        theirs.sort();
        SIGNERS.count();
        if ours != theirs {
            differences.push(format!("{}: signers and attributes {ours:?}, rasn-cms reads {theirs:?}", layer.path));
        }
        // A good signer hashed to what its messageDigest says, as somebody else reads it.
        let hashed =
            |signer: &&Signer| layer.structure.is_good() && signer.integrity.is_good() && !signer.attributes.is_empty();
        for signer in layer.signers.iter().filter(hashed) {
            if !digests.contains(&signer.content_digest) {
                let digest = &signer.content_digest;
                differences.push(format!("{}: content digest {digest:?}, rasn-cms reads {digests:?}", layer.path));
            }
        }
    }

    fn openssl_signed(&self, layer: &Layer, object: &Object, differences: &mut Vec<String>) {
        self.write("object", &object.octets);
        let mut verify = vec!["cms", "-verify", "-inform", "DER", "-in", "object", "-noverify", "-binary"];
        verify.extend(["-out", "content", "-signer", "signer.pem", "-certsout", "certs.pem"]);
        if let Some(content) = &object.content {
            self.write("detached", content);
            verify.extend(["-content", "detached"]);
        }
        if !self.files.extra_certificates.is_empty() {
            verify.extend(["-certfile", "extra.pem"]);
        }
        let (good, said) = self.openssl(&verify);
        INTEGRITY.count();
        if good != layer.integrity.is_good() {
            differences.push(format!("{}: integrity is {}, openssl says {said}", layer.path, layer.integrity));
        }
        if !good {
            return;
        }
        for signer in &layer.signers {
            // Its names: sha256, sha3-256.
            let digest = signer.digest.replace("sha-", "sha");
            let (_, said) = self.openssl(&["dgst", &format!("-{digest}"), "-r", "content"]);
            let theirs = said.split_whitespace().next().map(str::to_owned);
            DIGESTS.count();
            if signer.content_digest != theirs {
                let ours = &signer.content_digest;
                differences.push(format!("{}: content digest {ours:?}, openssl computes {theirs:?}", layer.path));
            }
        }
        if let [signer] = &layer.signers[..]
            && !self.files.anchors.is_empty()
            && !is_about_revocation(&signer.chain)
        {
            self.openssl_chain(layer, &signer.chain, differences);
        }
    }

    fn openssl_chain(&self, layer: &Layer, ours: &Aspect, differences: &mut Vec<String>) {
        let at = self.task.clock.unix_timestamp().to_string();
        let mut verify = vec!["verify", "-attime", &at, "-CAfile", "anchors.pem", "-no-CApath", "-no-CAstore"];
        verify.extend(["-partial_chain", "-purpose", "smimesign"]);
        let sent = std::fs::read_to_string(self.dir.join("certs.pem")).unwrap_or_default();
        let untrusted = sent + &self.files.extra_certificates;
        if !untrusted.is_empty() {
            self.write("untrusted.pem", untrusted.as_bytes());
            verify.extend(["-untrusted", "untrusted.pem"]);
        }
        verify.push("signer.pem");
        let (good, said) = self.openssl(&verify);
        CHAINS.count();
        if good != ours.is_good() {
            differences.push(format!("{}: chain is {ours}, openssl verify says {said}", layer.path));
        }
    }

    /// Recipients and ciphers; the result is what is inside, as others find it.
    fn other(
        &self,
        layer: &Layer,
        object: &Object,
        info: &ContentInfo,
        differences: &mut Vec<String>,
    ) -> Option<Inside> {
        let read = match layer.kind {
            Kind::Encrypted => decode(info).map(|read: EnvelopedData| {
                Read::of(Some(&read.recipient_infos), Some(&read.encrypted_content_info.content_encryption_algorithm))
            }),
            Kind::AuthEnveloped => decode(info).map(|read: AuthEnvelopedData| {
                let content = &read.auth_encrypted_content_info;
                Read::of(Some(&read.recipient_infos), Some(&content.content_encryption_algorithm))
            }),
            Kind::Authenticated => {
                decode(info).map(|read: AuthenticatedData| Read::of(Some(&read.recipient_infos), None))
            }
            Kind::EncryptedData => decode(info).map(|read: EncryptedData| {
                Read::of(None, Some(&read.encrypted_content_info.content_encryption_algorithm))
            }),
            _ => match decode(info) {
                Ok(read) => {
                    let read: DigestedData = read;
                    return read.encap_content_info.content.map(|octets| Inside::Entity(octets.to_vec()));
                }
                Err(error) => Err(error),
            },
        };
        if layer.structure.is_good() && self.others.rasn {
            match read {
                Ok(theirs) => theirs.compare(layer, differences),
                Err(error) => differences.push(format!("{}: structure is good, rasn-cms says {error}", layer.path)),
            }
        }
        self.openssl_opens(layer, object, differences)
    }

    /// What openssl decrypts to.
    fn openssl_opens(&self, layer: &Layer, object: &Object, differences: &mut Vec<String>) -> Option<Inside> {
        // `openssl cms` has no command for AuthenticatedData.
        if !self.others.openssl || !layer.structure.is_good() || layer.kind == Kind::Authenticated {
            return None;
        }
        self.write("object", &object.octets);
        let command = if layer.kind == Kind::EncryptedData { "-EncryptedData_decrypt" } else { "-decrypt" };
        let mut said = "no key".to_owned();
        for given in self.ways_in() {
            let decrypt = ["cms", command, "-inform", "DER", "-in", "object", "-out", "content"];
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            let (good, words) = self.openssl(&[&decrypt[..], &given].concat());
            if good && layer.decryption.is_good() {
                DECRYPTED.count();
                return Some(Inside::Entity(std::fs::read(self.dir.join("content")).unwrap()));
            }
            said = words;
        }
        // A wrong key may by chance leave a padding that fits: only success is compared. Of GCM in
        // EnvelopedData it does not know where the tag is, and need not.
        if layer.decryption.is_good() && !layer.deviations.contains(&Deviation::GcmInEnveloped) {
            differences.push(format!("{}: decryption is good, openssl says {said}", layer.path));
        }
        None
    }

    /// What openssl is given to decrypt with, one after the other.
    fn ways_in(&self) -> Vec<Vec<String>> {
        let key = |number| {
            let (key, certificate) = (format!("key-{number}.pem"), format!("certificate-{number}.pem"));
            vec!["-inkey".to_owned(), key, "-recip".to_owned(), certificate]
        };
        let password = |word: &String| vec!["-pwri_password".to_owned(), word.clone()];
        let shared = |shared: &SharedKey| {
            let mut given = vec!["-secretkey".to_owned(), shared.key.clone()];
            given.extend(["-secretkeyid".to_owned(), shared.id.clone()].into_iter().filter(|_| !shared.id.is_empty()));
            given
        };
        let files = self.files;
        let keys = (0..files.keys.len()).map(key);
        keys.chain(files.passwords.iter().map(password)).chain(files.symmetric_keys.iter().map(shared)).collect()
    }

    fn write_given(&self) {
        self.write("anchors.pem", self.files.anchors.as_bytes());
        self.write("extra.pem", self.files.extra_certificates.as_bytes());
        for (number, pair) in self.files.keys.iter().enumerate() {
            self.write(&format!("key-{number}.pem"), pair.key.as_bytes());
            let certificate = pair.certificate.as_deref().unwrap_or_default();
            self.write(&format!("certificate-{number}.pem"), certificate.as_bytes());
        }
    }

    fn write(&self, name: &str, octets: &[u8]) {
        std::fs::write(self.dir.join(name), octets).unwrap();
    }

    /// Whether openssl succeeded, and what it said.
    fn openssl(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new("openssl").args(arguments).current_dir(self.dir).output().unwrap();
        let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), words.trim().to_owned())
    }
}

fn decode<T: rasn::Decode>(info: &ContentInfo) -> Result<T, rasn::error::DecodeError> {
    rasn::ber::decode(info.content.as_bytes())
}

/// What rasn-cms reads of a layer that is encrypted or authenticated.
struct Read {
    /// Kind of each RecipientInfo and algorithm of its key; one for each key of a key agreement.
    recipients: Vec<(&'static str, String)>,
    cipher: Option<String>,
}

impl Read {
    fn of(recipients: Option<&RecipientInfos>, cipher: Option<&KeyEncryptionAlgorithmIdentifier>) -> Self {
        let infos = recipients.map(|infos| infos.to_vec()).unwrap_or_default();
        let recipients = infos.into_iter().flat_map(|info| match info {
            RecipientInfo::KeyTransRecipientInfo(info) => vec![("ktri", name_of(&info.key_encryption_algorithm))],
            RecipientInfo::KeyAgreeRecipientInfo(info) => {
                vec![("kari", name_of(&info.key_encryption_algorithm)); info.recipient_encrypted_keys.len()]
            }
            RecipientInfo::KekRecipientInfo(info) => vec![("kekri", name_of(&info.key_encryption_algorithm))],
            RecipientInfo::PasswordRecipientInfo(info) => vec![("pwri", name_of(&info.key_encryption_algorithm))],
            // Its algorithm is inside a value that rasn-cms does not know.
            RecipientInfo::OtherRecipientInfo(_) => vec![("ori", String::new())],
        });
        Self { recipients: recipients.collect(), cipher: cipher.map(name_of) }
    }

    fn compare(self, layer: &Layer, differences: &mut Vec<String>) {
        let algorithm = |kind: &str, name: &str| if kind == "ori" { String::new() } else { name.to_owned() };
        let ours = layer.recipients.iter().map(|one| (one.kind.as_str(), algorithm(&one.kind, &one.algorithm)));
        let (mut ours, mut theirs): (Vec<_>, _) = (ours.collect(), self.recipients);
        ours.sort();
        theirs.sort();
        RECIPIENTS.count();
        if ours != theirs {
            differences.push(format!("{}: recipients {ours:?}, rasn-cms reads {theirs:?}", layer.path));
        }
        if layer.content_cipher != self.cipher {
            let ours = &layer.content_cipher;
            differences.push(format!("{}: cipher {ours:?}, rasn-cms reads {:?}", layer.path, self.cipher));
        }
    }
}

/// The name of an algorithm in a verdict.
fn name_of(identifier: &KeyEncryptionAlgorithmIdentifier) -> String {
    let oid = identifier.algorithm.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    match algorithm::by_oid(&oid).map(|row| row.name) {
        // rsaEncryption stands for the kind of key, and here for RSAES-PKCS1-v1_5.
        Some("rsa") => "rsa-pkcs1-v1_5".to_owned(),
        Some(name) => name.to_owned(),
        None => oid,
    }
}

/// Signers and content as `cryptographic-message-syntax` reads them; what it verifies, the engine verifies.
fn compare_syntax(layer: &Layer, object: &Object, differences: &mut Vec<String>) {
    use cryptographic_message_syntax::SignedData;
    let signed = match SignedData::parse_ber(&object.octets) {
        Ok(signed) => signed,
        Err(error) => {
            let said = error.to_string();
            if layer.structure.is_good() && !BEYOND_SYNTAX.iter().any(|words| said.contains(words)) {
                let what = format!("{}: structure is good, cryptographic-message-syntax says {said}", layer.path);
                differences.push(what);
            }
            return;
        }
    };
    let signers = signed.signers().count();
    SYNTAX.count();
    if layer.structure.is_good() && signers != layer.signers.len() {
        let ours = layer.signers.len();
        differences.push(format!("{}: {ours} signers, cryptographic-message-syntax reads {signers}", layer.path));
    }
    let content = object.content.as_deref().or_else(|| signed.signed_content());
    let verified = |signer: &cryptographic_message_syntax::SignerInfo| {
        let digest = content.is_some_and(|content| match signer.signed_attributes() {
            Some(_) => signer.verify_message_digest_with_content(content).is_ok(),
            None => object.content.is_none(),
        });
        digest && signer.verify_signature_with_signed_data(&signed).is_ok()
    };
    // It compares neither contentType nor the attributes that name certificate and algorithms.
    let denied = matches!(layer.integrity.reason(), Some(Reason::DigestMismatch | Reason::SignatureMismatch));
    if denied && layer.structure.is_good() && signers > 0 && signed.signers().all(verified) {
        let ours = &layer.integrity;
        differences.push(format!("{}: integrity is {ours}, cryptographic-message-syntax verifies it", layer.path));
    }
}

fn from_pem(pem: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = String::from_utf8_lossy(pem);
    let base64: String = text.lines().skip(1).take_while(|line| !line.starts_with("-----END")).collect();
    base64::engine::general_purpose::STANDARD.decode(base64.replace(char::is_whitespace, "")).unwrap_or_default()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// `openssl verify` is asked about the path here; what lists and answers say of
/// it is asked of OpenSSL's shim, in the run.
fn is_about_revocation(chain: &Aspect) -> bool {
    use waxseal_verdict::Reason;
    let reasons = [Reason::Revoked, Reason::RevocationUnknown, Reason::CrlProblem, Reason::OcspProblem];
    chain.reason().is_some_and(|reason| reasons.contains(&reason))
}
