//! CRLs and OCSP responses that are made to keep a validator busy.

use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::Reason;

use super::made::*;
use crate::Limits;
use crate::ber::writer as w;
use crate::certificate::path::{PathRequest, PathResult, PolicyInputs, Purpose, RevocationInputs, validate};
use crate::certificate::{Certificate, Crl, OcspResponse};

/// A person whose certificate an authority issued that may sign CRLs, too.
fn path() -> [Certificate; 3] {
    let usage = key_usage(KEY_CERT_SIGN | 0x02);
    let root = root("root", 1).with(usage.clone());
    [leaf("person", 9, "authority", 2), ca("authority", 2, "root", 1).with(usage), root].map(|made| made.make())
}

fn judge(crls: &[Crl], responses: &[OcspResponse], limits: &Limits) -> PathResult {
    let [leaf, candidates @ .., root] = path();
    validate(&PathRequest {
        leaf: &leaf,
        candidates: &candidates,
        anchors: &[root],
        at: NOW,
        policies: PolicyInputs::default(),
        revocation: RevocationInputs::required(crls).with_responses(responses),
        purpose: Purpose::Sign,
        arithmetic: &Arithmetic::new(ProviderChoice::Auto),
        limits,
    })
}

/// The list of the root, on which nobody is.
fn of_root() -> Crl {
    crl("root", 1, &[])
}

/// A list of 100 MB, four million entries: hashed once, and looked through once.
#[test]
fn a_list_of_a_hundred_megabytes() {
    const ENTRIES: u32 = 4_100_000;
    let mut entries = Vec::new();
    for number in 0..ENTRIES {
        entries.extend([0x30, 0x18, 2, 7, 1, 0, 0]);
        entries.extend(number.to_be_bytes());
        entries.extend(b"\x17\x0d250101000000Z");
    }
    let started = std::time::Instant::now();
    for (last, due) in [(8, None), (9, Some(Reason::Revoked))] {
        let list = crl("authority", 2, &[entries.as_slice(), &revoked(last)].concat());
        let len = list.der().len() as u64;
        assert!(len > 100 << 20);
        let given = [list, of_root()];
        let result = judge(&given, &[], &Limits::default());
        assert_eq!(result.aspect.reason(), due, "{:?}", result.findings);
        assert!(result.revocation_octets < 2 * len + 1000, "{} of {len}", result.revocation_octets);
        // Who allows less gets a reason.
        let result = judge(&given, &[], &Limits { revocation_octets: len / 2, ..Limits::default() });
        assert_eq!(result.aspect.reason(), Some(Reason::LimitExceeded), "{:?}", result.findings);
        assert!(result.revocation_octets <= len / 2);
        // A list of somebody else costs nothing.
        let other = [crl("somebody", 2, &entries)];
        assert_eq!(judge(&other, &[], &Limits::default()).revocation_octets, 0);
    }
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}

/// A thousand lists with the right name and the wrong signature.
#[test]
fn a_thousand_forged_lists() {
    let forged: Vec<_> = (0..1000).map(|number| crl("authority", 7, &revoked(number))).collect();
    let result = judge(&forged, &[], &Limits::default());
    assert!(result.work <= Limits::default().path_work);
    assert_eq!(result.aspect.reason(), Some(Reason::CrlProblem), "{:?}", result.findings);
}

/// Ten thousand answers about others, in one response and in ten thousand.
#[test]
fn answers_about_others() {
    let [_, authority, root] = path();
    let others: Vec<_> = (100..110_u16).map(|serial| leaf("x", 9, "authority", 2).serial(serial).make()).collect();
    let about: Vec<_> = others.iter().map(|other| (other, &authority)).collect();
    let many = about.repeat(1000);
    let whole = [response("authority", 2, &many, &[])];
    let one = response("authority", 2, &about[..1], &[]);
    let single = vec![one.clone(); 10_000];
    for responses in [whole.as_slice(), &single] {
        let octets: u64 = responses.iter().map(|response| response.der().len() as u64).sum();
        let result = judge(&[of_root()], responses, &Limits::default());
        assert_eq!(result.aspect.reason(), Some(Reason::RevocationUnknown), "{:?}", result.findings);
        // Each is looked through for each of two certificates, and no signature of it is checked.
        assert!(result.revocation_octets <= 2 * octets + 1000);
        assert!(result.work <= 4, "{}", result.work);
        let limits = Limits { revocation_octets: octets / 2, ..Limits::default() };
        assert!(judge(&[of_root()], responses, &limits).revocation_octets <= octets / 2);
    }
    // The same serial number ten thousand times, and at the end the right issuer.
    let person = leaf("person", 9, "authority", 2).make();
    let mut doubles = vec![(&person, &root); 10_000];
    doubles.push((&person, &authority));
    let result = judge(&[of_root()], &[response("authority", 2, &doubles, &[])], &Limits::default());
    assert!(result.aspect.is_good(), "{:?}", result.findings);
}

/// Responders that answer for each other: the question whether each was revoked
/// itself ends.
#[test]
fn responders_that_answer_for_each_other() {
    let [person, authority, _] = path();
    let charged = |name, key| leaf(name, key, "authority", 2).with(extended_key_usage(&["1.3.6.1.5.5.7.3.9"])).make();
    let names = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"];
    let responders: Vec<_> = (20..).zip(names).map(|(key, name)| charged(name, key)).collect();
    let mut responses = Vec::new();
    for (index, (key, name)) in (20..).zip(names).enumerate() {
        let next = &responders[(index + 1) % names.len()];
        responses.push(response(name, key, &[(&person, &authority), (next, &authority)], &responders));
    }
    let result = judge(&[of_root()], &responses, &Limits::default());
    assert!(result.work <= Limits::default().path_work, "{}", result.work);
    // Its own answer about itself.
    let own = response("r0", 20, &[(&person, &authority), (&responders[0], &authority)], &responders[..1]);
    let result = judge(&[of_root()], &[own], &Limits::default());
    assert!(result.aspect.is_good() && result.work < 20, "{} {:?}", result.work, result.findings);
}

/// A responder with a hundred certificates of its name.
#[test]
fn a_hundred_certificates_of_a_responder() {
    let [person, authority, _] = path();
    let charged = |serial| {
        let made = leaf("responder", 21, "authority", 7).with(extended_key_usage(&["1.3.6.1.5.5.7.3.9"]));
        made.serial(serial).make()
    };
    let sent: Vec<_> = (1000..1400).map(charged).collect();
    let response = response("responder", 21, &[(&person, &authority)], &sent);
    let result = judge(&[of_root()], &[response], &Limits::default());
    assert!(result.work <= Limits::default().path_work);
    assert!(
        matches!(result.aspect.reason(), Some(Reason::OcspProblem | Reason::LimitExceeded)),
        "{:?}",
        result.findings
    );
}

/// Damage in the middle of a list that is signed, and of an answer.
#[test]
fn a_damaged_entry_of_a_signed_list() {
    let list = [crl("authority", 2, &[revoked(8), vec![0x30, 3, 2, 9, 1], revoked(10)].concat()), of_root()];
    let result = judge(&list, &[], &Limits::default());
    assert_eq!(result.aspect.reason(), Some(Reason::CrlProblem));
    assert!(result.findings[0].detail.contains("is damaged: "), "{:?}", result.findings);
    let entry = w::sequence([w::integer(9)]);
    assert_eq!(
        judge(&[crl("authority", 2, &entry)], &[], &Limits::default()).aspect.reason(),
        Some(Reason::CrlProblem)
    );
}
