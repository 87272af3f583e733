//! What the engine writes, the engine opens: any content, any nesting, any
//! encoding; and no octet can be changed unnoticed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{Cursor, Read as _};
use std::sync::OnceLock;

use proptest::prelude::*;
use support::{Bench, P256, Person, RSA};
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::{Encoding, IdentifierForm, Recipient, Shape};
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{
    Boundary, Credential, EncryptRequest, Form, OpenRequest, Opened, SignRequest, encrypt, open, sign,
};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ContentCipher, DigestAlgorithm, ProviderChoice, SeededRandom, Signer};
use waxseal_verdict::{Aspect, Kind};

/// One wrapping.
#[derive(Debug, Clone)]
enum Wrap {
    Sign { form: Form, digest: DigestAlgorithm, by: usize, id: IdentifierForm, encoding: Encoding },
    Encrypt { cipher: ContentCipher, id: IdentifierForm, encoding: Encoding },
}

fn wrap() -> impl Strategy<Value = Wrap> {
    let encoding = || prop_oneof![Just(Encoding::Der), (1usize..2000).prop_map(|segment| Encoding::Ber { segment })];
    let id = || prop_oneof![Just(IdentifierForm::IssuerAndSerial), Just(IdentifierForm::SubjectKeyId)];
    let digest = prop::sample::select(vec![
        DigestAlgorithm::Sha224,
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
    ]);
    let form = prop_oneof![Just(Form::Clear), Just(Form::Opaque)];
    prop_oneof![
        (form, digest, 0usize..2, id(), encoding()).prop_map(|(form, digest, by, id, encoding)| Wrap::Sign {
            form,
            digest,
            by,
            id,
            encoding
        }),
        (prop::sample::select(ContentCipher::ALL.to_vec()), id(), encoding())
            .prop_map(|(cipher, id, encoding)| Wrap::Encrypt { cipher, id, encoding }),
    ]
}

/// Two people, the first of whom can decrypt; made once.
fn people() -> Option<&'static [Person; 2]> {
    static PEOPLE: OnceLock<Option<[Person; 2]>> = OnceLock::new();
    PEOPLE
        .get_or_init(|| {
            let bench = Bench::new()?;
            Some([bench.person("ann", RSA, ""), bench.person("ben", P256, "")])
        })
        .as_ref()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn apply(wrap: &Wrap, mail: &[u8], people: &[Person; 2]) -> Vec<u8> {
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let mut out = Vec::new();
    match wrap {
        Wrap::Sign { form, digest, by, id, encoding } => {
            let signers: [(&dyn Signer, &Certificate); 1] = [(&people[*by].key, &people[*by].certificate)];
            let mut request = SignRequest::new(&signers, now(), Boundary::Random([3; 16]), &arithmetic);
            request.form = *form;
            request.digest = *digest;
            request.shape = Shape { signer_id: *id, ..Shape::encoded(*encoding) };
            sign(&mut Cursor::new(mail), &mut out, &request).unwrap();
        }
        Wrap::Encrypt { cipher, id, encoding } => {
            let recipients = [Recipient::Certificate(&people[0].certificate)];
            let mut request = EncryptRequest::new(&recipients, &arithmetic);
            request.cipher = (*cipher).into();
            request.shape = Shape { recipient_id: *id, ..Shape::encoded(*encoding) };
            encrypt(&mut Cursor::new(mail), &mut out, &request, &mut SeededRandom::new("wrap")).unwrap();
        }
    }
    out
}

fn opened(mail: &[u8], people: &[Person; 2]) -> Opened {
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let certificate = Some(people[0].certificate.clone());
    let credentials = [Credential { decryptor: &people[0].key, certificate }];
    let anchors: Vec<Certificate> = people.iter().map(|person| person.certificate.clone()).collect();
    let policy = Policy::named("default").unwrap();
    let limits = Limits::default();
    let request = OpenRequest {
        credentials: &credentials,
        anchors: &anchors,
        keep_content: true,
        ..OpenRequest::new(now(), &policy, &arithmetic, &limits)
    };
    open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, &request).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_written_opens(body in "[ -~\r\n]{0,3000}", wraps in prop::collection::vec(wrap(), 1..4)) {
        let Some(people) = people() else { return Ok(()) };
        let inner = format!("Content-Type: text/plain\r\n\r\n{body}");
        let mut mail = inner.clone().into_bytes();
        for wrap in &wraps {
            mail = apply(wrap, &mail, people);
        }
        let opened = opened(&mail, people);
        prop_assert_eq!(opened.verdict.layers.len(), wraps.len());
        for (layer, wrap) in opened.verdict.layers.iter().zip(wraps.iter().rev()) {
            prop_assert_eq!(&layer.structure, &Aspect::Good, "{:?}", layer);
            prop_assert!(layer.deviations.is_empty(), "{:?}", layer);
            match wrap {
                Wrap::Sign { digest, .. } => {
                    prop_assert_eq!(layer.kind, Kind::Signed);
                    prop_assert_eq!(&layer.integrity, &Aspect::Good, "{:?}", layer);
                    prop_assert_eq!(&layer.signers[0].digest, digest.name());
                }
                Wrap::Encrypt { .. } => {
                    prop_assert_eq!(layer.kind, Kind::Encrypted);
                    prop_assert_eq!(&layer.decryption, &Aspect::Good, "{:?}", layer);
                }
            }
        }
        let mut content = String::new();
        opened.content.unwrap().read_to_string(&mut content).unwrap();
        let expected = inner.replace("\r\n", "\n").replace('\n', "\r\n");
        prop_assert_eq!(content, expected);
    }

    #[test]
    fn a_changed_octet_is_noticed(at in any::<prop::sample::Index>(), put in "[A-Za-z0-9]{2}", form in 0..2) {
        let Some(people) = people() else { return Ok(()) };
        let form = if form == 0 { Form::Clear } else { Form::Opaque };
        let (digest, id) = (DigestAlgorithm::Sha256, IdentifierForm::IssuerAndSerial);
        let wrap = Wrap::Sign { form, digest, by: 0, id, encoding: Encoding::Der };
        let body = "some text that somebody may want to change";
        let mail = apply(&wrap, format!("Content-Type: text/plain\r\n\r\n{body}").as_bytes(), people);
        // In the opaque form the text is inside of base64, whose start is structure.
        let start = match form {
            Form::Clear => mail.windows(body.len()).position(|window| window == body.as_bytes()).unwrap(),
            _ => mail.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4 + 120,
        };
        let places: Vec<_> = (start..start + body.len()).filter(|at| mail[*at].is_ascii_alphanumeric()).collect();
        let place = *at.get(&places);
        let mut changed = mail.clone();
        // One of two different characters is not the one that stands there.
        let other = put.bytes().chain(*b"AB").find(|octet| *octet != mail[place]).unwrap();
        changed[place] = other;
        let layer = opened(&changed, people).verdict.layers.remove(0);
        prop_assert!(
            matches!(layer.integrity, Aspect::Bad(_)) || matches!(layer.structure, Aspect::Bad(_)),
            "{:?}", layer
        );
        let layer = opened(&mail, people).verdict.layers.remove(0);
        prop_assert_eq!(&layer.integrity, &Aspect::Good, "{:?}", layer);
    }
}
