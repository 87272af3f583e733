//! Every recorded mail of a real client, when the recordings are there.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use waxseal_testing::shared;

use super::smime::{Role, find};
use super::*;
use crate::Limits;

#[test]
fn every_recording_is_cut_decoded_and_classified() {
    let Some(recordings) = shared("recordings") else { return };
    let manifest = std::fs::read_to_string(recordings.join("manifest.tsv")).unwrap();
    let mut seen = 0;
    for row in manifest.lines().skip(1) {
        let mut columns = row.split('\t');
        let (file, kind) = (columns.next().unwrap(), columns.nth(2).unwrap());
        if Path::new(file).extension().is_some_and(|extension| extension == "p7m" || extension == "p7s") {
            continue;
        }
        seen += 1;
        check(&recordings, file, kind);
    }
    assert!(seen >= 52, "only {seen} mails in the manifest");
}

fn check(recordings: &Path, file: &str, kind: &str) {
    let mut source = File::open(recordings.join(file)).unwrap();
    assert!(has_header_field(&mut source, &Limits::default()).unwrap(), "{file}");
    let root = parse(&mut source, &Limits::default()).unwrap();
    assert!(
        root.headers.date().is_some() || root.headers.get("date").is_none(),
        "{file}: {:?}",
        root.headers.get("date")
    );
    let found = find(&root);
    assert!(!found.is_empty(), "{file}: nothing protected");
    for protected in &found {
        match &protected.smime.role {
            Role::Signed { content, micalg, .. } => {
                assert!(kind.contains("clear"), "{file} is {kind}");
                assert!(!protected.covered.is_empty(), "{file}");
                assert!(micalg.iter().all(|micalg| micalg.digest.is_some()), "{file}: {micalg:?}");
                let mut octets = 0;
                let length = content.entity().end - content.entity().start;
                let mut hashed = canonical(&mut source, content.entity(), content.line_ends);
                octets += std::io::copy(&mut hashed, &mut std::io::sink()).unwrap();
                assert!(octets >= length, "{file}");
            }
            Role::Broken { why } => panic!("{file}: {why}"),
            _ => assert!(!kind.contains("clear"), "{file} is {kind}"),
        }
        let object = protected.smime.object().unwrap();
        let mut der = Vec::new();
        decode_body(&mut source, object).unwrap().read_to_end(&mut der).unwrap();
        assert_eq!(der.first(), Some(&0x30), "{file}: the object is no SEQUENCE");
    }
}
