//! The client of the card: keys, certificates and PINs, with the card in the
//! same process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::{cell::RefCell, rc::Rc};

use support::{card, certificate, key};
use waxseal_card::host::{
    HostError, InProcess, Pin, PinPurpose, PinRequest, PinSource, PivClient, PivKey, ReaderError,
};
use waxseal_card::models::{MANAGEMENT_KEY, Model, PUK};
use waxseal_card::piv::object::{self, DataObject};
use waxseal_card::piv::{ManagementKey, Slot};
use waxseal_key::{
    Arithmetic, Decryptor, DigestAlgorithm, KeyError, OaepParameters, ProviderChoice, PssParameters, SeededRandom,
    SignatureScheme, Signer, Sm2Form,
};
use zeroize::Zeroizing;

/// For what, and how many tries are left.
type Asked = Vec<(PinPurpose, Option<u8>)>;

/// Enters these PINs one after the other, and notes what it was asked for.
#[derive(Clone, Default)]
struct Entered {
    pins: Rc<RefCell<Vec<&'static str>>>,
    asked: Rc<RefCell<Asked>>,
}

impl Entered {
    fn new(pins: &[&'static str]) -> Self {
        let pins = pins.iter().rev().copied().collect::<Vec<_>>();
        Self { pins: Rc::new(RefCell::new(pins)), ..Self::default() }
    }

    fn next(&self, pins: &[&'static str]) {
        self.pins.borrow_mut().splice(.., pins.iter().rev().copied());
        self.asked.borrow_mut().clear();
    }
}

impl PinSource for Entered {
    fn pin(&mut self, request: &PinRequest<'_>) -> Option<Pin> {
        self.asked.borrow_mut().push((request.purpose, request.tries_left));
        self.pins.borrow_mut().pop().map(|pin| Zeroizing::new(pin.to_owned()))
    }
}

fn client(model: &str, pins: &Entered) -> PivClient {
    let reader = InProcess::new("a reader", card(model)).unwrap();
    PivClient::new(Box::new(reader), Box::new(pins.clone())).unwrap()
}

fn card_key(client: &PivClient, slot: Slot) -> PivKey {
    let identities = client.identities().unwrap();
    client.key(identities.iter().find(|identity| identity.slot == slot).unwrap()).unwrap()
}

#[test]
fn certificates_are_found_with_those_of_retired_keys() {
    for name in Model::names().filter(|name| name.starts_with("piv-")) {
        let client = client(name, &Entered::default());
        let found = client.identities().unwrap();
        let model = Model::named(name).unwrap();
        assert_eq!(found.len(), model.keys.len(), "{name}");
        for place in &model.keys {
            let identity = found.iter().find(|identity| identity.slot.name() == place.slot).unwrap();
            assert_eq!(identity.certificate, certificate(&place.of), "{name} {}", place.slot);
            let wanted = key(&place.of);
            assert_eq!(Signer::public_key(&client.key(identity).unwrap()), Signer::public_key(&wanted));
        }
        assert_eq!(client.guid().unwrap().unwrap().len(), 16);
    }
}

#[test]
fn signatures_verify_and_the_deterministic_ones_are_those_of_software() {
    let pins = Entered::new(&["123456"; 20]);
    let arithmetic = Arithmetic::new(ProviderChoice::AwsLc);
    for (model, slot, holder, schemes) in [
        ("piv-rsa2048", Slot::Signature, "nina", &[SignatureScheme::RsaPkcs1][..]),
        ("piv-rsa2048", Slot::Authentication, "nina-auth", &[SignatureScheme::RsaPkcs1]),
        ("piv-p256", Slot::Signature, "nina-p256", &[SignatureScheme::Ecdsa]),
        ("piv-full-history", Slot::Signature, "nina-p384", &[SignatureScheme::Ecdsa]),
    ] {
        let client = client(model, &pins);
        let (held, software) = (card_key(&client, slot), key(holder));
        for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
            let value = arithmetic.digest(digest, b"a mail").unwrap();
            for scheme in schemes {
                let signature = held.sign_digest(*scheme, digest, &value).unwrap();
                let spki = Signer::public_key(&software);
                assert_eq!(
                    arithmetic.verify_digest(spki, *scheme, digest, &value, &signature),
                    Ok(true),
                    "{holder} {digest}"
                );
                if *scheme == SignatureScheme::RsaPkcs1 {
                    assert_eq!(signature, software.sign_digest(*scheme, digest, &value).unwrap());
                }
            }
        }
    }
    let client = client("piv-rsa2048", &pins);
    let held = card_key(&client, Slot::Signature);
    let pss = SignatureScheme::RsaPss(PssParameters::usual(DigestAlgorithm::Sha256));
    let signature = held.sign_digest(pss, DigestAlgorithm::Sha256, &[7; 32]).unwrap();
    let verified =
        arithmetic.verify_digest(Signer::public_key(&held), pss, DigestAlgorithm::Sha256, &[7; 32], &signature);
    assert_eq!(verified, Ok(true));
    assert!(held.sign_digest(SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &[7; 32]).is_err());
}

#[test]
fn retired_keys_decrypt_and_agree() {
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let mut random = SeededRandom::new("old mail");
    let pins = Entered::new(&["123456"]);
    let client = client("piv-full-history", &pins);
    for identity in client.identities().unwrap().iter().filter(|identity| identity.slot.decrypts()) {
        let held = client.key(identity).unwrap();
        let spki = Decryptor::public_key(&held).to_vec();
        if Model::named("piv-full-history").unwrap().keys.iter().any(|place| {
            place.slot == identity.slot.name() && matches!(held.kind(), waxseal_card::key::KeyKind::Rsa(_))
        }) {
            let wrapped = arithmetic.wrap_rsa_pkcs1(&spki, b"a key of a mail!", &mut random).unwrap();
            assert_eq!(*held.unwrap_rsa_pkcs1_any(&wrapped, &[24, 16]).unwrap(), b"a key of a mail!");
            let oaep = OaepParameters::usual(DigestAlgorithm::Sha1);
            let wrapped = arithmetic.wrap_rsa_oaep(&spki, b"a key of a mail!", &oaep, &mut random).unwrap();
            assert_eq!(*held.unwrap_rsa_oaep(&wrapped, &oaep).unwrap(), b"a key of a mail!");
            assert!(held.agree(&spki).is_err());
        } else {
            let other = waxseal_key::PrivateKey::generate(
                &waxseal_key::describe_public_key(&spki).unwrap().algorithm,
                0,
                &mut random,
            )
            .unwrap();
            assert_eq!(held.agree(Signer::public_key(&other)).unwrap(), other.agree(&spki).unwrap());
            assert!(held.unwrap_rsa_pkcs1(&[1; 256], 16).is_err());
        }
    }
    assert_eq!(pins.asked.borrow().len(), 1, "one PIN serves for all that is read");
}

#[test]
fn sm2_keys_sign_messages_and_decrypt_every_form() {
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let mut random = SeededRandom::new("sm2");
    let pins = Entered::new(&["123456", "123456", "123456"]);
    let client = client("piv-sm2", &pins);
    let signer = card_key(&client, Slot::Signature);
    let signature = signer.sign_message(SignatureScheme::Sm2, &mut std::io::Cursor::new(b"a mail")).unwrap();
    let software = key("alice-sm2");
    let verified = arithmetic.verify_sm2(
        Signer::public_key(&software),
        waxseal_key::SM2_DEFAULT_ID,
        &mut std::io::Cursor::new(b"a mail"),
        &signature,
    );
    assert_eq!(verified, Ok(true));
    let reader = card_key(&client, Slot::KeyManagement);
    for form in Sm2Form::ALL {
        let spki = Decryptor::public_key(&reader);
        let wrapped = arithmetic.wrap_sm2(spki, b"a key of a mail!", form, &mut random).unwrap();
        let (plaintext, found) = reader.unwrap_sm2(&wrapped).unwrap();
        assert_eq!((plaintext.as_slice(), found), (&b"a key of a mail!"[..], form));
    }
    assert_eq!(
        reader.agree(Signer::public_key(&software)).unwrap(),
        software.agree(Decryptor::public_key(&reader)).unwrap()
    );
}

#[test]
fn a_wrong_pin_takes_one_try_and_is_not_sent_again() {
    let pins = Entered::new(&["000000", "000000"]);
    let client = client("piv-rsa2048", &pins);
    let held = card_key(&client, Slot::Signature);
    let sign = || held.sign_digest(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &[7; 32]);
    assert_eq!(sign(), Err(KeyError::WrongPin { tries_left: 2 }));
    assert_eq!(pins.asked.borrow().as_slice(), [(PinPurpose::Key(Slot::Signature), Some(3))], "asked once");
    assert_eq!(sign(), Err(KeyError::WrongPin { tries_left: 2 }));
    assert_eq!(held.take_error(), Some(HostError::SamePin { tries_left: 2 }));
    assert_eq!(client.tries_left(), Ok(Some(2)));
    pins.next(&["12345x"]);
    assert!(matches!(sign(), Err(KeyError::Refused(why)) if why.contains("six to eight digits")));
    pins.next(&[]);
    assert!(matches!(sign(), Err(KeyError::Refused(why)) if why.contains("needs its PIN")));
    assert_eq!(client.tries_left(), Ok(Some(2)));
    pins.next(&["123456"]);
    assert!(sign().is_ok());
    assert_eq!(client.tries_left(), Ok(None), "it is verified");
}

#[test]
fn a_blocked_pin_is_not_asked_for_and_the_puk_helps() {
    let pins = Entered::new(&["000000", "000001", "000002", "123456"]);
    let client = client("piv-rsa2048", &pins);
    let held = card_key(&client, Slot::KeyManagement);
    let open = || held.unwrap_rsa_pkcs1(&[1; 256], 16);
    assert_eq!(open(), Err(KeyError::WrongPin { tries_left: 2 }));
    assert_eq!(open(), Err(KeyError::WrongPin { tries_left: 1 }));
    assert_eq!(open(), Err(KeyError::WrongPin { tries_left: 0 }));
    pins.next(&["123456"]);
    assert_eq!(open(), Err(KeyError::PinBlocked));
    assert!(pins.asked.borrow().is_empty());
    assert_eq!(client.tries_left(), Ok(Some(0)));
    assert_eq!(client.change_pin("123456", "654321"), Err(HostError::PinBlocked));
    assert_eq!(client.unblock_pin("00000000", "654321"), Err(HostError::WrongPuk { tries_left: 2 }));
    assert_eq!(client.unblock_pin(PUK, "65432"), Err(HostError::NotAPin));
    client.unblock_pin(PUK, "654321").unwrap();
    pins.next(&["654321"]);
    assert_eq!(open().unwrap().len(), 16, "a key, if only one that stands in for a refused padding");
    client.change_pin("654321", "123456").unwrap();
    assert_eq!(client.change_pin("654321", "123456"), Err(HostError::WrongPin { tries_left: 2 }));
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    let client = client("piv-full-history", &Entered::default());
    let manager = ManagementKey::new(&MANAGEMENT_KEY).unwrap();
    let put = |tag, value: &[u8]| client.put_object(&manager, DataObject::by_tag(tag).unwrap(), value).unwrap();
    put(object::KEY_HISTORY, &[0xC1, 0x02, 0x00]);
    assert_eq!(client.identities().unwrap().len(), 24, "a damaged history hides no retired key");
    put(Slot::Retired(3).certificate_tag(), &[0x70, 0x01, 0x00, 0x71, 0x01, 0x01]);
    let identities = client.identities().unwrap();
    let (bad, good): (Vec<_>, Vec<_>) = identities.iter().partition(|identity| identity.problem.is_some());
    assert_eq!((bad.len(), good.len()), (1, 23));
    assert!(bad[0].slot == Slot::Retired(3) && bad[0].problem.as_ref().unwrap().contains("decompress"));
    assert!(client.key(bad[0]).unwrap_err().to_string().contains("slot 84"));
}

#[test]
fn another_card_in_the_reader_gets_no_pin() {
    /// A reader in which the card is exchanged while it is away.
    struct Exchanged(InProcess<waxseal_card::VirtualCard>, bool);
    impl waxseal_card::host::Reader for Exchanged {
        fn name(&self) -> &str {
            self.0.name()
        }
        fn atr(&self) -> Vec<u8> {
            self.0.atr()
        }
        fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
            if self.1 && command[1] == 0x87 { Err(ReaderError::Removed) } else { self.0.transmit(command) }
        }
        fn begin(&mut self) -> Result<(), ReaderError> {
            self.0.begin()
        }
        fn end(&mut self) -> Result<(), ReaderError> {
            self.0.end()
        }
        fn reconnect(&mut self) -> Result<(), ReaderError> {
            *self.0.card_mut() = card("piv-p256");
            self.1 = false;
            self.0.reconnect()
        }
    }
    let pins = Entered::new(&["123456"; 4]);
    let reader = Exchanged(InProcess::new("a reader", card("piv-rsa2048")).unwrap(), true);
    let client = PivClient::new(Box::new(reader), Box::new(pins.clone())).unwrap();
    let held = card_key(&client, Slot::Signature);
    let sign = || held.sign_digest(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &[7; 32]);
    assert_eq!(sign(), Err(KeyError::CardRemoved));
    pins.next(&["123456"]);
    assert_eq!(sign(), Err(KeyError::CardRemoved));
    assert_eq!(held.take_error(), Some(HostError::OtherCard));
    assert!(pins.asked.borrow().is_empty(), "nobody is asked for a PIN that nobody may get");
}

#[test]
fn the_signature_key_asks_each_time_and_the_others_once() {
    let pins = Entered::new(&["123456"; 9]);
    let client = client("piv-p256", &pins);
    let (signature, login) = (card_key(&client, Slot::Signature), card_key(&client, Slot::Authentication));
    let sign = |key: &PivKey| key.sign_digest(SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &[7; 32]).unwrap();
    for _ in 0..3 {
        sign(&signature);
        sign(&login);
    }
    assert_eq!(pins.asked.borrow().len(), 3);
    pins.next(&[]);
    sign(&card_key(&client, Slot::CardAuthentication));
    assert!(pins.asked.borrow().is_empty(), "the door asks for no PIN");
}
