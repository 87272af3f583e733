//! Messages with published answers: the examples of RFC 4134, the post-quantum
//! examples of the working group, the test messages of OpenSSL and BoringSSL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;

use time::macros::datetime;
use waxseal_engine::Limits;
use waxseal_engine::ber::writer as w;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::certificate::path::{PathRequest, PolicyInputs, Purpose, RevocationInputs, validate};
use waxseal_engine::io::{MemoryWorkspace, Source};
use waxseal_engine::message::{Credential, OpenRequest, Opened, Secrets, SymmetricKey, open};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice, SignatureScheme};
use waxseal_testing::shared;
use waxseal_verdict::{Aspect, Deviation, Kind, Layer, Reason};

/// RFC 9216: everybody's certificates lead to the authority, by way of the
/// cross certificate to the other one too, and every key is that of its
/// certificate.
#[test]
fn every_key_and_certificate_of_rfc_9216() {
    let Some(folder) = shared("oracles/rfc9216") else { return };
    let certificate = |section: &str| certificate(&folder.join(format!("s{section}.certificate.pem")));
    let (rsa, ed25519) = (certificate("3.1"), certificate("6.1"));
    let crossed = [certificate("3.3"), certificate("6.3")];
    let mut seen = 0;
    for (own, other, people) in [(&rsa, &ed25519, ["4", "5"]), (&ed25519, &rsa, ["7", "8"])] {
        for (person, (number, purpose)) in
            people.iter().flat_map(|person| [(person, ("1", Purpose::Sign)), (person, ("3", Purpose::Encrypt))])
        {
            let leaf = certificate(&format!("{person}.{number}"));
            for anchor in [own, other] {
                let request = PathRequest {
                    leaf: &leaf,
                    candidates: &crossed,
                    anchors: std::slice::from_ref(anchor),
                    at: datetime!(2024-06-01 0:00 UTC),
                    policies: PolicyInputs::default(),
                    revocation: RevocationInputs::default(),
                    purpose,
                    arithmetic: &Arithmetic::new(ProviderChoice::Auto),
                    limits: &Limits::default(),
                };
                let found = validate(&request);
                assert!(found.aspect.is_good(), "{person}.{number}: {:?}", found.findings);
                assert_eq!(found.path.len(), if anchor.der() == own.der() { 2 } else { 3 }, "{person}.{number}");
            }
            // The key stands in the section after its certificate.
            let key = number.parse::<u8>().unwrap() + 1;
            let text = fs::read_to_string(folder.join(format!("s{person}.{key}.private_key.pem"))).unwrap();
            let key = PrivateKey::from_pem(&text, None).unwrap();
            assert_eq!(key.public_key(), leaf.spki(), "{person}.{number}");
            seen += 1;
        }
    }
    for (authority, section) in [(&rsa, "3.2"), (&ed25519, "6.2")] {
        let text = fs::read_to_string(folder.join(format!("s{section}.private_key.pem"))).unwrap();
        assert_eq!(PrivateKey::from_pem(&text, None).unwrap().public_key(), authority.spki());
        seen += 1;
    }
    let keys = fs::read_dir(&folder)
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with("private_key.pem"));
    assert_eq!(keys.count(), seen, "every key was looked at");
}

/// What a message is read with.
#[derive(Default)]
struct Given {
    credentials: Vec<(PrivateKey, Option<Certificate>)>,
    secrets: Secrets,
    extra: Vec<Certificate>,
    content: Option<Vec<u8>>,
}

impl Given {
    fn open(&self, octets: Vec<u8>) -> Opened {
        let credentials: Vec<_> = self
            .credentials
            .iter()
            .map(|(key, certificate)| Credential { decryptor: key, certificate: certificate.clone() })
            .collect();
        let policy = Policy::named("archive").unwrap();
        let arithmetic = Arithmetic::new(ProviderChoice::Auto);
        let limits = Limits::default();
        let request = OpenRequest {
            credentials: &credentials,
            secrets: &self.secrets,
            extra_certificates: &self.extra,
            keep_content: true,
            ..OpenRequest::new(datetime!(2024-06-01 0:00 UTC), &policy, &arithmetic, &limits)
        };
        let mut content = self.content.clone().map(Cursor::new);
        let content = content.as_mut().map(|content| content as &mut dyn Source);
        open(&mut Cursor::new(octets), content, &mut MemoryWorkspace, &request).unwrap()
    }
}

fn certificate(path: &Path) -> Certificate {
    Certificate::from_file(&fs::read(path).unwrap()).unwrap().remove(0)
}

fn content(opened: Opened) -> Vec<u8> {
    let mut octets = Vec::new();
    opened.content.expect("the content").read_to_end(&mut octets).unwrap();
    octets
}

fn octets(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn holds(layer: &Layer) -> bool {
    layer.structure.is_good() && !layer.integrity.is_bad() && !layer.decryption.is_bad()
}

/// RFC 4134: the path of the layer, and what of the example.
const RFC_4134: &[(&str, &str)] = &[
    ("3.1.bin", "data"),
    ("3.2.bin", "data"),
    ("4.1.bin", "signed-data"),
    ("4.2.bin", "signed-data"),
    ("4.3.bin", "signed-data"),
    ("4.4.bin", "signed-data"),
    ("4.5.bin", "signed-data"),
    // Diane's certificate leaves the DSA parameters to that of Carl.
    ("4.6.bin", "signed-data"),
    ("4.7.bin", "signed-data"),
    ("4.8.eml", "1.2/signed-data"),
    ("4.9.eml", "1/signed-data"),
    ("4.10.bin", "signed-data"),
    ("4.11.bin", "signed-data"),
    ("5.1.bin", "enveloped-data"),
    // RC2 with 40 bits.
    ("5.2.bin", "enveloped-data"),
    ("5.3.eml", "1/enveloped-data"),
    ("6.0.bin", "digested-data"),
    ("7.1.bin", "encrypted-data"),
    ("7.2.bin", "encrypted-data"),
];

#[test]
fn every_example_of_rfc_4134() {
    const CONTENT: &[u8] = b"This is some sample content.";
    let Some(folder) = shared("oracles/rfc4134") else { return };
    let mut given = Given::default();
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "cer") {
            given.extra.push(certificate(&path));
        }
    }
    for name in ["BobPrivRSAEncrypt.pri", "DianePrivRSASignEncrypt.pri"] {
        let key = PrivateKey::from_pkcs8_der(&fs::read(folder.join(name)).unwrap()).unwrap();
        given.credentials.push((key, None));
    }
    let key = octets("737c791f25ead0e04629254352f7dc6291e5cb26917ada32").into();
    given.secrets.keys.push(SymmetricKey { id: Vec::new(), key });
    for (name, path) in RFC_4134 {
        let detached = *name == "4.3.bin";
        given.content = detached.then(|| fs::read(folder.join("ExContent.bin")).unwrap());
        let opened = given.open(fs::read(folder.join(name)).unwrap());
        let [layer] = opened.verdict.layers.as_slice() else { panic!("{name}: {:?}", opened.verdict) };
        assert_eq!(layer.path, *path, "{name}");
        assert!(holds(layer), "{name}: {layer:?}");
        let signers = match *name {
            "4.6.bin" => 2,
            "4.11.bin" => 0,
            _ => usize::from(path.ends_with("signed-data")),
        };
        assert_eq!(layer.signers.len(), signers, "{name}");
        assert!(layer.signers.iter().all(|signer| signer.integrity.is_good()), "{name}: {layer:?}");
        if signers > 0 || path.ends_with("digested-data") {
            assert!(layer.integrity.is_good(), "{name}: {layer:?}");
        }
        if path.contains("encrypted") || path.contains("enveloped") {
            assert!(layer.decryption.is_good(), "{name}: {layer:?}");
        }
        if !detached && *name != "4.11.bin" {
            assert!(content(opened).ends_with(CONTENT), "{name}");
        }
    }
}

#[test]
fn every_message_of_boringssl() {
    let Some(folder) = shared("oracles/boringssl-pkcs7") else { return };
    for (name, signer) in [
        ("sign_sha1.p7s", "sign_cert.pem"),
        ("sign_sha1_key_id.p7s", "sign_cert.pem"),
        ("sign_sha256.p7s", "sign_cert.pem"),
        ("sign_sha256_key_id.p7s", "sign_cert.pem"),
        ("sign_sha256_cert2.p7s", "sign_cert2.pem"),
    ] {
        let mut given = Given { extra: vec![certificate(&folder.join(signer))], ..Given::default() };
        given.content = Some(b"signed data".to_vec());
        let layer = given.open(fs::read(folder.join(name)).unwrap()).verdict.layers.remove(0);
        assert!(layer.structure.is_good() && layer.integrity.is_good(), "{name}: {layer:?}");
        given.content = Some(b"signed datb".to_vec());
        let layer = given.open(fs::read(folder.join(name)).unwrap()).verdict.layers.remove(0);
        assert!(layer.integrity.is_bad(), "{name}: {layer:?}");
    }
    for name in ["nss.p7c", "windows.p7c", "openssl_crl.p7c"] {
        let layer = Given::default().open(fs::read(folder.join(name)).unwrap()).verdict.layers.remove(0);
        assert_eq!((layer.kind, layer.structure), (Kind::CertsOnly, Aspect::Good), "{name}");
    }
}

/// A certificate for a public key that is published without one; nobody signed it.
fn unsigned_certificate(issuer: &[u8], serial: &[u8], spki: &[u8]) -> Certificate {
    let algorithm = w::sequence([w::oid("2.16.840.1.101.3.4.3.17").unwrap()]);
    let time = |text: &[u8]| w::element(0x17, text);
    let tbs = w::sequence([
        w::context(0, &w::integer(2)),
        w::integer_octets(serial),
        algorithm.clone(),
        issuer.to_vec(),
        w::sequence([time(b"200101000000Z"), time(b"491231235959Z")]),
        issuer.to_vec(),
        spki.to_vec(),
    ]);
    Certificate::parse(&w::sequence([tbs, algorithm, w::bit_string(&[0])])).unwrap()
}

/// The messages are signed with the key of the seed 00 01 … 1f, and come
/// without a certificate.
#[test]
fn ml_dsa_of_the_working_group() {
    let Some(folder) = shared("oracles/ml-dsa") else { return };
    let named = |oid: &str, text: &[u8]| w::set_as_given([w::sequence([w::oid(oid).unwrap(), w::element(0x13, text)])]);
    let issuer = w::sequence([named("2.5.4.10", b"IETF"), named("2.5.4.3", b"LAMPS WG")]);
    for (name, oid, scheme) in [
        ("mldsa44-signed-attrs.pem", "2.16.840.1.101.3.4.3.17", SignatureScheme::MlDsa44),
        ("mldsa65-signed-attrs.pem", "2.16.840.1.101.3.4.3.18", SignatureScheme::MlDsa65),
        ("mldsa87-signed-attrs.pem", "2.16.840.1.101.3.4.3.19", SignatureScheme::MlDsa87),
    ] {
        let message = fs::read(folder.join(name)).unwrap();
        let layer = Given::default().open(message.clone()).verdict.layers.remove(0);
        assert_eq!(layer.integrity.reason(), Some(Reason::SignerCertificateNotFound), "{name}: {layer:?}");
        // RFC 9881 section 6: the seed, under [0].
        let seed: Vec<u8> = (0..32).collect();
        let private = w::octet_string(&w::element(0x80, &seed));
        let pkcs8 = w::sequence([w::integer(0), w::sequence([w::oid(oid).unwrap()]), private]);
        let key = PrivateKey::from_pkcs8_der(&pkcs8).unwrap();
        let own = unsigned_certificate(&issuer, &octets(&layer.signers[0].serial), key.public_key());
        let opened = Given { extra: vec![own], ..Given::default() }.open(message);
        let layer = &opened.verdict.layers[0];
        assert!(layer.structure.is_good() && layer.integrity.is_good(), "{name}: {layer:?}");
        assert_eq!(layer.signers[0].signature, scheme.name(), "{name}");
        let expected = format!("{} signed-data example with signed attributes", scheme.name().to_uppercase());
        assert_eq!(String::from_utf8(content(opened)).unwrap(), expected, "{name}");
    }
}

/// File, what it is opened with, and the reason that must come out, of the
/// structure, the decryption or the integrity.
const OPENSSL: &[(&str, &str, &[Reason])] = &[
    ("recipes/80-test_cms_data/bad_signtime_attr.cms", "", &[Reason::MisplacedAttribute]),
    ("recipes/80-test_cms_data/no_ct_attr.cms", "", &[Reason::MissingAttribute]),
    ("recipes/80-test_cms_data/no_md_attr.cms", "", &[Reason::MissingAttribute]),
    ("recipes/80-test_cms_data/ct_multiple_attr.cms", "", &[Reason::DuplicateAttribute]),
    // keyDerivationAlgorithm is OPTIONAL (RFC 5652 section 6.2.4): the key comes from elsewhere than the password.
    ("cms-msg/missing-kdf.der", "password", &[Reason::WrongKey]),
    ("recipes/80-test_cmsapi_data/encDataWithTooLongIV.pem", "", &[Reason::NoKey]),
    ("recipes/80-test_cmsapi_data/cms_pwri_kek_oob.der", "password", &[Reason::UnsupportedAlgorithm]),
    ("recipes/80-test_cms_data/dh-malformed.der", "", &[Reason::NoKey]),
    ("recipes/80-test_cms_data/ecdh-malformed.der", "ecdh-key.pem", &[Reason::BadParameters]),
];

#[test]
fn what_openssl_refuses_is_refused() {
    let Some(folder) = shared("oracles/openssl-cms") else { return };
    for (name, with, reasons) in OPENSSL {
        let mut given = Given::default();
        match *with {
            "" => {}
            "password" => given.secrets.passwords.push(b"secret".to_vec().into()),
            key => {
                let folder = folder.join("recipes/80-test_cms_data");
                let pem = fs::read_to_string(folder.join(key)).unwrap();
                let own = certificate(&folder.join(key.replace("-key", "-cert")));
                given.credentials.push((PrivateKey::from_pem(&pem, None).unwrap(), Some(own)));
            }
        }
        let opened = given.open(fs::read(folder.join(name)).unwrap());
        let layer = &opened.verdict.layers[0];
        let found: Vec<_> = [&layer.structure, &layer.decryption, &layer.integrity]
            .into_iter()
            .filter(|aspect| aspect.is_bad())
            .filter_map(Aspect::reason)
            .collect();
        assert!(found.iter().any(|reason| reasons.contains(reason)), "{name}: {layer:?}");
    }
}

#[test]
fn an_old_message_of_openssl_opens() {
    let Some(folder) = shared("oracles/openssl-cms") else { return };
    let pem = fs::read_to_string(folder.join("smime-certs/smec3.pem")).unwrap();
    let own = certificate(&folder.join("smime-certs/smec3.pem"));
    let given = Given { credentials: vec![(PrivateKey::from_pem(&pem, None).unwrap(), Some(own))], ..Given::default() };
    let message = fs::read(folder.join("recipes/80-test_cms_data/ciphertext_from_1_1_1.cms")).unwrap();
    let opened = given.open(message);
    assert!(holds(&opened.verdict.layers[0]), "{:?}", opened.verdict.layers);
    let expected = fs::read(folder.join("smcont.txt")).unwrap();
    let found = content(opened);
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).replace("\r\n", "\n");
    assert!(text(&found).ends_with(&text(&expected)), "{}", text(&found));
}

/// OpenSSL refuses it for its type. The tag stands after the content, and is
/// right: a reader that opens it has checked it.
#[test]
fn gcm_inside_enveloped_data_is_opened_and_named() {
    let Some(folder) = shared("oracles/openssl-cms") else { return };
    let message = fs::read(folder.join("cms-msg/enveloped-content-type-for-aes-gcm.pem")).unwrap();
    let key = octets("000102030405060708090a0b0c0d0e0f").into();
    let mut given = Given::default();
    given.secrets.keys.push(SymmetricKey { id: b"C0FEE0".to_vec(), key });
    let layer = given.open(message).verdict.layers.remove(0);
    assert!(layer.decryption.is_good() && layer.integrity.is_good(), "{layer:?}");
    assert!(layer.deviations.contains(&Deviation::GcmInEnveloped), "{:?}", layer.deviations);
}

#[test]
fn ml_kem_of_the_working_group() {
    let Some(folder) = shared("oracles/ml-kem") else { return };
    let message = fs::read(folder.join("ML-KEM-512.cms")).unwrap();
    for key in ["ML-KEM-512-seed.priv", "ML-KEM-512-expanded.priv", "ML-KEM-512-both.priv"] {
        let pem = fs::read_to_string(folder.join(key)).unwrap();
        let own = certificate(&folder.join("ML-KEM-512.pem"));
        let credentials = vec![(PrivateKey::from_pem(&pem, None).unwrap(), Some(own))];
        let opened = Given { credentials, ..Given::default() }.open(message.clone());
        let layer = &opened.verdict.layers[0];
        assert!(layer.decryption.is_good() && layer.integrity.is_good(), "{key}: {layer:?}");
        assert_eq!((layer.kind, layer.recipients[0].algorithm.as_str()), (Kind::AuthEnveloped, "ml-kem-512"));
        assert_eq!(content(opened), fs::read(folder.join("plaintext.txt")).unwrap(), "{key}");
    }
    let layer = Given::default().open(message).verdict.layers.remove(0);
    assert_eq!(layer.decryption.reason(), Some(Reason::NoKey));
}

/// RFC 4134 section 4.10 has every attribute of RFC 2634 but the receipt
/// request; the values are those of its dump.
#[test]
fn the_attributes_of_rfc_4134_are_shown() {
    let Some(folder) = shared("oracles/rfc4134") else { return };
    let said = |name: &str| {
        let layer = Given::default().open(fs::read(folder.join(name)).unwrap()).verdict.layers.remove(0);
        assert!(layer.structure.is_good(), "{name}: {layer:?}");
        assert!(!layer.deviations.contains(&Deviation::AttributeMalformed), "{name}: {layer:?}");
        layer.signers.into_iter().next().unwrap().statements
    };
    let found = said("4.10.bin");
    let hints = found.content_hints.unwrap();
    assert_eq!(hints.description.as_deref(), Some("Content Hints Description Buffer"));
    assert_eq!(hints.content_type, "1.2.840.113549.1.7.1");
    let label = found.security_label.unwrap();
    assert_eq!((label.policy.as_str(), label.classification), ("1.2.3.4.5.6.7.8", Some(1)));
    assert_eq!(label.privacy_mark.as_deref(), Some("THIS IS A PRIVACY MARK TEST"));
    let [category] = label.categories.as_slice() else { panic!("{:?}", label.categories) };
    assert_eq!(
        (category.kind.as_str(), category.value.as_str()),
        ("1.2.3.4.5.6.7.888", "THIS IS A TEST SECURITY-CATEGORY.")
    );
    let policies: Vec<_> = found.equivalent_labels.iter().map(|label| label.policy.as_str()).collect();
    assert_eq!(policies, ["1.2.3.4.5.6.7.9", "1.2.3.4.5.6.7.10"]);
    let second = found.equivalent_labels[1].privacy_mark.as_deref();
    assert_eq!(second, Some("EQUIVALENT THIS IS A SECOND PRIVACY MARK TEST"));
    let reference = found.content_reference.unwrap();
    assert_eq!(reference.content_type, "1.2.3.4.5.6");
    assert_eq!(octets(&reference.identifier), b"Content Reference Content Identifier Buffer");
    assert_eq!(octets(&reference.signature), b"Content Reference Signature Value Buffer");
    let [first, second] = found.capabilities.as_slice() else { panic!("{:?}", found.capabilities) };
    let parameters = second.strip_prefix("1.2.3.4.5.6.77:x0426").map(octets);
    assert_eq!(first, "1.2.3.4.5.6");
    assert_eq!(parameters.as_deref(), Some(b"Smime Capabilities parameters buffer 2".as_slice()));
    let daisy = "issuer=CN=Daisy RSA,OU=VDA,OU=VDA Site,O=US Government,C=US, serial=0a554433";
    assert_eq!(found.encryption_key.as_deref(), Some(daisy));
    let [expansion] = found.expansion_history.as_slice() else { panic!("{:?}", found.expansion_history) };
    assert_eq!((expansion.list.as_str(), expansion.time.as_str()), ("ski=35373338323939", "1999-03-11T10:44:33Z"));
    assert_eq!(expansion.receipts.as_deref(), Some("instead-of"));
    let duck = "CN=Bugs Bunny DSA,OU=VDA,OU=VDA Site,O=US Government,C=US";
    assert_eq!(expansion.receipts_to[0][0], duck);
    assert!(said("4.2.bin").is_empty(), "no attributes");
}

/// RFC 4134 section 4.4: Diane signs, and Alice countersigns with RSA.
#[test]
fn the_countersignature_of_rfc_4134_holds() {
    let Some(folder) = shared("oracles/rfc4134") else { return };
    let layer = Given::default().open(fs::read(folder.join("4.4.bin")).unwrap()).verdict.layers.remove(0);
    let [signer] = layer.signers.as_slice() else { panic!("{layer:?}") };
    assert!(layer.structure.is_good() && signer.integrity.is_good(), "{layer:?}");
    let [counter] = signer.countersignatures.as_slice() else { panic!("{signer:?}") };
    assert!(counter.integrity.is_good() && counter.subject.contains("AliceRSA"), "{counter:?}");
    assert_eq!(counter.signing_time.as_deref(), Some("2003-05-14T15:39:00Z"));
}
