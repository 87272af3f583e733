//! Which private keys were used in a session.

use std::fmt;

use serde::Serialize;

use super::{
    Transcript,
    follow::{Exchange, Step},
    names,
};
use crate::{
    Command, StatusWord,
    piv::{self, Slot},
    pkcs15, tlv,
};

/// A private key was used, and the card answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyOperation {
    /// Which key.
    pub key: KeyReference,
    /// What it did.
    pub operation: Operation,
    /// How, in words: `RSA 2048`, `ECDSA over a hash`.
    pub algorithm: String,
    /// The line of the transcript, as a file of it counts them, the head being 1.
    pub line: usize,
}

/// A private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "application", content = "reference")]
pub enum KeyReference {
    /// That of a slot of PIV, by its key reference.
    Piv(u8),
    /// That of PKCS #15 with this key reference.
    Pkcs15(u8),
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Piv(reference) => write!(f, "slot {reference:02X}"),
            Self::Pkcs15(reference) => write!(f, "key {reference:02X}"),
        }
    }
}

/// What a private key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// It signs.
    Sign,
    /// It decrypts.
    Decrypt,
    /// It agrees on a secret.
    Agree,
}

impl Operation {
    /// A word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Decrypt => "decrypt",
            Self::Agree => "agree",
        }
    }
}

impl Transcript {
    /// The private-key operations that the card did, in order.
    #[must_use]
    pub fn key_operations(&self) -> Vec<KeyOperation> {
        let mut watch = Watch::default();
        self.steps().iter().filter_map(|step| watch.step(step)).collect()
    }
}

/// What must be remembered of a session to know what its commands mean.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The identifier that was selected.
    pub(super) application: Option<names::Application>,
    /// Algorithm and key reference of the security environment.
    pub(super) environment: Option<(u8, u8)>,
}

impl Watch {
    /// Goes on past a step; what a private key did in it, if one did.
    pub(super) fn step(&mut self, step: &Step) -> Option<KeyOperation> {
        let Step::Exchange(exchange) = step else {
            *self = Self::default();
            return None;
        };
        let command = exchange.command.as_ref()?;
        let is_done = exchange.outcome.status().is_some_and(StatusWord::is_success);
        match command.instruction {
            0xA4 if command.p1 == 4 && is_done => {
                // A name inside the application that is selected already is no other application.
                let selected = names::Application::by_identifier(&command.data);
                if selected != Some(names::Application::Pkcs15) || self.application.is_none() {
                    *self = Self { application: selected, environment: None };
                }
                None
            }
            pkcs15::instruction::MANAGE_SECURITY_ENVIRONMENT => {
                self.environment = environment(command).filter(|_| is_done);
                None
            }
            _ if is_done => self.key_operation(exchange, command),
            _ => None,
        }
    }

    fn key_operation(&self, exchange: &Exchange, command: &Command) -> Option<KeyOperation> {
        let (key, operation, algorithm) = match command.header() {
            [_, 0x87, algorithm, reference] if reference != piv::MANAGEMENT_KEY => {
                let operation = piv_operation(reference, &command.data)?;
                (KeyReference::Piv(reference), operation, names::piv_algorithm(algorithm))
            }
            [_, pkcs15::instruction::PERFORM_SECURITY_OPERATION, p1, p2] => {
                let operation = match (p1, p2) {
                    pkcs15::COMPUTE_DIGITAL_SIGNATURE => Operation::Sign,
                    pkcs15::DECIPHER => Operation::Decrypt,
                    _ => return None,
                };
                let (algorithm, key) = self.environment?;
                (KeyReference::Pkcs15(key), operation, names::pkcs15_algorithm(algorithm))
            }
            _ => return None,
        };
        Some(KeyOperation { key, operation, algorithm, line: exchange.line })
    }
}

/// Algorithm and key of SET in a MANAGE SECURITY ENVIRONMENT.
pub(super) fn environment(command: &Command) -> Option<(u8, u8)> {
    let octet = |tag| match tlv::find(&command.data, tag) {
        Some([octet]) => Some(*octet),
        _ => None,
    };
    (command.p1 == 0x41).then_some(())?;
    Some((octet(0x80)?, octet(0x84)?))
}

/// What GENERAL AUTHENTICATE asks of a key. Of an RSA key the slot tells
/// whether it decrypts.
pub(super) fn piv_operation(reference: u8, data: &[u8]) -> Option<Operation> {
    let template = tlv::only(data, piv::TEMPLATE)?;
    if tlv::find(template, piv::EXPONENTIATION).is_some() {
        return Some(Operation::Agree);
    }
    tlv::find(template, piv::CHALLENGE)?;
    let decrypts = Slot::by_reference(reference).is_some_and(Slot::decrypts);
    Some(if decrypts { Operation::Decrypt } else { Operation::Sign })
}
