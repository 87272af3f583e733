//! s-nail as a shim: a mail program without a screen, driven by its commands
//! `verify` and `decrypt`, and by sending.
//!
//! It stops at the first thing that is wrong with a signature: the path, then the
//! signature, then the sender. So each is checked twice: with the certificates of
//! the message as anchors, at any time, which tells integrity and identity; then
//! with the anchors alone, which tells the chain. Of a certificate that is for
//! another use, or below one that constrains it, it says no more even so: integrity
//! is then unchecked. It reads and writes
//! multipart/signed, and no signature around its content.
//!
//! What is inside a layer becomes the next mail, under the fields of the one
//! before. Mail is given to it with LF, as it stores it.

mod native;
mod opened;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use waxseal_engine::certificate::Certificate;
use waxseal_verdict::{Aspect, AspectName, Dialect, Form, Hello, Kind, Layer, Operation, Reason, Verdict, WrittenForm};

use super::entity::{Encoding, Entity};
use super::faketime::Faketime;
use super::mail::{self, Found, Object};
use super::peel::{at, get, put};
use super::program::{Run, Trouble};
use super::protocol::{Answer, EncryptArguments, OpenArguments, SignArguments};
use super::serve::{Crash, Shim, names};
use native::Said;
#[cfg(test)]
pub(super) use native::TABLE as WORDS;
use opened::{Left, ZONES};

/// Layers that are peeled at most.
const MOST_LAYERS: usize = 16;

/// What it knows of messages, by the names of the algorithm table: what OpenSSL 3 has for
/// PKCS #7, without its legacy provider.
const ALGORITHMS: &str = "md5 sha-1 sha-224 sha-256 sha-384 sha-512 rsa rsa-pkcs1-v1_5 rsa-pkcs1-v1_5-md5 \
    rsa-pkcs1-v1_5-sha-1 rsa-pkcs1-v1_5-sha-224 rsa-pkcs1-v1_5-sha-256 rsa-pkcs1-v1_5-sha-384 \
    rsa-pkcs1-v1_5-sha-512 ec ecdsa ecdsa-sha-1 ecdsa-sha-224 ecdsa-sha-256 ecdsa-sha-384 ecdsa-sha-512 p-256 p-384 \
    p-521 aes-128-cbc aes-192-cbc aes-256-cbc 3des-cbc camellia-128-cbc camellia-192-cbc camellia-256-cbc";

/// The `s-nail` found on PATH.
#[derive(Debug, Default)]
pub struct SNail {
    faketime: Option<Faketime>,
}

impl SNail {
    /// With the clock that this machine offers.
    #[must_use]
    pub fn new() -> Self {
        Self { faketime: Faketime::find() }
    }

    /// A command, at a time: no file of the person who runs it is read, and no
    /// certificate of the machine is trusted.
    fn run(&self, dir: &Path, clock: Option<&String>) -> Result<Run, Trouble> {
        let run = Run::new("s-nail", dir).env("HOME", dir).env("TZ", "UTC");
        let run = run.args(["-:/", "-Sv15-compat", "-Ssmime-ca-no-defaults", "-Sttycharset=utf-8"]);
        run.at(self.faketime.as_ref(), clock.filter(|_| self.faketime.is_some()))
    }
}

impl Shim for SNail {
    fn hello(&mut self) -> Result<Hello, String> {
        Ok(Hello {
            name: "s-nail".to_owned(),
            version: version()?,
            operations: BTreeSet::from([Operation::Open, Operation::Sign, Operation::Encrypt]),
            algorithms: names(ALGORITHMS),
            forms: BTreeSet::from([Kind::Signed, Kind::Encrypted]),
            dialects: BTreeSet::from([Dialect::Cms]),
            aspects: BTreeSet::from([
                AspectName::Structure,
                AspectName::Decryption,
                AspectName::Integrity,
                AspectName::Chain,
                AspectName::Identity,
            ]),
            deviations: false,
            headers: false,
            learns: false,
            clock: Faketime::clock(self.faketime.as_ref()),
            writes: BTreeSet::new(),
            writes_forms: BTreeSet::from([WrittenForm::Clear, WrittenForm::Encrypted, WrittenForm::SignedEncrypted]),
            writes_algorithms: write::algorithms(),
            unknown: BTreeSet::new(),
        })
    }

    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
        let answer = match not_offered(arguments) {
            Some(why) => Ok(Answer::Unsupported(why.to_owned())),
            None => open(self, arguments),
        };
        Trouble::answer(answer)
    }

    fn sign(&mut self, arguments: &SignArguments) -> Result<Answer, Crash> {
        Trouble::answer(write::sign(self, arguments))
    }

    fn encrypt(&mut self, arguments: &EncryptArguments) -> Result<Answer, Crash> {
        Trouble::answer(write::encrypt(self, arguments))
    }
}

/// Why it cannot read as asked.
fn not_offered(arguments: &OpenArguments) -> Option<&'static str> {
    if !arguments.crls.is_empty() || !arguments.ocsp.is_empty() || arguments.require_revocation {
        return Some("this shim gives s-nail nothing about revocation");
    }
    if arguments.extra_certificates.is_some() {
        return Some("s-nail takes issuers from the message and from its anchors alone");
    }
    if arguments.from.is_some() {
        return Some("s-nail takes the sender from the mail alone");
    }
    arguments.content.is_some().then_some("s-nail reads mail alone")
}

/// The version as the program states it.
fn version() -> Result<String, String> {
    let place = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let ran = match Run::new("s-nail", place.path()).args(["--version"]).go() {
        Ok(ran) => ran,
        Err(Trouble::Shim(why) | Trouble::Crash(why)) => return Err(format!("{why} (Debian: apt-get install s-nail)")),
    };
    // "s-nail v14.9.24, 2022-03-26 (built for Linux)"
    let text = ran.out + &ran.words;
    let line = text.lines().next().unwrap_or_default();
    let version = line.strip_prefix("s-nail v").and_then(|rest| rest.split([',', ' ']).next());
    version.map(str::to_owned).ok_or_else(|| format!("s-nail states {line:?}; version 14.9 is needed"))
}

/// A mail on its way through the layers.
struct Reading<'a> {
    snail: &'a SNail,
    arguments: &'a OpenArguments,
    dir: PathBuf,
    layers: Vec<Layer>,
    native: Vec<String>,
}

fn open(snail: &SNail, arguments: &OpenArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    let absolute = dir.canonicalize().map_err(|error| at(&arguments.dir, &error))?;
    let message = mail::in_crlf(get(dir, &arguments.message)?);
    let mut entity = mail::Entity::of(&message);
    let mut reading = Reading { snail, arguments, dir: absolute, layers: Vec::new(), native: Vec::new() };
    while reading.layers.len() < MOST_LAYERS {
        let outermost = reading.layers.is_empty();
        // The message itself as it came; what was inside under its fields.
        let whole = if outermost { message.clone() } else { entity.whole() };
        let seen = Entity::of(&whole);
        if seen.encoding != Encoding::Mail {
            return Ok(Answer::Unsupported("s-nail reads mail alone".to_owned()));
        }
        if !seen.may_be_layer(false) {
            if outermost {
                return Ok(Answer::Unsupported("s-nail looks at mail that is S/MIME as a whole".to_owned()));
            }
            break;
        }
        let inside = match (seen.announced, seen.form) {
            (Some(Kind::Signed), Some(Form::Clear)) => reading.signed(&whole)?,
            (Some(Kind::Signed), _) => {
                return Ok(Answer::Unsupported("s-nail reads signatures in multipart/signed alone".to_owned()));
            }
            (None, _) if reading.holds_signature(&whole)? => {
                return Ok(Answer::Unsupported("s-nail reads signatures in multipart/signed alone".to_owned()));
            }
            (None | Some(Kind::Encrypted), _) => reading.encrypted(&whole)?,
            (Some(other), _) => return Ok(Answer::Unsupported(format!("s-nail reads no {other}"))),
        };
        match inside {
            Some(inner) => entity.inner = inner,
            None => break,
        }
    }
    let verdict = Verdict::new("s-nail", reading.layers);
    if !verdict.has_bad() && !verdict.layers.is_empty() {
        put(dir, &arguments.out, &entity.inner)?;
    }
    let native = (!reading.native.is_empty()).then(|| reading.native.join(" | "));
    Ok(Answer::Verdict(verdict, native))
}

impl Reading<'_> {
    /// Judges a multipart/signed; the result is what it is over.
    fn signed(&mut self, whole: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let folder = self.folder(whole)?;
        let object = self.object()?;
        // The path ends at a person's certificate: what is wrong further up is another question.
        let mut known = object.as_ref().map(Object::certificates).unwrap_or_default();
        let is_ca = |one: &Certificate| one.basic_constraints().is_some_and(|constraints| constraints.ca);
        if known.iter().any(|one| !is_ca(one)) {
            known.retain(|one| !is_ca(one));
        }
        let known_file = self.file("known.pem");
        put(&self.dir, &known_file, known.iter().map(Certificate::to_pem).collect::<String>().as_bytes())?;
        // A file without certificates is refused.
        let trusted = (!known.is_empty()).then_some(known_file.as_str());
        let said = self.verify(&folder, trusted, "partial-chain,no-check-time")?;
        let mut layer = Layer::new(self.path("signed-data"), Kind::Signed);
        layer.form = Some(Form::Clear);
        (layer.structure, layer.integrity, layer.identity) = (Aspect::Good, Aspect::Good, Aspect::Good);
        match said.wrong() {
            _ if said.verified() => {}
            Some((AspectName::Identity, bad)) => layer.identity = bad,
            Some((AspectName::Integrity, bad)) => {
                (layer.integrity, layer.identity) = (bad, Aspect::Unchecked(None));
            }
            // Even so it does not come to the signature.
            Some((AspectName::Chain, _)) => {
                (layer.integrity, layer.identity) = (Aspect::Unchecked(None), Aspect::Unchecked(None));
            }
            wrong => {
                layer.structure = wrong.map_or_else(|| said.unknown(Reason::BadBer), |(_, bad)| bad);
                (layer.integrity, layer.identity) = (Aspect::Unchecked(None), Aspect::Unchecked(None));
            }
        }
        layer.chain = match &self.arguments.anchors {
            _ if layer.structure.is_bad() => Aspect::Unchecked(None),
            None => Aspect::unchecked(Reason::NoAnchor),
            Some(anchors) => {
                // Any certificate can be an anchor.
                self.verify(&folder, Some(anchors), "partial-chain")?.chain()
            }
        };
        let refused = layer.structure.is_bad();
        self.layers.push(layer);
        Ok(object.and_then(|object| object.content).filter(|_| !refused))
    }

    /// Decrypts with each key in turn; the result is what came out.
    fn encrypted(&mut self, whole: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let mut layer = Layer::new(self.path("enveloped-data"), Kind::Encrypted);
        layer.structure = Aspect::Good;
        layer.decryption = Aspect::bad(Reason::NoKey, "no key with a certificate was given");
        let mut opened = None;
        let mut further = 0;
        for (number, own) in self.arguments.keys.iter().enumerate() {
            let Some(certificate) = &own.certificate else { continue };
            let pair = self.file(&format!("key-{number}.pem"));
            put(&self.dir, &pair, &[get(&self.dir, &own.key)?, get(&self.dir, certificate)?].concat())?;
            let (said, left) = self.decrypt(whole, number, &pair)?;
            match left {
                Left::Opened { content, layers } => {
                    (layer.structure, layer.decryption) = (Aspect::Good, Aspect::Good);
                    (opened, further) = (Some(content), layers - 1);
                    break;
                }
                // It does not take this for S/MIME.
                Left::Copy if said.is_silent() => return Ok(None),
                Left::Copy => {}
                Left::Unsteady => {
                    if layer.decryption.reason() == Some(Reason::NoKey) {
                        layer.decryption = Aspect::bad(Reason::WrongKey, "what comes out is another thing each time");
                    }
                    continue;
                }
            }
            // That another key is not a recipient's says nothing of this message.
            if layer.decryption.reason() == Some(Reason::NoKey) {
                match said.wrong() {
                    Some((AspectName::Structure, bad)) => {
                        (layer.structure, layer.decryption) = (bad, Aspect::Unchecked(None));
                    }
                    Some((_, bad)) => layer.decryption = bad,
                    None => layer.decryption = said.unknown(Reason::WrongKey),
                }
            }
        }
        self.layers.push(layer);
        for _ in 0..further.min(MOST_LAYERS.saturating_sub(self.layers.len())) {
            let mut layer = Layer::new(self.path("enveloped-data"), Kind::Encrypted);
            (layer.structure, layer.decryption) = (Aspect::Good, Aspect::Good);
            self.layers.push(layer);
        }
        Ok(opened)
    }

    /// Whether a mail that does not say what it holds holds a signature.
    fn holds_signature(&self, whole: &[u8]) -> Result<bool, Trouble> {
        self.folder(whole)?;
        Ok(self.object()?.is_some_and(|object| object.kind == Kind::Signed))
    }

    /// Lets it decrypt a mail with a key, twice: what it said the first time, and what it left.
    fn decrypt(&mut self, whole: &[u8], number: usize, pair: &str) -> Result<(Said, Left), Trouble> {
        let [first, second] = ZONES.map(|zone| {
            let folder = self.folder(whole)?;
            let out = self.file(&format!("out-{number}"));
            self.remove(&out)?;
            let command = format!("decrypt 1 maildir://{}\n", self.dir.join(&out).display());
            let key = [format!("-Ssmime-sign-cert={}", self.absolute(pair)), "-Sfrom=reader@example.test".to_owned()];
            let said = self.command(&folder, &command, &key, zone)?;
            Ok::<_, Trouble>((said, self.left(&out)?))
        });
        let ((said, one), (again, other)) = (first?, second?);
        self.says([&said].into_iter().chain((again != said).then_some(&again)));
        match (one, other) {
            (Some(one), Some(other)) => Ok((said, Left::of(&one, &other))),
            (None, None) if said.is_silent() => Err("s-nail decrypted nothing, and said nothing".to_owned().into()),
            (None, None) => Ok((said, Left::Copy)),
            _ => Ok((said, Left::Unsteady)),
        }
    }

    /// The one mail in a folder.
    fn left(&self, folder: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let Ok(mut files) = std::fs::read_dir(self.dir.join(folder).join("new")) else { return Ok(None) };
        let Some(Ok(file)) = files.next() else { return Ok(None) };
        std::fs::read(file.path()).map(Some).map_err(|error| at(folder, &error))
    }

    /// Puts a mail into a folder of its own.
    fn folder(&self, whole: &[u8]) -> Result<String, Trouble> {
        let name = self.file("maildir");
        self.remove(&name)?;
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(self.dir.join(&name).join(part)).map_err(|error| at(&name, &error))?;
        }
        put(&self.dir, &format!("{name}/cur/1:2,S"), &in_lf(whole))?;
        Ok(name)
    }

    /// What an earlier request left in the same directory is no answer to this one.
    fn remove(&self, folder: &str) -> Result<(), Trouble> {
        match std::fs::remove_dir_all(self.dir.join(folder)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(folder, &error)),
            _ => Ok(()),
        }
    }

    /// The object of the mail that was put into a folder, and what it is over.
    fn object(&self) -> Result<Option<Object>, Trouble> {
        let file = self.dir.join(self.file("maildir")).join("cur/1:2,S");
        Ok(match mail::object(&file, true).map_err(|error| at("the mail", &error))? {
            Found::Object(object) => Some(object),
            Found::Malformed(_) | Found::Nothing => None,
        })
    }

    /// Lets it check a signature with these anchors.
    fn verify(&mut self, folder: &str, anchors: Option<&str>, flags: &str) -> Result<Said, Trouble> {
        let mut options = Vec::new();
        if let Some(anchors) = anchors {
            options.push(format!("-Ssmime-ca-file={}", self.absolute(anchors)));
            options.push(format!("-Ssmime-ca-flags={flags}"));
        }
        let said = self.command(folder, "verify 1\n", &options, ZONES[0])?;
        if !said.verified() {
            self.says([&said]);
        }
        Ok(said)
    }

    fn command(&self, folder: &str, command: &str, options: &[String], zone: &str) -> Result<Said, Trouble> {
        put(&self.dir, "s-nail-input", command.as_bytes())?;
        let folder = format!("maildir://{}", self.absolute(folder));
        let run = self.snail.run(&self.dir, self.arguments.clock.as_ref())?.env("TZ", zone).args(options);
        Ok(Said::new(&run.args(["-#", "-f", &folder]).input("s-nail-input").go()?))
    }

    fn says<'a>(&mut self, said: impl IntoIterator<Item = &'a Said>) {
        self.native.extend(said.into_iter().map(Said::words).filter(|words| !words.is_empty()));
    }

    fn absolute(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    fn file(&self, end: &str) -> String {
        format!("s-nail-{}.{end}", self.layers.len() + 1)
    }

    fn path(&self, object: &str) -> String {
        match self.layers.last() {
            Some(outer) => format!("{}/1/{object}", outer.path),
            None => format!("1/{object}"),
        }
    }
}

/// A mail as it is stored.
fn in_lf(mail: &[u8]) -> Vec<u8> {
    let ends = |at: usize| mail.get(at) == Some(&b'\r') && mail.get(at + 1) == Some(&b'\n');
    (0..mail.len()).filter(|at| !ends(*at)).filter_map(|at| mail.get(at).copied()).collect()
}
