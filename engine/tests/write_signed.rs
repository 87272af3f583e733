//! What the engine signs, verified by OpenSSL.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;
use std::path::Path;

use cms::content_info::ContentInfo;
use der::{Decode, Encode};
use support::{Bench, P256, P384, P521, Person, RSA};
use time::OffsetDateTime;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::oid;
use waxseal_engine::cms::write::{
    AttributeKind, ContentSigner, Encoding, IdentifierForm, Order, Parameters, RsaSignature, Shape, SignedData, Tamper,
    WriteError,
};
use waxseal_engine::message::{Boundary, Form, SignRequest, sign};
use waxseal_key::{Arithmetic, DigestAlgorithm, PrivateKey, ProviderChoice, PssParameters, Signer};
use waxseal_verdict::{Deviation, Reason};

const DIGESTS: [DigestAlgorithm; 5] = [
    DigestAlgorithm::Sha1,
    DigestAlgorithm::Sha224,
    DigestAlgorithm::Sha256,
    DigestAlgorithm::Sha384,
    DigestAlgorithm::Sha512,
];

struct Writer<'a> {
    people: Vec<(&'a Person, DigestAlgorithm)>,
    shape: Shape,
    tamper: Tamper,
    extra: Vec<Certificate>,
    content_type: &'a str,
    pss: Option<PssParameters>,
}

impl<'a> Writer<'a> {
    fn new(people: &[&'a Person], digest: DigestAlgorithm, shape: Shape) -> Self {
        let people = people.iter().map(|person| (*person, digest)).collect();
        Self { people, shape, tamper: Tamper::default(), extra: Vec::new(), content_type: oid::DATA, pss: None }
    }

    fn write(&self, content: &[u8], detached: bool) -> Result<Vec<u8>, WriteError> {
        let arithmetic = Arithmetic::new(ProviderChoice::Auto);
        let signers: Vec<_> = self
            .people
            .iter()
            .map(|(person, digest)| ContentSigner::new(&person.key, &person.certificate, *digest, self.pss))
            .collect::<Result<_, _>>()?;
        let recipe = SignedData {
            signers: &signers,
            certificates: &self.extra,
            crls: &[],
            ocsp_responses: &[],
            signing_time: Some(OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()),
            encryption_certificate: self.people.first().map(|(person, _)| &person.certificate),
            content_type: self.content_type,
            shape: &self.shape,
            tamper: &self.tamper,
            arithmetic: &arithmetic,
        };
        let mut out = Vec::new();
        if detached {
            let mut digester = recipe.digester()?;
            digester.update(content);
            recipe.write_detached(&mut out, &mut Cursor::new(content), &digester.finish())?;
        } else {
            recipe.write(&mut out, &mut Cursor::new(content))?;
        }
        Ok(out)
    }
}

/// OpenSSL accepts the object, opaque and detached, and gives the content back.
fn verifies(bench: &Bench, writer: &Writer<'_>, content: &[u8], what: &str) {
    for detached in [false, true] {
        let object = writer.write(content, detached).unwrap_or_else(|error| panic!("{what}: {error}"));
        verify(bench, &object, detached.then_some(content), content, what);
    }
}

fn verify(bench: &Bench, object: &[u8], detached: Option<&[u8]>, content: &[u8], what: &str) {
    bench.write("object", object);
    let mut arguments = vec!["cms", "-verify", "-inform", "DER", "-in", "object", "-binary", "-out", "content"];
    // The certificates are self-signed, each its own anchor.
    arguments.extend(["-CAfile", "anchors", "-purpose", "any"]);
    if let Some(octets) = detached {
        bench.write("detached", octets);
        arguments.extend(["-content", "detached"]);
    }
    let output = bench.try_run(&arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
    assert_eq!(std::fs::read(bench.path("content")).unwrap(), content, "{what}");
}

fn print(bench: &Bench, object: &[u8]) -> String {
    bench.write("object", object);
    let dump = bench.run(&["cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "object"]);
    String::from_utf8_lossy(&dump).into_owned()
}

fn anchors(bench: &Bench, people: &[&Person]) {
    let all: Vec<u8> = people.iter().flat_map(|person| std::fs::read(&person.certificate_file).unwrap()).collect();
    bench.write("anchors", &all);
}

#[test]
fn every_key_digest_and_encoding_verifies() {
    let Some(bench) = Bench::new() else { return };
    let people: Vec<Person> = [("rsa", RSA), ("p256", P256), ("p384", P384), ("p521", P521)]
        .into_iter()
        .map(|(name, key)| bench.person(name, key, "digitalSignature"))
        .collect();
    anchors(&bench, &people.iter().collect::<Vec<_>>());
    let content: Vec<u8> = (0..3000).map(|n| n as u8).collect();
    for person in &people {
        for digest in DIGESTS {
            for encoding in [Encoding::Der, Encoding::Ber { segment: 1024 }] {
                let what = format!("{} {} {encoding:?}", person.certificate.subject(), digest.name());
                let writer = Writer::new(&[person], digest, Shape::encoded(encoding));
                verifies(&bench, &writer, &content, &what);
            }
        }
    }
}

#[test]
fn rsassa_pss_with_every_digest_and_salt_verifies() {
    let Some(bench) = Bench::new() else { return };
    let rsa = bench.person("rsa", RSA, "digitalSignature");
    let pss = ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"];
    let bound = bench.person("bound", &pss, "digitalSignature");
    anchors(&bench, &[&rsa, &bound]);
    for digest in DIGESTS {
        for (mgf, salt_len) in [(digest, digest.output_len() as u32), (DigestAlgorithm::Sha1, 0), (digest, 20)] {
            for person in [&rsa, &bound] {
                let mut writer = Writer::new(&[person], digest, Shape::default());
                writer.pss = Some(PssParameters { mgf, salt_len });
                verifies(&bench, &writer, b"content", &format!("{digest} {mgf} {salt_len}"));
            }
        }
        // A key that is for RSASSA-PSS only needs not be told.
        verifies(&bench, &Writer::new(&[&bound], digest, Shape::default()), b"content", digest.name());
        let object = Writer::new(&[&bound], digest, Shape::default()).write(b"content", false).unwrap();
        assert!(print(&bench, &object).contains("algorithm: rsassaPss"), "{digest}");
    }
}

/// OpenSSL 3.0 knows none of these in CMS; what is wrong with them would be
/// seen by the other peers of the corpus.
#[test]
fn schemes_that_sign_the_message_itself() {
    let Some(bench) = Bench::new() else { return };
    // With attributes (RFC 8419 section 3.1), and without them: then the content itself is signed.
    for (key, name, due) in [("ED25519", "ed25519", "sha-512"), ("ED448", "ed448", "shake256")] {
        let person = bench.person(name, &["-algorithm", key], "digitalSignature");
        for bare in [false, true] {
            for encoding in [Encoding::Der, Encoding::Ber { segment: 3 }] {
                let mut shape = Shape::encoded(encoding);
                if bare {
                    shape.attributes.clear();
                }
                let writer = Writer::new(&[&person], DigestAlgorithm::Sha256, shape);
                let object = writer.write(b"content", false).unwrap();
                let layer = support::judge(object, &[], &[]).unwrap().verdict.layers.remove(0);
                let signer = &layer.signers[0];
                assert_eq!((signer.signature.as_str(), signer.digest.as_str()), (name, due));
                assert!(layer.structure.is_good() && signer.integrity.is_good(), "{layer:?}");
                assert!(!signer.deviations.contains(&Deviation::DigestUnsuited), "{signer:?}");
            }
        }
    }
}

/// RFC 9882 section 3: with attributes a digest that is strong enough, and
/// without them the content itself, whatever the digest is.
#[test]
fn ml_dsa_with_and_without_attributes() {
    use DigestAlgorithm::{Sha256, Sha384, Sha512, Shake256};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki");
    for (name, strength) in [("ml-dsa-44", 256), ("ml-dsa-65", 384), ("ml-dsa-87", 512)] {
        let file = |kind| folder.join(format!("alice-{name}.{kind}.pem"));
        let person = Person {
            key: PrivateKey::from_pem(&std::fs::read_to_string(file("key")).unwrap(), None).unwrap(),
            certificate: Certificate::from_file(&std::fs::read(file("cert")).unwrap()).unwrap().remove(0),
            key_file: file("key"),
            certificate_file: file("cert"),
        };
        for (digest, bits) in [(Sha256, 256), (Sha384, 384), (Sha512, 512), (Shake256, 512)] {
            for bare in [false, true] {
                let mut shape = Shape::encoded(Encoding::Ber { segment: 3 });
                if bare {
                    shape.attributes.clear();
                }
                let object = Writer::new(&[&person], digest, shape).write(b"content", false).unwrap();
                let judged = |object: Vec<u8>| support::judge(object, &[], &[]).unwrap().verdict.layers.remove(0);
                let layer = judged(object.clone());
                let signer = &layer.signers[0];
                let due = if bits >= strength { digest } else { Sha512 };
                assert_eq!((signer.signature.as_str(), signer.digest.as_str()), (name, due.name()));
                assert!(layer.structure.is_good() && signer.integrity.is_good(), "{name} {digest} {bare}: {layer:?}");
                assert!(!signer.deviations.contains(&Deviation::DigestUnsuited), "{name} {digest}: {signer:?}");
                let place = object.windows(3).position(|window| window == b"con").unwrap();
                let altered = [&object[..place], b"C", &object[place + 1..]].concat();
                let due = if bare { Reason::SignatureMismatch } else { Reason::DigestMismatch };
                assert_eq!(judged(altered).integrity.reason(), Some(due), "{name} {digest} {bare}");
            }
        }
    }
}

#[test]
fn every_segment_size_and_content_length_verifies() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("ann", P256, "digitalSignature");
    anchors(&bench, &[&person]);
    for length in [0, 1, 127, 128, 1024, 8192, 70_000] {
        let content: Vec<u8> = (0..length).map(|n| n as u8).collect();
        for segment in [0, 1, 100, 1024, 8192] {
            let encoding = if segment == 0 { Encoding::Der } else { Encoding::Ber { segment } };
            let writer = Writer::new(&[&person], DigestAlgorithm::Sha256, Shape::encoded(encoding));
            verifies(&bench, &writer, &content, &format!("{length} octets, {encoding:?}"));
        }
    }
    let uneven = Shape { first_segments: vec![3005, 199], ..Shape::encoded(Encoding::Ber { segment: 4096 }) };
    verifies(&bench, &Writer::new(&[&person], DigestAlgorithm::Sha256, uneven), &[7; 20_000], "uneven segments");
}

#[test]
fn every_shape_verifies() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("ann", RSA, "digitalSignature");
    anchors(&bench, &[&person]);
    let all = vec![
        AttributeKind::MessageDigest,
        AttributeKind::SigningTime,
        AttributeKind::ContentType,
        AttributeKind::MicrosoftKeyPreference,
        AttributeKind::KeyPreference,
        AttributeKind::Capabilities,
        AttributeKind::SigningCertificate,
        AttributeKind::AlgorithmProtection,
    ];
    let shapes = [
        ("key id", Shape { signer_id: IdentifierForm::SubjectKeyId, ..Shape::default() }),
        ("digest NULL", Shape { digest_parameters: Parameters::Null, ..Shape::default() }),
        ("rsaEncryption", Shape { rsa_signature: RsaSignature::RsaEncryption, ..Shape::default() }),
        ("no attributes", Shape { attributes: vec![], ..Shape::default() }),
        ("all attributes", Shape { attributes: all, ..Shape::default() }),
        ("sorted sets", Shape { set_order: Order::Der, ..Shape::default() }),
        (
            "capabilities",
            Shape {
                capabilities: ["aes-256-cbc", "1.2.840.113549.3.2:128", "3des-cbc"]
                    .map(|c| c.parse().unwrap())
                    .to_vec(),
                ..Shape::default()
            },
        ),
    ];
    for (what, shape) in shapes {
        verifies(&bench, &Writer::new(&[&person], DigestAlgorithm::Sha256, shape), b"hello\r\n", what);
    }
}

#[test]
fn what_openssl_sees_in_it() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("ann", RSA, "digitalSignature");
    let dump = |writer: &Writer<'_>| print(&bench, &writer.write(b"hi", false).unwrap());

    let plain = Writer::new(&[&person], DigestAlgorithm::Sha256, Shape::default());
    let text = dump(&plain);
    for expected in [
        "version: 1",
        "algorithm: sha256 (2.16.840.1.101.3.4.2.1)\n        parameter: <ABSENT>",
        "signatureAlgorithm: \n          algorithm: sha256WithRSAEncryption (1.2.840.113549.1.1.11)\n          parameter: NULL",
        "object: signingTime (1.2.840.113549.1.9.5)",
        "UTCTIME:Nov 14 22:13:20 2023 GMT",
        "object: S/MIME Capabilities (1.2.840.113549.1.9.15)",
        "id-smime-aa-encrypKeyPref",
        "id-smime-aa-signingCertificateV2",
        "1.2.840.113549.1.9.52",
    ] {
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    }

    let by_key_id = Shape { signer_id: IdentifierForm::SubjectKeyId, ..Shape::default() };
    let text = dump(&Writer::new(&[&person], DigestAlgorithm::Sha256, by_key_id));
    assert_eq!(text.matches("version: 3").count(), 2, "{text}");
    assert!(text.contains("d.subjectKeyIdentifier"), "{text}");

    // RFC 5652 section 5.1: any content type but data makes the version 3, that of the signer stays.
    let other = Writer { content_type: "1.2.840.113549.1.9.16.1.4", ..plain };
    let text = dump(&other);
    assert!(text.contains("d.signedData: \n    version: 3") && text.contains("version: 1"), "{text}");
}

#[test]
fn a_strict_der_library_reads_the_same() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "digitalSignature");
    let ben = bench.person("ben", P384, "nonRepudiation");
    let shape = Shape { set_order: Order::Der, ..Shape::default() };
    let object = Writer::new(&[&ann, &ben], DigestAlgorithm::Sha384, shape).write(b"hello", false).unwrap();
    let info = ContentInfo::from_der(&object).unwrap();
    assert_eq!(info.to_der().unwrap(), object);
    let signed = info.content.decode_as::<cms::signed_data::SignedData>().unwrap();
    assert_eq!(signed.encap_content_info.econtent.unwrap().value(), b"hello");
    assert_eq!(signed.digest_algorithms.len(), 1);
    assert_eq!(signed.certificates.unwrap().0.len(), 2);
    for signer in signed.signer_infos.0.iter() {
        assert_eq!(signer.version, cms::content_info::CmsVersion::V1);
        assert_eq!(signer.signed_attrs.as_ref().unwrap().len(), 7);
        assert!(signer.signed_attrs.as_ref().unwrap().iter().all(|attribute| attribute.values.len() == 1));
    }
}

#[test]
fn several_signers_and_digests() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "digitalSignature");
    let ben = bench.person("ben", P384, "nonRepudiation");
    anchors(&bench, &[&ann, &ben]);
    for encoding in [Encoding::Der, Encoding::Ber { segment: 100 }] {
        let mut writer = Writer::new(&[&ann, &ben], DigestAlgorithm::Sha256, Shape::encoded(encoding));
        verifies(&bench, &writer, b"two of us", "one digest");
        writer.people[1].1 = DigestAlgorithm::Sha512;
        verifies(&bench, &writer, b"two of us", "two digests");
        let text = print(&bench, &writer.write(b"two of us", false).unwrap());
        let list = text.split("encapContentInfo").next().unwrap();
        assert!(list.contains("sha256") && list.contains("sha512"), "{list}");
    }
}

#[test]
fn certificates_stand_in_the_order_given() {
    let Some(bench) = Bench::new() else { return };
    let people = ["ann", "ben", "cat"].map(|name| bench.person(name, P256, "digitalSignature"));
    let mut writer = Writer::new(&[&people[1]], DigestAlgorithm::Sha256, Shape::default());
    writer.extra = [2, 1, 0].map(|n| people[n].certificate.clone()).to_vec();
    let order = |writer: &Writer<'_>| {
        let object = writer.write(b"x", true).unwrap();
        let mut places: Vec<_> = people
            .iter()
            .map(|person| {
                let der = person.certificate.der();
                object.windows(der.len()).enumerate().filter(|(_, window)| *window == der).map(|(at, _)| at).collect()
            })
            .map(|places: Vec<usize>| {
                assert!(places.len() <= 1, "a certificate stands twice");
                places.first().copied()
            })
            .enumerate()
            .filter_map(|(number, place)| place.map(|place| (place, number)))
            .collect();
        places.sort_unstable();
        places.into_iter().map(|(_, number)| number).collect::<Vec<_>>()
    };
    assert_eq!(order(&writer), [1, 2, 0]);
    writer.shape.signer_certificates = false;
    assert_eq!(order(&writer), [2, 1, 0]);
    writer.extra.clear();
    assert_eq!(order(&writer), [0usize; 0]);
}

#[test]
fn certificates_alone() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("ann", P256, "digitalSignature");
    let mut writer = Writer::new(&[], DigestAlgorithm::Sha256, Shape::default());
    writer.extra = vec![person.certificate.clone()];
    assert!(matches!(writer.write(b"x", false), Err(WriteError::Recipe(_))));
    bench.write("object", &writer.write(b"", true).unwrap());
    let found = bench.run(&["pkcs7", "-inform", "DER", "-in", "object", "-print_certs"]);
    assert!(String::from_utf8_lossy(&found).contains("ann"));
}

#[test]
fn keys_and_certificates_have_to_fit() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "digitalSignature");
    let mut ben = bench.person("ben", P256, "keyAgreement");
    let write = |writer: &Writer<'_>| writer.write(b"x", true);
    let by_ben = Writer::new(&[&ben], DigestAlgorithm::Sha256, Shape::default());
    assert!(matches!(write(&by_ben), Err(WriteError::KeyUsage { .. })));
    ben.certificate = ann.certificate.clone();
    let mut wrong = Writer::new(&[&ben], DigestAlgorithm::Sha256, Shape::default());
    assert!(matches!(write(&wrong), Err(WriteError::KeyMismatch { .. })));
    wrong.tamper.unfit_certificates = true;
    assert!(write(&wrong).is_ok());
    let zero = Writer::new(&[&ann], DigestAlgorithm::Sha256, Shape::encoded(Encoding::Ber { segment: 0 }));
    assert!(matches!(write(&zero), Err(WriteError::Recipe(_))));
    let bare = Shape { attributes: vec![AttributeKind::SigningTime], ..Shape::default() };
    assert!(matches!(write(&Writer::new(&[&ann], DigestAlgorithm::Sha256, bare)), Err(WriteError::Recipe(_))));
}

#[test]
fn tampered_values_are_refused_and_their_twins_are_not() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "digitalSignature");
    anchors(&bench, &[&ann]);
    let writer = Writer::new(&[&ann], DigestAlgorithm::Sha256, Shape::default());
    verifies(&bench, &writer, b"x", "the twin");
    let tampered = |tamper: Tamper| {
        let object = Writer { tamper, ..Writer::new(&[&ann], DigestAlgorithm::Sha256, Shape::default()) };
        let object = object.write(b"x", false).unwrap();
        let dump = print(&bench, &object);
        let output = bench.try_run(&["cms", "-verify", "-inform", "DER", "-in", "object", "-CAfile", "anchors"]);
        (dump, output.status.success())
    };
    let (_, accepted) = tampered(Tamper { message_digest: Some(vec![0; 32]), ..Tamper::default() });
    assert!(!accepted, "a wrong messageDigest");
    // OpenSSL does not compare the attribute with eContentType, so only the value is looked at.
    let other = Some(oid::SIGNED_DATA.to_owned());
    let (dump, _) = tampered(Tamper { content_type_attribute: other, ..Tamper::default() });
    assert!(dump.contains("OBJECT:pkcs7-signedData (1.2.840.113549.1.7.2)"), "{dump}");

    let repeated_attributes = vec![AttributeKind::SigningTime];
    let (dump, _) = tampered(Tamper { repeated_attributes, ..Tamper::default() });
    assert_eq!(dump.matches("object: signingTime").count(), 2, "{dump}");
    let doubled_values = vec![AttributeKind::SigningTime];
    let (dump, _) = tampered(Tamper { doubled_values, ..Tamper::default() });
    assert_eq!((dump.matches("object: signingTime").count(), dump.matches("UTCTIME").count()), (1, 2), "{dump}");
    let digest_algorithms = Some(vec![DigestAlgorithm::Sha1]);
    let (dump, _) = tampered(Tamper { digest_algorithms, ..Tamper::default() });
    assert!(dump.split("encapContentInfo").next().unwrap().contains("sha1"), "{dump}");
    let (dump, _) = tampered(Tamper { version: Some(7), info_version: Some(9), ..Tamper::default() });
    assert!(dump.contains("version: 7") && dump.contains("version: 9"), "{dump}");
}

fn sign_mail(mail: &[u8], people: &[&Person], change: impl FnOnce(&mut SignRequest<'_>)) -> Vec<u8> {
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let signers: Vec<(&dyn Signer, &Certificate)> =
        people.iter().map(|person| (&person.key as &dyn Signer, &person.certificate)).collect();
    let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
    let mut request = SignRequest::new(&signers, at, Boundary::Random([5; 16]), &arithmetic);
    change(&mut request);
    let mut out = Vec::new();
    sign(&mut Cursor::new(mail), &mut out, &request).unwrap();
    out
}

const MAIL: &str = "From: ann@example.test\nTo: ben@example.test\nSubject: a\n longer one\nMIME-Version: 1.0\n\
    Content-Type: text/plain; charset=us-ascii\n\nHello,\n\n--  \nAnn\n";

#[test]
fn whole_mails_verify() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "digitalSignature");
    let ben = bench.person("ben", P256, "digitalSignature");
    anchors(&bench, &[&ann, &ben]);
    let multipart = "Subject: m\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\n\
        Content-Type: text/html\r\n\r\n<p>two</p>\r\n--b--\r\nafter\r\n";
    let no_end = "Content-Type: text/plain\n\nno line end";
    let no_body = "Subject: nothing\n\n";
    for (name, mail) in [("plain", MAIL), ("multipart", multipart), ("no end", no_end), ("no body", no_body)] {
        for form in [Form::Clear, Form::Opaque] {
            for encoding in [Encoding::Der, Encoding::Ber { segment: 100 }] {
                for people in [vec![&ann], vec![&ben], vec![&ann, &ben]] {
                    let signed = sign_mail(mail.as_bytes(), &people, |request| {
                        request.form = form;
                        request.shape.encoding = encoding;
                    });
                    let what = format!("{name} {form:?} {encoding:?} by {}", people.len());
                    let text = String::from_utf8(signed.clone()).unwrap();
                    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{what}");
                    bench.write("mail", &signed);
                    let output =
                        bench.try_run(&["cms", "-verify", "-in", "mail", "-CAfile", "anchors", "-out", "content"]);
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(output.status.success(), "{what}: {said}\n{text}");
                    let content = String::from_utf8(std::fs::read(bench.path("content")).unwrap()).unwrap();
                    let crlf = mail.replace("\r\n", "\n").replace('\n', "\r\n");
                    let body = crlf.split_once("\r\n\r\n").unwrap().1;
                    assert!(content.ends_with(body), "{what}: {content:?}");
                    assert!(!content.contains("Subject") && !content.contains("MIME-Version"), "{what}");
                }
            }
        }
    }
}

#[test]
fn the_form_of_a_clear_signed_mail() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", P256, "digitalSignature");
    let signed = sign_mail(MAIL.as_bytes(), &[&ann], |request| {
        request.boundary = Boundary::Given("frontier".to_owned());
        request.headers = vec![("Message-ID".to_owned(), "<1@example.test>".to_owned())];
    });
    let signed = String::from_utf8(signed).unwrap();
    let expected = "From: ann@example.test\r\nTo: ben@example.test\r\nSubject: a\r\n longer one\r\n\
        Message-ID: <1@example.test>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=sha-256; boundary=\"frontier\"\r\n\
        \r\n--frontier\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nHello,\r\n\r\n--  \r\nAnn\r\n\r\n--frontier\r\n\
        Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\nMII";
    assert_eq!(&signed[..expected.len()], expected);
    assert!(signed.ends_with("\r\n\r\n--frontier--\r\n"));
    assert!(signed.lines().all(|line| line.len() <= 76));
}

#[test]
fn a_detached_signature_that_carries_the_content_is_asked_for_by_name() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", P256, "digitalSignature");
    for (asked, length) in [(false, 0), (true, 100_000)] {
        let mail = format!("\n{}", "x".repeat(100_000));
        let signed = sign_mail(mail.as_bytes(), &[&ann], |request| request.tamper.content_in_detached = asked);
        let text = String::from_utf8(signed).unwrap();
        let armor = text.split("smime.p7s\"\r\n\r\n").nth(1).unwrap();
        assert!((armor.len() > length) && (asked || armor.len() < 10_000), "{asked}: {}", armor.len());
    }
}

#[test]
fn boundaries_do_not_occur_in_the_content() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", P256, "digitalSignature");
    anchors(&bench, &[&ann]);
    // Ten digits: the content has half of what the pattern can give.
    let mail = format!("\n{}", (0..5).map(|n| format!("--b{n}\n")).collect::<String>());
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let signers: [(&dyn Signer, &Certificate); 1] = [(&ann.key, &ann.certificate)];
    let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
    let mut given = SignRequest::new(&signers, at, Boundary::Given("b3".to_owned()), &arithmetic);
    let error = sign(&mut Cursor::new(&mail), &mut Vec::new(), &given).unwrap_err();
    assert_eq!(error.to_string(), "the boundary `b3` cannot be used: it occurs in the content: give another one");
    given.boundary = Boundary::Given("b7".to_owned());
    sign(&mut Cursor::new(&mail), &mut Vec::new(), &given).unwrap();
    for seed in 0..20 {
        let signed = sign_mail(mail.as_bytes(), &[&ann], |request| {
            request.mime.boundary = "b#".to_owned();
            request.boundary = Boundary::Random([seed; 16]);
        });
        bench.write("mail", &signed);
        bench.run(&["cms", "-verify", "-in", "mail", "-CAfile", "anchors", "-out", "content"]);
    }
}

#[test]
fn eight_bit_and_binary_content_is_named() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", P256, "digitalSignature");
    let encoding = |mail: &[u8]| {
        let signed = sign_mail(mail, &[&ann], |_| {});
        let text = String::from_utf8_lossy(&signed).into_owned();
        let outer = text.split("\r\n\r\n").next().unwrap().to_owned();
        outer.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: ").map(str::to_owned))
    };
    assert_eq!(encoding(b"\nplain\n"), None);
    assert_eq!(encoding("Content-Transfer-Encoding: 8bit\n\ngr\u{fc}n\n".as_bytes()).unwrap(), "8bit");
    assert_eq!(encoding(b"Content-Transfer-Encoding: binary\n\n\0\n").unwrap(), "binary");
}
