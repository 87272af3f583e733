//! GENERAL AUTHENTICATE (NIST SP 800-73-4 part 2 section 3.2.4): signatures, RSA
//! decryption, ECDH, and the authentication of the card management key.

use waxseal_key::Sm2Form;
use zeroize::Zeroizing;

use super::{
    Algorithm, Piv,
    slot::{Access, Slot},
};
use crate::{
    Command, Response, StatusWord,
    key::{CardKey, KeyKind},
    tlv,
};

/// Key reference of the PIV Card Application Administration key.
pub const MANAGEMENT_KEY: u8 = 0x9B;

/// Dynamic Authentication Template.
pub const TEMPLATE: u32 = 0x7C;
/// Witness.
pub const WITNESS: u32 = 0x80;
/// Challenge: what is signed or decrypted.
pub const CHALLENGE: u32 = 0x81;
/// Response.
pub const RESPONSE: u32 = 0x82;
/// Exponentiation: the point of the other side.
pub const EXPONENTIATION: u32 = 0x85;

/// Beside the response to an SM2 decryption, which SP 800-78 does not know: the
/// form in which the ciphertext was written, as an index into
/// [`Sm2Form::ALL`](waxseal_key::Sm2Form::ALL). Only who has the key can tell.
pub const SM2_FORM: u32 = 0xC0;

/// What the card waits for in the authentication of the management key.
pub(super) enum Awaited {
    /// The witness, decrypted (mutual authentication).
    Witness(Zeroizing<Vec<u8>>),
    /// The challenge, encrypted (external authentication).
    Response(Zeroizing<Vec<u8>>),
}

impl Piv {
    pub(super) fn general_authenticate(&mut self, command: &Command, pin_is_fresh: bool) -> Response {
        if command.p2 == MANAGEMENT_KEY {
            return self.authenticate_manager(command).unwrap_or_else(Response::status);
        }
        self.use_key(command, pin_is_fresh).unwrap_or_else(Response::status)
    }

    fn use_key(&self, command: &Command, pin_is_fresh: bool) -> Result<Response, StatusWord> {
        let slot = Slot::by_reference(command.p2).ok_or(StatusWord::INCORRECT_P1_P2)?;
        let key = self.keys.get(&slot).ok_or(StatusWord::INCORRECT_P1_P2)?;
        let algorithm = Algorithm::by_id(command.p1).filter(|algorithm| algorithm.kind == key.kind());
        algorithm.ok_or(StatusWord::INCORRECT_P1_P2)?;
        let allowed = match slot.access() {
            Access::Always => true,
            Access::Pin => self.status.pin_verified,
            Access::PinAlways => self.status.pin_verified && pin_is_fresh,
        };
        if !allowed {
            return Err(StatusWord::SECURITY_STATUS_NOT_SATISFIED);
        }
        let template = tlv::only(&command.data, TEMPLATE).ok_or(StatusWord::WRONG_DATA)?;
        Ok(Response::ok(tlv::write(TEMPLATE, &operate(slot, key, template)?).to_vec()))
    }

    fn authenticate_manager(&mut self, command: &Command) -> Result<Response, StatusWord> {
        let awaited = self.status.awaited.take();
        if !self.management_key.is_algorithm(command.p1) {
            return Err(StatusWord::INCORRECT_P1_P2);
        }
        let template = tlv::only(&command.data, TEMPLATE).ok_or(StatusWord::WRONG_DATA)?;
        let part = |tag| tlv::find(template, tag);
        let answer = |tag, value: &[u8]| Response::ok(tlv::constructed(TEMPLATE, &[&tlv::write(tag, value)]).to_vec());
        match (part(WITNESS), part(CHALLENGE), part(RESPONSE), awaited) {
            // Mutual authentication, first step: the host asks for a witness.
            (Some([]), None, None, _) => {
                let witness = self.draw();
                let encrypted = self.management_key.encrypt(&witness)?;
                self.status.awaited = Some(Awaited::Witness(witness));
                Ok(answer(WITNESS, &encrypted))
            }
            // Second step: the host gives it back decrypted, with a challenge of its own.
            (Some(given), Some(challenge), None | Some([]), Some(Awaited::Witness(witness))) => {
                self.status.manager = waxseal_key::constant_time_eq(given, &witness);
                if !self.status.manager {
                    return Err(StatusWord::SECURITY_STATUS_NOT_SATISFIED);
                }
                let encrypted = self.management_key.encrypt(challenge);
                self.status.manager = encrypted.is_ok();
                Ok(answer(RESPONSE, &encrypted?))
            }
            // External authentication: a challenge in plain, and its encryption.
            (None, Some([]), None, _) => {
                let challenge = self.draw();
                let response = answer(CHALLENGE, &challenge);
                self.status.awaited = Some(Awaited::Response(self.management_key.encrypt(&challenge)?));
                Ok(response)
            }
            (None, None, Some(given), Some(Awaited::Response(encrypted))) => {
                self.status.manager = waxseal_key::constant_time_eq(given, &encrypted);
                let refused = StatusWord::SECURITY_STATUS_NOT_SATISFIED;
                if self.status.manager { Ok(StatusWord::SUCCESS.into()) } else { Err(refused) }
            }
            _ => Err(StatusWord::WRONG_DATA),
        }
    }

    fn draw(&mut self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(vec![0; self.management_key.block_len()]);
        self.random.fill(&mut octets);
        octets
    }
}

/// What a key does with what the template holds: the parts of the template of
/// the answer.
fn operate(slot: Slot, key: &CardKey, template: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
    let refused = |_| StatusWord::WRONG_DATA;
    let result = match (tlv::find(template, CHALLENGE), tlv::find(template, EXPONENTIATION), key.kind()) {
        (Some(block), None, KeyKind::Rsa(_)) => key.rsa(block),
        (Some(ciphertext), None, KeyKind::Sm2) if slot.decrypts() => {
            let (plaintext, form) = key.sm2_decrypt(ciphertext).map_err(refused)?;
            let index = Sm2Form::ALL.iter().position(|known| *known == form).unwrap_or_default();
            let parts = [tlv::write(RESPONSE, &plaintext), tlv::write(SM2_FORM, &[index as u8])];
            return Ok(Zeroizing::new([parts[0].as_slice(), &parts[1]].concat()));
        }
        (Some(hash), None, _) if !slot.decrypts() => key.sign_hash(hash).map(Zeroizing::new),
        (None, Some(point), KeyKind::P256 | KeyKind::P384 | KeyKind::Sm2) if slot.decrypts() => key.agree(point),
        _ => return Err(StatusWord::WRONG_DATA),
    };
    Ok(tlv::write(RESPONSE, &result.map_err(refused)?))
}
