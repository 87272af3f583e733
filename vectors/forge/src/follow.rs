//! A recipe, followed step by step.

mod sealing;
mod sm2;
mod stamping;

use std::io::Cursor;

use sha2::{Digest, Sha256};
use waxseal_engine::certificate::{Certificate, CertificateError, Crl, OcspResponse};
use waxseal_engine::cms::write::{
    AttributeKind, Encoding, IdentifierForm, Order, Parameters, RsaSignature, Shape, Tamper,
};
use waxseal_engine::cms::{Capability, CapabilityError};
use waxseal_engine::message::{self, Boundary, HeaderPolicy, HideHeaders, ProtectHeaders, SignRequest};
use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice, PssParameters, Signer};
use waxseal_model::{
    Attributes, Case, Hp, Identifier, Instant, LineEnds, Pki, ProtectHeaders as HeaderProtection, Pss, Recipe,
    SignStep, Sm2, Step, TamperStep, WrapStep,
};
use waxseal_verdict::Form;

use crate::files::Holder;
use crate::mail::{Armored, Mail};
use crate::spelling::{Object, shape};
use crate::tamper::{Signed, tamper};
use crate::{ForgeError, base, credentials, mail, revocation};

/// What came of a recipe.
pub(crate) struct Followed {
    /// The message.
    pub(crate) message: Vec<u8>,
    /// The innermost entity, as it stands inside the layers.
    pub(crate) entity: Vec<u8>,
}

/// Follows the recipe of a case.
pub(crate) fn follow(
    pki: &Pki,
    holder: Option<&dyn Holder>,
    case: &Case,
    recipe: &Recipe,
) -> Result<Followed, ForgeError> {
    let mut entity = base::entity(recipe.base).map_err(|what| ForgeError::Step { step: 0, what })?;
    let mut way = Way {
        pki,
        holder,
        id: &case.id,
        date: recipe.date.unwrap_or(case.clock),
        // RustCrypto: its signatures are the same on every machine.
        arithmetic: Arithmetic::new(ProviderChoice::RustCrypto),
        message: Vec::new(),
        last_signature: None,
        step: 0,
    };
    way.message = way.header(case, recipe)?;
    way.message.extend(&entity);
    for (index, step) in recipe.steps.iter().enumerate() {
        way.step = index + 1;
        if let Some(protection) = protection(step) {
            entity = way.payload(protection)?;
        }
        way.message = match step {
            Step::Sign(sign) => way.sign(sign)?,
            Step::Encrypt(encrypt) => way.encrypt(encrypt)?,
            Step::Compress(compress) => way.compress(compress)?,
            Step::Digest(digest) => way.digest(digest)?,
            Step::EncryptWithKey(encrypt) => way.encrypt_with_key(encrypt)?,
            Step::Authenticate(authenticate) => way.authenticate(authenticate)?,
            Step::ListFooter(_) => mail::list_footer(&way.message).map_err(|what| way.cannot(what))?,
            Step::Wrap(wrap) => {
                let wrapped = way.wrap(wrap)?;
                entity = mail::entity(&wrapped).map_err(|what| way.cannot(what))?;
                wrapped
            }
            Step::Replace(replace) => {
                let (find, put) = (replace.find.as_bytes(), replace.put.as_bytes());
                match mail::count(&way.message, find) {
                    1 => mail::replace(&way.message, find, put),
                    times => return Err(way.cannot(format!("{:?} occurs {times} times, not once", replace.find))),
                }
            }
            Step::Stamp(stamp) => way.stamp(stamp)?,
            Step::Tamper(step) => way.tamper(step)?,
        };
    }
    if recipe.steps.is_empty() {
        way.message = [b"MIME-Version: 1.0\r\n", way.message.as_slice()].concat();
    }
    if recipe.line_ends == LineEnds::Lf {
        way.message = mail::replace(&way.message, b"\r\n", b"\n");
    }
    Ok(Followed { message: way.message, entity })
}

/// The message on its way, and what later steps must know of earlier ones.
struct Way<'a> {
    pki: &'a Pki,
    holder: Option<&'a dyn Holder>,
    id: &'a str,
    date: Instant,
    arithmetic: Arithmetic,
    message: Vec<u8>,
    last_signature: Option<(&'a SignStep, Vec<u8>)>,
    step: usize,
}

impl<'a> Way<'a> {
    fn cannot(&self, what: impl Into<String>) -> ForgeError {
        ForgeError::Step { step: self.step, what: what.into() }
    }

    /// The fields above the entity: who, to whom, when, what.
    fn header(&self, case: &Case, recipe: &Recipe) -> Result<Vec<u8>, ForgeError> {
        let signer = recipe.steps.iter().find_map(|step| match step {
            Step::Sign(sign) => sign.by.first(),
            _ => None,
        });
        let from = match &recipe.from {
            Some(address) => address.clone(),
            None => credentials::mailbox(self.pki, signer.map_or("alice", String::as_str))?,
        };
        let to = credentials::mailbox(self.pki, "bob")?;
        let mut lines = vec![format!("From: {from}")];
        lines.extend(recipe.fields.iter().cloned());
        lines.push(format!("To: {to}"));
        lines.push(format!("Date: {}", self.date.header()));
        lines.push(format!("Subject: {}", case.title));
        lines.push(format!("Message-ID: <{}@vectors.example.test>", case.id.replace('/', ".")));
        Ok(lines.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect())
    }

    fn sign(&mut self, step: &'a SignStep) -> Result<Vec<u8>, ForgeError> {
        let digest = self.digest_algorithm(&step.digest)?;
        let keys = self.signer_keys(&step.by, &step.sm2)?;
        let certificates = self.signer_certificates(step)?;
        let signers: Vec<(&dyn Signer, &Certificate)> = keys.iter().map(|key| &**key).zip(&certificates).collect();
        let sent = self.sent_certificates(step)?;
        let preference = step.encryption_certificate.as_deref();
        let preference = preference.map(|name| credentials::certificate(self.pki, name)).transpose()?;
        let (crls, responses) = self.sent_revocation(step)?;
        let placeholder = self.boundary();
        let at = step.signing_time.unwrap_or(self.date).date_time();
        let mut request = SignRequest::new(&signers, at, Boundary::Given(placeholder.clone()), &self.arithmetic);
        let object = if step.form == Form::Opaque { Object::Opaque } else { Object::Clear };
        request.form = step.form;
        request.certificates = &sent;
        request.encryption_certificate = preference.as_ref();
        request.crls = &crls;
        request.ocsp_responses = &responses;
        request.digest = digest;
        request.pss = step.pss.as_ref().map(|pss| self.pss(pss, digest)).transpose()?;
        request.shape = sign_shape(step).map_err(|what| self.cannot(what))?;
        request.mime = shape(&step.mime, object);
        request.protect_headers = step.protect_headers.as_ref().map(protect);
        // The certificate that does not fit is what the case is about.
        request.tamper = Tamper { unfit_certificates: true, ..Tamper::default() };
        let mut out = Vec::new();
        message::sign(&mut Cursor::new(&self.message), &mut out, &request)
            .map_err(|source| ForgeError::Sign { step: self.step, source })?;
        let content = match &step.protect_headers {
            Some(protection) => self.payload(protection)?,
            None => mail::entity(&self.message).map_err(|what| self.cannot(what))?,
        };
        self.last_signature = Some((step, content));
        if let Some(boundary) = &step.mime.boundary {
            out = mail::replace(&out, placeholder.as_bytes(), boundary.as_bytes());
        }
        self.lines(out, step.mime.base64_line)
    }

    /// The mail in a `message/rfc822`, its own header outside too.
    fn wrap(&self, step: &WrapStep) -> Result<Vec<u8>, ForgeError> {
        let mail = Mail::read(&self.message).map_err(|what| self.cannot(what))?;
        let (_, outer) = mail.split_fields();
        let parameter = step.forwarded.iter().map(|value| format!("; forwarded={value}")).collect::<String>();
        let wrapping = format!("Content-Type: message/rfc822{parameter}\r\n\r\nMIME-Version: 1.0\r\n");
        Ok([outer.concat().as_slice(), wrapping.as_bytes(), &self.message].concat())
    }

    fn tamper(&self, step: &TamperStep) -> Result<Vec<u8>, ForgeError> {
        let armored = Armored::find(&self.message).map_err(|what| self.cannot(what))?;
        let signed = match &self.last_signature {
            None => None,
            Some((sign, content)) => {
                let first = sign.by.first().map_or("", String::as_str);
                let digest = DigestAlgorithm::from_name(&sign.digest).unwrap_or(DigestAlgorithm::Sha256);
                Some(Signed { key: credentials::key(self.pki, first)?, digest, content })
            }
        };
        let certificates = |names: &[String]| {
            let found = names.iter().map(|name| credentials::certificate(self.pki, name));
            found.map(|found| found.map(|found| found.der().to_vec()).map_err(|error| error.to_string())).collect()
        };
        let object =
            tamper(&armored.object, &step.with, signed.as_ref(), certificates).map_err(|what| self.cannot(what))?;
        Ok(armored.put(&object))
    }

    /// What is signed or encrypted where the header is protected, cut out of a
    /// clear-signed mail.
    fn payload(&self, protection: &HeaderProtection) -> Result<Vec<u8>, ForgeError> {
        let key = credentials::key(self.pki, "alice")?;
        let certificate = credentials::certificate(self.pki, "alice")?;
        let signers: [(&dyn Signer, &Certificate); 1] = [(&key, &certificate)];
        let boundary = self.boundary();
        let at = self.date.date_time();
        let mut request = SignRequest::new(&signers, at, Boundary::Given(boundary.clone()), &self.arithmetic);
        request.protect_headers = Some(protect(protection));
        let mut out = Vec::new();
        message::sign(&mut Cursor::new(&self.message), &mut out, &request)
            .map_err(|source| ForgeError::Sign { step: self.step, source })?;
        let (start, end) = (format!("\r\n--{boundary}\r\n"), format!("\r\n--{boundary}\r\n"));
        let start = mail::find(&out, start.as_bytes()).map(|at| at + start.len());
        let payload = start.and_then(|start| Some(&out[start..start + mail::find(&out[start..], end.as_bytes())?]));
        payload.map(<[u8]>::to_vec).ok_or_else(|| self.cannot("the signed mail has no first part"))
    }

    fn pss(&self, pss: &Pss, digest: DigestAlgorithm) -> Result<PssParameters, ForgeError> {
        let usual = PssParameters::usual(digest);
        let mgf = pss.mgf.as_deref().map(|name| self.digest_algorithm(name)).transpose()?;
        Ok(PssParameters { mgf: mgf.unwrap_or(usual.mgf), salt_len: pss.salt.unwrap_or(usual.salt_len) })
    }

    /// The keys of signers, under the identifier that they sign with.
    fn signer_keys(&self, names: &[String], sm2: &Sm2) -> Result<Vec<Box<dyn Signer>>, ForgeError> {
        let keys = names.iter().map(|name| {
            let mut key = credentials::key(self.pki, name)?;
            if let Some(id) = &sm2.id {
                key = key.with_sm2_id(id.as_bytes()).map_err(|error| self.cannot(error.to_string()))?;
            }
            match self.holder {
                Some(holder) => {
                    let certificate = credentials::certificate(self.pki, name)?;
                    holder.hold(key, &certificate).map_err(|error| self.cannot(error))
                }
                None => Ok(Box::new(key) as Box<dyn Signer>),
            }
        });
        keys.collect()
    }

    fn signer_certificates(&self, step: &SignStep) -> Result<Vec<Certificate>, ForgeError> {
        let other = |index: usize| step.certificate_of.as_deref().filter(|_| index == 0);
        let names = step.by.iter().enumerate().map(|(index, name)| other(index).unwrap_or(name));
        names.map(|name| credentials::certificate(self.pki, name)).collect()
    }

    /// The certificates that are sent beside those of the signers.
    fn sent_certificates(&self, step: &SignStep) -> Result<Vec<Certificate>, ForgeError> {
        let mut names: Vec<&str> = Vec::new();
        if let Some(given) = &step.certificates {
            names.extend(given.iter().map(String::as_str));
        } else {
            let first = step.certificate_of.iter().map(String::as_str).chain(step.by.iter().map(String::as_str));
            for signer in first.take(step.by.len().max(1)) {
                // The signer's own stands before them.
                for issuer in self.pki.path_without_root(signer).into_iter().skip(1) {
                    if !names.contains(&issuer) {
                        names.push(issuer);
                    }
                }
            }
        }
        names.extend(step.encryption_certificate.as_deref());
        names.into_iter().map(|name| credentials::certificate(self.pki, name)).collect()
    }

    /// CRLs and OCSP responses that are sent.
    fn sent_revocation(&self, step: &SignStep) -> Result<(Vec<Crl>, Vec<OcspResponse>), ForgeError> {
        let cannot = |error: CertificateError| self.cannot(error.to_string());
        let crls = step.crls.iter().map(|name| Crl::read(revocation::crl(self.pki, name)?).map_err(cannot));
        let responses =
            step.ocsp.iter().map(|name| OcspResponse::parse(&revocation::ocsp(self.pki, name)?).map_err(cannot));
        Ok((crls.collect::<Result<_, _>>()?, responses.collect::<Result<_, _>>()?))
    }

    /// A boundary that follows from case and step.
    fn boundary(&self) -> String {
        let hash = Sha256::digest(format!("{} {}", self.id, self.step));
        let digits: String = hash.iter().take(16).map(|octet| format!("{octet:02x}")).collect();
        format!("----=_waxseal_{digits}")
    }

    fn lines(&self, message: Vec<u8>, columns: Option<u32>) -> Result<Vec<u8>, ForgeError> {
        let Some(columns) = columns else { return Ok(message) };
        let armored = Armored::find(&message).map_err(|what| self.cannot(what))?;
        Ok(armored.put_in_lines(&armored.object, columns as usize))
    }
}

/// The header protection that a step begins with.
fn protection(step: &Step) -> Option<&HeaderProtection> {
    match step {
        Step::Sign(sign) => sign.protect_headers.as_ref(),
        Step::Encrypt(encrypt) => encrypt.protect_headers.as_ref(),
        _ => None,
    }
}

fn protect(protection: &HeaderProtection) -> ProtectHeaders {
    match protection.hp {
        Hp::Clear => ProtectHeaders::Clear,
        _ => ProtectHeaders::Cipher(hide(protection)),
    }
}

fn hide(protection: &HeaderProtection) -> HideHeaders {
    let policy = match protection.policy {
        waxseal_model::HeaderPolicy::Shy => HeaderPolicy::Shy,
        waxseal_model::HeaderPolicy::NoConfidentiality => HeaderPolicy::NoConfidentiality,
        _ => HeaderPolicy::Baseline,
    };
    HideHeaders { policy, legacy_display: protection.legacy_display }
}

fn sign_shape(step: &SignStep) -> Result<Shape, String> {
    use AttributeKind as A;
    let plain = vec![A::ContentType, A::SigningTime, A::MessageDigest];
    let (mut attributes, attribute_order) = match step.attributes {
        Attributes::None => (Vec::new(), Order::Der),
        Attributes::Plain => (plain, Order::Der),
        // messageDigest sorts last in DER, and stands first here.
        Attributes::NotDer => (vec![A::MessageDigest, A::ContentType, A::SigningTime], Order::AsGiven),
        Attributes::Full => {
            ([plain, vec![A::Capabilities, A::SigningCertificate, A::AlgorithmProtection]].concat(), Order::Der)
        }
        _ => ([plain, vec![A::Capabilities]].concat(), Order::Der),
    };
    if step.encryption_certificate.is_some() {
        attributes.push(A::KeyPreference);
    }
    let announced = step.capabilities.as_ref().map(|list| list.iter().map(|name| name.parse::<Capability>()).collect());
    let announced: Option<Vec<_>> = announced.transpose().map_err(|error: CapabilityError| error.to_string())?;
    let usual = sm2::begin(encoded(step.segment), &step.sm2);
    if step.sm2.dialect.is_some() && step.attributes == Attributes::Usual {
        attributes.clone_from(&usual.attributes);
    }
    let mut shape = Shape {
        attributes,
        attribute_order,
        capabilities: announced.unwrap_or_else(|| usual.capabilities.clone()),
        digest_parameters: if step.digest_null { Parameters::Null } else { usual.digest_parameters },
        rsa_signature: if step.bare_rsa { RsaSignature::RsaEncryption } else { RsaSignature::WithDigest },
        signer_id: identifier(step.identifier),
        signer_certificates: step.certificates.is_none(),
        ..usual
    };
    sm2::apply(&mut shape, &step.sm2)?;
    Ok(shape)
}

fn encoded(segment: Option<u32>) -> Shape {
    Shape::encoded(segment.map_or(Encoding::Der, |segment| Encoding::Ber { segment: segment as usize }))
}

const fn identifier(identifier: Identifier) -> IdentifierForm {
    match identifier {
        Identifier::SubjectKey => IdentifierForm::SubjectKeyId,
        _ => IdentifierForm::IssuerAndSerial,
    }
}
