//! PERFORM SECURITY OPERATION (ISO/IEC 7816-8 section 5.4): signatures and
//! decipherment.

use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice};
use zeroize::Zeroizing;

use super::{
    Pkcs15,
    environment::{Algorithm, Environment},
    setup::Purpose,
};
use crate::{Command, Response, StatusWord, key::CardKey};

/// P1 and P2 of COMPUTE DIGITAL SIGNATURE: a signature of data to be signed.
pub const COMPUTE_DIGITAL_SIGNATURE: (u8, u8) = (0x9E, 0x9A);
/// P1 and P2 of DECIPHER: plaintext of a padding indicator and a cryptogram.
pub const DECIPHER: (u8, u8) = (0x80, 0x86);

/// Octets that PKCS #1 v1.5 adds at least (RFC 8017 section 8.2.1).
const PADDING: usize = 11;

impl Pkcs15 {
    pub(super) fn perform_operation(&self, command: &Command) -> Result<Response, StatusWord> {
        let purpose = match (command.p1, command.p2) {
            COMPUTE_DIGITAL_SIGNATURE => Purpose::Sign,
            DECIPHER => Purpose::Decipher,
            _ => return Err(StatusWord::INCORRECT_P1_P2),
        };
        if !self.status.user {
            return Err(StatusWord::SECURITY_STATUS_NOT_SATISFIED);
        }
        let environment = self.status.environment.filter(|environment| environment.purpose == purpose);
        let Environment { algorithm, key, .. } = environment.ok_or(StatusWord::CONDITIONS_NOT_SATISFIED)?;
        let key = &self.keys.get(key).ok_or(StatusWord::CONDITIONS_NOT_SATISFIED)?.key;
        let data = command.data.as_slice();
        let result = match (purpose, algorithm) {
            (Purpose::Decipher, _) => decipher(key, data)?,
            (Purpose::Sign, Algorithm::RsaPkcs1) => sign_padded(key, data)?,
            (Purpose::Sign, Algorithm::EcdsaSha1) => sign_hash(key, &sha1(data)?)?,
            (Purpose::Sign, Algorithm::EcdsaHash) => sign_hash(key, data)?,
        };
        Ok(Response::ok(result.to_vec()))
    }
}

/// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.1) of a DigestInfo that the host made.
fn sign_padded(key: &CardKey, info: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
    let len = key.kind().octets();
    let filling = len.checked_sub(info.len() + 3).filter(|filling| *filling + 3 >= PADDING);
    let filling = filling.filter(|_| !info.is_empty()).ok_or(StatusWord::WRONG_LENGTH)?;
    let mut block = Vec::with_capacity(len);
    block.extend([0, 1]);
    block.resize(2 + filling, 0xFF);
    block.push(0);
    block.extend_from_slice(info);
    key.rsa(&block).map_err(|_| StatusWord::NO_DIAGNOSIS)
}

fn sign_hash(key: &CardKey, hash: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
    key.sign_hash(hash).map(Zeroizing::new).map_err(|_| StatusWord::WRONG_DATA)
}

fn sha1(data: &[u8]) -> Result<Vec<u8>, StatusWord> {
    Arithmetic::new(ProviderChoice::RustCrypto)
        .digest(DigestAlgorithm::Sha1, data)
        .map_err(|_| StatusWord::NO_DIAGNOSIS)
}

/// RSAES-PKCS1-v1_5 (RFC 8017 section 7.2.2). The data begins with the padding
/// indicator `00`, no further indication.
///
/// A refused padding has a status word of its own, as on real cards: a host
/// must not pass it on (RFC 3218).
fn decipher(key: &CardKey, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
    let [0, cryptogram @ ..] = data else { return Err(StatusWord::WRONG_DATA) };
    if cryptogram.len() != key.kind().octets() {
        return Err(StatusWord::WRONG_LENGTH);
    }
    let block = key.rsa(cryptogram).map_err(|_| StatusWord::WRONG_DATA)?;
    match block.as_slice() {
        [0, 2, rest @ ..] => {
            let end = rest.iter().position(|octet| *octet == 0).filter(|end| end + 3 >= PADDING);
            let plaintext = &rest[end.ok_or(StatusWord::WRONG_DATA)? + 1..];
            Ok(Zeroizing::new(plaintext.to_vec()))
        }
        _ => Err(StatusWord::WRONG_DATA),
    }
}
