//! Content keys that are wrapped under a key that was encapsulated (RFC 9629).

use waxseal_key::{Decryptor, KeyWrap};
use zeroize::Zeroizing;

use super::{Refusal, shared};
use crate::ber::writer as w;
use crate::cms::derivation::{ENCAPSULATIONS, kem_other_info};
use crate::cms::{AlgorithmIdentifier, KeyEncapsulation};
use crate::message::context::Context;

/// The content key of the recipient.
pub(super) fn content_key(
    info: &KeyEncapsulation,
    decryptor: &dyn Decryptor,
    place: &str,
    context: &Context<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let derivation = ENCAPSULATIONS.iter().find(|row| row.0 == info.kdf.oid);
    let (_, derivation) = derivation.ok_or_else(|| Refusal::unsupported(place, &info.kdf.name()))?;
    let wrap = KeyWrap::from_oid(&info.wrap.oid).ok_or_else(|| Refusal::unsupported(place, &info.wrap.name()))?;
    if info.kek_length != wrap.key_len() as u64 {
        let why = format!("kekLength is {}, {wrap} needs {} (RFC 9629 section 3)", info.kek_length, wrap.key_len());
        return Err(Refusal::bad_parameters(place, why));
    }
    let other_info = other_info(info)
        .ok_or_else(|| Refusal::bad_parameters(place, "the identifier of the key wrap cannot be written"))?;
    let secret = decryptor.decapsulate(&info.ciphertext).map_err(|error| Refusal::key(&error, place))?;
    let key = derivation.derive(context.request.arithmetic, &secret, &other_info, wrap.key_len());
    let key = key.map_err(|error| Refusal::key(&error, place))?;
    shared::unwrap(wrap, &key, &info.encrypted_key, place, context)
}

/// CMSORIforKEMOtherInfo (RFC 9629 section 5).
fn other_info(info: &KeyEncapsulation) -> Option<Vec<u8>> {
    let AlgorithmIdentifier { oid, parameters } = &info.wrap;
    let mut wrap = vec![w::oid(oid).ok()?];
    wrap.extend(parameters.clone());
    Some(kem_other_info(&w::sequence(wrap), info.kek_length, info.ukm.as_deref()))
}
