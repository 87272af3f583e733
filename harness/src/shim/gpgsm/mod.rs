//! `gpgsm` of GnuPG as a shim: the program is driven, its status lines are translated.
//!
//! It knows objects and no mail: the part that holds the object is found with the
//! reader of the engine. Signature and path it reports apart. It trusts root
//! certificates alone, and leaves revocation to another program (dirmngr), which
//! is not started: requests that need either are answered `unsupported`.

mod home;
mod key;
mod native;
mod write;

use std::collections::BTreeSet;
use std::path::Path;

use waxseal_engine::certificate::Certificate;
use waxseal_verdict::{Aspect, AspectName, Clock, Dialect, Hello, Kind, Operation, Reason, WrittenForm};

use super::mail::Object;
use super::peel::{Judge, Peeling, Step, peel, put};
use super::program::{Run, Trouble};
use super::protocol::{Answer, EncryptArguments, OpenArguments, SignArguments};
use super::serve::{Crash, Shim, names};
use super::writing::certificates;
use home::Home;
use native::Said;

/// What it knows of messages, by the names of the algorithm table; each was tried
/// with 2.2.40. Not elliptic curves for encryption, RSAES-OAEP, RC2, GCM, SHA-3.
const ALGORITHMS: &str = "md5 sha-1 sha-224 sha-256 sha-384 sha-512 rsa rsa-pkcs1-v1_5 rsa-pkcs1-v1_5-md5 \
    rsa-pkcs1-v1_5-sha-1 rsa-pkcs1-v1_5-sha-256 rsa-pkcs1-v1_5-sha-384 \
    rsa-pkcs1-v1_5-sha-512 rsassa-pss mgf1 ec ecdsa ecdsa-sha-1 ecdsa-sha-224 ecdsa-sha-256 ecdsa-sha-384 \
    ecdsa-sha-512 p-256 p-384 p-521 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 aes-128-cbc aes-192-cbc \
    aes-256-cbc 3des-cbc camellia-128-cbc camellia-192-cbc camellia-256-cbc sm4-cbc";

/// The `gpgsm` found on PATH.
#[derive(Debug, Default)]
pub struct GpgSm;

impl Shim for GpgSm {
    fn hello(&mut self) -> Result<Hello, String> {
        let version = version()?;
        Ok(Hello {
            name: "gpgsm".to_owned(),
            version,
            operations: BTreeSet::from([Operation::Open, Operation::Sign, Operation::Encrypt]),
            algorithms: names(ALGORITHMS),
            forms: BTreeSet::from([Kind::Signed, Kind::Encrypted, Kind::Data]),
            dialects: BTreeSet::from([Dialect::Cms]),
            aspects: BTreeSet::from([
                AspectName::Structure,
                AspectName::Decryption,
                AspectName::Integrity,
                AspectName::Chain,
            ]),
            deviations: false,
            headers: false,
            learns: false,
            clock: Clock::Settable,
            writes: BTreeSet::new(),
            writes_forms: BTreeSet::from([WrittenForm::Clear, WrittenForm::Opaque, WrittenForm::Encrypted]),
            writes_algorithms: write::algorithms(),
            unknown: BTreeSet::new(),
        })
    }

    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
        let answer = if !arguments.crls.is_empty() || !arguments.ocsp.is_empty() || arguments.require_revocation {
            Ok(Answer::Unsupported("gpgsm leaves revocation to dirmngr, which this shim does not start".to_owned()))
        } else {
            open(arguments)
        };
        Trouble::answer(answer)
    }

    fn sign(&mut self, arguments: &SignArguments) -> Result<Answer, Crash> {
        Trouble::answer(write::sign(arguments))
    }

    fn encrypt(&mut self, arguments: &EncryptArguments) -> Result<Answer, Crash> {
        Trouble::answer(write::encrypt(arguments))
    }
}

/// The version as the program states it.
fn version() -> Result<String, String> {
    let place = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let ran = match Run::new("gpgsm", place.path()).args(["--version"]).go() {
        Ok(ran) => ran,
        Err(Trouble::Shim(why) | Trouble::Crash(why)) => {
            return Err(format!("{why} (Debian: apt-get install gpgsm gpg-agent)"));
        }
    };
    // "gpgsm (GnuPG) 2.2.40"
    let line = ran.out.lines().next().unwrap_or_default();
    match line.strip_prefix("gpgsm (GnuPG) ") {
        Some(version) => Ok(version.trim().to_owned()),
        None => Err(format!("gpgsm states {line:?}; GnuPG 2 is needed")),
    }
}

fn open(arguments: &OpenArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    let anchors = certificates(dir, &arguments.anchors)?;
    if let Some(anchor) = anchors.iter().find(|anchor| !anchor.is_self_issued()) {
        let why = format!("gpgsm trusts root certificates alone, and {} did not issue itself", anchor.subject());
        return Ok(Answer::Unsupported(why));
    }
    let own = arguments.keys.iter().filter_map(|key| key.certificate.as_ref());
    let known = anchors.iter().cloned();
    let known: Vec<Certificate> =
        known.chain(certificates(dir, &arguments.extra_certificates)?).chain(certificates(dir, own)?).collect();
    let home = Home::new(dir)?;
    home.trust(&anchors)?;
    home.import(&known)?;
    home.add_keys(&arguments.keys)?;
    peel(&mut Judging { home: &home }, arguments)
}

/// gpgsm, asked about one object after the other.
struct Judging<'a> {
    home: &'a Home,
}

impl Judge for Judging<'_> {
    const NAME: &'static str = "gpgsm";

    fn judge(&mut self, object: Object, peeling: &mut Peeling<'_>) -> Result<Step, Trouble> {
        let file = peeling.file("der");
        peeling.put(&file, &object.der)?;
        match object.kind {
            Kind::Signed if !object.is_gmt => self.signed(&object, &file, peeling),
            Kind::Encrypted if !object.is_gmt => self.encrypted(&file, peeling),
            // Not even a type: let it say so itself.
            _ if object.is_broken => self.signed(&object, &file, peeling),
            kind => Ok(Step::Unsupported(format!("gpgsm knows SignedData and EnvelopedData, and no {kind}"))),
        }
    }
}

impl Judging<'_> {
    fn signed(&self, object: &Object, file: &str, peeling: &mut Peeling<'_>) -> Result<Step, Trouble> {
        let content = peeling.file("content");
        let mut words = vec!["--verify", file];
        if let Some(beside) = &object.content {
            peeling.put(&content, beside)?;
            words.push(&content);
        } else {
            words.splice(0..0, ["--output", &content]);
        }
        let said = self.run(peeling, &words)?;
        let told = said.signed();
        let refused = told.structure.is_bad();
        // Without anchors the trust list is empty, and what it says of that is no finding.
        let no_anchors = peeling.arguments.anchors.is_none() && !refused;
        let (name, kind) = if object.is_broken { ("unknown", Kind::Unknown) } else { ("signed-data", Kind::Signed) };
        peeling.push(name, kind, |layer| {
            layer.form = Some(object.form());
            layer.structure = told.structure;
            layer.integrity = told.integrity;
            layer.chain = if no_anchors { Aspect::unchecked(Reason::NoAnchor) } else { told.chain };
        });
        let came_out = object.content.is_some() || peeling.dir.join(&content).is_file();
        Ok(if came_out && !refused { Step::Into(content) } else { Step::End })
    }

    fn encrypted(&self, file: &str, peeling: &mut Peeling<'_>) -> Result<Step, Trouble> {
        let content = peeling.file("content");
        let said = self.run(peeling, &["--output", &content, "--decrypt", file])?;
        let opened = said.decrypted();
        peeling.push("enveloped-data", Kind::Encrypted, |layer| {
            if opened {
                layer.decryption = Aspect::Good;
                return;
            }
            match said.failed_decryption() {
                (AspectName::Structure, bad) => {
                    (layer.structure, layer.decryption) = (bad, Aspect::Unchecked(None));
                }
                (_, bad) => layer.decryption = bad,
            }
        });
        Ok(if opened { Step::Into(content) } else { Step::End })
    }

    fn run(&self, peeling: &mut Peeling<'_>, words: &[&str]) -> Result<Said, Trouble> {
        let run = self.home.gpgsm(peeling.arguments.clock.as_ref())?;
        let said = Said::new(&run.args(["--status-fd", "1", "--yes", "--assume-binary"]).args(words).go()?);
        peeling.says(said.words());
        Ok(said)
    }
}
