//! New keys and certificates for people of the PKI: for whoever must be asked
//! with mail that nobody has seen before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_key::{PrivateKey, PublicKeyAlgorithm, Random};
use waxseal_model::{Entity, KeyType, Pki};

use crate::pki::{PkiError, certificate};

/// The same people; those named have keys of the same kind that were drawn now,
/// and certificates of the same issuers.
///
/// # Errors
/// Somebody is not there, has a key of a kind that is not made here, or has an
/// issuer without a key.
pub fn renew<'a>(
    pki: &Pki,
    names: impl IntoIterator<Item = &'a str>,
    random: &mut dyn Random,
) -> Result<Pki, PkiError> {
    let mut renewed = pki.clone();
    for name in names {
        let wrong = |why: String| PkiError { entity: name.to_owned(), why };
        let entity = pki.entity(name).ok_or_else(|| wrong("is not described".to_owned()))?;
        let (algorithm, bits) = kind(entity.key).ok_or_else(|| wrong(format!("no {} is made here", entity.key)))?;
        let key = PrivateKey::generate(&algorithm, bits, random).map_err(|error| wrong(error.to_string()))?;
        renewed = renewed.renewed(name, pem(&key), serial(random));
        let entity = renewed.entity(name).ok_or_else(|| wrong("is not described".to_owned()))?;
        let certificate = certificate(&renewed, entity).map_err(wrong)?;
        renewed = renewed.with_certificate(name, certificate);
    }
    Ok(renewed)
}

/// A further certificate for the key that an entity has, in PEM: of its
/// description as `change` leaves it, with a serial number drawn anew.
///
/// # Errors
/// There is no such entity, or what `change` left cannot be encoded.
pub fn another_certificate(
    pki: &Pki,
    name: &str,
    random: &mut dyn Random,
    change: impl FnOnce(&mut Entity),
) -> Result<String, PkiError> {
    let wrong = |why: String| PkiError { entity: name.to_owned(), why };
    let mut entity = pki.entity(name).cloned().ok_or_else(|| wrong("is not described".to_owned()))?;
    change(&mut entity);
    entity.serial = serial(random);
    certificate(pki, &entity).map_err(wrong)
}

/// Sixteen octets in hexadecimal.
fn serial(random: &mut dyn Random) -> String {
    let mut serial = [0; 16];
    random.fill(&mut serial);
    // Positive, and without a leading zero (RFC 5280 section 4.1.2.2).
    serial[0] = serial[0] & 0x3f | 0x40;
    serial.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The kinds of keys that can be made.
fn kind(key: KeyType) -> Option<(PublicKeyAlgorithm, u32)> {
    Some(match key {
        KeyType::Rsa2048 => (PublicKeyAlgorithm::Rsa, 2048),
        KeyType::P256 => (PublicKeyAlgorithm::P256, 0),
        KeyType::P384 => (PublicKeyAlgorithm::P384, 0),
        KeyType::Sm2 => (PublicKeyAlgorithm::Sm2, 0),
        _ => return None,
    })
}

fn pem(key: &PrivateKey) -> String {
    let text = STANDARD.encode(key.to_pkcs8_der().as_slice());
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_engine::certificate::Certificate;
    use waxseal_key::{SeededRandom, Signer};
    use waxseal_model::Corpus;

    #[test]
    fn who_is_renewed_has_a_new_key_below_the_same_issuer() {
        let corpus = Corpus::embedded().unwrap();
        let pki = renew(corpus.pki(), ["alice-ec", "alice-sm2"], &mut SeededRandom::new("renewed")).unwrap();
        for name in ["alice-ec", "alice-sm2"] {
            let read = |pki: &Pki| {
                Certificate::from_file(pki.certificate_pem(name).unwrap().as_bytes()).unwrap().pop().unwrap()
            };
            let (before, after) = (read(corpus.pki()), read(&pki));
            assert_eq!((before.issuer(), before.subject()), (after.issuer(), after.subject()));
            assert_ne!(before.serial_hex(), after.serial_hex());
            let key = PrivateKey::from_pem(pki.key_pem(name).unwrap(), None).unwrap();
            assert_eq!(Signer::public_key(&key), after.spki());
            assert_ne!(before.spki(), after.spki());
        }
        assert_eq!(pki.certificate_pem("bob"), corpus.pki().certificate_pem("bob"));
        assert!(renew(corpus.pki(), ["nobody"], &mut SeededRandom::new("")).is_err());
    }
}
