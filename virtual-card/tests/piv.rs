//! The PIV application, command by command, against NIST SP 800-73-4 part 2.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::{build, card, certificate, check, key, octets, send};
use waxseal_card::models::{MANAGEMENT_KEY, Model};
use waxseal_card::piv::{self, ManagementKey, object};
use waxseal_card::{Card, Command, StatusWord, VirtualCard, tlv};
use waxseal_key::{Arithmetic, Decryptor, DigestAlgorithm, ProviderChoice, SeededRandom, SignatureScheme, Signer};

const SELECT: &str = "00A4040009 A00000030800001000 00";
const VERIFY: &str = "0020008008 313233343536FFFF";
const WRONG: &str = "0020008008 303030303030FFFF";

fn selected(model: &str) -> VirtualCard {
    let mut card = card(model);
    check(&mut card, SELECT, 0x9000);
    card
}

fn get(card: &mut VirtualCard, tag: u32) -> Vec<u8> {
    let tag = tag.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect::<Vec<_>>();
    let command = Command::new(0, 0xCB, 0x3F, 0xFF).with_data(&*tlv::write(0x5C, &tag)).expecting(256);
    let response = send(card, &command);
    assert_eq!(response.status, StatusWord::SUCCESS, "{tag:02x?}");
    response.data.to_vec()
}

/// GENERAL AUTHENTICATE with one part beside the empty response.
fn authenticate(card: &mut VirtualCard, algorithm: u8, slot: u8, tag: u32, value: &[u8]) -> Result<Vec<u8>, u16> {
    let template = tlv::constructed(0x7C, &[&tlv::write(0x82, &[]), &tlv::write(tag, value)]);
    let command = Command::new(0, 0x87, algorithm, slot).with_data(&*template).expecting(256);
    let response = send(card, &command);
    match response.status {
        StatusWord::SUCCESS => Ok(tlv::find(tlv::only(&response.data, 0x7C).unwrap(), 0x82).unwrap().to_vec()),
        status => {
            assert!(response.data.is_empty());
            Err(status.0)
        }
    }
}

/// EMSA-PKCS1-v1_5 of a SHA-256 value, written out (RFC 8017 section 9.2).
fn padded(value: [u8; 32], len: usize) -> Vec<u8> {
    let info = octets("3031300d060960864801650304020105000420");
    let mut block = vec![0, 1];
    block.resize(len - info.len() - 33, 0xff);
    [block.as_slice(), &[0], &info, &value].concat()
}

fn verifies(name: &str, scheme: SignatureScheme, value: [u8; 32], signature: &[u8]) -> bool {
    let key = key(name);
    let arithmetic = Arithmetic::new(ProviderChoice::AwsLc);
    arithmetic.verify_digest(Signer::public_key(&key), scheme, DigestAlgorithm::Sha256, &value, signature).unwrap()
}

#[test]
fn select_answers_with_the_application_property_template() {
    let mut card = card("piv-rsa2048");
    let whole = check(&mut card, "00A404000B A000000308000010000100 00", 0x9000);
    let template = tlv::only(&whole.data, 0x61).unwrap();
    assert_eq!(tlv::find(template, 0x4F).unwrap(), octets("000010000100"));
    assert_eq!(tlv::find(template, 0x79).unwrap(), octets("4F05A000000308"));
    assert_eq!(check(&mut card, SELECT, 0x9000).data, whole.data, "a truncated identifier selects the same");
    // As yubico-piv-tool 2.2 asks.
    assert_eq!(check(&mut card, "00A4040005 A000000308", 0x9000).data, whole.data);
    check(&mut card, "00A4040004 A0000003 00", 0x6A82);
    check(&mut card, "00A404000B A000000308000010000200 00", 0x6A82);
}

#[test]
fn data_objects_are_those_of_part_1() {
    let mut card = selected("piv-rsa2048");
    assert_eq!(get(&mut card, 0x7E), octets("7E12 4F0B A000000308000010000100 5F2F024000"));
    let chuid = get(&mut card, 0x5FC102);
    let chuid = tlv::only(&chuid, 0x53).unwrap();
    assert_eq!(tlv::find(chuid, 0x34).unwrap(), octets("57415853 4541 4c00 0000 000000000001"));
    let container = get(&mut card, 0x5FC107);
    assert_eq!(tlv::find(tlv::only(&container, 0x53).unwrap(), 0xF0).unwrap().len(), 21);
    for (tag, name) in
        [(0x5FC105, "nina-auth"), (0x5FC10A, "nina"), (0x5FC10B, "nina-decipher"), (0x5FC101, "nina-door")]
    {
        let object = get(&mut card, tag);
        let der = object::read_certificate(tlv::only(&object, 0x53).unwrap()).unwrap();
        assert_eq!(der, certificate(name));
    }
    check(&mut card, "00CB3FFF05 5C035FC10C 00", 0x6A82);
    check(&mut card, "00CB3FFF05 5C035FC1FE 00", 0x6A82);
    check(&mut card, "00CB3FFF05 5C035FC109 00", 0x6982);
    check(&mut card, VERIFY, 0x9000);
    check(&mut card, "00CB3FFF05 5C035FC109 00", 0x6A82);
    check(&mut card, "00CB000005 5C035FC102 00", 0x6A86);
    check(&mut card, "00CB3FFF03 5FC102 00", 0x6A80);
}

#[test]
fn retired_keys_have_a_history_and_certificates_that_may_be_long_or_compressed() {
    let mut card = selected("piv-full-history");
    let history = get(&mut card, 0x5FC10C);
    assert_eq!(object::retired_on_card(tlv::only(&history, 0x53).unwrap()), Some(20));
    let mut longest = 0;
    for number in 0..20_u32 {
        let object = get(&mut card, 0x5FC10D + number);
        let value = tlv::only(&object, 0x53).unwrap();
        let der = object::read_certificate(value).unwrap();
        assert_eq!(der, certificate(&format!("nina-{}", 2005 + number)));
        assert_eq!(tlv::find(value, 0x71).unwrap(), [u8::from(number % 2 == 0)]);
        longest = longest.max(der.len());
    }
    assert!(longest > 2048, "{longest}");
}

#[test]
fn a_pin_is_counted_and_blocks_and_the_puk_unblocks_it() {
    let mut card = selected("piv-rsa2048");
    check(&mut card, "00200080", 0x63C3);
    check(&mut card, WRONG, 0x63C2);
    check(&mut card, "0020008006 313233343536", 0x6A80);
    check(&mut card, "0020008008 3132333435FFFFFF", 0x6A80);
    check(&mut card, "0020008008 31323334353641FF", 0x6A80);
    check(&mut card, "00200080", 0x63C2);
    check(&mut card, VERIFY, 0x9000);
    check(&mut card, "00200080", 0x9000);
    check(&mut card, "0020FF80", 0x9000);
    check(&mut card, "00200080", 0x63C3);
    check(&mut card, "0020000008 313233343536FFFF", 0x6A88);
    for left in [0x63C2, 0x63C1, 0x63C0] {
        check(&mut card, WRONG, left);
    }
    check(&mut card, VERIFY, 0x6983);
    check(&mut card, "00200080", 0x6983);
    check(&mut card, "002C008010 3132333435363739 363534333231FFFF", 0x63C2);
    check(&mut card, "002C008010 3132333435363738 3635FFFFFFFFFFFF", 0x6A80);
    check(&mut card, "002C008010 3132333435363738 363534333231FFFF", 0x9000);
    check(&mut card, "0020008008 363534333231FFFF", 0x9000);
    check(&mut card, "0024008010 363534333231FFFF 313233343536FFFF", 0x9000);
    check(&mut card, VERIFY, 0x9000);
    check(&mut card, "0024008010 363534333231FFFF 313233343536FFFF", 0x63C2);
    check(&mut card, "00200080", 0x63C2);
    check(&mut card, "0024008110 3132333435363738 3837363534333231", 0x9000);
    for left in [0x63C2, 0x63C1, 0x63C0] {
        check(&mut card, "002C008010 3132333435363738 363534333231FFFF", left);
    }
    check(&mut card, "002C008010 3837363534333231 363534333231FFFF", 0x6983);
}

#[test]
fn signatures_need_the_pin_and_verify() {
    let mut card = selected("piv-rsa2048");
    let block = padded([7; 32], 256);
    assert_eq!(authenticate(&mut card, 0x07, 0x9A, 0x81, &block), Err(0x6982));
    check(&mut card, WRONG, 0x63C2);
    assert_eq!(authenticate(&mut card, 0x07, 0x9A, 0x81, &block), Err(0x6982));
    check(&mut card, VERIFY, 0x9000);
    for _ in 0..2 {
        let signature = authenticate(&mut card, 0x07, 0x9A, 0x81, &block).unwrap();
        assert!(verifies("nina-auth", SignatureScheme::RsaPkcs1, [7; 32], &signature));
    }
    check(&mut card, WRONG, 0x63C2);
    assert_eq!(authenticate(&mut card, 0x07, 0x9A, 0x81, &block), Err(0x6982), "a wrong PIN ends it");
}

#[test]
fn the_signature_key_needs_the_pin_just_before_each_use() {
    let mut card = selected("piv-p256");
    check(&mut card, VERIFY, 0x9000);
    let signature = authenticate(&mut card, 0x11, 0x9C, 0x81, &[7; 32]).unwrap();
    assert!(verifies("nina-p256", SignatureScheme::Ecdsa, [7; 32], &signature));
    assert_eq!(authenticate(&mut card, 0x11, 0x9C, 0x81, &[7; 32]), Err(0x6982));
    check(&mut card, VERIFY, 0x9000);
    get(&mut card, 0x7E);
    assert_eq!(authenticate(&mut card, 0x11, 0x9C, 0x81, &[7; 32]), Err(0x6982), "another command stood between");
    check(&mut card, VERIFY, 0x9000);
    assert!(authenticate(&mut card, 0x11, 0x9A, 0x81, &[7; 32]).is_ok());
    assert_eq!(authenticate(&mut card, 0x11, 0x9C, 0x81, &[7; 32]), Err(0x6982), "it was used up");
    check(&mut card, VERIFY, 0x9000);
    check(&mut card, SELECT, 0x9000);
    assert!(authenticate(&mut card, 0x11, 0x9A, 0x81, &[7; 32]).is_ok(), "selected again, the status stays");
    card.reset().unwrap();
    check(&mut card, SELECT, 0x9000);
    assert_eq!(authenticate(&mut card, 0x11, 0x9A, 0x81, &[7; 32]), Err(0x6982));
    assert!(authenticate(&mut card, 0x11, 0x9E, 0x81, &[7; 32]).is_ok(), "the door asks for no PIN");
}

#[test]
fn the_key_management_key_decrypts_and_agrees() {
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let mut random = SeededRandom::new("key management");
    let mut card = selected("piv-rsa2048");
    let nina = key("nina-decipher");
    let wrapped = arithmetic.wrap_rsa_pkcs1(Decryptor::public_key(&nina), b"a key of a mail!", &mut random).unwrap();
    assert_eq!(authenticate(&mut card, 0x07, 0x9D, 0x81, &wrapped), Err(0x6982));
    check(&mut card, VERIFY, 0x9000);
    let block = authenticate(&mut card, 0x07, 0x9D, 0x81, &wrapped).unwrap();
    assert_eq!(&block[..2], [0, 2]);
    assert!(block.ends_with(b"\0a key of a mail!"));

    let mut card = selected("piv-p256");
    check(&mut card, VERIFY, 0x9000);
    let (ours, theirs) = (key("nina-p256-agree"), key("nina-p256"));
    let point = &Signer::public_key(&theirs)[26..];
    assert_eq!((point.len(), point[0]), (65, 4));
    let secret = authenticate(&mut card, 0x11, 0x9D, 0x85, point).unwrap();
    assert_eq!(secret, *theirs.agree(Decryptor::public_key(&ours)).unwrap());
    assert_eq!(authenticate(&mut card, 0x11, 0x9D, 0x81, &[7; 32]), Err(0x6A80), "it does not sign");
    assert_eq!(authenticate(&mut card, 0x11, 0x9A, 0x85, point), Err(0x6A80), "it does not agree");
    let mut off = point.to_vec();
    off[64] ^= 1;
    assert_eq!(authenticate(&mut card, 0x11, 0x9D, 0x85, &off), Err(0x6A80));
}

#[test]
fn algorithms_and_slots_that_do_not_fit_are_refused() {
    let mut card = selected("piv-rsa2048");
    check(&mut card, VERIFY, 0x9000);
    let block = padded([7; 32], 256);
    assert_eq!(authenticate(&mut card, 0x06, 0x9A, 0x81, &block), Err(0x6A86));
    assert_eq!(authenticate(&mut card, 0x11, 0x9A, 0x81, &block), Err(0x6A86));
    assert_eq!(authenticate(&mut card, 0x07, 0x82, 0x81, &block), Err(0x6A86));
    assert_eq!(authenticate(&mut card, 0x07, 0x9F, 0x81, &block), Err(0x6A86));
    assert_eq!(authenticate(&mut card, 0x07, 0x9A, 0x81, &block[1..]), Err(0x6A80));
    assert_eq!(authenticate(&mut card, 0x07, 0x9A, 0x81, &[0xff; 256]), Err(0x6A80), "above the modulus");
    assert_eq!(authenticate(&mut card, 0x07, 0x9A, 0x85, &block), Err(0x6A80));
    check(&mut card, "0087079A04 81020000 00", 0x6A80);
    check(&mut card, "00FE000000", 0x6D00);
}

#[test]
fn sm2_signs_decrypts_and_agrees_under_a_private_algorithm() {
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let mut random = SeededRandom::new("sm2");
    let mut card = selected("piv-sm2");
    check(&mut card, VERIFY, 0x9000);
    let signature = authenticate(&mut card, 0xF2, 0x9C, 0x81, &[7; 32]).unwrap();
    let signer = key("alice-sm2");
    assert_eq!(arithmetic.verify_sm2_digest(Signer::public_key(&signer), &[7; 32], &signature), Ok(true));
    let reader = key("alice-sm2-encrypt");
    let form = waxseal_key::Sm2Form::Asn1;
    let wrapped = arithmetic.wrap_sm2(Decryptor::public_key(&reader), b"a key of a mail!", form, &mut random).unwrap();
    check(&mut card, VERIFY, 0x9000);
    assert_eq!(authenticate(&mut card, 0xF2, 0x9D, 0x81, &wrapped).unwrap(), b"a key of a mail!");
    let point = {
        let spki = Signer::public_key(&signer);
        spki[spki.len() - 65..].to_vec()
    };
    let secret = authenticate(&mut card, 0xF2, 0x9D, 0x85, &point).unwrap();
    assert_eq!(secret, *signer.agree(Decryptor::public_key(&reader)).unwrap());
}

fn manage(card: &mut VirtualCard) {
    let key = ManagementKey::new(&MANAGEMENT_KEY).unwrap();
    let response = check(card, "0087039B04 7C028000 00", 0x9000);
    let witness = tlv::find(tlv::only(&response.data, 0x7C).unwrap(), 0x80).unwrap().to_vec();
    let parts = [tlv::write(0x80, &key.decrypt(&witness).unwrap()), tlv::write(0x81, &[9; 8])];
    let template = tlv::constructed(0x7C, &[&parts[0], &parts[1]]);
    let response = send(card, &Command::new(0, 0x87, 0x03, 0x9B).with_data(&*template).expecting(256));
    assert_eq!(response.status, StatusWord::SUCCESS);
    let found = tlv::find(tlv::only(&response.data, 0x7C).unwrap(), 0x82).unwrap().to_vec();
    assert_eq!(found, *key.encrypt(&[9; 8]).unwrap());
}

const PUT: &str = "00DB3FFF0A 5C035FC109 5303010203";

#[test]
fn objects_and_keys_are_changed_behind_the_management_key_only() {
    let mut card = selected("piv-p256");
    check(&mut card, PUT, 0x6982);
    check(&mut card, "0047009C05 AC03800111 00", 0x6982);
    check(&mut card, "0087039B04 7C028000 00", 0x9000);
    check(&mut card, "0087039B16 7C148008 0000000000000000 8108 0909090909090909 00", 0x6982);
    check(&mut card, PUT, 0x6982);
    check(&mut card, "0087089B04 7C028000 00", 0x6A86);
    manage(&mut card);
    check(&mut card, PUT, 0x9000);
    check(&mut card, VERIFY, 0x9000);
    assert_eq!(get(&mut card, 0x5FC109), octets("5303010203"));
    check(&mut card, "00DB3FFF07 5C035FC109 5300", 0x9000);
    check(&mut card, "00CB3FFF05 5C035FC109 00", 0x6A82);
    check(&mut card, "00DB3FFF07 5C035FC1FE 5300", 0x6A82);
    check(&mut card, "00DB3FFF05 5C035FC109", 0x6A80);
    let response = check(&mut card, "0047009C05 AC03800111 00", 0x9000);
    let point = tlv::find(tlv::only(&response.data, 0x7F49).unwrap(), 0x86).unwrap().to_vec();
    check(&mut card, VERIFY, 0x9000);
    let signature = authenticate(&mut card, 0x11, 0x9C, 0x81, &[7; 32]).unwrap();
    let spki = [&Signer::public_key(&key("nina-p256"))[..26], &point].concat();
    let arithmetic = Arithmetic::new(ProviderChoice::AwsLc);
    let verified =
        arithmetic.verify_digest(&spki, SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &[7; 32], &signature);
    assert_eq!(verified, Ok(true));
    check(&mut card, "0047008205 AC03800111 00", 0x6A86);
    check(&mut card, "0047009C05 AC03800199 00", 0x6A80);
    card.reset().unwrap();
    check(&mut card, SELECT, 0x9000);
    check(&mut card, PUT, 0x6982);
}

#[test]
fn the_host_may_authenticate_by_a_challenge_in_plain() {
    let key = ManagementKey::new(&MANAGEMENT_KEY).unwrap();
    let mut card = selected("piv-p256");
    check(&mut card, "0087039B0C 7C0A8208 0000000000000000", 0x6A80);
    let response = check(&mut card, "0087039B04 7C028100 00", 0x9000);
    let challenge = tlv::find(tlv::only(&response.data, 0x7C).unwrap(), 0x81).unwrap().to_vec();
    let template = tlv::constructed(0x7C, &[&tlv::write(0x82, &key.encrypt(&challenge).unwrap())]);
    let command = Command::new(0, 0x87, 0x03, 0x9B).with_data(&*template);
    assert_eq!(send(&mut card, &command).status, StatusWord::SUCCESS);
    check(&mut card, PUT, 0x9000);
    assert_eq!(send(&mut card, &command).status, StatusWord::WRONG_DATA, "the challenge serves once");
}

#[test]
fn a_full_card_keeps_what_it_has() {
    let mut model = Model::named("piv-p256").unwrap();
    model.capacity = Some(4000);
    let mut card = build(&model);
    check(&mut card, SELECT, 0x9000);
    manage(&mut card);
    check(&mut card, PUT, 0x9000);
    let command = |len: usize| {
        let data = [&octets("5C035FC109"), tlv::write(0x53, &vec![1; len]).as_slice()].concat();
        Command::new(0, 0xDB, 0x3F, 0xFF).with_data(data)
    };
    assert_eq!(send(&mut card, &command(4000)).status, StatusWord::NOT_ENOUGH_MEMORY);
    check(&mut card, VERIFY, 0x9000);
    assert_eq!(get(&mut card, 0x5FC109), octets("5303010203"));
    assert_eq!(send(&mut card, &command(20)).status, StatusWord::SUCCESS);
}

#[test]
fn management_keys_are_triple_des_or_aes() {
    // FIPS 197 appendix C.1 and C.3; SP 800-20 table A.1, round 0 of the variable plaintext test.
    let key: Vec<u8> = (0..32).collect();
    let block = octets("00112233445566778899aabbccddeeff");
    let aes_128 = ManagementKey::new(&key[..16]).unwrap();
    assert_eq!(
        (aes_128.algorithm(), aes_128.encrypt(&block).unwrap().to_vec()),
        (0x08, octets("69c4e0d86a7b0430d8cdb78070b4c55a"))
    );
    let aes_192 = ManagementKey::aes_192(&key[..24].try_into().unwrap());
    assert_eq!(
        (aes_192.algorithm(), aes_192.encrypt(&block).unwrap().to_vec()),
        (0x0A, octets("dda97ca4864cdfe06eaf70a0ec0d7191"))
    );
    let aes_256 = ManagementKey::new(&key).unwrap();
    assert_eq!(
        (aes_256.algorithm(), aes_256.encrypt(&block).unwrap().to_vec()),
        (0x0C, octets("8ea2b7ca516745bfeafc49904b496089"))
    );
    assert_eq!(*aes_256.decrypt(&aes_256.encrypt(&block).unwrap()).unwrap(), block);
    let triple_des = ManagementKey::new(&[1; 24]).unwrap();
    let block = octets("8000000000000000");
    assert_eq!(
        (triple_des.algorithm(), triple_des.encrypt(&block).unwrap().to_vec()),
        (0x03, octets("95f8a5e5dd31d900"))
    );
    assert!(ManagementKey::new(&[1; 20]).is_none());
    assert!(piv::Slot::by_reference(piv::MANAGEMENT_KEY).is_none());
}
