//! The model of an e-Cert card.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::{card, certificate, check, credential, key};
use waxseal_card::models::Model;
use waxseal_key::SeededRandom;

#[test]
fn the_card_holds_what_the_model_says() {
    let mut card = card("ecert-pkcs15");
    check(&mut card, "00A40400 0C F276A288BCFBA69D34F31001 00", 0x9000);
    let people = ["nina", "nina-decipher", "nina-p256", "intermediate", "intermediate-ec"];
    for (index, name) in people.iter().enumerate() {
        check(&mut card, &format!("00A4080C 04 501534{index:02X}"), 0x9000);
        let der = certificate(name);
        assert_eq!(*check(&mut card, "00B00000 000000", 0x9000).data, der, "{name}");
    }
    check(&mut card, "00200001 06 313233343536", 0x9000);
    let cryptogram = waxseal_key::Arithmetic::default()
        .wrap_rsa_pkcs1(key("nina-decipher").public_key(), b"sixteen octets..", &mut SeededRandom::new("model"))
        .unwrap();
    check(&mut card, "002241B8 06 800111 840101", 0x9000);
    let digits: String = cryptogram.iter().map(|octet| format!("{octet:02X}")).collect();
    assert_eq!(*check(&mut card, &format!("002A8086 00 0101 00{digits} 0000"), 0x9000).data, *b"sixteen octets..");
    check(&mut card, "00A40800 04 50153500 00", 0x9000);
    assert_eq!(*check(&mut card, "00B00000 00", 0x9000).data, *b"Oskar Oak, +49 30 1234567");
}

#[test]
fn what_a_model_of_one_kind_cannot_say_of_the_other_is_refused() {
    let build = |change: fn(&mut Model), name: &str| {
        let mut model = Model::named(name).unwrap();
        change(&mut model);
        model.build(&mut credential, Box::new(SeededRandom::new(""))).unwrap_err().to_string()
    };
    for (change, name, text) in [
        ((|model| model.keys[0].slot = "9C".to_owned()) as fn(&mut Model), "ecert-pkcs15", "they count from 00"),
        (|model| model.keys[0].purpose = None, "ecert-pkcs15", "no `purpose`"),
        (|model| model.keys[0].compressed = true, "ecert-pkcs15", "on PIV cards only"),
        (|model| model.keys[0].of = "alice-sm2".to_owned(), "ecert-pkcs15", "a SM2 key cannot sign here"),
        (|model| model.capacity = Some(1), "ecert-pkcs15", "no capacity"),
        (|model| model.authorities = vec!["root".to_owned()], "piv-rsa2048", "a PIV card has no authorities"),
        (|model| model.keys[0].label = Some("a".to_owned()), "piv-rsa2048", "a PIV card has no"),
    ] {
        let error = build(change, name);
        assert!(error.contains(text), "{error}");
    }
}
