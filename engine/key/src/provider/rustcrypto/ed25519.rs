//! Ed25519 (RFC 8032 section 5.1) over messages of any length.

use std::cell::RefCell;

use ed25519_dalek::{
    Signature, SignatureError, SigningKey, VerifyingKey,
    hazmat::{ExpandedSecretKey, raw_sign_byupdate},
};
use sha2::{Digest, Sha512};

use crate::{KeyError, message::Message, public_key::bad};

/// Refuses what is no point in the one encoding that RFC 8032 section 5.1.3
/// lets it have, and points of small order, under which anything verifies.
pub(super) fn check(octets: &[u8]) -> Result<VerifyingKey, KeyError> {
    let octets =
        octets.try_into().map_err(|_| bad(format!("a key ed25519 of {} octets, it must have 32", octets.len())))?;
    let key = VerifyingKey::from_bytes(octets).map_err(|_| bad("no point of ed25519".to_owned()))?;
    if key.to_edwards().compress().as_bytes() != octets {
        return Err(bad("a point of ed25519 in an encoding that is not its own".to_owned()));
    }
    if key.is_weak() {
        return Err(bad("a point of ed25519 of small order".to_owned()));
    }
    Ok(key)
}

/// Verifies (RFC 8032 section 5.1.7), without the cofactor.
pub(super) fn verify(octets: &[u8], message: &mut Message<'_>, signature: &[u8]) -> Result<bool, KeyError> {
    let key = check(octets)?;
    let Ok(signature) = Signature::from_slice(signature) else { return Ok(false) };
    // A number above the order is refused here.
    let Ok(mut running) = key.verify_stream(&signature) else { return Ok(false) };
    message.each(&mut |piece| running.update(piece))?;
    Ok(running.finalize_and_verify().is_ok())
}

/// Signs (RFC 8032 section 5.1.6), reading the message twice.
pub(super) fn sign(key: &SigningKey, message: &mut Message<'_>) -> Result<Vec<u8>, KeyError> {
    let expanded = ExpandedSecretKey::from(key.as_bytes());
    let message = RefCell::new(message);
    let (failed, readings) = (RefCell::new(None), RefCell::new(Vec::new()));
    let read = |hasher: &mut Sha512| {
        let mut reading = Sha512::new();
        let result = message.borrow_mut().each(&mut |piece| {
            hasher.update(piece);
            reading.update(piece);
        });
        readings.borrow_mut().push(reading.finalize());
        result.map_err(|error| {
            *failed.borrow_mut() = Some(error);
            SignatureError::new()
        })
    };
    let signed = raw_sign_byupdate::<Sha512, _>(&expanded, read, &key.verifying_key());
    if let Some(error) = failed.into_inner() {
        return Err(error);
    }
    let readings = readings.into_inner();
    if readings.windows(2).any(|pair| pair[0] != pair[1]) {
        // One number for two messages would give the private key away.
        return Err(KeyError::Unreadable("it changed while it was signed".to_owned()));
    }
    let signature = signed.map_err(|_| KeyError::Refused("ed25519 failed".to_owned()))?;
    Ok(signature.to_bytes().to_vec())
}
