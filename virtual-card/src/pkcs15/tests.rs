//! The application as OpenSC 0.23 talks to it; the commands are its own.

use waxseal_key::{Arithmetic, DigestAlgorithm, PrivateKey, SeededRandom, SignatureScheme};
use zeroize::Zeroizing;

use super::*;
use crate::{Card, VirtualCard, key::CardKey, tlv};

const SIGNER: &str = include_str!("../../../vectors/pki/alice.key.pem");
const RECIPIENT: &str = include_str!("../../../vectors/pki/bob.key.pem");
const EC_SIGNER: &str = include_str!("../../../vectors/pki/alice-ec.key.pem");

fn key(pem: &str) -> PrivateKey {
    PrivateKey::from_pem(pem, None).unwrap()
}

fn entry(label: &str, pem: &str, purpose: Purpose) -> KeyEntry {
    let key = CardKey::new(key(pem)).unwrap();
    KeyEntry { label: label.to_owned(), key, purpose, certificate: vec![0x30; 900] }
}

fn setup() -> Setup {
    Setup {
        label: "e-Cert".to_owned(),
        manufacturer: "Waxseal".to_owned(),
        serial: vec![0x57; 8],
        pin: Zeroizing::new(b"123456".to_vec()),
        puk: Zeroizing::new(b"12345678".to_vec()),
        keys: vec![
            entry("Signing", SIGNER, Purpose::Sign),
            entry("Encryption", RECIPIENT, Purpose::Decipher),
            entry("EC signing", EC_SIGNER, Purpose::Sign),
        ],
        authorities: vec![AuthorityEntry { label: "Authority".to_owned(), certificate: vec![0x31; 300] }],
        data: vec![DataEntry {
            label: "Note".to_owned(),
            application: "Waxseal".to_owned(),
            private: true,
            value: Zeroizing::new(b"only for me".to_vec()),
        }],
        random: Box::new(SeededRandom::new("pkcs15 tests")),
    }
}

fn card() -> VirtualCard {
    let mut card = VirtualCard::new(vec![Box::new(Pkcs15::new(setup()).unwrap())]);
    check(&mut card, SELECT, "000606 9000");
    card
}

const SELECT: &str = "00A40400 0C F276A288BCFBA69D34F31001 00";
const VERIFY: &str = "00200001 10 31323334353600000000000000000000";
const VERIFY_WRONG: &str = "00200001 10 39393939393900000000000000000000";
const SIGN_WITH_RSA: &str = "002241B6 06 800111 840100";
const DECIPHER_WITH_RSA: &str = "002241B8 06 800111 840101";
const SIGN_WITH_SHA1: &str = "002241B6 06 800121 840102";
const SIGN_WITH_HASH: &str = "002241B6 06 800122 840102";
const NOTE: &str = "00A40800 04 50153500 00";

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn send(card: &mut VirtualCard, command: &str) -> Response {
    Response::parse(&card.transmit(&octets(command)).unwrap()).unwrap()
}

fn check(card: &mut VirtualCard, command: &str, response: &str) {
    let found = card.transmit(&octets(command)).unwrap();
    assert_eq!(*found, octets(response), "{command}: {found:02X?}");
}

/// A command that must be done: what it answers.
fn done(card: &mut VirtualCard, command: &str) -> Zeroizing<Vec<u8>> {
    let response = send(card, command);
    assert!(response.status.is_success(), "{command}: {}", response.status);
    response.data
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

/// The content of a file of the application, read as OpenSC does.
fn file(card: &mut VirtualCard, identifier: &str) -> Zeroizing<Vec<u8>> {
    let control = done(card, &format!("00A40800 04 5015{identifier} 00"));
    let size = tlv::find(tlv::only(&control, 0x6F).unwrap(), 0x80).unwrap().to_vec();
    let mut size = usize::from(u16::from_be_bytes([size[0], size[1]]));
    let mut content = Zeroizing::default();
    while size > 0 {
        let len = size.min(256);
        let read = done(card, &format!("00B0{:04X} {:02X}", Vec::len(&content), len % 256));
        assert_eq!(read.len(), len);
        Vec::extend_from_slice(&mut content, &read);
        size -= len;
    }
    content
}

#[test]
fn a_signature_with_rsa() {
    let mut card = card();
    check(&mut card, VERIFY, "9000");
    check(&mut card, SIGN_WITH_RSA, "9000");
    let arithmetic = Arithmetic::default();
    let hash = arithmetic.digest(DigestAlgorithm::Sha256, b"hello card").unwrap();
    let info = format!("3031300D060960864801650304020105000420{}", hex(&hash));
    let signature = done(&mut card, &format!("002A9E9A 33 {info} 00"));
    let public = key(SIGNER);
    let (scheme, digest) = (SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256);
    assert_eq!(arithmetic.verify_digest(public.public_key(), scheme, digest, &hash, &signature), Ok(true));
}

#[test]
fn a_signature_with_ecdsa_over_sha_1_by_the_card_and_over_a_hash() {
    let mut card = card();
    check(&mut card, VERIFY, "9000");
    let arithmetic = Arithmetic::default();
    let public = key(EC_SIGNER);
    let good = |digest, hash: &[u8], signature: &[u8]| {
        arithmetic.verify_digest(public.public_key(), SignatureScheme::Ecdsa, digest, hash, signature)
    };
    check(&mut card, SIGN_WITH_SHA1, "9000");
    // A long message comes chained.
    let (first, last) = ("00".repeat(255), "00".repeat(235));
    check(&mut card, &format!("102A9E9A FF {first}"), "9000");
    let signature = done(&mut card, &format!("002A9E9A EB {last} 00"));
    let hash = arithmetic.digest(DigestAlgorithm::Sha1, &[0; 490]).unwrap();
    assert_eq!(good(DigestAlgorithm::Sha1, &hash, &signature), Ok(true));
    check(&mut card, SIGN_WITH_HASH, "9000");
    let hash = arithmetic.digest(DigestAlgorithm::Sha256, b"hello card").unwrap();
    let signature = done(&mut card, &format!("002A9E9A 20 {} 00", hex(&hash)));
    assert_eq!(good(DigestAlgorithm::Sha256, &hash, &signature), Ok(true));
}

#[test]
fn a_key_is_deciphered_in_two_chained_commands() {
    let mut card = card();
    check(&mut card, VERIFY, "9000");
    check(&mut card, DECIPHER_WITH_RSA, "9000");
    let mut random = SeededRandom::new("decipher");
    let secret = [0x5A; 24];
    let cryptogram = Arithmetic::default().wrap_rsa_pkcs1(key(RECIPIENT).public_key(), &secret, &mut random).unwrap();
    let (first, last) = cryptogram.split_at(254);
    check(&mut card, &format!("102A8086 FF 00{}", hex(first)), "9000");
    assert_eq!(*done(&mut card, &format!("002A8086 02 {} 00", hex(last))), secret);
}

/// RFC 8017 section 7.2.2, step 3; the blocks come from the public operation.
#[test]
fn a_refused_padding_and_wrong_lengths_are_told() {
    let mut card = card();
    check(&mut card, VERIFY, "9000");
    check(&mut card, DECIPHER_WITH_RSA, "9000");
    // 1 raised to e is 1, and its padding is none.
    let one = format!("{}01", "00".repeat(253));
    check(&mut card, &format!("102A8086 FF 00{one}"), "9000");
    check(&mut card, "002A8086 02 0000 00", "6A80");
    check(&mut card, "002A8086 03 000102 00", "6700");
    check(&mut card, "002A8086 03 010102 00", "6A80");
    check(&mut card, SIGN_WITH_RSA, "9000");
    check(&mut card, &format!("002A9E9A F6 {} 00", "00".repeat(246)), "6700");
    assert_eq!(done(&mut card, &format!("002A9E9A F5 {} 00", "00".repeat(245))).len(), 256);
}

#[test]
fn no_key_is_used_and_no_private_file_read_without_the_pin() {
    let mut card = card();
    let info = "3021300906052B0E03021A05000414".to_owned() + &"AA".repeat(20);
    let operations = |card: &mut VirtualCard, word: &str| {
        check(card, SIGN_WITH_RSA, "9000");
        let response = send(card, &format!("002A9E9A 23 {info} 00"));
        assert_eq!(response.status.to_string(), word);
        assert_eq!(response.data.is_empty(), word != "9000");
        done(card, NOTE);
        assert_eq!(send(card, "00B00000 0B").status.to_string(), word);
    };
    operations(&mut card, "6982");
    check(&mut card, VERIFY, "9000");
    operations(&mut card, "9000");
    // What ends the security status: another application or this one selected, the power, a wrong entry, the host.
    for end in [SELECT, VERIFY_WRONG, "0020FF01"] {
        check(&mut card, VERIFY, "9000");
        operations(&mut card, "9000");
        send(&mut card, end);
        operations(&mut card, "6982");
    }
    check(&mut card, VERIFY, "9000");
    card.reset().unwrap();
    check(&mut card, SELECT, "000606 9000");
    operations(&mut card, "6982");
}

#[test]
fn the_pin_is_blocked_after_three_wrong_entries_and_the_puk_unblocks_it() {
    let mut card = card();
    check(&mut card, "00200001", "63C3");
    for word in ["63C2", "63C1", "63C0", "6983"] {
        check(&mut card, VERIFY_WRONG, word);
    }
    check(&mut card, "00200001", "6983");
    check(&mut card, VERIFY, "6983");
    card.reset().unwrap();
    check(&mut card, SELECT, "000606 9000");
    check(&mut card, VERIFY, "6983");
    let new = "36353433323100000000000000000000";
    check(&mut card, &format!("002C0001 20 39{}{new}", "00".repeat(15)), "63C4");
    check(&mut card, VERIFY, "6983");
    check(&mut card, &format!("002C0001 20 31323334353637380000000000000000{new}"), "9000");
    check(&mut card, "00200001", "63C3");
    check(&mut card, &format!("00200001 10 {new}"), "9000");
    check(&mut card, "00200001", "9000");
    for left in ["63C4", "63C3", "63C2", "63C1", "63C0", "6983"] {
        check(&mut card, &format!("002C0001 20 39{}{new}", "00".repeat(15)), left);
    }
}

#[test]
fn a_pin_is_changed_by_who_knows_it_and_stays_enterable() {
    let mut card = card();
    let (old, new) = ("31323334353600000000000000000000", "36353433323100000000000000000000");
    check(&mut card, &format!("00240001 20 {new}{new}"), "63C2");
    check(&mut card, &format!("00240001 20 {old}31{}", "00".repeat(15)), "6A80");
    check(&mut card, &format!("00240001 13 {old}313233"), "6700");
    check(&mut card, &format!("00240002 20 {old}{new}"), "6A88");
    check(&mut card, &format!("00240001 20 {old}{new}"), "9000");
    check(&mut card, "00200001", "63C3");
    check(&mut card, VERIFY, "63C2");
    check(&mut card, &format!("00200001 06 {}", &new[..12]), "9000");
}

#[test]
fn a_key_does_what_it_is_there_for() {
    let mut card = card();
    check(&mut card, VERIFY, "9000");
    for (command, word) in [
        ("002241B6 06 800111 840101", "6985"), // signs with the key for decipherment
        ("002241B8 06 800111 840100", "6985"), // deciphers with the one for signing
        ("002241B6 06 800121 840100", "6A80"), // ECDSA with a key of RSA
        ("002241B6 06 800111 840102", "6A80"),
        ("002241B8 06 800122 840102", "6985"),
        ("002241B6 06 800111 840103", "6A88"),
        ("002241B6 06 800133 840100", "6A81"),
        ("002241B6 03 800111", "6A80"),
        ("002241B6 06 800111 840500", "6A80"),
        ("002241A4 06 800111 840100", "6A81"),
        ("002281B6 06 800111 840100", "6A81"),
    ] {
        check(&mut card, SIGN_WITH_RSA, "9000");
        check(&mut card, command, word);
        check(&mut card, "002A9E9A 04 01020304 00", "6985");
    }
    check(&mut card, SIGN_WITH_RSA, "9000");
    check(&mut card, "002A8086 04 00010203 00", "6985");
    check(&mut card, "002A9E9B 04 00010203 00", "6A86");
    check(&mut card, "0022F3B6", "9000");
    check(&mut card, "002A9E9A 04 01020304 00", "6985");
}

/// What OpenSC reads when it binds to the card, in its order.
#[test]
fn the_directory_leads_to_every_object() {
    let mut card = card();
    done(&mut card, "00A40800 02 2F00 00");
    let dir = done(&mut card, "00B00000 00");
    let application = tlv::only(&dir, 0x61).unwrap();
    assert_eq!(tlv::find(application, 0x4F), Some(&octets("A000000063504B43532D3135")[..]));
    assert_eq!(tlv::find(application, 0x51), Some(&octets("3F005015")[..]));
    check(&mut card, "00A4080C 02 5015", "9000");
    let objects = file(&mut card, "5031");
    let places: Vec<(u32, String)> = tlv::read_all(&objects)
        .unwrap()
        .iter()
        .map(|place| (place.tag, hex(tlv::only(tlv::only(place.value, 0x30).unwrap(), 0x04).unwrap())))
        .collect();
    // ISO/IEC 7816-15 section 8.3: authObjects 8, privateKeys 0, publicKeys 1, certificates 4, dataContainerObjects 7.
    let expected = [(0xA8, "4401"), (0xA0, "4402"), (0xA1, "4403"), (0xA4, "4404"), (0xA7, "4405")];
    assert_eq!(places, expected.map(|(tag, identifier)| (tag, format!("3F005015{identifier}"))));
    for (identifier, count) in [("4401", 2), ("4402", 3), ("4403", 3), ("4404", 4), ("4405", 1)] {
        assert_eq!(tlv::read_all(&file(&mut card, identifier)).unwrap().len(), count, "{identifier}");
    }
    assert_eq!(*file(&mut card, "3401"), [0x30; 900]);
    assert_eq!(*file(&mut card, "3403"), [0x31; 300]);
    check(&mut card, VERIFY, "9000");
    assert_eq!(*file(&mut card, "3500"), *b"only for me");
}

/// The entry of the key for signing, octet by octet (ISO/IEC 7816-15 section 8.4).
#[test]
fn the_entry_of_a_private_key() {
    let mut card = card();
    let entries = file(&mut card, "4402");
    let (first, _) = tlv::read(&entries).unwrap();
    let expected = "3010 0C07 5369676E696E67 0302 0780 0401 01 \
                    300F 0401 01 0303 062040 0302 04B0 0201 00 \
                    A10A 3008 3002 0400 0202 0800";
    assert_eq!((first.tag, hex(first.value)), (0x30, hex(&octets(expected))));
}

#[test]
fn the_application_of_pkcs_15_has_a_name_inside_this_one() {
    let mut card = card();
    let control = done(&mut card, "00A40400 0C A000000063504B43532D3135 00");
    assert_eq!(tlv::find(tlv::only(&control, 0x6F).unwrap(), 0x83), Some(&[0x50, 0x15][..]));
    done(&mut card, "00A40000 02 5031 00");
    check(&mut card, "00A40400 09 A00000030800001000 00", "6A82");
    card.reset().unwrap();
    check(&mut card, "00A40400 0C A000000063504B43532D3135 00", "6A82");
}

#[test]
fn version_and_features_come_with_le_and_without() {
    let mut card = card();
    check(&mut card, "00A40400 0C F276A288BCFBA69D34F31001", "000606 9000");
    check(&mut card, "00A40400 0C F276A288BCFBA69D34F31001 02", "0006 6101");
    check(&mut card, "00C0000000", "06 9000");
    check(&mut card, "00A4040C 0C F276A288BCFBA69D34F31001", "9000");
    check(&mut card, "00A40400 0B F276A288BCFBA69D34F310 00", "6A82");
}

#[test]
fn challenges_differ() {
    let mut card = card();
    let (first, second) = (done(&mut card, "00840000 08"), done(&mut card, "00840000 08"));
    assert_eq!((first.len(), second.len()), (8, 8));
    assert_ne!(first, second);
    check(&mut card, "00840000", "6700");
}

#[test]
fn what_the_application_cannot_do_is_refused_before_there_is_a_card() {
    let refused = |change: fn(&mut Setup)| {
        let mut setup = setup();
        change(&mut setup);
        Pkcs15::new(setup).unwrap_err()
    };
    let error = refused(|setup| setup.pin = Zeroizing::new(b"123".to_vec()));
    assert_eq!(error, SetupError::ReferenceData { what: "PIN", octets: 3 });
    let error = refused(|setup| setup.keys[2].purpose = Purpose::Decipher);
    assert!(error.to_string().contains("`EC signing`: a P-256 key cannot decipher"), "{error}");
    let error = refused(|setup| setup.keys[0].certificate = vec![0; 40_000]);
    assert!(error.to_string().contains("40000 are too many"), "{error}");
}
