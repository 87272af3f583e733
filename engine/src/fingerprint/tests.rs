//! The structure of real mail, against what others read of it.

use std::path::Path;

use time::macros::datetime;
use waxseal_key::Arithmetic;
use waxseal_testing::shared;
use waxseal_verdict::FactName as F;

use super::*;
use crate::io::MemoryWorkspace;
use crate::policy::Policy;

fn read(octets: &[u8]) -> Result<Fingerprint, OpenError> {
    let (policy, arithmetic, limits) = (Policy::named("default").unwrap(), Arithmetic::default(), Limits::default());
    let request = OpenRequest::new(datetime!(2025-06-01 12:00 UTC), &policy, &arithmetic, &limits);
    fingerprint(&mut io::Cursor::new(octets), &mut MemoryWorkspace, &request)
}

fn first(octets: &[u8]) -> LayerFingerprint {
    read(octets).unwrap().layers.into_iter().next().unwrap()
}

fn recording(file: &str) -> Option<LayerFingerprint> {
    let folder = shared("recordings")?;
    Some(first(&std::fs::read(folder.join(file)).unwrap()))
}

/// What stands in the file is compared with what this says.
fn check(layer: &LayerFingerprint, expected: &[(F, &str)]) {
    for (name, text) in expected {
        assert_eq!(layer.text(*name).as_deref(), Some(*text), "{name} of {}: {layer:#?}", layer.path);
    }
}

#[test]
fn attributes_out_of_order_and_a_boundary_of_zeros() {
    let Some(layer) = recording("gmail-hosted/google-com-linux-mips-2025-39e99bd3.eml") else { return };
    check(
        &layer,
        &[
            (F::Boundary, "{zeros:12}{hex:16}"),
            (F::Parameters, "protocol micalg boundary"),
            (F::Quoted, "protocol boundary"),
            (F::Preamble, "none"),
            (F::SignatureDescription, "S/MIME Cryptographic Signature"),
            (F::Columns, "76"),
            (F::Encoding, "definite"),
            (F::Attributes, "messageDigest contentType signingTime smimeCapabilities"),
            (F::AttributesSorted, "no"),
            (F::AttributesSigned, "as-received"),
            (F::Capabilities, "aes-256-cbc aes-192-cbc aes-128-cbc 3des-cbc rsaes-oaep sha-256"),
            (F::Certificates, "ca root signer"),
        ],
    );
}

#[test]
fn what_was_altered_on_its_way_still_tells_what_was_signed() {
    let Some(layer) = recording("gmail-hosted/broadcom-com-dm-devel-2021-047a7429.eml") else { return };
    check(&layer, &[(F::AttributesSorted, "no"), (F::AttributesSigned, "as-received")]);
}

#[test]
fn segments_and_the_last_block() {
    let Some(layer) = recording("thunderbird/tb128-rx-encrypted.eml") else { return };
    check(
        &layer,
        &[
            (F::Parameters, "name smime-type"),
            (F::Columns, "72"),
            (F::Version, "0"),
            (F::Recipients, "ktri v0 issuer-and-serial"),
            (F::KeyEncryption, "rsa"),
            (F::ContentCipher, "aes-128-cbc"),
            (F::LastBlockApart, "yes"),
        ],
    );
    assert!(layer.text(F::Encoding).unwrap().contains("encryptedContent"), "{layer:#?}");
}

#[test]
fn uneven_segments() {
    let Some(layer) = recording("outlook/vastech-co-za-usrp-users-2025-36b59915.eml") else { return };
    check(&layer, &[(F::SegmentSize, "uneven"), (F::SmimeType, "signed-data"), (F::Columns, "76")]);
}

/// The algorithms of every signed recording, as somebody else read them.
#[test]
fn capabilities_and_digest_are_those_of_the_manifest() {
    let Some(folder) = shared("recordings") else { return };
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let mut compared = 0;
    for line in manifest.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let [file, _, _, kind, algorithms, ..] = columns.as_slice() else { panic!("{line}") };
        if !matches!(*kind, "signed-clear" | "signed-opaque") || Path::new(file).starts_with("sm2") {
            continue;
        }
        let layer = first(&std::fs::read(folder.join(file)).unwrap());
        let digest = layer.text(F::Digest).unwrap().replace('-', "").to_uppercase();
        assert!(algorithms.starts_with(&digest), "{file}: {digest}");
        let null = algorithms.split(';').next().unwrap().ends_with("/NULL");
        check(&layer, &[(F::DigestParameters, if null { "null" } else { "absent" })]);
        let listed = algorithms.split_once("caps[").map(|(_, list)| list.trim_end_matches(']').split(',').count());
        // One entry there has a parameter with a comma in it.
        let listed = listed.map(|count| count - usize::from(algorithms.contains("ver=58,iv")));
        let found = layer.facts.get(&F::Capabilities).map(|fact| fact.text().split(' ').count());
        assert_eq!(found, listed, "{file}: {layer:#?}");
        compared += 1;
    }
    assert_eq!(compared, 42);
}

#[test]
fn no_message_has_no_structure() {
    assert!(matches!(read(b"just text\n"), Err(OpenError::NotAMessage)));
    assert_eq!(read(b"Subject: x\n\ntext\n").unwrap().layers, []);
}

#[test]
fn a_damaged_object_is_shown_as_far_as_it_goes() {
    let mail =
        b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\n\
                 MIAGCSqGSIb3DQEHA6CAMIACAQI=\n";
    let layer = first(mail);
    assert_eq!(layer.path, "1/enveloped-data");
    check(&layer, &[(F::Version, "2"), (F::MediaType, "application/pkcs7-mime"), (F::SmimeType, "enveloped-data")]);
    assert!(layer.error.unwrap().contains("ends"), "no error");
}
