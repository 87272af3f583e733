//! The reference engine as a shim.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::Capability;
use waxseal_engine::cms::write::{AttributeKind, Recipient};
use waxseal_engine::io::{Sink, Source};
use waxseal_engine::message::{self, Boundary, EncryptRequest, SignRequest};
use waxseal_engine::policy::address_book::Choice;
use waxseal_engine::policy::{AddressBook, Policy, negotiate};
use waxseal_key::{
    AeadCipher, Arithmetic, ContentCipher, DigestAlgorithm, KeyWrap, ProviderChoice, SignatureScheme, Signer,
    SystemRandom, algorithm,
};
use waxseal_verdict::{Aspect, AspectName, Clock, Dialect, Hello, Kind, Operation, Verdict};

use super::protocol::{Answer, EncryptArguments, OpenArguments, PinEntry, Refused, SignArguments, Wrote};
use super::serve::{Crash, Shim};
use crate::exit::Failed;
use crate::keys::{self, KeyRing, load_certificates, load_crls, load_ocsp_responses, signs_with_sm2};
use crate::reader::Reader;

/// Algorithms beside digests, ciphers and schemes, by the names of the table.
const FURTHER_ALGORITHMS: &[&str] = &[
    "sm2-encryption",
    "rsa",
    "ec",
    "p-256",
    "p-384",
    "p-521",
    "rsaes-oaep",
    "x25519",
    "password-wrap",
    "pbkdf2",
    "hkdf-sha-256",
    "hkdf-sha-384",
    "hkdf-sha-512",
    "zlib",
    "ml-kem-512",
    "ml-kem-768",
    "ml-kem-1024",
];

/// The engine with one choice of arithmetic.
#[derive(Debug, Clone, Copy, Default)]
pub struct Engine {
    /// Who computes.
    pub provider: ProviderChoice,
}

impl Shim for Engine {
    fn hello(&mut self) -> Result<Hello, String> {
        Ok(Hello {
            name: "engine".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operations: BTreeSet::from([Operation::Open, Operation::Sign, Operation::Encrypt]),
            algorithms: algorithms(),
            forms: BTreeSet::from([
                Kind::Signed,
                Kind::Encrypted,
                Kind::CertsOnly,
                Kind::Compressed,
                Kind::Digested,
                Kind::AuthEnveloped,
                Kind::EncryptedData,
                Kind::Authenticated,
                Kind::Timestamp,
                Kind::Data,
            ]),
            dialects: Dialect::ALL.iter().copied().collect(),
            aspects: AspectName::ALL.iter().copied().collect(),
            deviations: true,
            headers: true,
            learns: true,
            clock: Clock::Settable,
            writes: Dialect::ALL.iter().copied().collect(),
        })
    }

    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
        Ok(match self.try_open(arguments) {
            Ok(verdict) => Answer::Verdict(verdict, None),
            Err(error) => Answer::Error(error, None),
        })
    }

    fn sign(&mut self, arguments: &SignArguments) -> Result<Answer, Crash> {
        Ok(self.try_sign(arguments).unwrap_or_else(|failed| Answer::Error(failed.message, None)))
    }

    fn encrypt(&mut self, arguments: &EncryptArguments) -> Result<Answer, Crash> {
        Ok(self.try_encrypt(arguments).unwrap_or_else(|failed| Answer::Error(failed.message, None)))
    }
}

impl Engine {
    fn try_open(self, arguments: &OpenArguments) -> Result<Verdict, String> {
        let dir = Path::new(&arguments.dir);
        let mut reader = self.reader(dir, arguments).map_err(|failed| failed.message)?;
        let open = |name: &str| File::open(dir.join(name)).map_err(|error| format!("{name}: {error}"));
        let mut message = open(&arguments.message)?;
        let mut content = arguments.content.as_deref().map(open).transpose()?;
        let content = content.as_mut().map(|file| file as &mut dyn Source);
        learn(&mut reader, dir, arguments).map_err(|failed| failed.message)?;
        let opened = reader.open(&mut message, content, true).map_err(|error| error.to_string())?;
        if let Some(mut content) = opened.content {
            File::create(dir.join(&arguments.out))
                .and_then(|mut out| io::copy(&mut content, &mut out))
                .map_err(|error| format!("{}: {error}", arguments.out))?;
        }
        Ok(opened.verdict)
    }

    fn try_sign(self, arguments: &SignArguments) -> Result<Answer, Failed> {
        let dir = Path::new(&arguments.dir);
        let arithmetic = Arithmetic::new(self.provider);
        let file = |name: &String| dir.join(name);
        let keys = KeyRing::load(
            &[],
            &[file(&arguments.key.key)],
            None,
            &arguments.key.certificate.iter().map(file).collect::<Vec<_>>(),
        )?
        .with_arithmetic(arithmetic);
        let signers = keys.pairs().into_iter().filter_map(|(key, own)| Some((key as &dyn Signer, own?)));
        let signers: Vec<_> = signers.collect();
        let named = load_certificates(&arguments.encryption_certificate.iter().map(file).collect::<Vec<_>>())?;
        let mut sent = load_certificates(&arguments.certificates.iter().map(file).collect::<Vec<_>>())?;
        sent.extend(named.iter().cloned());
        let at = clock(arguments.clock.as_ref())?;
        let mut request = SignRequest::new(&signers, at, Boundary::random(&mut SystemRandom), &arithmetic);
        request.certificates = &sent;
        request.encryption_certificate = named.first();
        match &arguments.announces {
            Some(list) if list.is_empty() => {
                request.shape.attributes.retain(|kind| *kind != AttributeKind::Capabilities);
            }
            Some(list) => {
                let list = list.iter().map(|name| name.parse::<Capability>()).collect::<Result<_, _>>();
                request.shape.capabilities = list.map_err(Failed::usage)?;
            }
            None if signers.iter().any(|(key, _)| signs_with_sm2(*key)) => {
                request.shape.capabilities = Capability::defaults_with_sm2();
            }
            None => {}
        }
        write_file(dir, &arguments.message, &arguments.out, |input, out| message::sign(input, out, &request))?;
        Ok(Answer::Wrote(Wrote::default()))
    }

    fn try_encrypt(self, arguments: &EncryptArguments) -> Result<Answer, Failed> {
        let EncryptArguments { reading, to, copy_for, sends } = arguments;
        let dir = Path::new(&reading.dir);
        let mut writer = self.reader(dir, reading)?;
        learn(&mut writer, dir, reading)?;
        if let Some(sends) = sends {
            writer.policy.negotiation.ciphers.clone_from(sends);
        }
        let book = writer.address_book.take().unwrap_or_default();
        let refused = |reason: &str, detail: String| Ok(Answer::Refused(Refused { reason: reason.to_owned(), detail }));
        let mut choices = Vec::new();
        for address in to {
            match book.choose_among(address, writer.at, writer.policy.negotiation.sm2, &|_| Aspect::Good) {
                Ok(choice) => choices.push(choice),
                Err(error) => return refused(error.code(), error.to_string()),
            }
        }
        let peers: Vec<_> = choices.iter().map(Choice::peer).collect();
        let agreement = match negotiate(&writer.policy, &peers) {
            Ok(agreement) => agreement,
            Err(error) => return refused(error.code(), error.to_string()),
        };
        let mut certificates: Vec<_> = choices.iter().map(|choice| choice.certificate.clone()).collect();
        // Whoever writes a mail can read whatever they send (RFC 8551 section 3.3).
        certificates.extend(load_certificates(&copy_for.iter().map(|name| dir.join(name)).collect::<Vec<_>>())?);
        let recipients = Recipient::certificates(&certificates);
        let mut request = EncryptRequest::new(&recipients, &writer.arithmetic);
        request.cipher = agreement.cipher;
        write_file(dir, &reading.message, &reading.out, |input, out| {
            message::encrypt(input, out, &request, &mut SystemRandom)
        })?;
        Ok(Answer::Wrote(Wrote {
            cipher: Some(agreement.cipher.spelling()),
            recipients: certificates.iter().map(Certificate::serial_hex).collect(),
            why: Some(agreement.to_string()),
        }))
    }

    fn reader(self, dir: &Path, arguments: &OpenArguments) -> Result<Reader, Failed> {
        let files = |names: Vec<&String>| -> Vec<PathBuf> { names.into_iter().map(|name| dir.join(name)).collect() };
        let key_files = arguments.keys.iter().map(|key| &key.key).collect();
        let certificates = arguments.keys.iter().filter_map(|key| key.certificate.as_ref()).collect();
        let at = clock(arguments.clock.as_ref())?;
        let mut policy = Policy::named(arguments.policy.as_deref().unwrap_or("default")).map_err(Failed::usage)?;
        policy.require_revocation |= arguments.require_revocation;
        let mut keys = KeyRing::load(&[], &files(key_files), None, &files(certificates))?
            .with_arithmetic(Arithmetic::new(self.provider));
        if let Some(PinEntry { pin, entered, card }) = &arguments.pin {
            keys = keys.onto_card(pin, entered, *card)?;
        }
        Ok(Reader {
            keys,
            anchors: load_certificates(&files(arguments.anchors.iter().collect()))?,
            secrets: keys::secrets(&arguments.passwords, &arguments.symmetric_keys)?,
            extra_certificates: load_certificates(&files(arguments.extra_certificates.iter().collect()))?,
            crls: load_crls(&files(arguments.crls.iter().collect()))?,
            ocsp_responses: load_ocsp_responses(&files(arguments.ocsp.iter().collect()))?,
            address_book: (!arguments.earlier.is_empty()).then(AddressBook::default),
            network: None,
            at,
            from: arguments.from.clone(),
            sm2_id: None,
            policy,
            arithmetic: Arithmetic::new(self.provider),
            limits: Limits::default(),
        })
    }
}

/// Reads the mails that came before.
fn learn(reader: &mut Reader, dir: &Path, arguments: &OpenArguments) -> Result<(), Failed> {
    for earlier in &arguments.earlier {
        let at = time(&earlier.clock)?;
        let mut mail = File::open(dir.join(&earlier.message)).map_err(Failed::at(&earlier.message))?;
        reader.learn(&mut mail, at).map_err(Failed::at(&earlier.message))?;
    }
    Ok(())
}

/// Makes one file of another.
fn write_file<E: std::fmt::Display>(
    dir: &Path,
    from: &str,
    to: &str,
    make: impl FnOnce(&mut dyn Source, &mut dyn Sink) -> Result<(), E>,
) -> Result<(), Failed> {
    let mut input = File::open(dir.join(from)).map_err(Failed::at(from))?;
    let mut out = BufWriter::new(File::create(dir.join(to)).map_err(Failed::at(to))?);
    make(&mut input, &mut out).map_err(Failed::at(from))?;
    out.flush().map_err(Failed::at(to))
}

fn clock(text: Option<&String>) -> Result<OffsetDateTime, Failed> {
    text.map_or_else(|| Ok(OffsetDateTime::now_utc()), |text| time(text))
}

fn time(text: &str) -> Result<OffsetDateTime, Failed> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(Failed::at(format!("clock {text}")))
}

/// Every algorithm that the engine declares.
#[must_use]
pub fn algorithms() -> BTreeSet<String> {
    let digests = DigestAlgorithm::ALL.iter().map(|digest| digest.name().to_owned());
    let ciphers = ContentCipher::ALL.iter().map(|cipher| cipher.name().to_owned());
    let schemes = SignatureScheme::ALL.iter().flat_map(|scheme| {
        // SHAKE256 stands beside the schemes that sign the message themselves; RFC 8702 has other identifiers for
        // the rest.
        let known = |digest: &&DigestAlgorithm| match scheme {
            SignatureScheme::Sm2 => **digest == DigestAlgorithm::Sm3,
            _ => **digest != DigestAlgorithm::Shake256 || scheme.signs_message(),
        };
        let digests = DigestAlgorithm::ALL.iter().filter(known);
        let combined = digests.map(|digest| format!("{}-{}", scheme.name(), digest.name()));
        std::iter::once(scheme.name().to_owned()).chain(combined)
    });
    let authenticated = AeadCipher::ALL.iter().map(|cipher| cipher.name().to_owned());
    let wraps = KeyWrap::ALL.iter().map(|wrap| wrap.name().to_owned());
    let agreements =
        algorithm::TABLE.iter().filter(|row| row.is(algorithm::Kind::KeyAgreement) && row.name.starts_with("ecdh-"));
    let agreements = agreements.map(|row| row.name.to_owned());
    let macs = DigestAlgorithm::ALL.iter().filter(|digest| digest.hmac_oid().is_some());
    let macs = macs.map(|digest| format!("hmac-{}", digest.name()));
    let further = FURTHER_ALGORITHMS.iter().map(|name| (*name).to_owned());
    digests
        .chain(ciphers)
        .chain(authenticated)
        .chain(schemes)
        .chain(wraps)
        .chain(agreements)
        .chain(macs)
        .chain(further)
        .collect()
}
