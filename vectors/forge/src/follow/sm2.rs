//! How a step writes SM2, SM3 and SM4.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use waxseal_engine::cms::write::{CiphertextForm, Parameters, Shape};
use waxseal_key::Sm2Form;
use waxseal_model::Sm2;

/// The habits of the dialect, if there is one; a step puts its own on top.
pub(super) fn begin(shape: Shape, sm2: &Sm2) -> Shape {
    match sm2.dialect {
        Some(dialect) => shape.in_dialect(dialect),
        None => shape,
    }
}

/// What the step says of itself.
pub(super) fn apply(shape: &mut Shape, sm2: &Sm2) -> Result<(), String> {
    let named = &mut shape.sm2;
    set(&mut named.signature, sm2.signature.as_deref(), "SM2 signature")?;
    set(&mut named.digest, sm2.digest.as_deref(), "digest under an SM2 signature")?;
    set(&mut named.encryption, sm2.encryption.as_deref(), "SM2 encryption")?;
    if let Some(name) = sm2.ciphertext.as_deref() {
        let form = Sm2Form::from_name(name).ok_or_else(|| format!("{name:?} is no form of an SM2 ciphertext"))?;
        named.ciphertext = CiphertextForm(form);
    }
    null(&mut named.signature_parameters, sm2.signature_null);
    null(&mut named.encryption_parameters, sm2.encryption_null);
    null(&mut shape.digest_parameters, sm2.digest_null);
    named.short_sm4 = sm2.short_sm4.unwrap_or(named.short_sm4);
    Ok(())
}

fn null(parameters: &mut Parameters, null: Option<bool>) {
    match null {
        Some(true) => *parameters = Parameters::Null,
        Some(false) => *parameters = Parameters::Absent,
        None => {}
    }
}

/// A value by the name that a shape has for it.
fn set<'a, T: Deserialize<'a>>(value: &mut T, name: Option<&'a str>, what: &str) -> Result<(), String> {
    let Some(name) = name else { return Ok(()) };
    let from: StrDeserializer<'a, Error> = name.into_deserializer();
    *value = T::deserialize(from).map_err(|error| format!("{what}: {error}"))?;
    Ok(())
}
