//! What a reader learns of correspondents from mail, and what does not teach
//! anything (RFC 8551 sections 2.5.3 and 2.7.1).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;

use support::{Bench, P256, Person, RSA};
use time::{Duration, OffsetDateTime};
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::Recipient;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{
    Boundary, Credential, EncryptRequest, OpenRequest, Opened, SignRequest, encrypt, open, sign,
};
use waxseal_engine::policy::address_book::{Learned, Named};
use waxseal_engine::policy::{AddressBook, Policy};
use waxseal_key::{Arithmetic, ContentCipher, DigestAlgorithm, ProviderChoice, SeededRandom, Signer};
use waxseal_verdict::{Aspect, Overall, Reason};

const MAIL: &str = "From: ann@example.test\r\nTo: bob@example.test\r\n\r\nHello.\r\n";

struct World {
    ann: Person,
    /// Another certificate of ann, to encrypt for.
    key: Person,
    bob: Person,
    now: OffsetDateTime,
    arithmetic: Arithmetic,
}

impl World {
    fn new() -> Option<Self> {
        let bench = Bench::new()?;
        let ann = bench.person("ann", RSA, "digitalSignature");
        // Another file for the same name and address.
        let (signs, certificate) = ("ann.key", "ann.crt");
        std::fs::rename(bench.path(signs), bench.path("signs.key")).unwrap();
        std::fs::rename(bench.path(certificate), bench.path("signs.crt")).unwrap();
        let key = bench.person("ann", P256, "keyAgreement");
        let bob = bench.person("bob", RSA, "digitalSignature,keyEncipherment");
        let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        Some(Self { ann, key, bob, now, arithmetic: Arithmetic::new(ProviderChoice::RustCrypto) })
    }

    fn signed(&self, by: &Person, change: impl FnOnce(&mut SignRequest<'_>)) -> String {
        self.signed_naming(by, &[], None, change)
    }

    /// With certificates sent along, and one of them named to encrypt for.
    fn signed_naming(
        &self,
        by: &Person,
        certificates: &[Certificate],
        named: Option<&Certificate>,
        change: impl FnOnce(&mut SignRequest<'_>),
    ) -> String {
        let signers = [(&by.key as &dyn Signer, &by.certificate)];
        let mut request =
            SignRequest::new(&signers, self.now, Boundary::Given("boundary".to_owned()), &self.arithmetic);
        request.certificates = certificates;
        request.encryption_certificate = named;
        change(&mut request);
        let mut out = Vec::new();
        sign(&mut Cursor::new(MAIL), &mut out, &request).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn encrypted(&self, cipher: ContentCipher) -> String {
        let recipients = [Recipient::Certificate(&self.bob.certificate)];
        let mut request = EncryptRequest::new(&recipients, &self.arithmetic);
        request.cipher = cipher.into();
        let mut out = Vec::new();
        encrypt(&mut Cursor::new(MAIL), &mut out, &request, &mut SeededRandom::new("mail")).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn anchors(&self) -> Vec<Certificate> {
        [&self.ann, &self.key, &self.bob].map(|person| person.certificate.clone()).to_vec()
    }

    /// Opens as bob, who trusts these certificates.
    fn open(&self, mail: &str, book: &AddressBook, anchors: &[Certificate], at: OffsetDateTime) -> Opened {
        let policy = Policy::named("default").unwrap();
        let limits = Limits::default();
        let request = OpenRequest {
            credentials: &[Credential { decryptor: &self.bob.key, certificate: Some(self.bob.certificate.clone()) }],
            anchors,
            address_book: Some(book),
            ..OpenRequest::new(at, &policy, &self.arithmetic, &limits)
        };
        open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, &request).unwrap()
    }

    fn read(&self, mail: &str, book: &AddressBook) -> Opened {
        self.open(mail, book, &self.anchors(), self.now)
    }
}

fn learn(book: &mut AddressBook, opened: &Opened) -> Vec<(String, Option<Learned>, Option<Learned>)> {
    let policy = Policy::named("default").unwrap();
    let lessons = opened.introductions.iter().flat_map(|introduction| book.learn(introduction, &policy, false));
    lessons.map(|lesson| (lesson.address, lesson.encryption, lesson.announcement)).collect()
}

#[test]
fn a_verified_signature_teaches() {
    let Some(world) = World::new() else { return };
    let mut book = AddressBook::default();
    let opened = world.read(&world.signed(&world.bob, |request| request.headers.push(bob())), &book);
    assert_eq!(opened.verdict.overall, Overall::Valid, "{:#?}", opened.verdict);
    let [introduction] = opened.introductions.as_slice() else { panic!("{:?}", opened.introductions) };
    assert_eq!(introduction.encryption, Some((world.bob.certificate.clone(), Named::AsSigner)));
    assert_eq!(introduction.signed_at, Some(world.now));
    let new = Some(Learned::New);
    assert_eq!(learn(&mut book, &opened), [("bob@example.test".to_owned(), new, new)]);
    let announced = book.correspondent("bob@example.test").unwrap().announcement.clone().unwrap();
    let names: Vec<_> = announced.capabilities.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["aes-256-cbc", "aes-192-cbc", "aes-128-cbc"]);
}

fn bob() -> (String, String) {
    ("From".to_owned(), "bob@example.test".to_owned())
}

#[test]
fn the_encryption_certificate_is_the_one_that_is_named() {
    let Some(world) = World::new() else { return };
    let book = AddressBook::default();
    let found = |mail: &str| {
        let opened = world.read(mail, &book);
        let [introduction] = opened.introductions.as_slice() else { panic!("{:#?}", opened.verdict) };
        introduction.encryption.clone()
    };
    let key = &world.key.certificate;
    let signed = |certificates: &[Certificate], named| world.signed_naming(&world.ann, certificates, named, |_| {});
    let (own, bobs) = (std::slice::from_ref(key), std::slice::from_ref(&world.bob.certificate));
    let named = signed(own, Some(key));
    assert_eq!(found(&named), Some((key.clone(), Named::ByPreference)));
    // Not named, but sent along, of the same subject, and able to encrypt.
    assert_eq!(found(&signed(own, None)), Some((key.clone(), Named::BySubject)));
    // A key that only signs is no key to encrypt for.
    assert_eq!(found(&signed(&[], None)), None);
    // Named and not there; the one of somebody else.
    assert_eq!(found(&signed(&[], Some(key))), None);
    assert_eq!(found(&signed(bobs, bobs.first())), None);
    // Trusted to sign is not trusted to encrypt.
    let anchors = [world.ann.certificate.clone()];
    let opened = world.open(&named, &book, &anchors, world.now);
    assert_eq!(opened.introductions[0].encryption, None);
}

#[test]
fn a_bad_mail_teaches_nothing() {
    let Some(world) = World::new() else { return };
    let book = AddressBook::default();
    let teaches =
        |mail: &str, anchors: &[Certificate], at| !world.open(mail, &book, anchors, at).introductions.is_empty();
    let (good, anchors, now) = (world.signed(&world.ann, |_| {}), world.anchors(), world.now);
    assert!(teaches(&good, &anchors, now));
    for (what, bad) in [
        ("changed text", good.replace("Hello.", "Hallo.")),
        ("another author", good.replace("From: ann@", "From: eve@")),
        ("two authors", good.replace("From: ann@", "From: eve@example.test, ann@")),
        ("signed a week before its Date", good.replace("Date: ", "Date: Mon, 1 Jan 2024 09:00:00 +0000\r\nX-Date: ")),
        ("a weak digest", world.signed(&world.ann, |request| request.digest = DigestAlgorithm::Sha1)),
        ("signed tomorrow", world.signed(&world.ann, |request| request.signing_time = Some(now + Duration::DAY))),
        (
            "text beside what is signed",
            format!(
                "From: ann@example.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n\
                 --outer\r\n\r\nSend money.\r\n--outer\r\n{}\r\n--outer--\r\n",
                &good[good.find("Content-Type").unwrap()..]
            ),
        ),
    ] {
        assert_ne!(bad, good, "{what}");
        assert!(!teaches(&bad, &anchors, now), "{what}");
    }
    assert!(!teaches(&good, &[], now), "no anchor");
    assert!(!teaches(&good, std::slice::from_ref(&world.bob.certificate), now), "another anchor");
    assert!(!teaches(&good, &anchors, now + Duration::days(40_000)), "an expired certificate");
}

#[test]
fn a_list_that_takes_away_is_told_and_not_learned() {
    let Some(world) = World::new() else { return };
    let mut book = AddressBook::default();
    let announcing = |list: &[&str], hours: i64| {
        world.signed(&world.ann, |request| {
            // No earlier than the certificate.
            request.signing_time = Some(world.now + Duration::hours(3 + hours));
            request.shape.capabilities = list.iter().map(|name| name.parse().unwrap()).collect();
            if list.is_empty() {
                request.shape.attributes.retain(|kind| format!("{kind:?}") != "Capabilities");
            }
        })
    };
    let read = |mail: &str, book: &AddressBook| world.open(mail, book, &world.anchors(), world.now + Duration::DAY);
    let first = read(&announcing(&["aes-256-cbc", "3des-cbc"], 0), &book);
    assert_eq!(learn(&mut book, &first), [("ann@example.test".to_owned(), None, Some(Learned::New))]);
    let before = book.clone();
    for (list, hours, expected) in [
        (["rc2-cbc:40"].as_slice(), 2, Reason::Downgrade),
        (&[], 2, Reason::CapabilityStripped),
        (&["rc2-cbc:40", "3des-cbc"], -2, Reason::CapabilityReplayed),
    ] {
        let opened = read(&announcing(list, hours), &book);
        assert_eq!(opened.verdict.overall, Overall::Warning);
        assert_eq!(opened.verdict.layers[0].policy.reason(), Some(expected));
        assert_eq!(opened.verdict.layers[0].signers[0].policy.reason(), Some(expected));
        assert_eq!(opened.introductions[0].downgrade.reason(), Some(expected));
        learn(&mut book, &opened);
        let announcement = |book: &AddressBook| book.correspondent("ann@example.test").unwrap().announcement.clone();
        assert_eq!(announcement(&book), announcement(&before), "{list:?}");
    }
    // To a reader who keeps no address book it is an ordinary mail.
    let mail = announcing(&["rc2-cbc:40"], 2);
    assert_eq!(read(&mail, &AddressBook::default()).verdict.overall, Overall::Valid);
}

#[test]
fn a_cipher_below_what_both_announced_is_told() {
    let Some(world) = World::new() else { return };
    let mut book = AddressBook::default();
    for (person, headers) in [(&world.ann, None), (&world.bob, Some(bob()))] {
        let opened = world.read(&world.signed(person, |request| request.headers.extend(headers)), &book);
        assert!(!learn(&mut book, &opened).is_empty());
    }
    let judge = |cipher, book: &AddressBook| match &world.read(&world.encrypted(cipher), book).verdict.layers[0].policy
    {
        Aspect::Bad(bad) => [&[bad.reason], bad.also.as_slice()].concat(),
        _ => Vec::new(),
    };
    let rc2 = ContentCipher::Rc2Cbc { effective_bits: 40 };
    assert_eq!(judge(ContentCipher::Aes128Cbc, &book), []);
    assert_eq!(judge(rc2, &book), [Reason::WeakCipher, Reason::Downgrade]);
    assert_eq!(judge(rc2, &AddressBook::default()), [Reason::WeakCipher]);
}
