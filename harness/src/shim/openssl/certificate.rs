//! `check-certificate` with `openssl verify`, twice: of one command that is
//! told the time, the purpose and the address, nobody could say which of them
//! it refused first.

use std::path::Path;

use waxseal_verdict::{Aspect, AspectName, Reason};

use super::super::program::Trouble;
use super::super::protocol::{Answer, CertificatePurpose, CheckCertificateArguments, JudgedCertificate};
use super::program::Program;
use super::{chain_aspect, revocation, seconds, trust, with_crls};

pub(super) fn check(program: &Program, arguments: &CheckCertificateArguments) -> Result<Answer, Trouble> {
    if !arguments.ocsp.is_empty() {
        return Ok(Answer::Unsupported("openssl verify does not look at OCSP responses".to_owned()));
    }
    let chain = match &arguments.anchors {
        None => Aspect::unchecked(Reason::NoAnchor),
        Some(anchors) => match chain(program, arguments, anchors)? {
            Ok(chain) => chain,
            Err(why) => return Ok(Answer::Error("openssl verify said nothing of the path".to_owned(), why)),
        },
    };
    let identity = match &arguments.address {
        None => Aspect::Absent,
        Some(address) => match identity(program, arguments, address)? {
            Ok(identity) => identity,
            Err(why) => return Ok(Answer::Error("openssl verify said nothing of the address".to_owned(), why)),
        },
    };
    Ok(Answer::Certificate(JudgedCertificate { chain, identity }))
}

/// What it said, where that is no judgement.
type Said = Result<Aspect, Option<String>>;

/// The path at the time, for the purpose.
fn chain(program: &Program, arguments: &CheckCertificateArguments, anchors: &str) -> Result<Said, Trouble> {
    let dir = Path::new(&arguments.dir);
    let purpose = match arguments.purpose {
        CertificatePurpose::Sign => "smimesign",
        CertificatePurpose::Encrypt => "smimeencrypt",
    };
    let (anchors, _) = with_crls(program, dir, anchors, &arguments.crls)?;
    let at = seconds(arguments.clock.as_ref())?;
    let mut words = vec!["verify"];
    words.extend(trust(&anchors, at.as_deref(), purpose));
    words.extend(revocation(arguments.require_revocation, &arguments.crls));
    if let Some(extra) = &arguments.extra_certificates
        && holds_certificates(dir, extra)?
    {
        words.extend(["-untrusted", extra]);
    }
    words.push(&arguments.certificate);
    let said = program.run(dir, &words)?;
    let judged = said.success || said.find(AspectName::Chain).is_some();
    Ok(if judged { Ok(chain_aspect(&said)) } else { Err(said.words()) })
}

/// The address alone: the certificate is its own anchor, and no time is too late for it.
fn identity(program: &Program, arguments: &CheckCertificateArguments, address: &str) -> Result<Said, Trouble> {
    let certificate = &arguments.certificate;
    let mut words = vec!["verify"];
    words.extend(trust(certificate, None, "any"));
    words.extend(["-no_check_time", "-ignore_critical", "-verify_email", address, certificate]);
    let said = program.run(Path::new(&arguments.dir), &words)?;
    Ok(match (said.success, said.find(AspectName::Identity)) {
        (true, _) => Ok(Aspect::Good),
        (false, Some(_)) => Ok(said.bad(Reason::AddressMismatch)),
        (false, None) => Err(said.words()),
    })
}

/// A file without certificates is refused.
fn holds_certificates(dir: &Path, name: &str) -> Result<bool, Trouble> {
    let text = std::fs::read_to_string(dir.join(name)).map_err(|error| format!("{name}: {error}"))?;
    Ok(text.contains("-----BEGIN"))
}
