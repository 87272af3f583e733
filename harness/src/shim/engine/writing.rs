//! What the engine writes for the protocol.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::Capability;
use waxseal_engine::cms::write::{AttributeKind, ContentEncryption, Recipient};
use waxseal_engine::io::{Sink, Source};
use waxseal_engine::message::{self, Boundary, EncryptRequest, SignRequest};
use waxseal_engine::policy::address_book::Choice;
use waxseal_engine::policy::negotiate;
use waxseal_key::{
    Arithmetic, ContentCipher, DigestAlgorithm, OaepParameters, PssParameters, PublicKeyAlgorithm, SignatureScheme,
    Signer, SystemRandom,
};
use waxseal_verdict::{Aspect, Form};

use super::{Engine, clock, learn};
use crate::exit::Failed;
use crate::keys::{KeyRing, load_certificates, signs_with_sm2};
use crate::shim::protocol::{Answer, EncryptArguments, Refused, SignArguments, Wrote};

/// What it can be told to write with.
pub(super) fn algorithms() -> BTreeSet<String> {
    let ciphers = ContentEncryption::names().into_iter().map(str::to_owned);
    let rc2 = [40, 64, 128].map(|bits| format!("rc2-cbc-{bits}"));
    let digests = DigestAlgorithm::ALL.iter().map(|digest| digest.name().to_owned());
    let schemes = SignatureScheme::ALL.iter().map(|scheme| scheme.name().to_owned());
    ciphers.chain(rc2).chain(digests).chain(schemes).chain(["rsaes-oaep", "ec"].map(str::to_owned)).collect()
}

impl Engine {
    pub(super) fn try_sign(self, arguments: &SignArguments) -> Result<Answer, Failed> {
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
        if let Some(name) = &arguments.digest {
            let Some(digest) = DigestAlgorithm::from_name(name) else {
                return Ok(Answer::Unsupported(format!("no digest {name}")));
            };
            request.digest = digest;
        }
        if let Some(name) = &arguments.scheme {
            if !signers.iter().all(|(key, _)| does(*key, name)) {
                return Ok(Answer::Unsupported(format!("a key of this kind does not sign with {name}")));
            }
            request.pss = (name == RSASSA_PSS).then(|| PssParameters::usual(request.digest));
        }
        if arguments.form == Some(Form::Opaque) {
            request.form = Form::Opaque;
        }
        if let Some(dialect) = arguments.dialect {
            request.shape = std::mem::take(&mut request.shape).in_dialect(dialect);
        }
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

    pub(super) fn try_encrypt(self, arguments: &EncryptArguments) -> Result<Answer, Failed> {
        if arguments.signer.is_some() {
            return Ok(Answer::Unsupported("sign first, then encrypt what was signed".to_owned()));
        }
        match arguments.recipients.as_slice() {
            [] => self.encrypt_for_correspondents(arguments),
            files => self.encrypt_for_certificates(arguments, files),
        }
    }

    /// Exactly these certificates.
    fn encrypt_for_certificates(self, arguments: &EncryptArguments, files: &[String]) -> Result<Answer, Failed> {
        let dir = Path::new(&arguments.reading.dir);
        let files = files.iter().chain(&arguments.copy_for).map(|name| dir.join(name));
        let certificates = load_certificates(&files.collect::<Vec<PathBuf>>())?;
        let kinds = || certificates.iter().filter_map(|one| waxseal_key::describe_public_key(one.spki()).ok());
        let usual = match kinds().all(|kind| kind.algorithm == PublicKeyAlgorithm::Sm2) {
            true => ContentCipher::Sm4Cbc,
            false => ContentCipher::Aes256Cbc,
        };
        let cipher = match &arguments.cipher {
            None => usual.into(),
            Some(name) => match name.parse::<ContentEncryption>() {
                Ok(cipher) => cipher,
                Err(_) => return Ok(Answer::Unsupported(format!("no cipher {name}"))),
            },
        };
        let oaep = match arguments.key_encryption.as_deref() {
            None => None,
            Some("rsaes-oaep") => Some(OaepParameters::usual(DigestAlgorithm::Sha256)),
            Some(other) => return Ok(Answer::Unsupported(format!("no key encryption {other}"))),
        };
        self.encrypt(arguments, &certificates, cipher, oaep, None)
    }

    /// Whoever has these addresses, with what their mail announced.
    fn encrypt_for_correspondents(self, arguments: &EncryptArguments) -> Result<Answer, Failed> {
        let EncryptArguments { reading, to, copy_for, sends, .. } = arguments;
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
        self.encrypt(arguments, &certificates, agreement.cipher, None, Some(agreement.to_string()))
    }

    fn encrypt(
        self,
        arguments: &EncryptArguments,
        certificates: &[Certificate],
        cipher: ContentEncryption,
        oaep: Option<OaepParameters>,
        why: Option<String>,
    ) -> Result<Answer, Failed> {
        let reading = &arguments.reading;
        let arithmetic = Arithmetic::new(self.provider);
        let recipients = Recipient::certificates(certificates);
        let mut request = EncryptRequest::new(&recipients, &arithmetic);
        request.cipher = cipher;
        request.key_management.oaep = oaep;
        if let Some(dialect) = arguments.dialect {
            request.shape = std::mem::take(&mut request.shape).in_dialect(dialect);
        }
        write_file(Path::new(&reading.dir), &reading.message, &reading.out, |input, out| {
            message::encrypt(input, out, &request, &mut SystemRandom)
        })?;
        Ok(Answer::Wrote(Wrote {
            cipher: Some(cipher.spelling()),
            recipients: certificates.iter().map(Certificate::serial_hex).collect(),
            why,
        }))
    }
}

const RSASSA_PSS: &str = "rsassa-pss";

/// Whether a key signs with a scheme; every RSA key does both of its.
fn does(key: &dyn Signer, scheme: &str) -> bool {
    use PublicKeyAlgorithm as P;
    let Ok(kind) = waxseal_key::describe_public_key(key.public_key()) else { return false };
    match (scheme, kind.algorithm) {
        ("rsa-pkcs1-v1_5", P::Rsa) | (RSASSA_PSS, P::Rsa | P::RsaPss) | ("ecdsa", P::P256 | P::P384 | P::P521) => true,
        (scheme, kind) => kind.name() == scheme,
    }
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
