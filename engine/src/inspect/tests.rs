//! Small objects made with openssl for these tests: one certificate of P-256,
//! a detached signature in DER, and a signed and an encrypted content in BER.

use std::io::Cursor;

use insta::assert_snapshot;
use waxseal_testing::shared;

use super::*;
use crate::ber::Tag;
use crate::mime::testing::Huge;

const SIGNATURE: &str = "\
MIIC4AYJKoZIhvcNAQcCoIIC0TCCAs0CAQExDTALBglghkgBZQMEAgEwCwYJKoZI
hvcNAQcBoIIBqzCCAacwggFOoAMCAQICAREwCgYIKoZIzj0EAwIwIjEOMAwGA1UE
AwwFQWxpY2UxEDAOBgNVBAoMB0V4YW1wbGUwIBcNMjYxMTIxMjE1MTM4WhgPMjA1
MTA3MTMyMTUxMzhaMCIxDjAMBgNVBAMMBUFsaWNlMRAwDgYDVQQKDAdFeGFtcGxl
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELrkCgLtDflDS4Bl1HY9n0yc84b7b
wOYxuiHXfkKSNIu4qES/ihHkn57iZfvnE6NYKnrUf9MAggcXs3nFsn68kKNzMHEw
DAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUH
AwQwHQYDVR0RBBYwFIESYWxpY2VAZXhhbXBsZS50ZXN0MB0GA1UdDgQWBBTgneGb
D9z99+tnIOd6G3haRbb4KjAKBggqhkjOPQQDAgNHADBEAiB+3ZGgkqLwiKUNOjXq
Up9njGsDeRTlq0t7Czk2Bfu5oAIgfjE6+/KLugHH0hMSUV7nOMauAcHmK/Mgi5n3
mASPQrYxgfwwgfkCAQEwJzAiMQ4wDAYDVQQDDAVBbGljZTEQMA4GA1UECgwHRXhh
bXBsZQIBETALBglghkgBZQMEAgGgaTAYBgkqhkiG9w0BCQMxCwYJKoZIhvcNAQcB
MBwGCSqGSIb3DQEJBTEPFw0yNjExMjEyMTUxMzhaMC8GCSqGSIb3DQEJBDEiBCDE
ZsePooSvhTPlSEgacvNH7fHfB/gZB7hMQwjAOH35FjAKBggqhkjOPQQDAgRHMEUC
ID/URODbQoPt9QrSZNisxzm9TSG7MnVsjWnMcNhnjQqZAiEAhE1oVJmeiaF8tiTQ
OWE/XqhpzYv+xzprNtj8GXfdEPs=
";

const OPAQUE: &str = "\
MIAGCSqGSIb3DQEHAqCAMIACAQExDTALBglghkgBZQMEAgEwgAYJKoZIhvcNAQcB
oIAkgAQkQ29udGVudC1UeXBlOiB0ZXh0L3BsYWluDQoNCkhlbGxvLg0KAAAAAAAA
MYH9MIH6AgEBMCcwIjEOMAwGA1UEAwwFQWxpY2UxEDAOBgNVBAoMB0V4YW1wbGUC
AREwCwYJYIZIAWUDBAIBoGkwGAYJKoZIhvcNAQkDMQsGCSqGSIb3DQEHATAcBgkq
hkiG9w0BCQUxDxcNMjYxMTIxMjE1MTM4WjAvBgkqhkiG9w0BCQQxIgQgxGbHj6KE
r4Uz5UhIGnLzR+3x3wf4GQe4TEMIwDh9+RYwCgYIKoZIzj0EAwIESDBGAiEAgm4C
4dSo5etHVEyUJqk2GE/KpfkSNraFoRke7V6OQaYCIQCZVxVjnhBZP4tk4emS3jLo
D74/36W/6tA3c7J5I2RbJwAAAAAAAA==
";

const ENCRYPTED: &str = "\
MIAGCSqGSIb3DQEHA6CAMIACAQIxgbqhgbcCAQOgUaFPMAkGByqGSM49AgEDQgAE
JZ4AGCwWGnPRhrG9b1EZrEpNd9/VGJ3NAeHaQd9qD+d7MohmO35SlGhEIgKoNKhN
PmDFVZCLLHLigdiqW+7CVzAYBgkrgQUQhkg/AAIwCwYJYIZIAWUDBAEFMEUwQzAn
MCIxDjAMBgNVBAMMBUFsaWNlMRAwDgYDVQQKDAdFeGFtcGxlAgERBBhdEkX9E9PX
Kl2lu7Nxs6phE0uDqRjPYlIwgAYJKoZIhvcNAQcBMB0GCWCGSAFlAwQBAgQQs3zw
jlbf/wZuwusmN4tOG6CABCDduT/AMgK0XXt9aX1i0UzHt0QDKTU7i1MDwbbNZTQ+
AAQQovjXD5fDFJwQAQGFfiGXcQAAAAAAAAAAAAA=
";

fn tree(input: impl AsRef<[u8]>) -> Tree {
    inspect(&mut Cursor::new(input.as_ref()), &Limits::default()).unwrap()
}

fn pem(base64: &str) -> String {
    format!("-----BEGIN CMS-----\n{base64}-----END CMS-----\n")
}

fn der(base64: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(base64.replace('\n', "")).unwrap()
}

/// One element in definite form.
fn element(tag: Tag, constructed: bool, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = tag.identifier(constructed);
    match length {
        0..128 => out.push(length as u8),
        _ => out.extend_from_slice(&[&[0x84], (length as u32).to_be_bytes().as_slice()].concat()),
    }
    out.extend_from_slice(content);
    out
}

#[test]
fn a_clear_signed_mail() {
    let mail = format!(
        "From: alice@example.test\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n\
         \tmicalg=sha-256; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n\r\n--b\r\n\
         Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         {}--b--\r\n",
        SIGNATURE.replace('\n', "\r\n")
    );
    assert_snapshot!(tree(mail).render());
}

#[test]
fn an_opaque_content_is_looked_into() {
    let tree = tree(pem(OPAQUE));
    assert_snapshot!(tree.render());
    insta::assert_json_snapshot!(tree.objects[0].elements[0].children[1].children[0].children[2]);
}

#[test]
fn an_encrypted_content_is_opaque() {
    assert_snapshot!(tree(der(ENCRYPTED)).render());
}

#[test]
fn a_damaged_object_is_shown_as_far_as_it_goes() {
    let whole = der(SIGNATURE);
    assert_snapshot!(tree(&whole[..60]).render());
    let cut =
        format!("Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{}=\n", &OPAQUE[..60]);
    assert_snapshot!(tree(cut).render());
    let empty = tree("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\n");
    let error = empty.mail.unwrap().object.unwrap().error.unwrap();
    assert_eq!(error, "the input ends before the object begins at offset 0");
}

#[test]
fn every_truncation_has_an_error_and_a_tree() {
    for object in [der(SIGNATURE), der(OPAQUE), der(ENCRYPTED)] {
        for end in 4..object.len() {
            let tree = tree(&object[..end]);
            let error = tree.objects[0].error.as_ref().unwrap_or_else(|| panic!("no error when cut at {end}"));
            assert!(error.contains("offset"), "{error}");
            assert_eq!(tree.objects[0].elements.len(), 1);
        }
    }
}

#[test]
fn odd_forms_are_noted() {
    let long_length = [0x30, 0x81, 0x03, 0x02, 0x01, 0x05];
    let trailing = [0x30, 0x80, 0x02, 0x01, 0x05, 0x00, 0x00, 0x05, 0x00];
    let segments = [0x30, 0x80, 0x24, 0x80, 4, 1, 1, 4, 1, 2, 0x24, 4, 4, 2, 3, 4, 4, 0, 0, 0, 0, 0];
    for input in [long_length.as_slice(), &trailing, &segments] {
        assert_eq!(tree(input).objects[0].encoding, "BER");
    }
    assert_snapshot!([tree(long_length), tree(trailing), tree(segments)].map(|tree| tree.render()).concat());
}

#[test]
fn content_of_any_size_is_summarised() {
    let segment = element(Tag::OCTET_STRING, false, &[0x41; 1024]);
    let head = [
        &[0x30, 0x80][..],
        &element(Tag::OBJECT_IDENTIFIER, false, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3]),
        &[0xa0, 0x80, 0x30, 0x80, 2, 1, 0, 0x31, 0, 0x30, 0x80],
        &element(Tag::OBJECT_IDENTIFIER, false, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]),
        &[0x30, 0, 0xa0, 0x80],
    ]
    .concat();
    let mut source = Huge::of_octets(&head, &segment, 1 << 20, &[0; 10]);
    let tree = inspect(&mut source, &Limits::default()).unwrap();
    assert!(tree.render().contains("encryptedContent: [0] OCTET STRING 1073741824 octets, segments 1024×1048576"));
    assert!(source.largest_read <= 256 << 10);
}

#[test]
fn the_number_of_elements_is_bounded() {
    let tree = tree(element(Tag::SEQUENCE, true, &[5, 0].repeat(100_000)));
    assert_eq!(tree.objects[0].elements[0].children.len(), 19_999);
    assert_eq!(tree.objects[0].omitted, 80_001);
}

#[test]
fn the_number_of_elements_is_bounded_for_a_whole_mail() {
    let object = element(Tag::SEQUENCE, true, &[5, 0].repeat(9_000));
    let part =
        [b"--b\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: binary\n\n", &*object, b"\n"].concat();
    let mail = [b"Content-Type: multipart/mixed; boundary=b\n\n", &*part.repeat(9)].concat();
    let root = tree(mail).mail.unwrap();
    let shown = |entity: &Entity| entity.object.as_ref().unwrap().elements.first().map_or(0, |e| e.children.len());
    assert!(root.children.iter().map(shown).sum::<usize>() < 20_000);
}

#[test]
fn contents_in_contents_end_somewhere() {
    let oid = element(Tag::OBJECT_IDENTIFIER, false, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]);
    let signed = element(Tag::OBJECT_IDENTIFIER, false, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]);
    let mut mail = b"Content-Type: text/plain\n\nx".to_vec();
    for layer in 0..20 {
        let wrappers: String = (0..30)
            .map(|i| format!("Content-Type: multipart/mixed; boundary=b{layer}.{i}\n\n--b{layer}.{i}\n"))
            .collect();
        let content = element(Tag::context(0), true, &element(Tag::OCTET_STRING, false, &mail));
        let encapsulated = element(Tag::SEQUENCE, true, &[oid.clone(), content].concat());
        let data = element(Tag::SEQUENCE, true, &encapsulated);
        let info = element(Tag::SEQUENCE, true, &[signed.clone(), element(Tag::context(0), true, &data)].concat());
        mail = format!("{wrappers}Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: binary\n\n")
            .into_bytes();
        mail.extend_from_slice(&info);
    }
    let tree = tree(mail);
    assert_eq!(tree.render().matches("contentInfo").count(), LAYERS + 1);
}

#[test]
fn what_is_no_input_is_an_error() {
    let error = inspect(&mut Cursor::new(b"hello"), &Limits::default()).unwrap_err();
    assert!(matches!(error, InspectError::NotMailNorAsn1));
}

#[test]
fn every_recording_has_a_whole_tree() {
    let Some(recordings) = shared("recordings") else { return };
    let manifest = std::fs::read_to_string(recordings.join("manifest.tsv")).unwrap();
    for file in manifest.lines().skip(1).filter_map(|row| row.split('\t').next()) {
        let mut source = std::fs::File::open(recordings.join(file)).unwrap();
        let text = inspect(&mut source, &Limits::default()).unwrap().render();
        assert!(text.contains("signerInfo:") || text.contains("recipientInfos:"), "{file}");
        for bad in ["ERROR", "not the encoding that is due", "no OID", "after the end"] {
            assert!(!text.contains(bad), "{file}: {bad}");
        }
    }
}

#[test]
fn damaged_objects_of_a_fuzzer_have_trees_or_errors() {
    let Some(folder) = shared("oracles/openssl-fuzz") else { return };
    let mut seen = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let octets = std::fs::read(entry.path()).unwrap();
            seen += 1;
            match inspect(&mut Cursor::new(&octets), &Limits::default()) {
                Ok(tree) => assert!(!tree.render().is_empty()),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    assert!(seen >= 600, "only {seen} inputs");
}
