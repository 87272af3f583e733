//! The reference engine as a shim.

mod certificate;
mod writing;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_engine::Limits;
use waxseal_engine::io::Source;
use waxseal_engine::policy::{AddressBook, Policy};
use waxseal_key::{
    AeadCipher, Arithmetic, ContentCipher, DigestAlgorithm, KeyWrap, ProviderChoice, SignatureScheme, algorithm,
};
use waxseal_verdict::{AspectName, Clock, Dialect, Hello, Kind, Operation, Verdict, WrittenForm};

use super::protocol::{Answer, CheckCertificateArguments, EncryptArguments, OpenArguments, PinEntry, SignArguments};
use super::serve::{Crash, Shim};
use crate::exit::Failed;
use crate::keys::{self, KeyRing, load_certificates, load_crls, load_ocsp_responses};
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
            name: match self.provider {
                ProviderChoice::Auto => "engine".to_owned(),
                provider => format!("engine-{}", provider.name()),
            },
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operations: Operation::ALL.iter().copied().collect(),
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
            writes_forms: BTreeSet::from([WrittenForm::Clear, WrittenForm::Opaque, WrittenForm::Encrypted]),
            writes_algorithms: writing::algorithms(),
            unknown: BTreeSet::new(),
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

    fn check_certificate(&mut self, arguments: &CheckCertificateArguments) -> Result<Answer, Crash> {
        Ok(self.try_check(arguments).unwrap_or_else(|failed| Answer::Error(failed.message, None)))
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
