//! Content keys that are wrapped under a key that was agreed on (RFC 5652
//! section 6.2.2, RFC 5753 section 3, RFC 8418).

use waxseal_key::{Decryptor, KeyWrap};
use zeroize::Zeroizing;

use super::{Refusal, shared};
use crate::ber::{Cursor, Tag};
use crate::cms::derivation::{AGREEMENTS, shared_info};
use crate::cms::{AgreedKey, AlgorithmIdentifier, KeyAgreement, Originator};
use crate::message::context::Context;

/// The content key of one recipient of an agreement.
pub(super) fn content_key(
    info: &KeyAgreement,
    agreed: &AgreedKey,
    decryptor: &dyn Decryptor,
    place: &str,
    context: &Context<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let scheme = AGREEMENTS.iter().find(|row| row.0 == info.algorithm.oid);
    let (_, _, derivation) = scheme.ok_or_else(|| Refusal::unsupported(place, &info.algorithm.name()))?;
    let (wrap, wrap_der) = key_wrap(&info.algorithm, place)?;
    let peer = match &info.originator {
        key @ Originator::Key { .. } => key.spki(&algorithm_of(decryptor.public_key())),
        Originator::Certificate(id) => {
            let mut known = context.request.extra_certificates.iter();
            known.find(|certificate| context.is_named(certificate, id)).map(|certificate| certificate.spki().to_vec())
        }
    };
    let peer = peer.ok_or_else(|| Refusal::bad_parameters(place, "the originator's key is not known"))?;
    let secret = decryptor.agree(&peer).map_err(|error| Refusal::key(&error, place))?;
    let info = shared_info(&wrap_der, info.ukm.as_deref(), wrap.key_len());
    let key = derivation.derive(context.request.arithmetic, &secret, &info, wrap.key_len());
    let key = key.map_err(|error| Refusal::key(&error, place))?;
    shared::unwrap(wrap, &key, &agreed.encrypted_key, place, context)
}

/// The key wrap that the parameters of an agreement name, with its encoding.
fn key_wrap(algorithm: &AlgorithmIdentifier, place: &str) -> Result<(KeyWrap, Vec<u8>), Refusal> {
    let der = algorithm.parameters.clone().unwrap_or_default();
    let element = Cursor::new(&der, 0).take().ok().flatten().filter(|element| element.tag == Tag::SEQUENCE);
    let inner = element
        .and_then(|element| AlgorithmIdentifier::read(&element, place).ok())
        .ok_or_else(|| Refusal::bad_parameters(place, "they are no KeyWrapAlgorithm (RFC 5753 section 7.1.4)"))?;
    let wrap = KeyWrap::from_oid(&inner.oid).ok_or_else(|| Refusal::unsupported(place, &inner.name()))?;
    Ok((wrap, der))
}

/// The AlgorithmIdentifier of a SubjectPublicKeyInfo.
fn algorithm_of(spki: &[u8]) -> Vec<u8> {
    let outer = Cursor::new(spki, 0).take().ok().flatten();
    let algorithm = outer.and_then(|outer| outer.inside().take().ok().flatten());
    algorithm.map(|algorithm| algorithm.whole.to_vec()).unwrap_or_default()
}
