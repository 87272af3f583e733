//! The standard sessions with a card of either kind, written down: what a host
//! sends is what OpenSC 0.23 sends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::{card, key, octets, send};
use waxseal_card::host::{InProcess, Pin, PinRequest, PinSource, PivClient};
use waxseal_card::piv::Slot;
use waxseal_card::transcript::{
    Failure, KeyReference, Line, Operation, RecordedCard, RecordedReader, ReplayedCard, Tape, Transcript, explain,
};
use waxseal_card::{Card, Command};
use waxseal_key::{Arithmetic, Decryptor, DigestAlgorithm, SeededRandom, SignatureScheme, Signer};
use zeroize::Zeroizing;

const SELECT_PIV: &str = "00A4040009 A00000030800001000 00";
const SELECT_PKCS15: &str = "00A40400 0C F276A288BCFBA69D34F31001";
const VERIFY_PIV: &str = "0020008008 313233343536FFFF";
const VERIFY_PKCS15: &str = "00200001 10 31323334353600000000000000000000";

/// DigestInfo of SHA-256 of the empty text.
const INFO: &str =
    "3031300D060960864801650304020105000420E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";

/// What a session is made of.
type Step = Box<dyn Fn(&mut dyn Card)>;

fn plain(commands: &[&str]) -> Vec<Step> {
    let step = |hex: &&str| {
        let command = Command::parse(&octets(hex)).unwrap();
        Box::new(move |card: &mut dyn Card| drop(send(card, &command))) as Step
    };
    commands.iter().map(step).collect()
}

/// A command that does not fit into one, in a chain.
fn chained(header: [u8; 4], data: &[u8]) -> Step {
    let [class, instruction, p1, p2] = header;
    let data = data.to_vec();
    Box::new(move |card| {
        let (last, first) = data.chunks(255).collect::<Vec<_>>().split_last().map(|(l, f)| (*l, f.to_vec())).unwrap();
        for part in first {
            send(card, &Command::new(class | 0x10, instruction, p1, p2).with_data(part));
        }
        send(card, &Command::new(class, instruction, p1, p2).with_data(last).expecting(256));
    })
}

fn padded(info: &[u8]) -> Vec<u8> {
    let mut block = vec![0, 1];
    block.resize(255 - info.len(), 0xFF);
    block.push(0);
    block.extend_from_slice(info);
    block
}

fn cryptogram() -> Vec<u8> {
    let mut random = SeededRandom::new("a session");
    Arithmetic::default().wrap_rsa_pkcs1(key("nina-decipher").public_key(), b"sixteen octets..", &mut random).unwrap()
}

fn template(block: &[u8]) -> Vec<u8> {
    [&octets("7C820106 8200 81820100"), block].concat()
}

/// Every standard session: its name, the model, and what is done.
fn sessions() -> Vec<(&'static str, &'static str, Vec<Step>)> {
    let piv = |commands: &[&str]| [plain(&[SELECT_PIV]), plain(commands)].into_iter().flatten().collect::<Vec<_>>();
    let pkcs15 =
        |commands: &[&str]| [plain(&[SELECT_PKCS15]), plain(commands)].into_iter().flatten().collect::<Vec<_>>();
    let with = |mut steps: Vec<Step>, last: Step| {
        steps.push(last);
        steps
    };
    let wrong_piv = "0020008008 303030303030FFFF";
    let wrong_pkcs15 = "00200001 10 39393939393900000000000000000000";
    let of_pkcs15 = chained([0, 0x2A, 0x80, 0x86], &[&[0], cryptogram().as_slice()].concat());
    vec![
        ("piv-select", "piv-rsa2048", plain(&["00A4040007627601FF000000", "00CB3FFF035C017E08", SELECT_PIV])),
        (
            "piv-discovery",
            "piv-rsa2048",
            piv(&["00CB3FFF035C017E00", "00CB3FFF055C035FC10200", "00CB3FFF055C035FC10C00"]),
        ),
        ("piv-certificates", "piv-rsa2048", piv(&["00CB3FFF055C035FC10508", "00CB3FFF055C035FC10A00"])),
        ("piv-verify", "piv-rsa2048", piv(&["00200080", VERIFY_PIV, "00200080"])),
        (
            "piv-sign",
            "piv-rsa2048",
            with(piv(&[VERIFY_PIV]), chained([0, 0x87, 0x07, 0x9C], &template(&padded(&octets(INFO))))),
        ),
        (
            "piv-decrypt",
            "piv-rsa2048",
            with(piv(&[VERIFY_PIV]), chained([0, 0x87, 0x07, 0x9D], &template(&cryptogram()))),
        ),
        ("piv-wrong-pin", "piv-rsa2048", piv(&[wrong_piv, "00200080"])),
        ("piv-blocked", "piv-rsa2048", piv(&[wrong_piv, wrong_piv, wrong_piv, VERIFY_PIV, "00200080"])),
        ("pkcs15-select", "ecert-pkcs15", plain(&["00A4040009 A0000003080000100000", SELECT_PKCS15, SELECT_PKCS15])),
        (
            "pkcs15-discovery",
            "ecert-pkcs15",
            pkcs15(&[
                "00A4080002 2F00 00",
                "00B000002A",
                "00A4080C02 5015",
                "00A4080004 50155031 00",
                "00B000003C",
                "00A4080004 50155032 00",
                "00B0000000",
                "00A4080004 50154402 00",
                "00B0000000",
            ]),
        ),
        ("pkcs15-certificates", "ecert-pkcs15", pkcs15(&["00A4080004 50153400 00", "00B0000000", "00B0010000"])),
        ("pkcs15-verify", "ecert-pkcs15", pkcs15(&["00200001", VERIFY_PKCS15, "00200001"])),
        (
            "pkcs15-sign",
            "ecert-pkcs15",
            pkcs15(&[VERIFY_PKCS15, "002241B6 06 800111840100", &format!("002A9E9A 33 {INFO} 00")]),
        ),
        ("pkcs15-decrypt", "ecert-pkcs15", with(pkcs15(&[VERIFY_PKCS15, "002241B8 06 800111840101"]), of_pkcs15)),
        ("pkcs15-wrong-pin", "ecert-pkcs15", pkcs15(&[wrong_pkcs15, "00200001"])),
        (
            "pkcs15-blocked",
            "ecert-pkcs15",
            pkcs15(&[wrong_pkcs15, wrong_pkcs15, wrong_pkcs15, VERIFY_PKCS15, "00200001"]),
        ),
    ]
}

fn recorded(model: &str, steps: &[Step]) -> Transcript {
    let tape = Tape::new();
    let mut card = RecordedCard::new(card(model), tape.clone());
    let _ = card.atr();
    card.reset().unwrap();
    steps.iter().for_each(|step| step(&mut card));
    tape.transcript()
}

#[test]
fn the_standard_sessions() {
    for (name, model, steps) in sessions() {
        let transcript = recorded(model, &steps);
        let explained = explain::text(&explain::explain(&transcript));
        insta::assert_snapshot!(name, format!("{transcript}\n{explained}"));
    }
}

#[test]
fn a_session_is_the_same_again_and_on_a_replayed_card() {
    for (name, model, steps) in sessions() {
        let transcript = recorded(model, &steps);
        assert_eq!(recorded(model, &steps).departure_from(&transcript), None, "{name}");
        let read: Transcript = transcript.to_string().parse().unwrap();
        assert_eq!(read, transcript, "{name}");
        let (replayed, replay) = ReplayedCard::new(read);
        let tape = Tape::new();
        let mut replayed = RecordedCard::new(replayed, tape.clone());
        let _ = replayed.atr();
        replayed.reset().unwrap();
        steps.iter().for_each(|step| step(&mut replayed));
        assert_eq!((replay.departure(), replay.left()), (None, 0), "{name}");
        assert_eq!(tape.transcript().departure_from(&transcript), None, "{name}");
    }
}

#[test]
fn a_session_tells_which_private_keys_were_used() {
    let expected = [
        ("piv-sign", "slot 9C sign RSA 2048"),
        ("piv-decrypt", "slot 9D decrypt RSA 2048"),
        ("pkcs15-sign", "key 00 sign RSA with PKCS #1 v1.5 padding by the card"),
        ("pkcs15-decrypt", "key 01 decrypt RSA with PKCS #1 v1.5 padding by the card"),
    ];
    for (name, model, steps) in sessions() {
        let operations = recorded(model, &steps).key_operations();
        let words: Vec<_> = operations
            .iter()
            .map(|each| format!("{} {} {}", each.key, each.operation.name(), each.algorithm))
            .collect();
        let expected: Vec<_> = expected.iter().filter(|(of, _)| *of == name).map(|(_, words)| *words).collect();
        assert_eq!(words, expected, "{name}");
    }
}

#[test]
fn no_pin_and_no_decrypted_key_is_written_down() {
    for (name, model, steps) in sessions() {
        let text = recorded(model, &steps).to_string();
        let secrets = [
            "313233343536FFFF",
            "303030303030FFFF",
            "31323334353600",
            "39393939393900",
            "7369787465656E206F6374657473",
        ];
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{name}");
    }
}

/// Enters the PIN.
struct Entered;

impl PinSource for Entered {
    fn pin(&mut self, _: &PinRequest<'_>) -> Option<Pin> {
        Some(Zeroizing::new("123456".to_owned()))
    }
}

/// A card on a tape of its own, in a reader on another one: both tell the same
/// story, and the replayed card behind the same client tells it again.
#[test]
fn what_the_client_of_the_card_does_is_written_down_by_a_reader_too() {
    let (of_card, of_reader) = (Tape::new(), Tape::new());
    let work = |card: Box<dyn Card>, tape: &Tape| {
        let reader = RecordedReader::new(InProcess::new("a reader", card).unwrap(), tape.clone());
        let client = PivClient::new(Box::new(reader), Box::new(Entered)).unwrap();
        let identities = client.identities().unwrap();
        let key_of = |slot| client.key(identities.iter().find(|identity| identity.slot == slot).unwrap()).unwrap();
        let signature =
            key_of(Slot::Signature).sign_digest(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &[7; 32]);
        let opened = key_of(Slot::KeyManagement).unwrap_rsa_pkcs1(&cryptogram(), 16);
        (signature.unwrap(), opened.ok())
    };
    let (signature, opened) = work(Box::new(RecordedCard::new(card("piv-rsa2048"), of_card.clone())), &of_reader);
    assert_eq!(opened.unwrap().as_slice(), b"sixteen octets..");
    let (of_card, of_reader) = (of_card.transcript(), of_reader.transcript());
    let used = |transcript: &Transcript| {
        let operations = transcript.key_operations();
        operations.iter().map(|each| (each.key, each.operation, each.algorithm.clone())).collect::<Vec<_>>()
    };
    let expected = [
        (KeyReference::Piv(0x9C), Operation::Sign, "RSA 2048".to_owned()),
        (KeyReference::Piv(0x9D), Operation::Decrypt, "RSA 2048".to_owned()),
    ];
    assert_eq!((used(&of_card), used(&of_reader)), (expected.to_vec(), expected.to_vec()));
    assert!(of_reader.lines.contains(&Line::Begin) && of_reader.lines.contains(&Line::End));
    assert_eq!(of_reader.lines[0], Line::Note("reader a reader".to_owned()));

    let (replayed, replay) = ReplayedCard::new(of_card);
    let again = Tape::new();
    // What the card decrypted stands in no transcript.
    assert_eq!(work(Box::new(replayed), &again), (signature, None));
    assert_eq!((replay.departure(), replay.left()), (None, 0));
    assert_eq!(again.transcript().departure_from(&of_reader), None);
}

#[test]
fn a_card_that_is_lost_is_written_down() {
    struct Gone;
    impl Card for Gone {
        fn atr(&self) -> Vec<u8> {
            Vec::new()
        }
        fn reset(&mut self) -> Result<(), waxseal_card::Lost> {
            Ok(())
        }
        fn transmit(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, waxseal_card::Lost> {
            Err(waxseal_card::Lost::Removed)
        }
    }
    let tape = Tape::new();
    let mut reader = RecordedReader::new(InProcess::new("a reader", Gone).unwrap(), tape.clone());
    waxseal_card::host::Reader::transmit(&mut reader, &octets(SELECT_PIV)).unwrap_err();
    assert_eq!(tape.transcript().lines.last(), Some(&Line::Failed(Failure::Removed)));
}
