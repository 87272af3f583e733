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

mod native;
mod program;

use std::collections::BTreeSet;
use std::path::Path;

use waxseal_verdict::{Aspect, AspectName, Clock, Dialect, Form, Hello, Kind, Operation, Reason, WrittenForm};

use super::mail::{self, Entity, Object};
use super::peel::{Judge, Peeling, Step, at, get, peel, put};
use super::program::Trouble;
use super::protocol::{Answer, EncryptArguments, OpenArguments, SignArguments, Wrote};
use super::serve::{Crash, Shim, names};
use super::writing;
use native::Said;
pub use program::place;
use program::{PASSWORD, Program};

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
            writes_forms: BTreeSet::from([WrittenForm::Opaque, WrittenForm::Encrypted]),
            writes_algorithms: names("sm3 sm2 sm4-cbc").into_iter().collect(),
            unknown: BTreeSet::new(),
        })
    }

    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
        if arguments.content.is_some() {
            return Ok(Answer::Unsupported("GmSSL has no signatures that stand beside their content".to_owned()));
        }
        let opened = self.program().map_err(Trouble::Shim);
        Trouble::answer(opened.and_then(|program| peel(&mut Judging { program }, arguments)))
    }

    fn sign(&mut self, arguments: &SignArguments) -> Result<Answer, Crash> {
        let written = self.program().map_err(Trouble::Shim).and_then(|program| sign(program, arguments));
        Trouble::answer(written)
    }

    fn encrypt(&mut self, arguments: &EncryptArguments) -> Result<Answer, Crash> {
        let written = self.program().map_err(Trouble::Shim).and_then(|program| encrypt(program, arguments));
        Trouble::answer(written)
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

/// GmSSL, asked about one object after the other.
struct Judging<'a> {
    program: &'a Program,
}

impl Judge for Judging<'_> {
    const NAME: &'static str = "gmssl";

    fn judge(&mut self, object: Object, peeling: &mut Peeling<'_>) -> Result<Step, Trouble> {
        if object.content.is_some() {
            return Ok(Step::Unsupported("GmSSL reads no multipart/signed".to_owned()));
        }
        let (pem, content) = (peeling.file("pem"), peeling.file("content"));
        mail::write_pem(&peeling.dir.join(&pem), "CMS", &object.der).map_err(|error| at(&pem, &error))?;
        match object.kind {
            Kind::Signed if object.is_gmt => self.signed(peeling, &pem, content),
            Kind::Encrypted if object.is_gmt => self.encrypted(peeling, &pem, content),
            // Not even a type: let it say so itself.
            _ if object.is_broken => self.signed(peeling, &pem, content),
            _ => {
                let why = "GmSSL knows the content types signedData and envelopedData of GM/T 0010, and no others";
                Ok(Step::Unsupported(why.to_owned()))
            }
        }
    }
}

impl Judging<'_> {
    fn signed(&mut self, peeling: &mut Peeling<'_>, pem: &str, content: String) -> Result<Step, Trouble> {
        let said = self.run(peeling, &["cmsverify", "-in", pem, "-out", &content])?;
        peeling.push("signed-data", Kind::Signed, |layer| {
            layer.form = Some(Form::Opaque);
            layer.integrity = Aspect::Good;
            if !said.success && said.aspect() == AspectName::Structure {
                layer.structure = said.bad(Reason::BadBer);
                layer.integrity = Aspect::Unchecked(None);
            } else if !said.success {
                layer.integrity = said.bad(Reason::SignatureMismatch);
            }
        });
        Ok(if said.success { Step::Into(content) } else { Step::End })
    }

    /// Tries every key that comes with a certificate.
    fn encrypted(&mut self, peeling: &mut Peeling<'_>, pem: &str, content: String) -> Result<Step, Trouble> {
        let mut decryption = Aspect::bad(Reason::NoKey, "no SM2 key with a certificate was given");
        let mut structure = Aspect::Good;
        let mut opened = false;
        for own in &peeling.arguments.keys {
            let key = self.program.key(peeling.dir, &own.key)?;
            let (Some(certificate), Some(key)) = (&own.certificate, key) else { continue };
            let said = self.run(
                peeling,
                &["cmsdecrypt", "-key", &key, "-pass", PASSWORD, "-cert", certificate, "-in", pem, "-out", &content],
            )?;
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
        peeling.push("enveloped-data", Kind::Encrypted, |layer| {
            layer.structure = structure;
            layer.decryption = decryption;
        });
        Ok(if opened { Step::Into(content) } else { Step::End })
    }

    fn run(&self, peeling: &mut Peeling<'_>, arguments: &[&str]) -> Result<Said, Trouble> {
        let said = self.program.gmssl(peeling.dir, arguments)?;
        peeling.says(said.words());
        Ok(said)
    }
}

/// Signs a mail: opaque, the only form there is.
fn sign(program: &Program, arguments: &SignArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    let Some(certificate) = &arguments.key.certificate else {
        return Err(Trouble::Shim("the signer has no certificate".to_owned()));
    };
    if arguments.form == Some(Form::Clear) {
        return writing::unsupported("GmSSL has no signatures that stand beside their content");
    }
    if let Some(dialect) = foreign(arguments.dialect) {
        return writing::unsupported(dialect);
    }
    if let Some(asked) = arguments.digest.as_ref().filter(|digest| *digest != "sm3") {
        return writing::unsupported(format!("GmSSL signs with SM3 alone, not with {asked}"));
    }
    if let Some(asked) = arguments.scheme.as_ref().filter(|scheme| *scheme != "sm2") {
        return writing::unsupported(format!("GmSSL signs with SM2 alone, not with {asked}"));
    }
    let Some(key) = program.key(dir, &arguments.key.key)? else {
        return writing::unsupported("GmSSL signs with SM2 alone");
    };
    let entity = Entity::split(&dir.join(&arguments.message)).map_err(|error| at(&arguments.message, &error))?;
    put(dir, ENTITY, &entity.inner)?;
    let said = program.gmssl(
        dir,
        &["cmssign", "-key", &key, "-pass", PASSWORD, "-cert", certificate, "-in", ENTITY, "-out", WRITTEN],
    )?;
    wrap(dir, &said, &entity, "signed-data", &arguments.out)?;
    Ok(said.refused().unwrap_or_else(|| Answer::Wrote(Wrote::default())))
}

/// Encrypts a mail. GmSSL remembers no correspondents.
fn encrypt(program: &Program, arguments: &EncryptArguments) -> Result<Answer, Trouble> {
    let reading = &arguments.reading;
    let dir = Path::new(&reading.dir);
    if let Some(dialect) = foreign(arguments.dialect) {
        return writing::unsupported(dialect);
    }
    if let Some(asked) = arguments.cipher.as_ref().filter(|cipher| *cipher != CIPHER) {
        return writing::unsupported(format!("GmSSL encrypts with SM4-CBC alone, not with {asked}"));
    }
    if let Some(asked) = &arguments.key_encryption {
        return writing::unsupported(format!("GmSSL encrypts for SM2 keys alone, not with {asked}"));
    }
    if arguments.signer.is_some() {
        return writing::unsupported("GmSSL signs and encrypts in two steps");
    }
    let recipients = match writing::recipients(arguments)? {
        Ok(recipients) => recipients,
        Err(refused) => return Ok(Answer::Refused(refused)),
    };
    let entity = Entity::split(&dir.join(&reading.message)).map_err(|error| at(&reading.message, &error))?;
    put(dir, ENTITY, &entity.inner)?;
    let files: Vec<String> = (1..=recipients.len()).map(|number| format!("gmssl-to-{number}.pem")).collect();
    let mut words = vec!["cmsencrypt", "-in", ENTITY, "-out", WRITTEN];
    for (file, certificate) in files.iter().zip(&recipients) {
        mail::write_pem(&dir.join(file), "CERTIFICATE", certificate.der()).map_err(|error| at(file, &error))?;
        words.extend(["-rcptcert", file]);
    }
    let said = program.gmssl(dir, &words)?;
    wrap(dir, &said, &entity, "enveloped-data", &reading.out)?;
    Ok(said.refused().unwrap_or_else(|| writing::wrote(CIPHER, &recipients, "GmSSL has no other cipher")))
}

/// That another dialect than its own was asked for.
fn foreign(asked: Option<Dialect>) -> Option<String> {
    let asked = asked.filter(|dialect| *dialect != Dialect::Gmssl3Digest)?;
    Some(format!("GmSSL writes its own dialect, not {asked}"))
}

/// The one content cipher of its messages.
const CIPHER: &str = "sm4-cbc";
/// The MIME entity that is protected, and the object that came of it.
const ENTITY: &str = "gmssl-entity";
const WRITTEN: &str = "gmssl-written.pem";

/// Puts what was written into a mail; nothing if nothing was.
fn wrap(dir: &Path, said: &Said, entity: &Entity, smime_type: &str, out: &str) -> Result<(), Trouble> {
    if !said.success {
        return Ok(());
    }
    let der = mail::from_pem(&get(dir, WRITTEN)?);
    let der = der.ok_or_else(|| format!("{WRITTEN}: gmssl said that it wrote it, and it is no PEM"))?;
    put(dir, out, &entity.wrapped(smime_type, &der))
}
