//! Which octets of a session are secret.

use std::fmt;

use zeroize::Zeroizing;

use super::Octets;
use crate::{
    Command,
    key::KeyKind,
    piv::{self, Algorithm, Slot},
    tlv,
};

/// Watches the session of one card and blanks what is secret in it.
#[derive(Default)]
pub(super) struct Blanker {
    /// What came of a chain so far, and the header of its commands.
    chain: Zeroizing<Vec<u8>>,
    header: [u8; 4],
    /// Whether the chain is longer than what is kept of one.
    is_too_long: bool,
    /// Whether the response to the last command, and what is still to be asked for of it, is secret.
    secret_response: bool,
}

/// Octets that are kept of a chain: what one extended command can hold, and more
/// than any card takes.
const LONGEST_CHAIN: usize = 0xFFFF;

/// Octets FF that PKCS #1 v1.5 wants at least (RFC 8017 section 9.2 step 3).
const SHORTEST_PADDING: usize = 8;

const VERIFY: u8 = 0x20;
const CHANGE_REFERENCE_DATA: u8 = 0x24;
const PERFORM_SECURITY_OPERATION: u8 = 0x2A;
const RESET_RETRY_COUNTER: u8 = 0x2C;
const GENERAL_AUTHENTICATE: u8 = 0x87;
const GET_RESPONSE: u8 = 0xC0;
const PUT_DATA: u8 = 0xDB;
/// YubiKeys: a private key, and the card management key.
const IMPORT_KEY: u8 = 0xFE;
const SET_MANAGEMENT_KEY: u8 = 0xFF;

impl Blanker {
    /// A command without its secrets.
    pub(super) fn command(&mut self, octets: &[u8]) -> Octets {
        let raw = Octets::new(octets);
        let (Some(&instruction), parsed) = (octets.get(1), Command::parse(octets)) else { return raw };
        if instruction == GET_RESPONSE {
            return raw;
        }
        let Ok(command) = parsed else {
            // Where the data begins cannot be told.
            self.secret_response = false;
            let is_secret = has_secrets(instruction, octets.get(4..).unwrap_or_default());
            return if is_secret { raw.blanked(4..octets.len()) } else { raw };
        };
        if self.header != command.header() {
            self.header = command.header();
            self.forget_chain();
        }
        self.append(&command.data);
        // What a chain means that nobody keeps cannot be told.
        let secrets = has_secrets(instruction, &self.chain) || has_secrets(instruction, &command.data);
        let is_secret = self.is_too_long || secrets;
        self.secret_response = self.is_too_long || answers_secret(&command, &self.chain);
        if !command.is_chained() {
            self.forget_chain();
        }
        let start = if octets.get(4) == Some(&0) { 7 } else { 5 };
        if is_secret { raw.blanked(start..start + command.data.len()) } else { raw }
    }

    /// A response without its secrets.
    pub(super) fn response(&mut self, octets: &[u8]) -> Octets {
        let raw = Octets::new(octets);
        // A chain that the card refused is over: what comes next begins anew.
        if !matches!(octets, [.., 0x90, 0x00] | [.., 0x61, _]) {
            self.forget_chain();
        }
        if self.secret_response { raw.blanked(0..octets.len().saturating_sub(2)) } else { raw }
    }

    /// Goes on with the chain. A vector that grows by itself would leave what it
    /// held in memory.
    fn append(&mut self, data: &[u8]) {
        let len = self.chain.len() + data.len();
        if self.is_too_long || len > LONGEST_CHAIN {
            self.forget_chain();
            self.is_too_long = true;
            return;
        }
        if len > self.chain.capacity() {
            let mut grown = Zeroizing::new(Vec::with_capacity(len.max(2 * self.chain.len())));
            grown.extend_from_slice(&self.chain);
            self.chain = grown;
        }
        self.chain.extend_from_slice(data);
    }

    fn forget_chain(&mut self) {
        (self.chain, self.is_too_long) = (Zeroizing::default(), false);
    }

    /// The card lost its power.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// What is kept may be secret.
impl fmt::Debug for Blanker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blanker").finish_non_exhaustive()
    }
}

/// Whether the data of a command is secret, given all of it that came.
fn has_secrets(instruction: u8, data: &[u8]) -> bool {
    match instruction {
        VERIFY | CHANGE_REFERENCE_DATA | RESET_RETRY_COUNTER | IMPORT_KEY | SET_MANAGEMENT_KEY => true,
        // The template of a private key (ISO/IEC 7816-8), and that of IsoApplet for keys on curves.
        PUT_DATA => matches!(data, [0x7F, 0x48, ..] | [0xE0, ..]),
        _ => false,
    }
}

/// Whether a card answers this with what nobody else may know: a decrypted or
/// agreed key.
fn answers_secret(command: &Command, data: &[u8]) -> bool {
    match command.header() {
        [_, PERFORM_SECURITY_OPERATION, p1, p2] => (p1, p2) == crate::pkcs15::DECIPHER,
        [_, GENERAL_AUTHENTICATE, _, piv::MANAGEMENT_KEY] => false,
        [_, GENERAL_AUTHENTICATE, algorithm, reference] => {
            let template = tlv::only(data, piv::TEMPLATE).unwrap_or_default();
            let challenge = tlv::find(template, piv::CHALLENGE);
            let decrypts = Slot::by_reference(reference).is_none_or(Slot::decrypts);
            let signs = challenge.is_some_and(|block| is_to_be_signed(algorithm, block));
            decrypts || tlv::find(template, piv::EXPONENTIATION).is_some() || !signs
        }
        _ => false,
    }
}

/// Whether a block is certainly what is signed, and no cryptogram: a hash for a
/// key on a curve, a block padded by PKCS #1 v1.5 (RFC 8017 section 9.2) for one
/// of RSA. One padded by PSS (section 9.1) ends in BC, and so does one cryptogram
/// of 256.
fn is_to_be_signed(algorithm: u8, block: &[u8]) -> bool {
    match Algorithm::by_id(algorithm).map(|algorithm| algorithm.kind) {
        Some(KeyKind::P256 | KeyKind::P384 | KeyKind::Sm2) => block.len() <= 64,
        Some(KeyKind::Rsa(_)) => block.strip_prefix(&[0x00, 0x01]).is_some_and(|padded| {
            let padding = padded.iter().take_while(|octet| **octet == 0xFF).count();
            padding >= SHORTEST_PADDING && padded.get(padding) == Some(&0x00)
        }),
        None => false,
    }
}
