//! Cards for tests, with keys of the corpus.
#![allow(dead_code, reason = "not every test program uses all of it")]

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use waxseal_card::models::{Credential, Model};
use waxseal_card::{Card, Command, Response, StatusWord, VirtualCard};
use waxseal_key::{PrivateKey, SeededRandom};

/// Key and certificate of somebody of the corpus.
pub(crate) fn credential(name: &str) -> Result<Credential, String> {
    Ok(Credential { key: key(name), certificate: certificate(name) })
}

pub(crate) fn key(name: &str) -> PrivateKey {
    PrivateKey::from_pem(&read(name, "key"), None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// DER of a certificate.
pub(crate) fn certificate(name: &str) -> Vec<u8> {
    let text = read(name, "cert");
    let lines =
        text.lines().skip_while(|line| !line.contains("BEGIN")).skip(1).take_while(|line| !line.contains("END"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn read(name: &str, what: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../vectors/pki/{name}.{what}.pem"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A card of a model, whose random numbers are always the same.
pub(crate) fn card(model: &str) -> VirtualCard {
    build(&Model::named(model).unwrap())
}

pub(crate) fn build(model: &Model) -> VirtualCard {
    model.build(&mut credential, Box::new(SeededRandom::new("a card of the tests"))).unwrap()
}

/// Octets that are written in hexadecimal, with spaces where one likes.
pub(crate) fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter(|digit| !digit.is_whitespace()).map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Sends a command and asks for the rest of the answer.
pub(crate) fn send(card: &mut dyn Card, command: &Command) -> Response {
    let mut response = Response::parse(&card.transmit(&command.to_bytes()).unwrap()).unwrap();
    while let Some(left) = response.status.octets_left() {
        let rest = Command::new(0, 0xC0, 0, 0).expecting(left);
        let rest = Response::parse(&card.transmit(&rest.to_bytes()).unwrap()).unwrap();
        response.data.extend_from_slice(&rest.data);
        response.status = rest.status;
    }
    response
}

/// The same for octets in hexadecimal.
pub(crate) fn send_hex(card: &mut dyn Card, hex: &str) -> Response {
    send(card, &Command::parse(&octets(hex)).unwrap())
}

/// Sends octets in hexadecimal, and compares the status word.
pub(crate) fn check(card: &mut dyn Card, hex: &str, status: u16) -> Response {
    let response = send_hex(card, hex);
    assert_eq!(response.status, StatusWord(status), "{hex}");
    response
}
