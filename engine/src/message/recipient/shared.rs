//! Content keys that are wrapped under something both sides have: a key (RFC
//! 5652 section 6.2.3) or a password (section 6.2.4, RFC 3211).

use waxseal_key::{ContentCipher, DigestAlgorithm, KeyError, KeyWrap, algorithm};
use waxseal_verdict::{Aspect, Reason};
use zeroize::Zeroizing;

use super::Refusal;
use crate::ber::{Cursor, Element, Tag};
use crate::cms::{AlgorithmIdentifier, oid};
use crate::message::context::Context;

/// The content key that a key-encryption key wraps.
pub(super) fn under_key(
    algorithm: &AlgorithmIdentifier,
    key: &[u8],
    encrypted_key: &[u8],
    place: &str,
    context: &Context<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let wrap = KeyWrap::from_oid(&algorithm.oid).ok_or_else(|| Refusal::unsupported(place, &algorithm.name()))?;
    unwrap(wrap, key, encrypted_key, place, context)
}

/// Undoes a key wrap; the integrity check inside tells a wrong key.
pub(super) fn unwrap(
    wrap: KeyWrap,
    key: &[u8],
    encrypted_key: &[u8],
    place: &str,
    context: &Context<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if key.len() != wrap.key_len() {
        let detail =
            format!("{place}: {wrap} needs a key of {} octets, the one given has {}", wrap.key_len(), key.len());
        return Err(Refusal::Decryption(Aspect::bad(Reason::WrongKey, detail)));
    }
    context.request.arithmetic.unwrap_key(wrap, key, encrypted_key).map_err(|error| Refusal::key(&error, place))
}

/// The content key that a password wraps.
pub(super) fn under_password(
    derivation: Option<&AlgorithmIdentifier>,
    algorithm: &AlgorithmIdentifier,
    password: &[u8],
    encrypted_key: &[u8],
    place: &str,
    context: &Context<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if algorithm.oid != oid::PASSWORD_WRAP {
        return Err(Refusal::unsupported(place, &algorithm.name()));
    }
    // The parameters are the AlgorithmIdentifier of the cipher (RFC 3211 section 2.3).
    let inner = parameters(algorithm)
        .filter(|element| element.tag == Tag::SEQUENCE)
        .and_then(|element| AlgorithmIdentifier::read(&element, place).ok())
        .ok_or_else(|| Refusal::bad_parameters(place, "they are no AlgorithmIdentifier of a cipher"))?;
    let read = ContentCipher::from_identifier(&inner.oid, inner.parameters.as_deref());
    let (cipher, iv) = read.map_err(|error| match error {
        KeyError::UnknownAlgorithm(_) => Refusal::unsupported(place, &inner.name()),
        error => Refusal::bad_parameters(place, error),
    })?;
    // It is OPTIONAL (RFC 5652 section 6.2.4): the key-encryption key then comes from elsewhere.
    let derivation = derivation.ok_or_else(|| {
        let detail = format!("{place}: keyDerivationAlgorithm is absent, so that no password becomes a key");
        Refusal::Decryption(Aspect::bad(Reason::WrongKey, detail))
    })?;
    let key = derive(derivation, password, cipher.key_len(), place, context)?;
    let arithmetic = context.request.arithmetic;
    arithmetic.password_unwrap(cipher, &key, &iv, encrypted_key).map_err(|error| match error {
        KeyError::BadParameters { .. } => Refusal::bad_parameters(place, error),
        KeyError::NotByThisProvider { .. } => Refusal::key(&error, place),
        _ => Refusal::Decryption(Aspect::bad(Reason::WrongPassword, format!("{place}: the password does not fit"))),
    })
}

/// PBKDF2 (RFC 8018 section 5.2, appendix A.2).
fn derive(
    derivation: &AlgorithmIdentifier,
    password: &[u8],
    key_len: usize,
    place: &str,
    context: &Context<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if derivation.oid != oid::PBKDF2 {
        return Err(Refusal::unsupported(place, &derivation.name()));
    }
    let found = pbkdf2_parameters(derivation).ok_or_else(|| {
        Refusal::bad_parameters(place, "they are no PBKDF2-params with a salt (RFC 8018 appendix A.2)")
    })?;
    let prf = match &found.prf {
        None => DigestAlgorithm::Sha1,
        Some(oid) => DigestAlgorithm::from_hmac_oid(oid)
            .ok_or_else(|| Refusal::unsupported(place, algorithm::oid_name(oid).unwrap_or(oid)))?,
    };
    let limit = context.request.limits.password_iterations;
    if found.iterations > u64::from(limit) {
        let detail = format!("{place}: {} iterations of PBKDF2, over {limit}", found.iterations);
        return Err(Refusal::Structure(Aspect::bad(Reason::LimitExceeded, detail)));
    }
    let work = context.request.limits.password_work;
    // One block of the derivation for each output of the hash that the key takes.
    let blocks = key_len.div_ceil(prf.output_len()).max(1) as u64;
    if !context.budget.derive(found.iterations.saturating_mul(blocks)) {
        let detail = format!("{place}: over {work} iterations of PBKDF2 in the message");
        return Err(Refusal::Structure(Aspect::bad(Reason::LimitExceeded, detail)));
    }
    if found.key_len.is_some_and(|stated| stated != key_len as u64) {
        let why = format!("keyLength is {}, the cipher needs {key_len}", found.key_len.unwrap_or_default());
        return Err(Refusal::bad_parameters(place, why));
    }
    let iterations = u32::try_from(found.iterations).unwrap_or(u32::MAX);
    context
        .request
        .arithmetic
        .pbkdf2(prf, password, &found.salt, iterations, key_len)
        .map_err(|error| Refusal::key(&error, place))
}

/// PBKDF2-params.
struct Pbkdf2 {
    salt: Vec<u8>,
    iterations: u64,
    key_len: Option<u64>,
    prf: Option<String>,
}

fn pbkdf2_parameters(derivation: &AlgorithmIdentifier) -> Option<Pbkdf2> {
    let outer = parameters(derivation).filter(|element| element.tag == Tag::SEQUENCE)?;
    let mut fields = outer.inside();
    let salt = fields.expect(Tag::OCTET_STRING, "salt").ok()?.content.to_vec();
    let number = |element: &Element<'_>| {
        let content = element.content;
        // A count beyond every limit is one that a limit refuses.
        let fits = content.len() <= 8 && content.first().is_some_and(|first| first & 0x80 == 0);
        fits.then(|| content.iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet)))
    };
    let iterations = number(&fields.expect(Tag::INTEGER, "iterationCount").ok()?)?;
    let mut found = Pbkdf2 { salt, iterations, key_len: None, prf: None };
    let mut next = fields.take().ok()?;
    if let Some(element) = next.filter(|element| element.tag == Tag::INTEGER) {
        found.key_len = Some(number(&element)?);
        next = fields.take().ok()?;
    }
    if let Some(element) = next {
        found.prf = Some(AlgorithmIdentifier::read(&element, "prf").ok()?.oid);
        fields.end().ok()?;
    }
    Some(found)
}

fn parameters(algorithm: &AlgorithmIdentifier) -> Option<Element<'_>> {
    Cursor::new(algorithm.parameters.as_deref()?, 0).take().ok().flatten()
}
