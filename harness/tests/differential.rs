//! The engine against two implementations that nobody here wrote: `rasn-cms`
//! reads the same objects, `openssl` checks the same signatures and paths.
//!
//! The object of every layer is cut out of the mail first, so that what is
//! compared is the reading of CMS: what openssl makes of the mail around it is
//! a matter of the runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use rasn_cms::{ContentInfo, EnvelopedData, SignedData};
use support::engine::{open, recordings};
use waxseal::cases::Cases;
use waxseal::shim::openssl::OpenSsl;
use waxseal::shim::serve::Shim as _;
use waxseal::task::{CaseFiles, Task};
use waxseal_engine::Limits;
use waxseal_engine::mime::{self, smime};
use waxseal_key::ProviderChoice;
use waxseal_model::{Corpus, SharedKey};
use waxseal_verdict::{Aspect, Kind, Layer, Signer};

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
        let excused = corpus.case(&task.id).unwrap().disagreements.iter().any(|one| one.implementation == "openssl");
        Trial::test(task.id.clone(), move || compare(&task, openssl && !excused)).with_ignored_flag(absent)
    });
    let trials = trials.collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whether openssl is here; with `CI` set it must be.
fn openssl() -> bool {
    match OpenSsl::default().hello() {
        Ok(_) => true,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "openssl belongs to the machine of the tests: {why}");
            println!("compared with rasn-cms only: {why}");
            false
        }
    }
}

fn compare(task: &Task, openssl: bool) -> Result<(), Failed> {
    let files = task.files.as_ref().unwrap();
    let (verdict, _) = open(task, files, ProviderChoice::Auto);
    let dir = tempfile::tempdir().unwrap();
    let place = Place { dir: dir.path(), task, files };
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
            Kind::Signed | Kind::CertsOnly => place.signed(layer, &object, &info, openssl, &mut differences),
            Kind::Encrypted => place.encrypted(layer, &object, &info, openssl, &mut differences),
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
}

impl Place<'_> {
    /// Signers, attributes and digests; the result is what is inside.
    fn signed(
        &self,
        layer: &Layer,
        object: &Object,
        info: &ContentInfo,
        openssl: bool,
        differences: &mut Vec<String>,
    ) -> Option<Inside> {
        let Ok(signed) = rasn::ber::decode::<SignedData>(info.content.as_bytes()) else {
            if layer.structure.is_good() {
                differences.push(format!("{}: structure is good, rasn-cms cannot read the SignedData", layer.path));
            }
            return None;
        };
        if !layer.signers.is_empty() {
            self.compare_signers(layer, &signed, differences);
        }
        let content =
            object.content.clone().or_else(|| signed.encap_content_info.content.as_ref().map(|octets| octets.to_vec()));
        if openssl && layer.structure.is_good() {
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
        if good != layer.integrity.is_good() {
            differences.push(format!("{}: integrity is {}, openssl says {said}", layer.path, layer.integrity));
        }
        if !good {
            return;
        }
        for signer in &layer.signers {
            let digest = signer.digest.replace('-', "");
            let (_, said) = self.openssl(&["dgst", &format!("-{digest}"), "-r", "content"]);
            let theirs = said.split_whitespace().next().map(str::to_owned);
            if signer.content_digest != theirs {
                let ours = &signer.content_digest;
                differences.push(format!("{}: content digest {ours:?}, openssl computes {theirs:?}", layer.path));
            }
        }
        if let [signer] = &layer.signers[..]
            && !self.files.anchors.is_empty()
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
        if good != ours.is_good() {
            differences.push(format!("{}: chain is {ours}, openssl verify says {said}", layer.path));
        }
    }

    /// Recipients; the result is what openssl decrypts to.
    fn encrypted(
        &self,
        layer: &Layer,
        object: &Object,
        info: &ContentInfo,
        openssl: bool,
        differences: &mut Vec<String>,
    ) -> Option<Inside> {
        match rasn::ber::decode::<EnvelopedData>(info.content.as_bytes()) {
            Ok(enveloped) => {
                let theirs = enveloped.recipient_infos.to_vec().len();
                if layer.structure.is_good() && layer.recipients.len() != theirs {
                    let ours = layer.recipients.len();
                    differences.push(format!("{}: {ours} recipients, rasn-cms reads {theirs}", layer.path));
                }
            }
            Err(error) if layer.structure.is_good() => {
                differences.push(format!("{}: structure is good, rasn-cms says {error}", layer.path));
            }
            Err(_) => {}
        }
        if !openssl || !layer.structure.is_good() {
            return None;
        }
        self.write("object", &object.octets);
        let mut said = "no key".to_owned();
        for given in self.ways_in() {
            let decrypt = ["cms", "-decrypt", "-inform", "DER", "-in", "object", "-out", "content"];
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            let (good, words) = self.openssl(&[&decrypt[..], &given].concat());
            if good && layer.decryption.is_good() {
                return Some(Inside::Entity(std::fs::read(self.dir.join("content")).unwrap()));
            }
            said = words;
        }
        // A wrong key may by chance leave a padding that fits: only success is compared.
        if layer.decryption.is_good() {
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

fn from_pem(pem: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = String::from_utf8_lossy(pem);
    let base64: String = text.lines().skip(1).take_while(|line| !line.starts_with("-----END")).collect();
    base64::engine::general_purpose::STANDARD.decode(base64.replace(char::is_whitespace, "")).unwrap_or_default()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
