//! NSS as a shim: its program `cmsutil` is driven, its status lines are translated.
//!
//! It knows objects and no mail: the part that holds the object is found with the
//! reader of the engine. Whether a certificate is trusted it says in the place of
//! whether the signature is good; so each signature is checked twice. First
//! every certificate of the message is trusted by itself, in a copy without limits
//! where it is expired or for another use: what is said then is integrity. Then the
//! anchors are trusted and nothing else: what is said then is the chain, good or
//! `untrusted`, because why is not said. NSS judges certificates at the signing
//! time, where a message states one.

mod copy;
mod database;
mod native;
mod write;

use std::collections::BTreeSet;
use std::path::Path;

use waxseal_engine::certificate::Certificate;
use waxseal_verdict::{Aspect, AspectName, Dialect, Hello, Kind, Operation, Reason, WrittenForm};

use super::faketime::Faketime;
use super::mail::Object;
use super::peel::{Judge, Peeling, Step, get, peel};
use super::program::{Run, Trouble};
use super::protocol::{Answer, EncryptArguments, OpenArguments, SignArguments};
use super::serve::{Crash, Shim, names};
use super::writing::certificates;
use database::{Contents, Databases, Trust};
use native::{Level, Said};

/// What it knows of messages, by the names of the algorithm table; each was tried with 3.87.
/// MD5 is switched off, GCM and RSAES-OAEP are not there, and it refuses every message to a
/// key on a curve that another program wrote.
const ALGORITHMS: &str = "sha-1 sha-224 sha-256 sha-384 sha-512 rsa rsa-pkcs1-v1_5 rsa-pkcs1-v1_5-sha-1 \
    rsa-pkcs1-v1_5-sha-224 rsa-pkcs1-v1_5-sha-256 rsa-pkcs1-v1_5-sha-384 rsa-pkcs1-v1_5-sha-512 rsassa-pss mgf1 ec \
    ecdsa ecdsa-sha-1 ecdsa-sha-224 ecdsa-sha-256 ecdsa-sha-384 ecdsa-sha-512 p-256 p-384 p-521 aes-128-cbc \
    aes-192-cbc aes-256-cbc 3des-cbc des-cbc rc2-cbc camellia-128-cbc camellia-192-cbc camellia-256-cbc";

/// The `cmsutil` found on PATH.
#[derive(Debug, Default)]
pub struct Nss {
    faketime: Option<Faketime>,
    databases: Databases,
}

impl Nss {
    /// With the clock that this machine offers.
    #[must_use]
    pub fn new() -> Self {
        Self { faketime: Faketime::find(), databases: Databases::default() }
    }
}

impl Shim for Nss {
    fn hello(&mut self) -> Result<Hello, String> {
        Ok(Hello {
            name: "nss".to_owned(),
            version: version()?,
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
            clock: Faketime::clock(self.faketime.as_ref()),
            writes: BTreeSet::new(),
            writes_forms: BTreeSet::from([WrittenForm::Clear, WrittenForm::Opaque, WrittenForm::Encrypted]),
            writes_algorithms: write::algorithms(),
            unknown: BTreeSet::new(),
        })
    }

    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
        let answer = if !arguments.crls.is_empty() || !arguments.ocsp.is_empty() || arguments.require_revocation {
            Ok(Answer::Unsupported("this shim gives cmsutil nothing about revocation".to_owned()))
        } else {
            peel(&mut Judging { nss: self }, arguments)
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

/// The version of the library: the program states none, but Debian's package of it, and
/// the name that the library has in the linker's cache, do not tell it either. It
/// stands in the library itself.
fn version() -> Result<String, String> {
    let place = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let ran = match Run::new("cmsutil", place.path()).go() {
        Ok(ran) => ran,
        Err(Trouble::Shim(why) | Trouble::Crash(why)) => {
            return Err(format!("{why} (Debian: apt-get install libnss3-tools)"));
        }
    };
    if !ran.words.contains("create a CMS encrypted data message") {
        return Err(format!("cmsutil says {:?}; that of NSS is needed", ran.words.lines().next().unwrap_or_default()));
    }
    Ok(library_version().unwrap_or_else(|| "unknown".to_owned()))
}

/// `Version: NSS 3.87.1`, as the library says of itself.
fn library_version() -> Option<String> {
    const PLACES: &[&str] =
        &["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"];
    let library = PLACES.iter().find_map(|place| std::fs::read(Path::new(place).join("libsmime3.so")).ok())?;
    let mark = b"Version: NSS ";
    let at = library.windows(mark.len()).position(|window| window == mark)? + mark.len();
    let version = library.get(at..)?.iter().take_while(|octet| octet.is_ascii_digit() || **octet == b'.');
    String::from_utf8(version.copied().collect()).ok().filter(|version| !version.is_empty())
}

/// cmsutil, asked about one object after the other.
struct Judging<'a> {
    nss: &'a mut Nss,
}

impl Judge for Judging<'_> {
    const NAME: &'static str = "nss";

    fn judge(&mut self, object: Object, peeling: &mut Peeling<'_>) -> Result<Step, Trouble> {
        let file = peeling.file("der");
        peeling.put(&file, &object.der)?;
        match object.kind {
            Kind::Signed if !object.is_gmt => self.signed(&object, &file, peeling),
            Kind::Encrypted if !object.is_gmt => self.encrypted(&file, peeling),
            // Not even a type: let it say so itself.
            _ if object.is_broken => self.signed(&object, &file, peeling),
            kind => {
                Ok(Step::Unsupported(format!("this shim gives cmsutil SignedData and EnvelopedData, and no {kind}")))
            }
        }
    }
}

impl Judging<'_> {
    fn signed(&mut self, object: &Object, file: &str, peeling: &mut Peeling<'_>) -> Result<Step, Trouble> {
        let extra = certificates(peeling.dir, &peeling.arguments.extra_certificates)?;
        let carried = object.certificates();
        let known: Vec<_> = carried.iter().chain(&extra).cloned().collect();
        let at = peeling.arguments.clock.clone();
        let content = peeling.file("content");
        let mut words = vec!["-i", file];
        let beside = peeling.file("beside");
        if let Some(octets) = &object.content {
            peeling.put(&beside, octets)?;
            words.extend(["-c", &beside]);
        }
        let contents = Contents::default().with(&known, |_| Trust::Peer);
        let (mut said, inside) = self.decode(peeling, "nss-integrity", &contents, &words, at.clone())?;
        if said.hides_signatures() {
            // A copy that cannot be read is of a certificate that NSS does not read either.
            let copies = known.iter().filter(|one| !is_ca(one)).map(copy::without_limits);
            let copies: Vec<_> = copies.filter_map(|der| Certificate::parse(&der).ok()).collect();
            let authorities: Vec<_> = known.iter().filter(|one| is_ca(one)).cloned().collect();
            let contents = Contents::default().with(&copies, |_| Trust::Peer).with(&authorities, |_| Trust::Peer);
            let (told, _) = self.decode(peeling, "nss-copies", &contents, &words, at.clone())?;
            // If the message brings nothing but what there is a copy of, NSS refuses it.
            if !told.levels.is_empty() {
                said = told;
            }
        }
        if said.levels.is_empty() {
            return Ok(refused(peeling, object, &said));
        }
        let chains = match peeling.arguments.anchors {
            None => None,
            Some(_) => {
                let anchors = certificates(peeling.dir, &peeling.arguments.anchors)?;
                // An anchor stands last: what it is trusted for overrules that it is known.
                let contents = Contents::default().with(&extra, |_| Trust::Known).with(&anchors, Trust::of_anchor);
                Some(self.decode(peeling, "nss-trust", &contents, &words, at)?.0)
            }
        };
        for (number, level) in said.levels.iter().enumerate() {
            let trusted = chains.as_ref().and_then(|said| said.levels.get(number));
            self.push(peeling, object, level, chains.is_some(), trusted);
        }
        peeling.put(&content, object.content.as_deref().unwrap_or(&inside))?;
        Ok(Step::Into(content))
    }

    fn encrypted(&mut self, file: &str, peeling: &mut Peeling<'_>) -> Result<Step, Trouble> {
        let contents = Contents::default().with_keys(peeling.dir, &peeling.arguments.keys)?;
        let content = peeling.file("content");
        let at = peeling.arguments.clock.clone();
        let (said, inside) = self.decode(peeling, "nss-keys", &contents, &["-i", file], at)?;
        if said.levels.is_empty() {
            let (aspect, bad) = said.refused(AspectName::Decryption);
            peeling.push("enveloped-data", Kind::Encrypted, |layer| match aspect {
                AspectName::Structure => (layer.structure, layer.decryption) = (bad, Aspect::Unchecked(None)),
                _ => layer.decryption = bad,
            });
            return Ok(Step::End);
        }
        if said.levels.iter().any(|level| level.kind == "signedData") {
            // Its signatures are not judged with this database.
            return Ok(Step::Unsupported(
                "a signed object inside an encrypted one without a mail between them".to_owned(),
            ));
        }
        peeling.push("enveloped-data", Kind::Encrypted, |layer| layer.decryption = Aspect::Good);
        peeling.put(&content, &inside)?;
        Ok(Step::Into(content))
    }

    /// Lets cmsutil take an object apart; the result is what it said, and the content.
    fn decode(
        &mut self,
        peeling: &mut Peeling<'_>,
        name: &str,
        contents: &Contents,
        words: &[&str],
        at: Option<String>,
    ) -> Result<(Said, Vec<u8>), Trouble> {
        let database = self.nss.databases.place(peeling.dir, name, contents)?;
        let out = format!("{name}.out");
        let run = Run::new("cmsutil", peeling.dir).args(["-D", "-d", &database, "-h", "1", "-o", &out]).args(words);
        // Without faketime it judges now, and says so in `hello`.
        let clock = at.filter(|_| self.nss.faketime.is_some());
        let ran = run.at(self.nss.faketime.as_ref(), clock.as_ref())?.go()?;
        let output = get(peeling.dir, &out).unwrap_or_default();
        let said = Said::new(&ran, &output);
        peeling.says(said.words());
        let content = output.get(said.content..).unwrap_or_default().to_vec();
        Ok((said, content))
    }

    fn push(
        &self,
        peeling: &mut Peeling<'_>,
        object: &Object,
        level: &Level,
        has_anchors: bool,
        trusted: Option<&Level>,
    ) {
        match level.kind.as_str() {
            "signedData" => {
                peeling.says([level.statuses(), trusted.map(Level::statuses).unwrap_or_default()]);
                peeling.push("signed-data", Kind::Signed, |layer| {
                    layer.form = Some(object.form());
                    (layer.structure, layer.integrity) = level.integrity();
                    layer.chain = match trusted {
                        Some(trusted) => trusted.chain(),
                        None if has_anchors => Aspect::Unchecked(None),
                        None => Aspect::unchecked(Reason::NoAnchor),
                    };
                });
            }
            "envelopedData" => peeling.push("enveloped-data", Kind::Encrypted, |layer| layer.decryption = Aspect::Good),
            _ => {}
        }
    }
}

/// An object that says it is signed, and that cmsutil did not read.
fn refused(peeling: &mut Peeling<'_>, object: &Object, said: &Said) -> Step {
    let (_, bad) = said.refused(AspectName::Structure);
    let (name, kind) = if object.is_broken { ("unknown", Kind::Unknown) } else { ("signed-data", Kind::Signed) };
    peeling.push(name, kind, |layer| {
        layer.form = Some(object.form());
        layer.structure = bad;
        layer.integrity = Aspect::Unchecked(None);
        layer.chain = Aspect::Unchecked(None);
    });
    Step::End
}

fn is_ca(certificate: &Certificate) -> bool {
    certificate.basic_constraints().is_some_and(|constraints| constraints.ca)
}
