//! A card with the files of ISO/IEC 7816-15 (PKCS #15), as e-Cert cards have
//! them: one PIN, a PUK, a key for signing and another one for decipherment.
//!
//! It answers to the identifier of IsoApplet, a free applet for Java cards,
//! because OpenSC passes over cards that it has no driver for; what this
//! driver sends (version 0.23) and expects is what is here. Files cannot be
//! written, and keys are not made: an issuer does that before the card is
//! handed out.
//!
//! What the driver does, found out by watching it:
//! - it sends SELECT without Le and wants the version of the interface and the
//!   features back at once;
//! - it reads `86` in the control parameters of a file;
//! - RSA: it sends a DigestInfo, and the card pads; to decipher it sends the
//!   padding indicator and the cryptogram in two chained commands, and the card
//!   takes the padding off;
//! - ECDSA: it has SHA-1 by the card only (`21`), and sends the whole message,
//!   chained. What signs mail with another hash must use [`Algorithm::EcdsaHash`].

mod der;
mod directory;
mod environment;
mod file;
mod operation;
mod reference_data;
mod setup;
#[cfg(test)]
mod tests;

use std::fmt;

use waxseal_key::Random;

pub use self::{
    directory::APPLICATION_NAME,
    environment::{ALGORITHMS, Algorithm, CONFIDENTIALITY_TEMPLATE, SIGNATURE_TEMPLATE},
    operation::{COMPUTE_DIGITAL_SIGNATURE, DECIPHER},
    reference_data::{PIN, PUK},
    setup::{AuthorityEntry, DataEntry, KeyEntry, Purpose, REFERENCE_DATA_LEN, Setup, SetupError},
};
use self::{
    environment::{Environment, RESTORE, SET},
    file::FileSystem,
    setup::padded,
};
use crate::{Application, Command, Response, StatusWord, secret::Secret};

/// The application identifier of IsoApplet.
pub const AID: [u8; 12] = [0xF2, 0x76, 0xA2, 0x88, 0xBC, 0xFB, 0xA6, 0x9D, 0x34, 0xF3, 0x10, 0x01];

/// Version 0.6 of IsoApplet's interface; random numbers and elliptic curves,
/// short lengths only.
const VERSION_AND_FEATURES: [u8; 3] = [0x00, 0x06, 0x06];

/// How many wrong entries in a row block the PIN, and the PUK.
const TRIES: (u8, u8) = (3, 5);

/// Instruction codes (ISO/IEC 7816-4 table 5).
pub mod instruction {
    /// VERIFY.
    pub const VERIFY: u8 = 0x20;
    /// MANAGE SECURITY ENVIRONMENT.
    pub const MANAGE_SECURITY_ENVIRONMENT: u8 = 0x22;
    /// CHANGE REFERENCE DATA.
    pub const CHANGE_REFERENCE_DATA: u8 = 0x24;
    /// PERFORM SECURITY OPERATION.
    pub const PERFORM_SECURITY_OPERATION: u8 = 0x2A;
    /// RESET RETRY COUNTER.
    pub const RESET_RETRY_COUNTER: u8 = 0x2C;
    /// GET CHALLENGE.
    pub const GET_CHALLENGE: u8 = 0x84;
    /// SELECT.
    pub const SELECT: u8 = 0xA4;
    /// READ BINARY.
    pub const READ_BINARY: u8 = 0xB0;
}

/// The application.
pub struct Pkcs15 {
    files: FileSystem,
    keys: Vec<KeyEntry>,
    pin: Secret,
    puk: Secret,
    random: Box<dyn Random + Send>,
    status: Status,
}

/// What is gone when another application is selected, or the power goes.
#[derive(Default)]
struct Status {
    /// Whether the PIN was verified.
    user: bool,
    environment: Option<Environment>,
}

impl Pkcs15 {
    /// A card as its issuer hands it out.
    ///
    /// # Errors
    /// The setup asks for what the card cannot do or hold.
    pub fn new(setup: Setup) -> Result<Self, SetupError> {
        setup.check()?;
        let mut files = FileSystem::new();
        directory::write(&setup, &mut files);
        let Setup { pin, puk, keys, random, .. } = setup;
        let (pin_tries, puk_tries) = TRIES;
        Ok(Self {
            files,
            keys,
            pin: Secret::new(padded(&pin).to_vec(), pin_tries),
            puk: Secret::new(padded(&puk).to_vec(), puk_tries),
            random,
            status: Status::default(),
        })
    }

    /// The PIN and its counter.
    pub fn pin_mut(&mut self) -> &mut Secret {
        &mut self.pin
    }

    fn manage_environment(&mut self, command: &Command) -> Result<Response, StatusWord> {
        // Whatever comes of it, what was set before does not hold any more.
        self.status.environment = None;
        match command.p1 {
            SET => self.status.environment = Some(Environment::set(command, &self.keys)?),
            RESTORE => {}
            _ => return Err(StatusWord::FUNCTION_NOT_SUPPORTED),
        }
        Ok(StatusWord::SUCCESS.into())
    }

    /// GET CHALLENGE (ISO/IEC 7816-4 section 11.5.3), of 256 octets at most.
    fn get_challenge(&mut self, command: &Command) -> Result<Response, StatusWord> {
        if (command.p1, command.p2) != (0, 0) {
            return Err(StatusWord::INCORRECT_P1_P2);
        }
        let len = command.expected.filter(|len| *len <= 256 && command.data.is_empty());
        let mut challenge = vec![0; len.ok_or(StatusWord::WRONG_LENGTH)?];
        self.random.fill(&mut challenge);
        Ok(Response::ok(challenge))
    }

    fn forget(&mut self) {
        self.status = Status::default();
        self.files.select_master_file();
    }
}

impl Application for Pkcs15 {
    fn aid(&self) -> &[u8] {
        &AID
    }

    fn shortest_aid(&self) -> usize {
        AID.len()
    }

    /// OpenSC asks for no answer, and takes one that it has to ask for as none:
    /// version 0.0 without features.
    fn tells_unasked(&self) -> bool {
        true
    }

    fn select(&mut self) -> Response {
        self.forget();
        Response::ok(VERSION_AND_FEATURES)
    }

    fn select_file(&mut self, name: &[u8], p2: u8) -> Option<Response> {
        self.files.select_name(name, p2)
    }

    fn deselect(&mut self) {
        self.forget();
    }

    fn process(&mut self, command: &Command) -> Response {
        use instruction as ins;
        if command.class != 0 {
            return StatusWord::CLASS_NOT_SUPPORTED.into();
        }
        let result = match command.instruction {
            ins::SELECT => self.files.select(command),
            ins::READ_BINARY => self.files.read(command, self.status.user),
            ins::VERIFY => self.verify(command),
            ins::CHANGE_REFERENCE_DATA => self.change_reference_data(command),
            ins::RESET_RETRY_COUNTER => self.reset_retry_counter(command),
            ins::MANAGE_SECURITY_ENVIRONMENT => self.manage_environment(command),
            ins::PERFORM_SECURITY_OPERATION => self.perform_operation(command),
            ins::GET_CHALLENGE => self.get_challenge(command),
            _ => Err(StatusWord::INSTRUCTION_NOT_SUPPORTED),
        };
        result.unwrap_or_else(Response::status)
    }

    fn reset(&mut self) {
        self.forget();
    }
}

impl fmt::Debug for Pkcs15 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs15").field("keys", &self.keys).finish_non_exhaustive()
    }
}
