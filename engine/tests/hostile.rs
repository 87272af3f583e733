//! Inputs that were made to do harm, and inputs that were cut or altered: a
//! reason, never a panic, never without end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fs;

use waxseal_engine::ber::writer as w;
use waxseal_engine::message::{OpenError, Opened};
use waxseal_verdict::Reason;

fn judge(octets: Vec<u8>) -> Result<Opened, OpenError> {
    support::judge(octets, &[], &[])
}

#[test]
fn the_fuzz_inputs_of_openssl() {
    let Some(folder) = waxseal_testing::shared("oracles/openssl-fuzz") else { return };
    let files = fs::read_dir(folder).unwrap();
    let (mut count, mut verdicts) = (0, 0);
    for file in files {
        let path = file.unwrap().path();
        if path.is_file() {
            count += 1;
            verdicts += usize::from(judge(fs::read(&path).unwrap()).is_ok());
        }
    }
    assert_eq!(count, 627);
    assert!(verdicts > 300, "most of them have an outer content type: {verdicts}");
}

/// ContentInfo of SignedData, with `content` as the SignedData.
fn signed_data(content: &[u8]) -> Vec<u8> {
    let mut out = vec![0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80];
    out.extend_from_slice(content);
    out
}

fn reason(octets: Vec<u8>) -> Option<Reason> {
    judge(octets).unwrap().verdict.layers[0].structure.reason()
}

#[test]
fn once_the_content_type_was_read_damage_is_a_verdict() {
    assert_eq!(reason(signed_data(&[])), Some(Reason::Truncated));
    assert_eq!(reason(signed_data(&[0x30, 0x80, 2, 1, 1])), Some(Reason::Truncated));
    assert_eq!(reason(signed_data(&[0x30, 0x80, 2, 1, 1, 4, 0])), Some(Reason::BadBer));
    assert_eq!(reason(signed_data(&[0x30, 0x80].repeat(500))), Some(Reason::BadBer));
    let mut deep = vec![0x30, 0x80, 2, 1, 1];
    deep.extend([0x31, 0x80].repeat(500));
    assert_eq!(reason(signed_data(&deep)), Some(Reason::LimitExceeded));
    let lying = [0x30, 0x80, 2, 1, 1, 0x31, 0x84, 0x7f, 0xff, 0xff, 0xff];
    assert_eq!(reason(signed_data(&lying)), Some(Reason::LimitExceeded));
    let error = judge(signed_data(&[0x30, 0x80, 2, 1, 1, 4, 0])).unwrap();
    let text = format!("{:?}", error.verdict.layers[0].structure);
    assert!(text.contains("at offset 20"), "an error names its place: {text}");
}

#[test]
fn what_is_no_message_is_told_apart() {
    for octets in [Vec::new(), b"hello".to_vec(), vec![0; 1000], vec![0xff; 10]] {
        assert!(matches!(judge(octets), Err(OpenError::NotAMessage)));
    }
    assert!(judge(b"Subject: x\r\n\r\nhello".to_vec()).unwrap().verdict.layers.is_empty());
}

#[test]
fn every_cut_of_a_recorded_mail_is_a_verdict() {
    let Some(file) = waxseal_testing::shared("recordings/thunderbird/tb128-rx-signed.eml") else { return };
    let mail = fs::read(file).unwrap();
    for cut in (100..mail.len()).step_by(37) {
        let opened = judge(mail[..cut].to_vec()).unwrap();
        let good = opened.verdict.layers.iter().any(|layer| layer.structure.is_good() && layer.integrity.is_good());
        // The last boundary may go; nothing of the signature may.
        assert!(!good || cut > mail.len() - 100, "cut at {cut} of {}", mail.len());
    }
    // One octet at a time is altered; whatever comes of it, it ends.
    for place in (0..mail.len()).step_by(23) {
        let mut altered = mail.clone();
        altered[place] ^= 0x15;
        let _ = judge(altered);
    }
}

/// SignedData with one signer, and countersignatures on each other or beside
/// each other; nothing of it is signed by anybody.
fn countersigned(deep: usize, wide: usize) -> Vec<u8> {
    let algorithm = |dotted: &str| w::sequence([w::oid(dotted).unwrap()]);
    let signer = |unsigned: &[u8]| {
        let mut fields = vec![
            w::integer(1),
            w::sequence([w::sequence([b""]), w::integer(9)]),
            algorithm("2.16.840.1.101.3.4.2.1"),
            algorithm("1.2.840.113549.1.1.1"),
            w::octet_string(&[1]),
        ];
        if !unsigned.is_empty() {
            fields.push(w::context(1, unsigned));
        }
        w::sequence(fields)
    };
    let countersignature =
        |value: &[u8]| w::sequence([w::oid("1.2.840.113549.1.9.6").unwrap(), w::set_as_given([value])]);
    let mut inner = signer(&[]);
    for _ in 0..deep {
        inner = signer(&countersignature(&inner));
    }
    let inner = signer(&countersignature(&inner).repeat(wide));
    let data = w::sequence([
        w::integer(1),
        w::set_as_given([algorithm("2.16.840.1.101.3.4.2.1")]),
        w::sequence([w::oid("1.2.840.113549.1.7.1").unwrap(), w::context(0, &w::octet_string(b"hello"))]),
        w::set_as_given([inner]),
    ]);
    w::sequence([w::oid("1.2.840.113549.1.7.2").unwrap(), w::context(0, &data)])
}

#[test]
fn countersignatures_are_bounded() {
    assert_eq!(reason(countersigned(0, 0)), None);
    assert_eq!(reason(countersigned(3, 2)), None);
    assert_eq!(reason(countersigned(500, 1)), Some(Reason::LimitExceeded));
    assert_eq!(reason(countersigned(0, 5000)), Some(Reason::LimitExceeded));
    assert_eq!(reason(countersigned(7, 5000)), Some(Reason::LimitExceeded));
}
