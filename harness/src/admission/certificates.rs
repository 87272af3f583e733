//! The certificates of an examination: good ones and bad ones of one key that
//! was drawn for it, for a shim that judges them.

use std::path::Path;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use waxseal_engine::certificate::Certificate;
use waxseal_key::SystemRandom;
use waxseal_model::{Entity, Instant, KeyUse, Pki};
use waxseal_verdict::{Hello, Operation, Reason};

use super::{Exam, ExamError, Report, Told, asked, at, shuffle};
use crate::shim::mail;
use crate::shim::protocol::{Answer, CertificatePurpose, CheckCertificateArguments, JudgedCertificate, op};
use crate::sut::child::ShimProcess;

/// Whose certificates they are: a person with a key of RSA.
pub(super) const HOLDER: &str = "alice";
/// What every issuer above signs with.
const NEEDED: &[&str] = &["rsa", "rsa-pkcs1-v1_5-sha-256"];
/// An authority that issued none of them.
const STRANGER: &str = "other-root";
/// Addresses that the holder has not, and has only where a row gives it.
const NOT_OURS: &str = "mallory@example.test";
const FURTHER: &str = "office@example.test";

/// One certificate and what is asked of it.
struct Row {
    what: &'static str,
    purpose: CertificatePurpose,
    with: With,
    /// Why it is bad; good if there is no reason.
    reason: Option<Reason>,
}

/// What is special about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    Nothing,
    /// No address is asked for.
    NoQuestionOfIdentity,
    /// It names a second address, which is asked for.
    FurtherAddress,
    /// The address asked for is another one.
    OtherAddress,
    /// keyUsage says this alone.
    Usage(KeyUse),
    /// It ended yesterday.
    Ended,
    /// It begins tomorrow.
    ToCome,
    /// Another authority is trusted.
    OtherAnchor,
    /// The last octet of its signature is changed.
    OtherSignature,
}

const fn good(what: &'static str, purpose: CertificatePurpose, with: With) -> Row {
    Row { what, purpose, with, reason: None }
}

const fn bad(what: &'static str, purpose: CertificatePurpose, with: With, reason: Reason) -> Row {
    Row { what, purpose, with, reason: Some(reason) }
}

/// As many good as bad ones. What decides is RFC 5280 section 6.1, and RFC 8550
/// sections 3 (addresses) and 4.4.2 (keyUsage).
const TABLE: &[Row] = {
    use CertificatePurpose::{Encrypt, Sign};
    &[
        good("to sign", Sign, With::Nothing),
        good("to encrypt", Encrypt, With::Nothing),
        good("to sign, whoever it is", Sign, With::NoQuestionOfIdentity),
        good("to encrypt, by its second address", Encrypt, With::FurtherAddress),
        good("to sign, and for nothing else", Sign, With::Usage(KeyUse::DigitalSignature)),
        good("to encrypt, and for nothing else", Encrypt, With::Usage(KeyUse::KeyEncipherment)),
        good("to sign, by its second address", Sign, With::FurtherAddress),
        bad("expired", Sign, With::Ended, Reason::Expired),
        bad("not yet valid", Encrypt, With::ToCome, Reason::NotYetValid),
        bad("of another address", Sign, With::OtherAddress, Reason::AddressMismatch),
        bad("of an untrusted issuer", Sign, With::OtherAnchor, Reason::NoPath),
        bad("with a changed signature", Encrypt, With::OtherSignature, Reason::BadSignature),
        bad("to sign, and only for encryption", Sign, With::Usage(KeyUse::KeyEncipherment), Reason::KeyUsage),
        bad("to encrypt, and only for signatures", Encrypt, With::Usage(KeyUse::DigitalSignature), Reason::KeyUsage),
    ]
};

/// What came of certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Good ones that were judged.
    pub good: usize,
    /// Of these, accepted.
    pub accepted: usize,
    /// Bad ones that were judged.
    pub bad: usize,
    /// Of these, refused.
    pub refused: usize,
}

/// Asks a shim that lists `check-certificate`.
pub(super) fn ask(
    exam: &Exam<'_>,
    shim: &mut ShimProcess,
    hello: &Hello,
    scratch: &Path,
    report: &mut Report,
) -> Result<(), ExamError> {
    if !hello.operations.contains(&Operation::CheckCertificate) {
        return Ok(());
    }
    if let Some(name) = NEEDED.iter().find(|name| !hello.algorithms.contains(**name)) {
        report.declined.push(format!("certificates: it does not know {name}"));
        return Ok(());
    }
    let mut rows: Vec<&Row> = TABLE.iter().collect();
    shuffle(&mut rows);
    let mut judged = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        let arguments = row.write(&exam.pki, &scratch.join(format!("certificate-{number}")), exam.now(hello))?;
        let answer = match asked(shim, op::CHECK_CERTIFICATE, &arguments.dir, &arguments)? {
            Ok(Answer::Certificate(answer)) => Ok(answer),
            Ok(_) => Err(Told::Unclear("it was answered with something else than a judged certificate".to_owned())),
            Err(told) => Err(told),
        };
        report.is_lost = matches!(answer, Err(Told::Lost(_)));
        judged.push((number, row, answer));
        if report.is_lost {
            break;
        }
    }
    // Identity is not among what every implementation looks at; who never says good of it does not.
    let judges_identity = judged.iter().any(|(.., answer)| matches!(answer, Ok(one) if one.identity.is_good()));
    let offered: Vec<_> = judged.iter().filter(|(.., answer)| answer.is_ok()).map(|(_, row, _)| row.purpose).collect();
    let mut tally = Tally::default();
    for (number, row, answer) in judged {
        let told = answer.map_or_else(|told| told, |answer| judge(&answer));
        match told {
            Told::Good if row.with == With::OtherAddress && !judges_identity => {
                report.declined.push(format!("{}: it does not judge identity", row.name()));
            }
            // A whole purpose, or nothing of it: else all that is bad could be declined.
            Told::Declined(why) if !offered.contains(&row.purpose) => {
                report.declined.push(format!("{}: {why}", row.name()));
            }
            told => tally.count((number, row), &told, &mut report.wrong),
        }
    }
    if tally.good == 0 {
        report.wrong.push("it judged no good certificate, though it lists check-certificate".to_owned());
    }
    report.certificates = Some(tally);
    Ok(())
}

impl Tally {
    fn count(&mut self, (number, row): (usize, &Row), told: &Told, wrong: &mut Vec<String>) {
        let (asked, right, is_right) = match row.reason {
            None => (&mut self.good, &mut self.accepted, *told == Told::Good),
            Some(_) => (&mut self.bad, &mut self.refused, matches!(told, Told::Bad(_))),
        };
        *asked += 1;
        if is_right {
            *right += 1;
        } else {
            wrong.push(format!("certificate {number}, {}: {told}", row.name()));
        }
    }
}

/// Good is what leads to an anchor, and is not for somebody else.
fn judge(judged: &JudgedCertificate) -> Told {
    if judged.chain.is_bad() {
        Told::Bad(format!("its chain is {}", judged.chain))
    } else if judged.identity.is_bad() {
        Told::Bad(format!("its identity is {}", judged.identity))
    } else if judged.chain.is_good() {
        Told::Good
    } else {
        Told::Unclear(format!("its chain is {}", judged.chain))
    }
}

impl Row {
    /// For a person.
    fn name(&self) -> String {
        let kind = if self.reason.is_none() { "good" } else { "bad" };
        format!("a {kind} certificate ({})", self.what)
    }

    /// Makes the certificate, and the files beside it.
    fn write(&self, pki: &Pki, dir: &Path, now: OffsetDateTime) -> Result<CheckCertificateArguments, ExamError> {
        const CERTIFICATE: &str = "certificate.pem";
        const ISSUERS: &str = "issuers.pem";
        const ANCHORS: &str = "anchors.pem";
        std::fs::create_dir_all(dir).map_err(at(dir))?;
        let pem =
            waxseal_forge::another_certificate(pki, HOLDER, &mut SystemRandom, |entity| self.change(entity, now))?;
        let fault = |what: &str| ExamError::File(format!("{}: {what}", dir.display()));
        let read = Certificate::from_file(pem.as_bytes()).map_err(|error| fault(&error.to_string()))?;
        let mut der = read.first().ok_or_else(|| fault("no certificate was made"))?.der().to_vec();
        if let (With::OtherSignature, Some(last)) = (self.with, der.last_mut()) {
            *last ^= 1;
        }
        mail::write_pem(&dir.join(CERTIFICATE), "CERTIFICATE", &der).map_err(at(dir))?;
        let path = pki.path_without_root(HOLDER);
        let end = path.last().and_then(|last| pki.entity(last)?.issuer.as_deref());
        let anchor = if self.with == With::OtherAnchor { Some(STRANGER) } else { end };
        let pem = |name: &str| pki.certificate_pem(name).unwrap_or_default();
        let issuers: String = path.iter().skip(1).map(|name| pem(name)).collect();
        for (file, text) in [(ISSUERS, issuers.as_str()), (ANCHORS, anchor.map(pem).unwrap_or_default())] {
            std::fs::write(dir.join(file), text).map_err(at(dir))?;
        }
        let own = pki.entity(HOLDER).and_then(|holder| holder.addresses.first().cloned());
        Ok(CheckCertificateArguments {
            dir: dir.canonicalize().map_err(at(dir))?.to_string_lossy().into_owned(),
            certificate: CERTIFICATE.to_owned(),
            address: match self.with {
                With::NoQuestionOfIdentity => None,
                With::OtherAddress => Some(NOT_OURS.to_owned()),
                With::FurtherAddress => Some(FURTHER.to_owned()),
                _ => own,
            },
            purpose: self.purpose,
            anchors: Some(ANCHORS.to_owned()),
            extra_certificates: Some(ISSUERS.to_owned()),
            clock: Some(now.format(&Rfc3339).unwrap_or_default()),
            ..CheckCertificateArguments::default()
        })
    }

    fn change(&self, entity: &mut Entity, now: OffsetDateTime) {
        match self.with {
            With::Usage(usage) => entity.key_usage = vec![usage],
            With::FurtherAddress => entity.addresses.push(FURTHER.to_owned()),
            With::Ended => entity.not_after = Instant::of(now - Duration::DAY),
            With::ToCome => entity.not_before = Instant::of(now + Duration::DAY),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use waxseal_model::Corpus;
    use waxseal_verdict::Aspect;

    use super::*;
    use crate::shim::engine::Engine;
    use crate::shim::openssl::OpenSsl;
    use crate::shim::serve::Shim;

    /// The engine, and an implementation that owes it nothing, find the same
    /// things wrong with the same certificates, and with the others nothing.
    #[test]
    fn the_engine_and_openssl_judge_alike() {
        let corpus = Corpus::embedded().unwrap();
        let exam = Exam::new(&corpus).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let (mut engine, mut openssl) = (Engine::default(), OpenSsl::default());
        let mut judges: Vec<(&str, &mut dyn Shim)> = vec![("engine", &mut engine)];
        match openssl.hello() {
            Ok(_) => judges.push(("openssl", &mut openssl)),
            Err(why) => waxseal_testing::not_installed(why),
        }
        for (number, row) in TABLE.iter().enumerate() {
            let now = corpus.matrix().clock.date_time();
            let arguments = row.write(&exam.pki, &scratch.path().join(number.to_string()), now).unwrap();
            for (name, judge) in &mut judges {
                let Ok(Answer::Certificate(judged)) = judge.check_certificate(&arguments) else { panic!("{name}") };
                let chain = match row.reason {
                    None | Some(Reason::AddressMismatch) => judged.chain.is_good(),
                    Some(reason) => says(&judged.chain, reason),
                };
                let identity = match (row.reason, &arguments.address) {
                    (Some(Reason::AddressMismatch), _) => says(&judged.identity, Reason::AddressMismatch),
                    (_, Some(_)) => judged.identity.is_good(),
                    (_, None) => judged.identity == Aspect::Absent,
                };
                assert!(chain && identity, "{name}: {}: {judged:?}", row.what);
            }
        }
    }

    /// Whether this is why; openssl has one word for keyUsage and extendedKeyUsage, and says it as the second.
    fn says(aspect: &Aspect, reason: Reason) -> bool {
        matches!(aspect, Aspect::Bad(bad) if bad.reason == reason || bad.also.contains(&reason))
    }

    #[test]
    fn there_are_as_many_good_as_bad_ones() {
        assert_eq!(TABLE.iter().filter(|row| row.reason.is_none()).count() * 2, TABLE.len());
    }
}
