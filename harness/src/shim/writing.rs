//! What programs that write mail leave to their caller: which certificates an
//! encrypted mail is for.

use std::path::Path;

use waxseal_engine::certificate::Certificate;
use waxseal_verdict::Dialect;

use super::program::Trouble;
use super::protocol::{Answer, EncryptArguments, Refused, Wrote};
use crate::keys::load_certificates;

/// The certificates to encrypt for: exactly those of `recipients`; without any,
/// for each address the first among `extra_certificates` that names it, and the
/// writer's own. A program that remembers no correspondents knows no others.
///
/// # Errors
/// A file is missing or damaged. Within: nobody is known under an address.
pub(crate) fn recipients(arguments: &EncryptArguments) -> Result<Result<Vec<Certificate>, Refused>, Trouble> {
    let dir = Path::new(&arguments.reading.dir);
    if !arguments.recipients.is_empty() {
        return certificates(dir, &arguments.recipients).map(Ok);
    }
    let known = certificates(dir, &arguments.reading.extra_certificates)?;
    let mut recipients = Vec::new();
    for address in &arguments.to {
        let names =
            |certificate: &&Certificate| certificate.emails().iter().any(|one| one.eq_ignore_ascii_case(address));
        match known.iter().find(names) {
            Some(certificate) => recipients.push(certificate.clone()),
            None => {
                let detail = format!("no certificate names {address}");
                return Ok(Err(Refused { reason: "not-known".to_owned(), detail }));
            }
        }
    }
    recipients.extend(certificates(dir, &arguments.copy_for)?);
    Ok(Ok(recipients))
}

/// The certificates in PEM files of a case directory.
///
/// # Errors
/// A file is missing or damaged.
pub(crate) fn certificates<'a>(
    dir: &Path,
    names: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<Certificate>, Trouble> {
    let paths: Vec<_> = names.into_iter().map(|name| dir.join(name)).collect();
    load_certificates(&paths).map_err(|failed| Trouble::Shim(failed.message))
}

/// The content cipher: the one that was asked for, the first that the program
/// has of those that may be used, or its habit; and which of these it is.
///
/// # Errors
/// It has none of them: what to answer.
pub(crate) fn cipher<T>(
    arguments: &EncryptArguments,
    program: &str,
    habit: &str,
    known: impl Fn(&str) -> Option<T>,
) -> Result<(T, &'static str), String> {
    let (wanted, why) = match (&arguments.cipher, &arguments.sends) {
        (Some(cipher), _) => (std::slice::from_ref(cipher), "it was asked for"),
        (None, Some(sends)) => (sends.as_slice(), "the first that it has of those allowed"),
        (None, None) => (&[habit.to_owned()][..], "its habit"),
    };
    let found = wanted.iter().find_map(|name| known(name)).map(|cipher| (cipher, why));
    found.ok_or_else(|| format!("{program} does not encrypt with {}", wanted.join(", ")))
}

/// That another dialect than CMS was asked for: what to answer.
///
/// # Errors
/// It was.
pub(crate) fn only_cms(asked: Option<Dialect>, program: &str) -> Result<(), String> {
    match asked {
        None | Some(Dialect::Cms) => Ok(()),
        Some(other) => Err(format!("{program} writes CMS, not {other}")),
    }
}

/// That a mail was encrypted.
pub(crate) fn wrote(cipher: &str, recipients: &[Certificate], why: &str) -> Answer {
    Answer::Wrote(Wrote {
        cipher: Some(cipher.to_owned()),
        recipients: recipients.iter().map(Certificate::serial_hex).collect(),
        why: Some(why.to_owned()),
    })
}

/// That it cannot be done as asked.
pub(crate) fn unsupported(why: impl Into<String>) -> Result<Answer, Trouble> {
    Ok(Answer::Unsupported(why.into()))
}
