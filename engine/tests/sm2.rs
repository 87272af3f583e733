//! Messages with SM2, SM3 and SM4 in every dialect: written, read again without
//! being told, and their signatures verified by OpenSSL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{Cursor, Read as _};

use support::{Bench, Person, RSA, judge, text};
use time::macros::datetime;
use waxseal_engine::Limits;
use waxseal_engine::cms::oid;
use waxseal_engine::cms::write::{
    CiphertextForm, ContentSigner, EncryptedData, EnvelopedData, Family, KeyManagement, Recipient, Shape,
    SignedAndEnvelopedData, SignedData, Sm2Digest, Sm2EncryptionName, Sm2SignatureName, Tamper,
};
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{
    self, Boundary, Credential, OpenError, OpenRequest, Opened, Secrets, SignRequest, SymmetricKey, open,
};
use waxseal_engine::policy::Policy;
use waxseal_key::{
    AeadCipher, Arithmetic, ContentCipher, DigestAlgorithm, ProviderChoice, SeededRandom, Signer, Sm2Form,
};
use waxseal_verdict::{Aspect, Deviation, Dialect, Kind, Layer, Reason};

const SM2: &[&str] = &["-algorithm", "SM2"];
const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nWritten with SM2.\r\n";
const ID: &str = "distid:1234567812345678";

fn rustcrypto() -> Arithmetic {
    Arithmetic::new(ProviderChoice::RustCrypto)
}

fn sign(person: &Person, shape: &Shape, tamper: &Tamper) -> Vec<u8> {
    sign_octets(person, shape, tamper, CONTENT)
}

fn sign_octets(person: &Person, shape: &Shape, tamper: &Tamper, content: &[u8]) -> Vec<u8> {
    let arithmetic = rustcrypto();
    let signer = ContentSigner::new(&person.key, &person.certificate, DigestAlgorithm::Sm3, None).unwrap();
    let recipe = signed(std::slice::from_ref(&signer), shape, tamper, &arithmetic);
    let mut out = Vec::new();
    recipe.write(&mut out, &mut Cursor::new(content)).unwrap();
    out
}

fn signed<'a>(
    signers: &'a [ContentSigner<'a>],
    shape: &'a Shape,
    tamper: &'a Tamper,
    arithmetic: &'a Arithmetic,
) -> SignedData<'a> {
    SignedData {
        signers,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        signing_time: Some(datetime!(2024-06-01 0:00 UTC)),
        encryption_certificate: None,
        content_type: oid::DATA,
        shape,
        tamper,
        arithmetic,
    }
}

fn encrypt(recipients: &[Recipient<'_>], cipher: ContentCipher, shape: &Shape, management: &KeyManagement) -> Vec<u8> {
    let recipe = EnvelopedData {
        recipients,
        key_management: management,
        cipher: cipher.into(),
        content_type: oid::DATA,
        shape,
        tamper: &Tamper::default(),
        arithmetic: &rustcrypto(),
    };
    let mut out = Vec::new();
    recipe.write(&mut out, &mut Cursor::new(CONTENT), &mut SeededRandom::new("sm2")).unwrap();
    out
}

fn credential(person: &Person) -> Credential<'_> {
    Credential { decryptor: &person.key, certificate: Some(person.certificate.clone()) }
}

/// Opens under a policy that takes signatures without Z, too.
fn leniently(octets: &[u8], credentials: &[Credential<'_>], id: Option<&[u8]>) -> Opened {
    try_leniently(octets, credentials, id).unwrap()
}

fn try_leniently(octets: &[u8], credentials: &[Credential<'_>], id: Option<&[u8]>) -> Result<Opened, OpenError> {
    let mut policy = Policy::named("default").unwrap();
    policy.accept_sm2_without_z = true;
    let (arithmetic, limits) = (rustcrypto(), Limits::default());
    let mut request = OpenRequest::new(datetime!(2024-06-01 0:00 UTC), &policy, &arithmetic, &limits);
    request.credentials = credentials;
    request.keep_content = true;
    if let Some(id) = id {
        request.sm2_id = id;
    }
    open(&mut Cursor::new(octets), None, &mut MemoryWorkspace, &request)
}

fn content(opened: Opened) -> Vec<u8> {
    let mut octets = Vec::new();
    opened.content.expect("content").read_to_end(&mut octets).unwrap();
    octets
}

fn only(opened: &Opened) -> &Layer {
    let [layer] = opened.verdict.layers.as_slice() else { panic!("{:?}", opened.verdict) };
    layer
}

#[test]
fn every_dialect_signs_and_is_named() {
    let Some(bench) = Bench::new() else { return };
    let alice = bench.person("alice", SM2, "digitalSignature");
    for (dialect, odd) in [
        (Dialect::Cms, &[][..]),
        (Dialect::Gmt0010, &[]),
        (Dialect::Gmssl3Digest, &[Deviation::Sm2OidAlias, Deviation::Gmssl3Digest]),
    ] {
        for attributes in [true, false] {
            let mut shape = Shape::default().in_dialect(dialect);
            if !attributes {
                shape.attributes.clear();
            }
            let object = sign(&alice, &shape, &Tamper::default());
            let opened = leniently(&object, &[], None);
            let layer = only(&opened);
            assert!(layer.structure.is_good() && layer.integrity.is_good(), "{dialect}: {layer:?}");
            assert_eq!((opened.verdict.dialect, layer.deviations.as_slice()), (dialect, odd), "{dialect}");
            assert_eq!(layer.signers[0].signature, "sm2");
            let altered = [&object[..], &[]].concat();
            let at = altered.windows(4).position(|four| four == b"SM2.").unwrap();
            let mut altered = altered;
            altered[at] = b'T';
            let opened = leniently(&altered, &[], None);
            assert!(only(&opened).integrity.is_bad(), "{dialect}: {opened:?}");
            assert_eq!(content(leniently(&object, &[], None)), CONTENT);
        }
    }
}

#[test]
fn a_signature_without_z_counts_only_where_the_policy_says_so() {
    let Some(bench) = Bench::new() else { return };
    let alice = bench.person("alice", SM2, "digitalSignature");
    let bare = |digest: Sm2Digest, family: Family, attributes: bool| {
        let mut shape = Shape::default();
        (shape.sm2.digest, shape.family) = (digest, family);
        if !attributes {
            shape.attributes.clear();
        }
        sign(&alice, &shape, &Tamper::default())
    };
    for (object, deviation) in [
        (bare(Sm2Digest::WithoutZ, Family::Cms, false), Deviation::Sm2WithoutZ),
        (bare(Sm2Digest::WithoutZ, Family::Cms, true), Deviation::Sm2WithoutZ),
        (bare(Sm2Digest::WithoutZ, Family::Gmt, false), Deviation::Sm2WithoutZ),
        (bare(Sm2Digest::Gmssl3, Family::Gmt, false), Deviation::Gmssl3Digest),
    ] {
        let strictly = judge(object.clone(), &[], &[]).unwrap();
        let layer = only(&strictly);
        assert_eq!(layer.integrity.reason(), Some(Reason::SignatureMismatch));
        assert!(layer.deviations.contains(&deviation), "{layer:?}");
        let leniently = leniently(&object, &[], None);
        assert!(only(&leniently).integrity.is_good(), "{leniently:?}");
        assert!(only(&leniently).deviations.contains(&deviation));
    }
}

/// A signature made in earnest covers Z and the message, GmSSL's the ContentInfo:
/// as content, under a reading without Z, these would be signed too, and anybody
/// could put them there.
#[test]
fn no_policy_takes_what_stands_under_another_signature_for_content() {
    let Some(bench) = Bench::new() else { return };
    let alice = bench.person("alice", SM2, "digitalSignature");
    let mut shape = Shape::default();
    shape.sm2.digest = Sm2Digest::WithoutZ;
    shape.attributes.clear();
    let z = |id: &[u8]| rustcrypto().sm2_z(alice.certificate.spki(), id).unwrap();
    // SEQUENCE { 1.2.156.10197.6.1.4.2.1, [0] { OCTET STRING "Content" } }
    let head = [0x30, 23, 6, 10, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 6, 1, 4, 2, 1, 0xa0, 9, 4, 7];
    let content_info = [&head[..], b"Content"].concat();
    for (content, id) in [
        ([&z(b"1234567812345678")[..], CONTENT].concat(), None),
        ([&z(b"")[..], CONTENT].concat(), None),
        ([&z(b"waxseal")[..], CONTENT].concat(), Some(&b"waxseal"[..])),
        (content_info, None),
    ] {
        let opened = leniently(&sign_octets(&alice, &shape, &Tamper::default(), &content), &[], id);
        assert_eq!(only(&opened).integrity.reason(), Some(Reason::SignatureMismatch), "{opened:?}");
    }
    let other = [&[7; 32][..], CONTENT].concat();
    let opened = leniently(&sign_octets(&alice, &shape, &Tamper::default(), &other), &[], None);
    assert!(only(&opened).integrity.is_good(), "{opened:?}");
}

#[test]
fn the_identifier_must_be_the_one_that_was_signed_with() {
    let Some(bench) = Bench::new() else { return };
    let mut alice = bench.person("alice", SM2, "digitalSignature");
    let pem = std::fs::read_to_string(&alice.key_file).unwrap();
    for (id, hint) in [(&b""[..], true), (b"ALICE123@YAHOO.COM", false)] {
        alice.key = waxseal_key::PrivateKey::from_pem(&pem, None).unwrap().with_sm2_id(id).unwrap();
        for attributes in [true, false] {
            let mut shape = Shape::default();
            if !attributes {
                shape.attributes.clear();
            }
            let object = sign(&alice, &shape, &Tamper::default());
            let opened = judge(object.clone(), &[], &[]).unwrap();
            let Aspect::Bad(bad) = &only(&opened).integrity else { panic!("{opened:?}") };
            assert_eq!(bad.reason, Reason::SignatureMismatch);
            assert_eq!(bad.detail.contains("empty identifier"), hint, "{}", bad.detail);
            assert!(only(&leniently(&object, &[], Some(id))).integrity.is_good());
        }
    }
}

/// OpenSSL has no SM2 in its `cms`, but verifies the value over what RFC 5652
/// section 5.4 says it is over.
#[test]
fn openssl_verifies_the_signature_value() {
    let Some(bench) = Bench::new() else { return };
    let alice = bench.person("alice", SM2, "digitalSignature");
    bench.run(&["pkey", "-in", text(&alice.key_file), "-pubout", "-out", "public"]);
    for attributes in [true, false] {
        let mut shape = Shape::default();
        if !attributes {
            shape.attributes.clear();
        }
        let object = sign(&alice, &shape, &Tamper::default());
        bench.write("object", &object);
        // SignerInfo ends in signedAttrs [0], signatureAlgorithm and signature: found from the end.
        let parsed = String::from_utf8(bench.run(&["asn1parse", "-inform", "DER", "-in", "object"])).unwrap();
        let element = |line: &str| {
            let number = |key: &str| {
                let rest = &line[line.find(key).unwrap() + key.len()..];
                rest.trim_start().split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<usize>().unwrap()
            };
            let start: usize = line.trim_start().split(':').next().unwrap().parse().unwrap();
            (start, number("hl="), number("l="))
        };
        // The first `l=` of a line is part of `hl=`: the length stands after a space.
        let length = |line: &str| -> usize {
            line[line.find(" l=").unwrap() + 3..].trim_start().split(' ').next().unwrap().parse().unwrap()
        };
        let lines: Vec<_> = parsed.lines().collect();
        let last = lines.last().unwrap();
        let (start, header, _) = element(last);
        let signature = &object[start + header..start + header + length(last)];
        bench.write("signature", signature);
        let message = if attributes {
            let line = lines.iter().rev().find(|line| line.contains("d=5") && line.contains("cont [ 0 ]")).unwrap();
            let (start, header, _) = element(line);
            let mut set = object[start..start + header + length(line)].to_vec();
            set[0] = 0x31;
            set
        } else {
            CONTENT.to_vec()
        };
        bench.write("message", &message);
        let verify = ["dgst", "-sm3", "-verify", "public", "-sigopt", ID, "-signature", "signature", "message"];
        let said = String::from_utf8(bench.run(&verify)).unwrap();
        assert!(said.contains("Verified OK"), "{said}");
    }
}

#[test]
fn every_dialect_encrypts_and_is_named() {
    let Some(bench) = Bench::new() else { return };
    let bob = bench.person("bob", SM2, "keyEncipherment");
    let cfca =
        [Deviation::Sm2CipherRaw, Deviation::Sm2CipherOldOrder, Deviation::Sm2CipherBare, Deviation::Sm4OidShort];
    for (dialect, odd) in [
        (Dialect::Cms, &[][..]),
        (Dialect::Gmt0010, &[]),
        (Dialect::Cfca, &cfca),
        (Dialect::Gmssl3Digest, &[Deviation::Sm2OidAlias]),
    ] {
        let shape = Shape::default().in_dialect(dialect);
        let to = [Recipient::Certificate(&bob.certificate)];
        let object = encrypt(&to, ContentCipher::Sm4Cbc, &shape, &KeyManagement::default());
        let opened = judge(object, &[credential(&bob)], &[]).unwrap();
        let layer = only(&opened);
        assert!(layer.decryption.is_good(), "{dialect}: {layer:?}");
        let mut found = layer.deviations.clone();
        found.sort_unstable();
        let mut odd = odd.to_vec();
        odd.sort_unstable();
        assert_eq!(found, odd, "{dialect}");
        assert_eq!((opened.verdict.dialect, layer.content_cipher.as_deref()), (dialect, Some("sm4-cbc")));
        assert_eq!(content(opened), CONTENT);
    }
}

#[test]
fn every_form_of_key_transport_is_read() {
    let Some(bench) = Bench::new() else { return };
    let bob = bench.person("bob", SM2, "keyEncipherment,keyAgreement");
    let names = [
        Sm2EncryptionName::WithSm3,
        Sm2EncryptionName::Encryption,
        Sm2EncryptionName::KeyExchange,
        Sm2EncryptionName::Curve,
    ];
    for family in [Family::Cms, Family::Gmt] {
        for name in names {
            for form in Sm2Form::ALL {
                let mut shape = Shape { family, ..Shape::default() };
                (shape.sm2.encryption, shape.sm2.ciphertext) = (name, CiphertextForm(form));
                let to = [Recipient::Certificate(&bob.certificate)];
                let object = encrypt(&to, ContentCipher::Aes128Cbc, &shape, &KeyManagement::default());
                let opened = judge(object, &[credential(&bob)], &[]).unwrap();
                assert!(only(&opened).decryption.is_good(), "{name:?} {form}: {opened:?}");
                let aliased = !matches!(
                    (family, name),
                    (_, Sm2EncryptionName::Encryption) | (Family::Cms, Sm2EncryptionName::WithSm3)
                );
                let deviations = &only(&opened).deviations;
                assert_eq!(deviations.contains(&Deviation::Sm2OidAlias), aliased, "{family:?} {name:?}");
                assert_eq!(deviations.contains(&Deviation::Sm2CipherRaw), form != Sm2Form::Asn1);
            }
        }
    }
    let agreeing = KeyManagement { sm2_agreement: true, ..KeyManagement::default() };
    let to = [Recipient::Certificate(&bob.certificate)];
    let object = encrypt(&to, ContentCipher::Sm4Cbc, &Shape::default(), &agreeing);
    let opened = judge(object, &[credential(&bob)], &[]).unwrap();
    assert_eq!(only(&opened).recipients[0].kind, "kari");
    assert_eq!(content(opened), CONTENT);
}

#[test]
fn one_message_for_rsa_and_sm2() {
    let Some(bench) = Bench::new() else { return };
    let sm2 = bench.person("bob", SM2, "keyEncipherment");
    let rsa = bench.person("carol", RSA, "keyEncipherment");
    let to = [Recipient::Certificate(&rsa.certificate), Recipient::Certificate(&sm2.certificate)];
    let object = encrypt(&to, ContentCipher::Sm4Cbc, &Shape::default(), &KeyManagement::default());
    for reader in [&sm2, &rsa] {
        let opened = judge(object.clone(), &[credential(reader)], &[]).unwrap();
        assert_eq!(content(opened), CONTENT);
    }
}

#[test]
fn content_is_authenticated_by_sm4_in_gcm_mode() {
    let Some(bench) = Bench::new() else { return };
    let bob = bench.person("bob", SM2, "keyEncipherment");
    let recipients = [Recipient::Certificate(&bob.certificate)];
    let recipe = |shape: &Shape| {
        let recipe = EnvelopedData {
            recipients: &recipients,
            key_management: &KeyManagement::default(),
            cipher: waxseal_engine::cms::write::ContentEncryption::Aead { cipher: AeadCipher::Sm4Gcm, tag_len: 16 },
            content_type: oid::DATA,
            shape,
            tamper: &Tamper::default(),
            arithmetic: &rustcrypto(),
        };
        let mut out = Vec::new();
        recipe.write(&mut out, &mut Cursor::new(CONTENT), &mut SeededRandom::new("sm2")).map(|()| out)
    };
    let object = recipe(&Shape::default()).unwrap();
    let opened = judge(object.clone(), &[credential(&bob)], &[]).unwrap();
    assert_eq!((only(&opened).kind, only(&opened).integrity.is_good()), (Kind::AuthEnveloped, true));
    let mut changed = object;
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(only(&judge(changed, &[credential(&bob)], &[]).unwrap()).integrity.reason(), Some(Reason::TagMismatch));
    // GM/T 0010 has no such content type.
    assert!(recipe(&Shape::default().in_dialect(Dialect::Gmt0010)).is_err());
}

#[test]
fn signed_and_enveloped_in_one_object() {
    let Some(bench) = Bench::new() else { return };
    let (alice, bob) = (bench.person("alice", SM2, "digitalSignature"), bench.person("bob", SM2, "keyEncipherment"));
    for dialect in [Dialect::Gmt0010, Dialect::Cfca, Dialect::Gmssl3Digest] {
        let (mut shape, tamper, arithmetic) = (Shape::default().in_dialect(dialect), Tamper::default(), rustcrypto());
        shape.attributes.clear();
        let signer = ContentSigner::new(&alice.key, &alice.certificate, DigestAlgorithm::Sm3, None).unwrap();
        let recipients = [Recipient::Certificate(&bob.certificate)];
        let management = KeyManagement::default();
        let recipe = SignedAndEnvelopedData {
            signed: signed(std::slice::from_ref(&signer), &shape, &tamper, &arithmetic),
            enveloped: EnvelopedData {
                recipients: &recipients,
                key_management: &management,
                cipher: ContentCipher::Sm4Cbc.into(),
                content_type: oid::DATA,
                shape: &shape,
                tamper: &tamper,
                arithmetic: &arithmetic,
            },
        };
        let mut object = Vec::new();
        recipe.write(&mut object, &mut Cursor::new(CONTENT), &mut SeededRandom::new("both")).unwrap();
        let opened = leniently(&object, &[credential(&bob)], None);
        let [outer, inner] = opened.verdict.layers.as_slice() else { panic!("{dialect}: {opened:?}") };
        assert_eq!((outer.kind, inner.kind), (Kind::Encrypted, Kind::Signed));
        assert!(outer.structure.is_good() && outer.decryption.is_good(), "{outer:?}");
        assert!(inner.structure.is_good() && inner.integrity.is_good(), "{dialect}: {inner:?}");
        let odd = [outer, inner].iter().any(|layer| layer.deviations.contains(&Deviation::VersionOdd));
        assert!(!odd, "{dialect}: {outer:?} {inner:?}");
        assert_eq!(content(opened), CONTENT);
        // Whoever has no key learns nothing of the signers.
        assert_eq!(judge(object, &[], &[]).unwrap().verdict.layers.len(), 1);
    }
    let (shape, tamper, arithmetic) = (Shape::default(), Tamper::default(), rustcrypto());
    let management = KeyManagement::default();
    let recipients = [Recipient::Certificate(&bob.certificate)];
    let recipe = SignedAndEnvelopedData {
        signed: signed(&[], &shape, &tamper, &arithmetic),
        enveloped: EnvelopedData {
            recipients: &recipients,
            key_management: &management,
            cipher: ContentCipher::Sm4Cbc.into(),
            content_type: oid::DATA,
            shape: &shape,
            tamper: &tamper,
            arithmetic: &arithmetic,
        },
    };
    let in_cms = recipe.write(&mut Vec::new(), &mut Cursor::new(CONTENT), &mut SeededRandom::new("both"));
    assert!(in_cms.unwrap_err().to_string().contains("GM/T 0010 only"));
}

#[test]
fn encrypted_data_of_the_other_family() {
    let shape = Shape::default().in_dialect(Dialect::Gmt0010);
    let key = [7; 16];
    let recipe = EncryptedData {
        key: &key,
        cipher: ContentCipher::Sm4Cbc.into(),
        content_type: oid::DATA,
        shape: &shape,
        tamper: &Tamper::default(),
        arithmetic: &rustcrypto(),
    };
    let mut object = Vec::new();
    recipe.write(&mut object, &mut Cursor::new(CONTENT), &mut SeededRandom::new("shared")).unwrap();
    let secrets = Secrets { keys: vec![SymmetricKey { id: vec![1], key: key.to_vec().into() }], ..Secrets::default() };
    let opened = support::judge_with(object, &secrets).unwrap();
    let layer = only(&opened);
    assert_eq!((layer.kind, layer.dialect), (Kind::EncryptedData, Some(Dialect::Gmt0010)));
    assert!(layer.decryption.is_good() && layer.deviations.is_empty(), "{layer:?}");
    assert_eq!(content(opened), CONTENT);
}

#[test]
fn names_and_versions_that_the_family_does_not_have() {
    let Some(bench) = Bench::new() else { return };
    let alice = bench.person("alice", SM2, "digitalSignature");
    let found = |shape: &Shape, tamper: &Tamper| {
        let opened = judge(sign(&alice, shape, tamper), &[], &[]).unwrap();
        assert!(only(&opened).integrity.is_good(), "{opened:?}");
        only(&opened).deviations.clone()
    };
    let mut shape = Shape::default();
    shape.sm2.signature = Sm2SignatureName::Signature;
    assert_eq!(found(&shape, &Tamper::default()), [Deviation::Sm2OidAlias]);
    shape.sm2.signature = Sm2SignatureName::Curve;
    assert_eq!(found(&shape, &Tamper::default()), [Deviation::Sm2OidAlias]);
    let mut shape = Shape::default();
    shape.sm2.signature_parameters = waxseal_engine::cms::write::Parameters::Null;
    assert_eq!(found(&shape, &Tamper::default()), [Deviation::SignatureParametersOdd]);
    let gmt = Shape::default().in_dialect(Dialect::Gmt0010);
    for tamper in
        [Tamper { version: Some(3), ..Tamper::default() }, Tamper { info_version: Some(3), ..Tamper::default() }]
    {
        assert_eq!(found(&gmt, &tamper), [Deviation::VersionOdd]);
    }
}

#[test]
fn an_rsa_signature_beside_one_of_sm2() {
    let Some(bench) = Bench::new() else { return };
    let sm2 = bench.person("alice", SM2, "digitalSignature");
    let rsa = bench.person("carol", RSA, "digitalSignature");
    let signers = [&sm2, &rsa].map(|person| {
        let key: &dyn Signer = &person.key;
        ContentSigner::new(key, &person.certificate, DigestAlgorithm::Sha256, None).unwrap()
    });
    let (shape, tamper, arithmetic) = (Shape::default(), Tamper::default(), rustcrypto());
    let mut object = Vec::new();
    signed(&signers, &shape, &tamper, &arithmetic).write(&mut object, &mut Cursor::new(CONTENT)).unwrap();
    let opened = judge(object, &[], &[]).unwrap();
    let layer = only(&opened);
    assert!(layer.integrity.is_good() && layer.signers.len() == 2, "{layer:?}");
    let digests: Vec<_> = layer.signers.iter().map(|signer| signer.digest.as_str()).collect();
    assert_eq!(digests, ["sm3", "sha-256"]);
}

/// The digest of GmSSL is found for content beside the signature, too, whose
/// length nobody says.
#[test]
fn a_clear_signature_as_gmssl_makes_it() {
    let Some(bench) = Bench::new() else { return };
    let alice = bench.person("alice", SM2, "digitalSignature");
    let arithmetic = rustcrypto();
    let signers = [(&alice.key as &dyn Signer, &alice.certificate)];
    let at = datetime!(2024-06-01 0:00 UTC);
    let mut request = SignRequest::new(&signers, at, Boundary::Random([1; 16]), &arithmetic);
    request.shape = Shape::default().in_dialect(Dialect::Gmssl3Digest);
    let mut mail = Vec::new();
    message::sign(&mut Cursor::new(CONTENT), &mut mail, &request).unwrap();
    let opened = leniently(&mail, &[], None);
    let layer = only(&opened);
    assert!(layer.structure.is_good() && layer.integrity.is_good(), "{layer:?}");
    assert_eq!(opened.verdict.dialect, Dialect::Gmssl3Digest);
}

/// No octet that is changed and no cut panics, or lets other content pass for
/// the one that was signed.
#[test]
fn damaged_messages_are_never_good() {
    let Some(bench) = Bench::new() else { return };
    let alice = bench.person("alice", SM2, "digitalSignature");
    let bob = bench.person("bob", SM2, "keyEncipherment");
    for dialect in Dialect::ALL {
        let shape = Shape::default().in_dialect(*dialect);
        let object = sign(&alice, &shape, &Tamper::default());
        let to = [Recipient::Certificate(&bob.certificate)];
        let sealed = encrypt(&to, ContentCipher::Sm4Cbc, &shape, &KeyManagement::default());
        for at in 0..object.len() {
            let mut changed = object.clone();
            changed[at] ^= 1 << (at % 8);
            // The first octets decide whether it is a message at all.
            let Ok(opened) = try_leniently(&changed, &[], None) else { continue };
            let good = opened.verdict.layers.iter().any(|layer| layer.integrity.is_good() && layer.structure.is_good());
            assert!(!good || content(opened) == CONTENT, "{dialect}: octet {at} of a signature");
            if at % 7 == 0 {
                let cut = judge(object[..at].to_vec(), &[], &[]);
                assert!(cut.is_err() || cut.unwrap().verdict.has_bad(), "{dialect}: cut at {at}");
            }
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << (at % 8);
            drop(judge(changed, &[credential(&bob)], &[]));
            let cut = judge(sealed[..at].to_vec(), &[credential(&bob)], &[]);
            assert!(cut.is_err() || cut.unwrap().verdict.has_bad(), "{dialect}: envelope cut at {at}");
        }
    }
}
