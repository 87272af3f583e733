//! DSA (FIPS 186-4 section 4.7), for reading old mail. Only verification, and
//! all numbers are public.

use crypto_bigint::{
    BoxedUint, Odd, Resize,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use der::{
    Decode, Sequence,
    asn1::{AnyRef, UintRef},
};

use crate::{KeyError, public_key::bad};

/// Sizes that are worked with, in bits; above them one verification takes so
/// long that it is an attack.
const P_BITS: std::ops::RangeInclusive<u32> = 512..=4096;
const Q_BITS: std::ops::RangeInclusive<u32> = 160..=512;

/// Dss-Parms (RFC 3279 section 2.3.2).
#[derive(Sequence)]
struct Parameters<'a> {
    p: UintRef<'a>,
    q: UintRef<'a>,
    g: UintRef<'a>,
}

/// Dss-Sig-Value (RFC 3279 section 2.2.2).
#[derive(Sequence)]
struct Value<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// A key whose numbers are in range.
struct Key {
    p: BoxedMontyParams,
    q: Odd<BoxedUint>,
    g: BoxedUint,
    y: BoxedUint,
}

/// Refuses a damaged key. One that takes its parameters from its issuer cannot
/// be used, but is none.
pub(super) fn check(parameters: Option<AnyRef<'_>>, octets: &[u8]) -> Result<(), KeyError> {
    match parameters {
        Some(parameters) if !parameters.is_null() => read(parameters, octets).map(drop),
        _ => UintRef::from_der(octets).map(drop).map_err(|error| bad(format!("no DSAPublicKey: {error}"))),
    }
}

/// Verifies a Dss-Sig-Value in DER.
pub(super) fn verify(
    parameters: Option<AnyRef<'_>>,
    octets: &[u8],
    value: &[u8],
    signature: &[u8],
) -> Result<bool, KeyError> {
    let parameters = parameters
        .filter(|parameters| !parameters.is_null())
        .ok_or_else(|| bad("a key dsa without its parameters: they are its issuer's".to_owned()))?;
    let key = read(parameters, octets)?;
    let Ok(signature) = Value::from_der(signature) else { return Ok(false) };
    let (Some(r), Some(s)) = (below(signature.r, &key.q), below(signature.s, &key.q)) else { return Ok(false) };
    let q = BoxedMontyParams::new_vartime(key.q.clone());
    let in_q = |number: BoxedUint| BoxedMontyForm::new(number, &q);
    // q is a prime, if it is what it should be: s to the power q - 2 is its inverse.
    let two = BoxedUint::from(2_u8).resize(key.q.bits_precision());
    let w = in_q(s).pow(&key.q.as_ref().wrapping_sub(&two));
    let u1 = (in_q(leftmost(value, &key.q)) * w.clone()).retrieve();
    let u2 = (in_q(r.clone()) * w).retrieve();
    let power = |base: &BoxedUint, exponent: &BoxedUint| BoxedMontyForm::new(base.clone(), &key.p).pow(exponent);
    let v = (power(&key.g, &u1) * power(&key.y, &u2)).retrieve();
    let wide = key.q.as_ref().clone().resize(v.bits_precision());
    let modulus = wide.to_nz().into_option().ok_or_else(|| bad("a key dsa of zeros".to_owned()))?;
    Ok(v.rem_vartime(&modulus) == r)
}

/// The bits of the modulus.
pub(crate) fn bits(parameters: AnyRef<'_>) -> Result<u32, KeyError> {
    let parameters: Parameters<'_> =
        parameters.decode_as().map_err(|error: der::Error| bad(format!("no Dss-Parms: {error}")))?;
    let octets = parameters.p.as_bytes();
    let first = octets.first().copied().unwrap_or(0);
    let len = u32::try_from(octets.len()).map_err(|_| bad("a DSA modulus of that length".to_owned()))?;
    Ok((len * 8).saturating_sub(first.leading_zeros()))
}

fn read(parameters: AnyRef<'_>, octets: &[u8]) -> Result<Key, KeyError> {
    let parameters: Parameters<'_> =
        parameters.decode_as().map_err(|error: der::Error| bad(format!("no Dss-Parms: {error}")))?;
    let y = UintRef::from_der(octets).map_err(|error| bad(format!("no DSAPublicKey: {error}")))?;
    let max = *P_BITS.end() as usize / 8;
    if [parameters.p, parameters.q, parameters.g, y].iter().any(|number| number.as_bytes().len() > max) {
        return Err(bad("a DSA key that is too large".to_owned()));
    }
    let number = |octets: UintRef<'_>| BoxedUint::from_be_slice_vartime(octets.as_bytes());
    let odd = |octets: UintRef<'_>, bits: std::ops::RangeInclusive<u32>, what: &str| {
        let number = number(octets);
        let fits = bits.contains(&number.bits_vartime());
        let precision = number.bits_vartime().max(1);
        number
            .try_resize(precision)
            .filter(|_| fits)
            .and_then(|number| Odd::new(number).into_option())
            .ok_or_else(|| bad(format!("a DSA key whose {what} is out of range")))
    };
    let (p, q) = (odd(parameters.p, P_BITS, "p")?, odd(parameters.q, Q_BITS, "q")?);
    let member = |octets: UintRef<'_>, what: &str| {
        below(octets, &p)
            .filter(|number| number.bits_vartime() > 1)
            .ok_or_else(|| bad(format!("a DSA key whose {what} is out of range")))
    };
    let (g, y) = (member(parameters.g, "g")?, member(y, "y")?);
    Ok(Key { p: BoxedMontyParams::new_vartime(p), q, g, y })
}

/// A number from 1 to below the modulus.
fn below(octets: UintRef<'_>, modulus: &Odd<BoxedUint>) -> Option<BoxedUint> {
    let number = BoxedUint::from_be_slice(octets.as_bytes(), modulus.bits_precision()).ok()?;
    let positive = !bool::from(number.is_zero());
    (positive && number < *modulus.as_ref()).then_some(number)
}

/// The leftmost bits of a digest value, as many as q has (FIPS 186-4 section
/// 4.6), below q.
fn leftmost(value: &[u8], q: &Odd<BoxedUint>) -> BoxedUint {
    let bits = q.bits_vartime();
    let number = BoxedUint::from_be_slice_vartime(value);
    let excess = (value.len() as u32 * 8).saturating_sub(bits);
    let number = number.wrapping_shr_vartime(excess).resize(bits.max(q.bits_precision()));
    let modulus = q.as_ref().clone().to_nz().into_option();
    modulus.map_or_else(|| number.clone(), |modulus| number.rem_vartime(&modulus))
}
