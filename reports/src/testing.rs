//! Small runs for the tests of this crate.

use std::collections::{BTreeMap, BTreeSet};

use waxseal_verdict::{
    Arrival, ArrivalRecord, Aspect, AspectName, Evidence, Kind, Knowledge, LayerExpectation, Line, Machine, Mismatch,
    Observed, Outcome, OutcomeRecord, PlanRecord, Planned, Reason, ReasonMatch, Record, RunRecord, SutRecord,
};

use crate::{CaseText, RequirementText, Run, read_run};

pub(crate) fn head() -> Record {
    let sut = |name: &str, version: Option<&str>| SutRecord {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        named: false,
        reference: None,
        not_available: version.is_none().then(|| "no program of this name was found".to_owned()),
        writes: BTreeSet::new(),
    };
    Record::Run(RunRecord {
        format: 1,
        waxseal: "0.1.0".to_owned(),
        corpus: "5f".repeat(32),
        started: "2026-01-02T03:04:05Z".to_owned(),
        suts: vec![sut("engine", Some("0.1.0")), sut("openssl", Some("3.0.17")), sut("gpgsm", None)],
        machine: Machine { platform: "linux-x86_64".to_owned(), workers: 2 },
    })
}

pub(crate) fn outcome(case: &str, sut: &str, outcome: Outcome) -> Record {
    Record::Outcome(OutcomeRecord {
        case: case.to_owned(),
        sut: sut.to_owned(),
        sut_version: "1".to_owned(),
        outcome,
        not_asked: false,
        reason: None,
        reason_match: ReasonMatch::None,
        aspects: Vec::new(),
        mismatches: Vec::new(),
        native: None,
        content: None,
        evidence: Evidence::Generated,
        knowledge: Knowledge::Measured,
        ms: 3,
    })
}

/// How a mail arrived.
pub(crate) fn arrival(case: &str, arrived: &[Arrival], change: impl FnOnce(&mut ArrivalRecord)) -> Record {
    let mut record = ArrivalRecord {
        case: case.to_owned(),
        through: None,
        arrived: arrived.to_vec(),
        refused: None,
        not_available: None,
        finding: None,
        ms: 1,
    };
    change(&mut record);
    Record::Arrival(record)
}

/// A pass with one signed layer, whose integrity is good or bad for this reason.
pub(crate) fn sound(case: &str, sut: &str, reason: Option<Reason>) -> Record {
    let Record::Outcome(mut row) = outcome(case, sut, Outcome::Pass) else { panic!("an outcome") };
    let integrity = reason.map_or(Aspect::Good, |reason| Aspect::bad(reason, ""));
    let aspects = BTreeMap::from([(AspectName::Integrity, integrity)]);
    row.aspects = vec![Observed { kind: Kind::Signed, aspects, deviations: Vec::new() }];
    Record::Outcome(row)
}

pub(crate) fn line(shard: &str, record: Record) -> String {
    serde_json::to_string(&Line { run: "r".to_owned(), shard: shard.to_owned(), record }).unwrap()
}

pub(crate) fn record(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Three cases on three SUTs, one of which is not on the machine.
pub(crate) fn small() -> (Run, Vec<CaseText>) {
    let expect = |value: Aspect| LayerExpectation {
        kind: Kind::Signed,
        form: None,
        dialect: None,
        aspects: BTreeMap::from([(AspectName::Structure, Aspect::Good), (AspectName::Integrity, value)]),
        beside: BTreeMap::new(),
        deviations: Vec::new(),
    };
    let observed = |value: Aspect| {
        let aspects = BTreeMap::from([(AspectName::Structure, Aspect::Good), (AspectName::Integrity, value)]);
        vec![Observed { kind: Kind::Signed, aspects, deviations: Vec::new() }]
    };
    let digest = || Aspect::bad(Reason::DigestMismatch, "layer 1, signer 1");

    let mut positive = CaseText::new("signed/clear/rsa", "A clear-signed mail", Evidence::Generated);
    positive.why = "The plainest signed mail there is.".to_owned();
    positive.level = "must".to_owned();
    positive.role = "CMS reader".to_owned();
    positive.source = "RFC 5652 section 5.6".to_owned();
    positive.requirements = vec![RequirementText {
        id: "RCV-01".to_owned(),
        words: "Verify a signature over the content octets".to_owned(),
        section: "RFC 5652 section 5.6".to_owned(),
    }];
    positive.expected.layers = vec![expect(Aspect::Good)];
    let mut negative = CaseText::new("signed/clear/body-changed", "One byte of the body changed", Evidence::Mutated);
    negative.twin = Some(positive.id.clone());
    negative.expected.layers = vec![expect(digest())];
    let mut recorded = CaseText::new("recorded/outlook/one", "Outlook, clear-signed", Evidence::Recorded);
    recorded.expected.layers = vec![expect(Aspect::Good)];
    recorded.sha256 = Some("ab".repeat(32));

    let mut records = vec![head()];
    let mut entries = Vec::new();
    for (text, value) in [(&positive, Aspect::Good), (&negative, digest()), (&recorded, Aspect::Good)] {
        for sut in ["engine", "openssl", "gpgsm"] {
            let Record::Outcome(mut row) = outcome(&text.id, sut, Outcome::Pass) else { panic!("an outcome") };
            row.evidence = text.evidence;
            row.aspects = observed(value.clone());
            if sut == "gpgsm" {
                row.outcome = Outcome::NotAvailable;
                row.reason = Some("no program of this name was found".to_owned());
                row.aspects.clear();
            } else if sut == "openssl" && text.evidence == Evidence::Recorded {
                row.outcome = Outcome::Fail;
                row.reason = Some("integrity bad: signature of alice@example.test".to_owned());
                row.native = Some("<script>alert('alice@example.test')</script> & more".to_owned());
                row.aspects = observed(Aspect::bad(Reason::SignatureMismatch, "by alice@example.test"));
                row.mismatches = vec![Mismatch {
                    place: "layer 1 integrity".to_owned(),
                    expected: "good".to_owned(),
                    observed: "bad: signature-mismatch".to_owned(),
                }];
            }
            entries.push(Planned { case: row.case.clone(), sut: sut.to_owned(), without_running: None, why: None });
            records.push(Record::Outcome(row));
        }
    }
    records.insert(1, Record::Plan(PlanRecord { entries }));
    records.push(Record::End { outcomes: 9, ms: 1234 });
    let lines: Vec<_> = records.into_iter().map(|record| line("1/1", record)).collect();
    (read_run(record(&lines).as_bytes()).unwrap(), vec![positive, negative, recorded])
}

/// Passes only, on invented SUTs.
pub(crate) fn large(cases: usize, suts: usize) -> Run {
    let Record::Run(mut head) = head() else { panic!("a head") };
    head.suts = (0..suts)
        .map(|sut| SutRecord {
            name: format!("sut{sut}"),
            version: None,
            named: false,
            reference: None,
            not_available: None,
            writes: BTreeSet::new(),
        })
        .collect();
    let mut lines = vec![line("1/1", Record::Run(head))];
    for case in 0..cases {
        let outcomes = (0..suts).map(|sut| outcome(&format!("a/b/case{case}"), &format!("sut{sut}"), Outcome::Pass));
        lines.extend(outcomes.map(|record| line("1/1", record)));
    }
    read_run(record(&lines).as_bytes()).unwrap()
}

/// Mails that were written for a run, and that the engine read.
pub(crate) fn written(mails: &[(&str, &str)]) -> Run {
    let mut lines = vec![line("1/1", head())];
    lines.extend(mails.iter().map(|(writer, scenario)| {
        line("1/1", outcome(&format!("matrix/{scenario}/{writer}"), "engine", Outcome::Pass))
    }));
    read_run(record(&lines).as_bytes()).unwrap()
}
