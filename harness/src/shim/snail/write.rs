//! Writing with s-nail: it sends, and what it hands to the mail transfer agent is
//! the mail.
//!
//! It composes mail itself: of the one that it is given it takes text, sender,
//! addresses and subject. Date, Message-ID and the fields of the MIME entity are
//! its own.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use waxseal_engine::Limits;
use waxseal_engine::mime;
use waxseal_key::{PublicKeyAlgorithm, describe_public_key};
use waxseal_verdict::Form;

use super::super::mail::{self, Entity};
use super::super::peel::{at, get, put};
use super::super::program::Trouble;
use super::super::protocol::{Answer, EncryptArguments, KeyFiles, SignArguments, Wrote};
use super::super::serve::names;
use super::super::writing::{self, certificates, unsupported};
use super::{SNail, in_lf};

/// Digests by the names of the algorithm table, and as s-nail calls them.
const DIGESTS: &[(&str, &str)] =
    &[("sha-1", "sha1"), ("sha-224", "sha224"), ("sha-256", "sha256"), ("sha-384", "sha384"), ("sha-512", "sha512")];

/// Content ciphers by the names of the algorithm table, and as s-nail calls them.
const CIPHERS: &[(&str, &str)] =
    &[("aes-128-cbc", "aes128"), ("aes-192-cbc", "aes192"), ("aes-256-cbc", "aes256"), ("3des-cbc", "des3")];

/// Everything that it can be told to write with.
pub(super) fn algorithms() -> BTreeSet<String> {
    let mut all = names("rsa-pkcs1-v1_5 ecdsa");
    all.extend(DIGESTS.iter().chain(CIPHERS).map(|(name, _)| (*name).to_owned()));
    all
}

const TEMPLATE: &str = "s-nail-template";
const AGENT: &str = "s-nail-mta.sh";
const SENT: &str = "s-nail-sent";

pub(super) fn sign(snail: &SNail, arguments: &SignArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    if let Err(why) = writing::only_cms(arguments.dialect, "s-nail") {
        return unsupported(why);
    }
    if arguments.form == Some(Form::Opaque) {
        return unsupported("s-nail writes multipart/signed alone");
    }
    if arguments.clock.is_some() && snail.faketime.is_none() {
        return unsupported("s-nail signs now, and libfaketime is not here (Debian: apt-get install libfaketime)");
    }
    if arguments.encryption_certificate.is_some() || arguments.announces.is_some() {
        return unsupported("what s-nail announces cannot be chosen");
    }
    let digest = match &arguments.digest {
        None => None,
        Some(name) => match DIGESTS.iter().find(|(known, _)| known == name) {
            Some((_, digest)) => Some(*digest),
            None => return unsupported(format!("s-nail does not sign with the digest {name}")),
        },
    };
    let mut options = match signing(dir, &arguments.key, arguments.scheme.as_deref())? {
        Ok(options) => options,
        Err(why) => return unsupported(why),
    };
    options.extend(digest.map(|digest| format!("-Ssmime-sign-digest={digest}")));
    options.extend(sent_along(dir, arguments.certificates.as_ref())?);
    let entity = Entity::split(&dir.join(&arguments.message)).map_err(|error| at(&arguments.message, &error))?;
    let written = send(snail, dir, &entity, None, &options, arguments.clock.as_ref(), &arguments.out)?;
    Ok(written.unwrap_or_else(|| Answer::Wrote(Wrote::default())))
}

pub(super) fn encrypt(snail: &SNail, arguments: &EncryptArguments) -> Result<Answer, Trouble> {
    let reading = &arguments.reading;
    let dir = Path::new(&reading.dir);
    if let Err(why) = writing::only_cms(arguments.dialect, "s-nail") {
        return unsupported(why);
    }
    if let Some(other) = &arguments.key_encryption {
        return unsupported(format!("s-nail encrypts keys with RSA PKCS #1 v1.5, not with {other}"));
    }
    let known = |name: &str| CIPHERS.iter().find(|(known, _)| *known == name);
    let ((name, cipher), why) = match writing::cipher(arguments, "s-nail", "aes-256-cbc", known) {
        Ok(chosen) => chosen,
        Err(why) => return unsupported(why),
    };
    let recipients = match writing::recipients(arguments)? {
        Ok(recipients) => recipients,
        Err(refused) => return Ok(Answer::Refused(refused)),
    };
    let [recipient] = recipients.as_slice() else {
        return unsupported("s-nail sends each recipient a mail of its own: it encrypts none for several");
    };
    if !describe_public_key(recipient.spki()).is_ok_and(|key| key.algorithm == PublicKeyAlgorithm::Rsa) {
        return unsupported("s-nail encrypts for RSA keys alone: PKCS #7 knows no others");
    }
    let Some(address) = arguments.to.first().cloned().or_else(|| recipient.emails().into_iter().next()) else {
        return unsupported("s-nail sends to an address, and there is none");
    };
    put(dir, "s-nail-to.pem", recipient.to_pem().as_bytes())?;
    let file = absolute(dir, "s-nail-to.pem")?;
    let mut options = vec![
        "-Ssmime-force-encryption".to_owned(),
        format!("-Ssmime-encrypt-{address}={file}"),
        format!("-Ssmime-cipher-{address}={cipher}"),
    ];
    if let Some(signer) = &arguments.signer {
        match signing(dir, signer, None)? {
            Ok(signing) => options.extend(signing),
            Err(why) => return unsupported(why),
        }
        options.extend(sent_along(dir, arguments.certificates.as_ref())?);
    }
    let entity = Entity::split(&dir.join(&reading.message)).map_err(|error| at(&reading.message, &error))?;
    // Nothing of what it encrypts depends on the time, but what it signs does.
    let written = send(snail, dir, &entity, Some(&address), &options, reading.clock.as_ref(), &reading.out)?;
    Ok(written.unwrap_or_else(|| writing::wrote(name, &recipients, why)))
}

/// The options that make it sign; within: why it cannot with this key.
fn signing(dir: &Path, key: &KeyFiles, scheme: Option<&str>) -> Result<Result<Vec<String>, String>, Trouble> {
    use PublicKeyAlgorithm as K;
    let (Some(own), Some(file)) = (certificates(dir, &key.certificate)?.into_iter().next(), &key.certificate) else {
        return Ok(Err("s-nail signs with a key and its certificate; there is none".to_owned()));
    };
    let habit = match describe_public_key(own.spki()).map(|key| key.algorithm) {
        Ok(K::Rsa) => "rsa-pkcs1-v1_5",
        Ok(K::P256 | K::P384 | K::P521) => "ecdsa",
        _ => {
            return Ok(Err("s-nail signs with RSA (PKCS #1 v1.5) and ECDSA, and such a key is for neither".to_owned()));
        }
    };
    if let Some(scheme) = scheme.filter(|scheme| *scheme != habit) {
        return Ok(Err(format!("s-nail signs with {habit} and such a key, not with {scheme}")));
    }
    put(dir, "s-nail-signer.pem", &[get(dir, &key.key)?, get(dir, file)?].concat())?;
    let pair = absolute(dir, "s-nail-signer.pem")?;
    Ok(Ok(vec!["-Ssmime-sign".to_owned(), format!("-Ssmime-sign-cert={pair}")]))
}

/// The option for certificates to be sent along: a file for each.
fn sent_along(dir: &Path, name: Option<&String>) -> Result<Option<String>, Trouble> {
    let mut files = Vec::new();
    for (number, one) in (1..).zip(certificates(dir, name)?) {
        let file = format!("s-nail-along-{number}.pem");
        put(dir, &file, one.to_pem().as_bytes())?;
        files.push(absolute(dir, &file)?);
    }
    Ok((!files.is_empty()).then(|| format!("-Ssmime-sign-include-certs={}", files.join(","))))
}

/// Sends the text of a mail; the result is an answer if nothing was sent.
fn send(
    snail: &SNail,
    dir: &Path,
    entity: &Entity,
    to: Option<&str>,
    options: &[String],
    clock: Option<&String>,
    out: &str,
) -> Result<Option<Answer>, Trouble> {
    let template = match template(entity, to) {
        Ok(template) => template,
        Err(why) => return Ok(Some(Answer::Unsupported(why))),
    };
    put(dir, TEMPLATE, &template)?;
    put(dir, AGENT, format!("#!/bin/sh\ncat > '{}'\n", absolute(dir, SENT)?.replace('\'', r"'\''")).as_bytes())?;
    std::fs::set_permissions(dir.join(AGENT), std::fs::Permissions::from_mode(0o700))
        .map_err(|error| at(AGENT, &error))?;
    match std::fs::remove_file(dir.join(SENT)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(SENT, &error)),
        _ => {}
    }
    let agent = format!("-Smta={}", absolute(dir, AGENT)?);
    // It waits for the agent, and says no without sending.
    let run = snail.run(dir, clock)?.args(["-Ssendwait", "-Ssendcharsets=us-ascii,utf-8", &agent]);
    let ran = run.args(options).args(["-t"]).input(TEMPLATE).go()?;
    match get(dir, SENT) {
        Ok(sent) if !sent.is_empty() => {
            put(dir, out, &mail::in_crlf(sent))?;
            Ok(None)
        }
        _ => Ok(Some(Answer::Error("s-nail sent nothing".to_owned(), Some(ran.words)))),
    }
}

/// A mail as `s-nail -t` takes it; or why it cannot be one.
fn template(entity: &Entity, to: Option<&str>) -> Result<Vec<u8>, String> {
    const OTHER: &str = "s-nail composes its mail itself, of text; this one is something else";
    let whole = entity.whole();
    let mut source = Cursor::new(whole.as_slice());
    let root = mime::parse(&mut source, &Limits::default()).map_err(|error| error.to_string())?;
    let charset = root.content_type.get("charset").unwrap_or("us-ascii").to_ascii_lowercase();
    if root.content_type.media_type != "text/plain" || !["us-ascii", "utf-8"].contains(&charset.as_str()) {
        return Err(OTHER.to_owned());
    }
    let mut text = Vec::new();
    let mut body = mime::decode_body(&mut source, &root).map_err(|error| error.to_string())?;
    std::io::Read::read_to_end(&mut body, &mut text).map_err(|error| error.to_string())?;
    let mut template = Vec::new();
    for name in ["From", "To", "Cc", "Subject"] {
        let value = root.headers.get(name).map(|field| field.value().trim().to_owned());
        let value = if name == "To" { to.map(str::to_owned).or(value) } else { value };
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            // Another recipient would get a mail of its own.
            if name != "Cc" || to.is_none() {
                template.extend(format!("{name}: {value}\n").into_bytes());
            }
        }
    }
    template.push(b'\n');
    template.extend(in_lf(&text));
    Ok(template)
}

fn absolute(dir: &Path, name: &str) -> Result<String, Trouble> {
    let dir = dir.canonicalize().map_err(|error| at(name, &error))?;
    Ok(dir.join(name).display().to_string())
}
