//! OpenSSL as a witness: what it says of every generated message.
//!
//! A positive must be accepted in the way that the case states: the whole
//! message, or object and content cut out of it. A negative must be refused
//! where its bad aspect is one that OpenSSL looks at. Every other answer stands
//! in the case as a disagreement, and must be given. What OpenSSL does not have
//! it must refuse, and nobody asks more of it.
//!
//! What cuts messages here is this test's own, not the engine's: two witnesses
//! that look through the same glasses are one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod cut;
mod openssl;
mod stamp;

use libtest_mimic::{Arguments, Failed, Trial};
use waxseal_forge::{CaseFiles, build};
use waxseal_model::{Case, Corpus, Disagreement, Given, Input};
use waxseal_verdict::{AspectName, Dialect, Evidence, Expectation, Kind};

use openssl::OpenSsl;

fn main() {
    let arguments = Arguments::from_args();
    let corpus: &'static Corpus = Box::leak(Box::new(Corpus::embedded().unwrap_or_else(|error| panic!("{error}"))));
    let Some(openssl) = OpenSsl::find() else {
        waxseal_testing::not_installed("openssl is not here: no witness is heard");
        return;
    };
    let openssl: &'static OpenSsl = Box::leak(Box::new(openssl));
    let generated = corpus.cases().iter().filter(|case| matches!(case.input, Input::Recipe(_)));
    let layered = generated.filter(|case| !case.expect.layers.is_empty());
    let trials = layered.map(|case| Trial::test(case.id.clone(), move || examine(openssl, corpus, case)));
    let stamped = corpus.cases().iter().filter(|case| stamp::has_token(case));
    let stamps =
        stamped.map(|case| Trial::test(format!("{} (openssl ts)", case.id), move || Ok(stamp::examine(corpus, case)?)));
    libtest_mimic::run(&arguments, trials.chain(stamps).collect()).exit();
}

/// What `openssl cms` 3.0 does not have, by the names that cases need: it knows
/// the algorithms, if at all, elsewhere than in CMS.
const ALGORITHMS_ABSENT: &[&str] = &[
    "x25519",
    "ed25519",
    "ed448",
    "ml-dsa-44",
    "ml-dsa-65",
    "ml-dsa-87",
    "ml-kem-512",
    "ml-kem-768",
    "ml-kem-1024",
    "aes-128-ccm",
    "aes-192-ccm",
    "aes-256-ccm",
    "chacha20-poly1305",
    // It knows SM2 and SM3 as keys and digests; what it does with them in CMS stands in the findings.
    "sm2",
    "sm4-ccm",
    "sm4-gcm",
    "sm4-wrap",
    // Debian builds it without zlib.
    "zlib",
];
const KINDS_ABSENT: &[Kind] = &[Kind::Authenticated];

/// Cases of which OpenSSL judges by the clock of the machine: `ocsp` has no
/// option for the time of an answer.
const BY_THE_CLOCK: &[&str] = &[
    "chain/revocation/answered-revoked-later",
    "chain/revocation/answered-stale",
    "chain/revocation/answered-undated",
];

/// Whether OpenSSL has no words for what the case is made of.
fn beyond_openssl(case: &Case) -> bool {
    case.needs.algorithms.iter().any(|name| ALGORITHMS_ABSENT.contains(&name.as_str()))
        || case.needs.kinds.iter().any(|kind| KINDS_ABSENT.contains(kind))
        || case.expect.layers.iter().any(|layer| layer.dialect.is_some_and(|dialect| dialect != Dialect::Cms))
}

/// What OpenSSL can say of a message.
struct Said {
    message: Result<Vec<u8>, String>,
    extracted: Result<Vec<u8>, String>,
}

fn examine(openssl: &OpenSsl, corpus: &Corpus, case: &Case) -> Result<(), Failed> {
    assert_ne!(case.evidence, Evidence::Recorded);
    if BY_THE_CLOCK.contains(&case.id.as_str()) {
        return Ok(());
    }
    let files = build(corpus, case).map_err(|error| error.to_string())?;
    let said = Said {
        message: openssl.read(corpus, case, &files, Given::Message),
        extracted: openssl.read(corpus, case, &files, Given::Extracted),
    };
    if std::env::var_os("WAXSEAL_SAY").is_some() {
        eprintln!("{}\t{}\t{}", case.id, word(&said.message), word(&said.extracted));
    }
    let result = if openssl_looks_at_the_fault(case) { refused(case, &said) } else { accepted(case, &files, &said) };
    match (result, disagreement(case)) {
        // What another version says of the case is a finding, and nothing that the case has wrong.
        (Err(why), Some(listed)) if !listed.is_of(&openssl.version) => {
            eprintln!("{}: openssl {} and not {}: {why}", case.id, openssl.version, listed.version);
            Ok(())
        }
        (result, _) => result.map_err(Failed::from),
    }
}

fn word(said: &Result<Vec<u8>, String>) -> String {
    said.as_ref().map_or_else(|error| format!("refused: {}", error.replace('\n', " ")), |_| "accepted".to_owned())
}

/// Whether something is bad that OpenSSL judges: not coverage, identity, policy or time.
fn openssl_looks_at_the_fault(case: &Case) -> bool {
    use AspectName as A;
    let judged = [A::Structure, A::Decryption, A::Integrity, A::Chain];
    case.expect
        .layers
        .iter()
        .any(|layer| judged.iter().any(|name| layer.aspects.get(name).is_some_and(waxseal_verdict::Aspect::is_bad)))
}

fn disagreement(case: &Case) -> Option<&Disagreement> {
    case.disagreements.iter().find(|disagreement| disagreement.implementation == "openssl")
}

fn refused(case: &Case, said: &Said) -> Result<(), String> {
    let listed = disagreement(case);
    let refuses = said.message.is_err() && said.extracted.is_err();
    match listed.map(|one| one.says.starts_with("refuses")) {
        None if refuses => Ok(()),
        None => Err("openssl accepts what must be refused, and no disagreement says why".to_owned()),
        // For another reason than the case's.
        Some(true) if refuses => Ok(()),
        Some(true) => Err("openssl accepts: the disagreement is out of date".to_owned()),
        Some(false) if refuses => Err("openssl refuses, as it should: the disagreement is out of date".to_owned()),
        Some(false) => Ok(()),
    }
}

fn accepted(case: &Case, files: &CaseFiles, said: &Said) -> Result<(), String> {
    let witness = case.witnesses.iter().find(|witness| witness.implementation == "openssl");
    let given = match witness {
        Some(witness) => witness.given,
        None if case.is_negative() => {
            // Nothing that OpenSSL looks at is wrong; one of the ways must be open.
            return said.message.as_ref().or(said.extracted.as_ref()).map(drop).map_err(Clone::clone);
        }
        None if beyond_openssl(case) => {
            return match (&said.message, &said.extracted) {
                (Err(_), Err(_)) => Ok(()),
                _ => Err("openssl reads what it is said not to have".to_owned()),
            };
        }
        // One of the right answers is to refuse it.
        None if case.accept.iter().any(Expectation::is_negative) && said.message.is_err() => return Ok(()),
        None if disagreement(case).is_some() => {
            return match (&said.message, &said.extracted) {
                (Err(_), Err(_)) => Ok(()),
                _ => Err("openssl reads it after all: the disagreement is out of date".to_owned()),
            };
        }
        None => {
            return Err(format!(
                "no witness is named; message: {}, extracted: {}",
                word(&said.message),
                word(&said.extracted)
            ));
        }
    };
    let content = match given {
        Given::Message if said.message.is_err() => return Err(format!("openssl: {}", word(&said.message))),
        Given::Message => said.message.clone()?,
        _ if said.message.is_ok() => return Err("openssl reads the whole message: `given` is out of date".to_owned()),
        _ if disagreement(case).is_none() => {
            return Err("openssl cannot read the message, and no disagreement says why".to_owned());
        }
        _ => said.extracted.clone()?,
    };
    let Some(wanted) = &files.content_sha256 else { return Ok(()) };
    // Reading mail, OpenSSL puts out text with the line ends of the machine.
    if [&content, &cut::crlf(&content)].into_iter().any(|content| cut::sha256(content) == *wanted) {
        Ok(())
    } else {
        Err(format!("another content came out: {} octets", content.len()))
    }
}
