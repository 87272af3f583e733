//! The engine in process, and the cases of the corpus for it.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use waxseal::keys::KeyRing;
use waxseal::reader::Reader;
use waxseal::task::{CaseFiles, Task};
use waxseal_engine::Limits;
use waxseal_engine::certificate::{Certificate, Crl, OcspResponse};
use waxseal_engine::message::Secrets;
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice};
use waxseal_model::Recordings;
use waxseal_verdict::{AspectName, Comparison, Expectation, Verdict};

/// A reader that has neither keys nor anchors.
pub(crate) fn reader(provider: ProviderChoice) -> Reader {
    Reader {
        keys: KeyRing::default(),
        secrets: Secrets::default(),
        anchors: Vec::new(),
        extra_certificates: Vec::new(),
        crls: Vec::new(),
        ocsp_responses: Vec::new(),
        network: None,
        address_book: None,
        at: OffsetDateTime::UNIX_EPOCH,
        from: None,
        sm2_id: None,
        policy: Policy::named("default").unwrap(),
        arithmetic: Arithmetic::new(provider),
        limits: Limits::default(),
    }
}

/// Opens the message of a case; the verdict, and the innermost entity.
pub(crate) fn open(task: &Task, files: &CaseFiles, provider: ProviderChoice) -> (Verdict, Option<Vec<u8>>) {
    let certificates = |pem: &str| Certificate::from_file(pem.as_bytes()).unwrap();
    let arithmetic = Arithmetic::new(provider);
    let key = |pem: &str| PrivateKey::from_pem(pem, None).unwrap().with_arithmetic(arithmetic);
    let keys = files.keys.iter().map(|pair| key(&pair.key)).collect();
    let own = files.keys.iter().filter_map(|pair| pair.certificate.as_deref()).flat_map(certificates).collect();
    open_with(task, files, provider, KeyRing::new(keys, own))
}

/// The same with keys from elsewhere.
pub(crate) fn open_with(
    task: &Task,
    files: &CaseFiles,
    provider: ProviderChoice,
    keys: KeyRing,
) -> (Verdict, Option<Vec<u8>>) {
    let certificates =
        |pem: &str| if pem.is_empty() { Vec::new() } else { Certificate::from_file(pem.as_bytes()).unwrap() };
    let mut reader = Reader {
        keys,
        secrets: waxseal::keys::secrets(&files.passwords, &files.symmetric_keys).unwrap_or_default(),
        anchors: certificates(&files.anchors),
        extra_certificates: certificates(&files.extra_certificates),
        at: task.clock,
        from: task.from.clone(),
        address_book: task.learns.then(Default::default),
        crls: files.crls.iter().map(|der| Crl::parse(der).unwrap()).collect(),
        ocsp_responses: files.ocsp.iter().map(|der| OcspResponse::parse(der).unwrap()).collect(),
        policy: Policy {
            require_revocation: task.require_revocation,
            ..Policy::named(task.policy.as_deref().unwrap_or("default")).unwrap()
        },
        ..reader(provider)
    };
    for (mail, clock) in &files.earlier {
        reader.learn(&mut Cursor::new(mail), clock.date_time()).unwrap();
    }
    let mut content = files.content.as_ref().map(Cursor::new);
    let content = content.as_mut().map(|content| content as &mut dyn waxseal_engine::io::Source);
    let opened = reader.open(&mut Cursor::new(&files.message), content, true).unwrap();
    let inside = opened.content.map(|mut content| {
        let mut octets = Vec::new();
        content.read_to_end(&mut octets).unwrap();
        octets
    });
    (opened.verdict, inside)
}

/// What does not come out as expected; `None` if everything does.
pub(crate) fn wrong(expectation: &Expectation, verdict: &Verdict, content: Option<&[u8]>) -> Option<String> {
    let all: BTreeSet<_> = AspectName::ALL.iter().copied().collect();
    if let Comparison::Fail(mismatches, _) = expectation.compare(verdict, &all, waxseal_verdict::Reports::ALL) {
        return Some(format!("{mismatches:#?}\n{}", serde_json::to_string_pretty(verdict).unwrap()));
    }
    let wanted = expectation.content_sha256.as_ref()?;
    let found = content.map(sha256);
    (found.as_ref() != Some(wanted)).then(|| format!("content: sha256 {found:?}, expected {wanted}"))
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The recordings and examples that the user names, or those beside the project.
pub(crate) fn recordings() -> Option<Recordings> {
    Some(Recordings::open_all(waxseal_testing::recordings()?).unwrap())
}
