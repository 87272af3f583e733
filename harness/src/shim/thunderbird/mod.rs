//! Thunderbird as a shim: one headless process, driven with its own scripts.
//!
//! It is asked as a person would: the mail is opened in a window, and what the
//! window shows is the verdict. The content is what its own CMS decoder takes out
//! of an object; the part below a clear signature stands in the mail.
//!
//! It says nothing of a form or an algorithm that it does not know, and shows such
//! a mail as if nothing protected it: such a layer is `unchecked`. It looks at no
//! CRL and no OCSP response (the setting that asks a responder is off).

mod content;
mod draft;
mod native;
mod session;
mod writing;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use waxseal_verdict::{AspectName, Clock, Dialect, Hello, Kind, Operation, WrittenForm};

use super::protocol::{Answer, EncryptArguments, OpenArguments, SignArguments};
use super::serve::{Crash, Shim, names};
use crate::thunderbird::clock;
use crate::thunderbird::marionette::MarionetteError;
use crate::thunderbird::process::{Shown, ThunderbirdError};
use session::{Known, Session};

/// Algorithms that 153 has for mail, by the names of the algorithm table: each
/// was seen to work.
///
/// SHA-1 is refused in signatures on mail
/// (`mail.smime.accept_insecure_sha1_message_signatures`), GCM decrypts nothing.
const ALGORITHMS: &str = "sha-1 sha-224 sha-256 sha-384 sha-512 rsa rsa-pkcs1-v1_5 rsa-pkcs1-v1_5-sha-256 \
    rsa-pkcs1-v1_5-sha-384 rsa-pkcs1-v1_5-sha-512 rsassa-pss rsaes-oaep mgf1 ec ecdsa ecdsa-sha-256 ecdsa-sha-384 \
    ecdsa-sha-512 p-256 p-384 p-521 aes-128-wrap aes-192-wrap aes-256-wrap ecdh-std-sha-1-kdf ecdh-std-sha-224-kdf \
    ecdh-std-sha-256-kdf ecdh-std-sha-384-kdf ecdh-std-sha-512-kdf aes-128-cbc aes-192-cbc aes-256-cbc 3des-cbc \
    des-cbc rc2-cbc camellia-128-cbc camellia-192-cbc camellia-256-cbc ecdh-cofactor-sha-256-kdf \
    ecdh-cofactor-sha-384-kdf ecdh-cofactor-sha-512-kdf";

/// What it writes with: nothing of it can be chosen.
const WRITES: &str = "sha-256 rsa-pkcs1-v1_5 ecdsa ec aes-128-cbc";

/// The Thunderbird on PATH.
#[derive(Debug, Default)]
pub struct Thunderbird {
    session: Option<Session>,
}

/// Why a request has no result.
#[derive(Debug)]
enum Trouble {
    /// Thunderbird, or the shim, cannot do this.
    Unsupported(String),
    /// Something is wrong around it.
    Shim(String),
    /// It is not there any more.
    Crash(String),
}

impl Trouble {
    /// An error of the system, with what it concerns.
    fn at<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::Shim(format!("{what}: {error}"))
    }

    fn answer(self) -> Result<Answer, Crash> {
        match self {
            Self::Unsupported(why) => Ok(Answer::Unsupported(why)),
            Self::Shim(error) => Ok(Answer::Error(error, None)),
            Self::Crash(how) => Err(Crash(how)),
        }
    }
}

impl From<ThunderbirdError> for Trouble {
    fn from(error: ThunderbirdError) -> Self {
        match &error {
            // Nobody closes the connection but a program that ends.
            ThunderbirdError::Script(MarionetteError::Io(_)) => Self::Crash(error.to_string()),
            _ => Self::Shim(error.to_string()),
        }
    }
}

impl Shim for Thunderbird {
    fn hello(&mut self) -> Result<Hello, String> {
        Ok(Hello {
            name: "thunderbird".to_owned(),
            version: version()?,
            operations: BTreeSet::from([Operation::Open, Operation::Sign, Operation::Encrypt]),
            algorithms: names(ALGORITHMS),
            forms: BTreeSet::from([Kind::Signed, Kind::Encrypted]),
            dialects: BTreeSet::from([Dialect::Cms]),
            aspects: BTreeSet::from([
                AspectName::Decryption,
                AspectName::Integrity,
                AspectName::Chain,
                AspectName::Identity,
                AspectName::Time,
            ]),
            deviations: false,
            headers: false,
            learns: false,
            clock: if clock::Clock::is_there() { Clock::Faketime } else { Clock::System },
            writes: BTreeSet::from([Dialect::Cms]),
            writes_forms: BTreeSet::from([WrittenForm::Clear, WrittenForm::Encrypted, WrittenForm::SignedEncrypted]),
            writes_algorithms: names(WRITES),
            unknown: BTreeSet::new(),
        })
    }

    fn settings(&self) -> &'static [&'static str] {
        &[writing::SIGN_FORMAT]
    }

    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
        self.try_open(arguments).or_else(Trouble::answer)
    }

    fn sign(&mut self, arguments: &SignArguments) -> Result<Answer, Crash> {
        self.try_sign(arguments).or_else(Trouble::answer)
    }

    fn encrypt(&mut self, arguments: &EncryptArguments) -> Result<Answer, Crash> {
        self.try_encrypt(arguments).or_else(Trouble::answer)
    }
}

impl Thunderbird {
    fn session(&mut self) -> Result<&mut Session, Trouble> {
        if self.session.is_none() {
            self.session = Some(Session::start()?);
        }
        self.session.as_mut().ok_or_else(|| Trouble::Shim("no session".to_owned()))
    }

    /// Opens the mail with what the request brings.
    fn look(&mut self, arguments: &OpenArguments, file: &Path) -> Result<Shown, Trouble> {
        let session = self.session()?;
        session.set_clock(arguments.clock.as_deref())?;
        session.know(&Known {
            dir: &arguments.dir,
            keys: &arguments.keys,
            anchors: arguments.anchors.as_slice(),
            others: arguments.extra_certificates.as_slice(),
        })?;
        Ok(session.thunderbird.open(file)?)
    }

    fn try_open(&mut self, arguments: &OpenArguments) -> Result<Answer, Trouble> {
        let file = Path::new(&arguments.dir).join(&arguments.message);
        let mail = std::fs::read(&file).map_err(Trouble::at(&arguments.message))?;
        if let Some(why) = beyond(arguments, &mail) {
            return Ok(Answer::Unsupported(why.to_owned()));
        }
        let mut shown = self.look(arguments, &file)?;
        if shown.encryption.as_deref().is_some_and(|status| status != native::SUCCESS)
            && !self.session()?.is_fresh()
            && names_key_identifier(arguments, &mail)?
        {
            // NSS reads the key identifiers of its certificates once, when it first looks for one. A key that comes
            // later is not found by it until the program is started anew, as a person would do then.
            self.session = None;
            shown = self.look(arguments, &file)?;
        }
        let announced = content::announced(&mail);
        if shown.told.is_empty() && announced.is_some() {
            // That nothing is shown is believed when it is seen again.
            shown = self.look(arguments, &file)?;
        }
        let session = self.session()?;
        let verdict = native::verdict(&shown, announced);
        if !verdict.has_bad()
            && !verdict.layers.is_empty()
            && let Some(inner) = content::innermost(&mut session.thunderbird, &mail)?
        {
            std::fs::write(Path::new(&arguments.dir).join(&arguments.out), inner)
                .map_err(Trouble::at(&arguments.out))?;
        }
        Ok(Answer::Verdict(verdict, Some(native::words(&shown))))
    }
}

/// Whether the object of a mail holds the key identifier of one of the keys.
fn names_key_identifier(arguments: &OpenArguments, mail: &[u8]) -> Result<bool, Trouble> {
    let Some(object) = content::object(mail) else { return Ok(false) };
    for name in arguments.keys.iter().filter_map(|key| key.certificate.as_ref()) {
        let certificate = Session::certificate(&arguments.dir, name)?;
        if certificate.ski().is_some_and(|id| object.windows(id.len().max(1)).any(|window| window == id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What of a request a mail program cannot do.
fn beyond(arguments: &OpenArguments, mail: &[u8]) -> Option<&'static str> {
    let rows = [
        (!content::is_mail(mail), "Thunderbird reads mails, and no bare CMS object"),
        (arguments.content.is_some(), "Thunderbird reads mails, and no content beside them"),
        (!arguments.crls.is_empty(), "Thunderbird takes no CRL"),
        (!arguments.ocsp.is_empty(), "Thunderbird takes no OCSP response"),
        (arguments.require_revocation, "Thunderbird does not insist on knowing of revocation"),
        (arguments.from.is_some(), "Thunderbird takes the sender from the mail alone"),
        (arguments.pin.is_some(), "the card is reached through PC/SC, and not by this shim"),
    ];
    rows.into_iter().find(|(applies, _)| *applies).map(|(_, why)| why)
}

/// The version as the program states it: "Mozilla Thunderbird 153.7.0esr".
fn version() -> Result<String, String> {
    let run = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).env_remove("DISPLAY").stdin(Stdio::null()).output()
    };
    let absent = |program: &str, package: &str| {
        let (program, package) = (program.to_owned(), package.to_owned());
        move |error: io::Error| {
            format!("the program {program} cannot be started (Debian: apt-get install {package}): {error}")
        }
    };
    run("certutil", "-H").map_err(absent("certutil", "libnss3-tools"))?;
    let said = run("thunderbird", "--version").map_err(absent("thunderbird", "thunderbird"))?;
    let text = String::from_utf8_lossy(&said.stdout);
    let version = text.split_whitespace().last().filter(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    version.map(str::to_owned).ok_or_else(|| format!("thunderbird --version states {:?}", text.trim()))
}
