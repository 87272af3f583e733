//! GmSSL 3 as a shim: its commands `cmsverify`, `cmsdecrypt`, `cmssign` and
//! `cmsencrypt` are driven, their words are translated.
//!
//! It knows the object identifiers of GM/T 0010 alone, and of signatures its own
//! dialect alone (`gmssl-3-digest`); a message of another family is answered
//! `unsupported`, because the program has no reading of it. Of mail it knows
//! nothing: the part that holds the object is found with the reader of the
//! engine, and what it writes is put into a mail here.
//!
//! It reports structure, decryption and integrity. The command verifies with
//! whatever certificate is in the message: no path, no time, no key usage.

mod mail;
mod native;
mod program;

use std::collections::BTreeSet;
use std::path::Path;

use waxseal_engine::certificate::Certificate;
use waxseal_verdict::{Aspect, AspectName, Clock, Dialect, Form, Hello, Kind, Layer, Operation, Reason, Verdict};

use super::protocol::{Answer, EncryptArguments, KeyFiles, OpenArguments, Refused, SignArguments, Wrote};
use super::serve::{Crash, Shim, names};
use crate::exit::Failed;
use crate::keys::load_certificates;
use mail::{Found, Object};
use native::Said;
pub use program::place;
use program::{PASSWORD, Program, Trouble};

/// Layers that are peeled at most.
const MOST_LAYERS: usize = 16;

/// What its commands for messages know, by the names of the algorithm table.
const ALGORITHMS: &str = "sm3 sm2 sm2-encryption sm4-cbc";

/// The GmSSL that `cargo xtask test --install` built.
#[derive(Debug, Default)]
pub struct GmSsl {
    program: Option<Program>,
}

impl Shim for GmSsl {
    fn hello(&mut self) -> Result<Hello, String> {
        let version = self.program()?.version()?;
        Ok(Hello {
            name: "gmssl".to_owned(),
            version,
            operations: BTreeSet::from([Operation::Open, Operation::Sign, Operation::Encrypt]),
            algorithms: names(ALGORITHMS).into_iter().collect(),
            forms: BTreeSet::from([Kind::Signed, Kind::Encrypted, Kind::Data]),
            dialects: BTreeSet::from([Dialect::Gmssl3Digest]),
            aspects: BTreeSet::from([AspectName::Structure, AspectName::Decryption, AspectName::Integrity]),
            deviations: false,
            headers: false,
            learns: false,
            // None of what it reports depends on the time.
            clock: Clock::Settable,
            writes: BTreeSet::from([Dialect::Gmssl3Digest]),
        })
    }

    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
        if arguments.content.is_some() {
            return Ok(Answer::Unsupported("GmSSL has no signatures that stand beside their content".to_owned()));
        }
        let dir = Path::new(&arguments.dir);
        let opened = self.program().map_err(Trouble::Shim);
        let opened =
            opened.and_then(|program| Opening { program, arguments, dir, layers: vec![], native: vec![] }.run());
        answered(opened)
    }

    fn sign(&mut self, arguments: &SignArguments) -> Result<Answer, Crash> {
        let written = self.program().map_err(Trouble::Shim).and_then(|program| sign(program, arguments));
        answered(written)
    }

    fn encrypt(&mut self, arguments: &EncryptArguments) -> Result<Answer, Crash> {
        let written = self.program().map_err(Trouble::Shim).and_then(|program| encrypt(program, arguments));
        answered(written)
    }
}

impl GmSsl {
    fn program(&mut self) -> Result<&Program, String> {
        match &mut self.program {
            Some(program) => Ok(program),
            none => Ok(none.insert(Program::find()?)),
        }
    }
}

fn answered(result: Result<Answer, Trouble>) -> Result<Answer, Crash> {
    match result {
        Ok(answer) => Ok(answer),
        Err(Trouble::Shim(error)) => Ok(Answer::Error(error, None)),
        Err(Trouble::Crash(how)) => Err(Crash(how)),
    }
}

/// One message on its way through the layers.
struct Opening<'a> {
    program: &'a Program,
    arguments: &'a OpenArguments,
    dir: &'a Path,
    layers: Vec<Layer>,
    native: Vec<String>,
}

impl Opening<'_> {
    fn run(mut self) -> Result<Answer, Trouble> {
        let mut inside = self.arguments.message.clone();
        while self.layers.len() < MOST_LAYERS {
            let file = self.dir.join(&inside);
            let object = match mail::object(&file, self.layers.is_empty())
                .map_err(|error| format!("{inside}: {error}"))?
            {
                Found::Object(object) => object,
                Found::Clear => return Ok(Answer::Unsupported("GmSSL reads no multipart/signed".to_owned())),
                Found::Malformed(why) => {
                    self.push("unknown", Kind::Unknown, |layer| layer.structure = Aspect::bad(Reason::BadBase64, why));
                    break;
                }
                // That there is no object was seen by the engine's reader, not by GmSSL.
                Found::Nothing if self.layers.is_empty() => {
                    return Ok(Answer::Unsupported("GmSSL reads no mail without an object".to_owned()));
                }
                Found::Nothing => break,
            };
            match self.layer(&object)? {
                Step::Into(name) => inside = name,
                Step::End => break,
                Step::Foreign => {
                    let why = "GmSSL knows the content types signedData and envelopedData of GM/T 0010, and no others";
                    return Ok(Answer::Unsupported(why.to_owned()));
                }
            }
        }
        let verdict = Verdict::new("gmssl", self.layers);
        if !verdict.has_bad() && !verdict.layers.is_empty() {
            std::fs::copy(self.dir.join(&inside), self.dir.join(&self.arguments.out))
                .map_err(|error| format!("{}: {error}", self.arguments.out))?;
        }
        let native = (!self.native.is_empty()).then(|| self.native.join(" | "));
        Ok(Answer::Verdict(verdict, native))
    }

    fn layer(&mut self, object: &Object) -> Result<Step, Trouble> {
        let number = self.layers.len() + 1;
        let (pem, content) = (format!("gmssl-{number}.pem"), format!("gmssl-{number}.content"));
        mail::write_pem(&self.dir.join(&pem), "CMS", &object.der).map_err(|error| format!("{pem}: {error}"))?;
        match object.kind {
            Some(Kind::Signed) => self.signed(&pem, &content),
            Some(Kind::Encrypted) => self.encrypted(&pem, &content),
            // Not even a type: let it say so itself.
            None if object.is_broken => self.signed(&pem, &content),
            _ => Ok(Step::Foreign),
        }
    }

    fn signed(&mut self, pem: &str, content: &str) -> Result<Step, Trouble> {
        let said = self.run_gmssl(&["cmsverify", "-in", pem, "-out", content])?;
        self.push("signed-data", Kind::Signed, |layer| {
            layer.form = Some(Form::Opaque);
            layer.integrity = Aspect::Good;
            if !said.success && said.aspect() == AspectName::Structure {
                layer.structure = said.bad(Reason::BadBer);
                layer.integrity = Aspect::Unchecked(None);
            } else if !said.success {
                layer.integrity = said.bad(Reason::SignatureMismatch);
            }
        });
        Ok(if said.success { Step::Into(content.to_owned()) } else { Step::End })
    }

    /// Tries every key that comes with a certificate.
    fn encrypted(&mut self, pem: &str, content: &str) -> Result<Step, Trouble> {
        let mut decryption = Aspect::bad(Reason::NoKey, "no SM2 key with a certificate was given");
        let mut structure = Aspect::Good;
        let mut opened = false;
        for own in &self.arguments.keys {
            let (Some(certificate), Some(key)) = (&own.certificate, self.key(own)?) else { continue };
            let said = self.run_gmssl(&[
                "cmsdecrypt",
                "-key",
                &key,
                "-pass",
                PASSWORD,
                "-cert",
                certificate,
                "-in",
                pem,
                "-out",
                content,
            ])?;
            if said.success {
                (decryption, structure, opened) = (Aspect::Good, Aspect::Good, true);
                break;
            }
            // That another key is not a recipient's says nothing of this message.
            if decryption.reason() != Some(Reason::NoKey) {
                continue;
            }
            if said.aspect() == AspectName::Structure {
                (structure, decryption) = (said.bad(Reason::BadBer), Aspect::Unchecked(None));
            } else {
                decryption = said.bad(Reason::WrongKey);
            }
        }
        self.push("enveloped-data", Kind::Encrypted, |layer| {
            layer.structure = structure;
            layer.decryption = decryption;
        });
        Ok(if opened { Step::Into(content.to_owned()) } else { Step::End })
    }

    /// The file of a key in the form that GmSSL reads; `None` if it is no SM2 key.
    fn key(&mut self, own: &KeyFiles) -> Result<Option<String>, Trouble> {
        self.program.key(self.dir, &own.key)
    }

    fn push(&mut self, name: &str, kind: Kind, judge: impl FnOnce(&mut Layer)) {
        let path = match self.layers.last() {
            Some(outer) => format!("{}/1/{name}", outer.path),
            None => format!("1/{name}"),
        };
        let mut layer = Layer::new(path, kind);
        layer.structure = Aspect::Good;
        judge(&mut layer);
        self.layers.push(layer);
    }

    fn run_gmssl(&mut self, arguments: &[&str]) -> Result<Said, Trouble> {
        let said = self.program.gmssl(self.dir, arguments)?;
        self.native.extend(said.words());
        Ok(said)
    }
}

/// What to do after a layer.
enum Step {
    /// Its content is in this file.
    Into(String),
    /// Nothing came out.
    End,
    /// It is of a type that GmSSL does not know.
    Foreign,
}

/// Signs a mail: opaque, the only form there is.
fn sign(program: &Program, arguments: &SignArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    let Some(certificate) = &arguments.key.certificate else {
        return Err(Trouble::Shim("the signer has no certificate".to_owned()));
    };
    let Some(key) = program.key(dir, &arguments.key.key)? else {
        return Ok(Answer::Unsupported("GmSSL signs with SM2 alone".to_owned()));
    };
    let entity =
        mail::split(&dir.join(&arguments.message)).map_err(|error| format!("{}: {error}", arguments.message))?;
    put(dir, ENTITY, &entity.inner)?;
    let said = program.gmssl(
        dir,
        &["cmssign", "-key", &key, "-pass", PASSWORD, "-cert", certificate, "-in", ENTITY, "-out", WRITTEN],
    )?;
    wrap(dir, &said, &entity.outer, "signed-data", &arguments.out)?;
    Ok(said.refused().unwrap_or_else(|| Answer::Wrote(Wrote::default())))
}

/// Encrypts a mail. GmSSL remembers no correspondents: the certificates are those
/// among `extra_certificates` that name the addresses.
fn encrypt(program: &Program, arguments: &EncryptArguments) -> Result<Answer, Trouble> {
    let reading = &arguments.reading;
    let dir = Path::new(&reading.dir);
    let known = certificates(dir, reading.extra_certificates.as_ref())?;
    let mut recipients = Vec::new();
    for address in &arguments.to {
        let names =
            |certificate: &&Certificate| certificate.emails().iter().any(|one| one.eq_ignore_ascii_case(address));
        match known.iter().find(names) {
            Some(certificate) => recipients.push(certificate.clone()),
            None => {
                let detail = format!("no certificate names {address}");
                return Ok(Answer::Refused(Refused { reason: "not-known".to_owned(), detail }));
            }
        }
    }
    recipients.extend(certificates(dir, arguments.copy_for.as_ref())?);
    let entity = mail::split(&dir.join(&reading.message)).map_err(|error| format!("{}: {error}", reading.message))?;
    put(dir, ENTITY, &entity.inner)?;
    let files: Vec<String> = (1..=recipients.len()).map(|number| format!("gmssl-to-{number}.pem")).collect();
    let mut words = vec!["cmsencrypt", "-in", ENTITY, "-out", WRITTEN];
    for (file, certificate) in files.iter().zip(&recipients) {
        mail::write_pem(&dir.join(file), "CERTIFICATE", certificate.der())
            .map_err(|error| format!("{file}: {error}"))?;
        words.extend(["-rcptcert", file]);
    }
    let said = program.gmssl(dir, &words)?;
    wrap(dir, &said, &entity.outer, "enveloped-data", &reading.out)?;
    Ok(said.refused().unwrap_or_else(|| {
        Answer::Wrote(Wrote {
            cipher: Some("sm4-cbc".to_owned()),
            recipients: recipients.iter().map(Certificate::serial_hex).collect(),
            why: Some("GmSSL has no other cipher".to_owned()),
        })
    }))
}

/// The MIME entity that is protected, and the object that came of it.
const ENTITY: &str = "gmssl-entity";
const WRITTEN: &str = "gmssl-written.pem";

/// Puts what was written into a mail; nothing if nothing was.
fn wrap(dir: &Path, said: &Said, outer: &[u8], smime_type: &str, out: &str) -> Result<(), Trouble> {
    if !said.success {
        return Ok(());
    }
    let wrong = |error: std::io::Error| Trouble::Shim(format!("{WRITTEN}: {error}"));
    let pem = std::fs::read(dir.join(WRITTEN)).map_err(wrong)?;
    put(dir, out, &mail::wrapped(outer, smime_type, &pem))
}

fn put(dir: &Path, name: &str, octets: &[u8]) -> Result<(), Trouble> {
    std::fs::write(dir.join(name), octets).map_err(|error| Trouble::Shim(format!("{name}: {error}")))
}

fn certificates(dir: &Path, name: Option<&String>) -> Result<Vec<Certificate>, Trouble> {
    let paths: Vec<_> = name.into_iter().map(|name| dir.join(name)).collect();
    load_certificates(&paths).map_err(|failed: Failed| Trouble::Shim(failed.message))
}
