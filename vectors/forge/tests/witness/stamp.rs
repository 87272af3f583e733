//! `openssl ts`, asked about every token on a signature.

use std::path::Path;
use std::process::Command;

use waxseal_forge::build;
use waxseal_model::{Case, Corpus, Input, Step};
use waxseal_verdict::{Aspect, AspectName, Reason};

use crate::cut;

/// id-aa-timeStampToken with tag and length, and a SET of one value after it.
const ATTRIBUTE: [u8; 13] = [6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 14];

/// Whether a token stands on the first signature of the message.
pub(crate) fn has_token(case: &Case) -> bool {
    let Input::Recipe(recipe) = &case.input else { return false };
    matches!(recipe.steps.last(), Some(Step::Stamp(_)))
}

/// OpenSSL verifies each token at the time of the case: all of them, unless the
/// case says that a token is bad.
pub(crate) fn examine(corpus: &Corpus, case: &Case) -> Result<(), String> {
    let files = build(corpus, case).map_err(|error| error.to_string())?;
    let object = cut::object(&files.message).ok_or("no object was found")?;
    let (signature, tokens) = taken_apart(&object.der).ok_or("no token was found")?;
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let put =
        |name: &str, octets: &[u8]| std::fs::write(dir.path().join(name), octets).map_err(|error| error.to_string());
    put("signature", &signature)?;
    put("anchors.pem", files.anchors.as_bytes())?;
    put("extra.pem", [files.extra_certificates.as_str(), &files.anchors].concat().as_bytes())?;
    let said = tokens.iter().map(|token| {
        put("token", token)?;
        verify(dir.path(), &case.clock.unix().to_string())
    });
    let said: Vec<Result<(), String>> = said.collect();
    match (names_a_bad_token(case), said.iter().find_map(|one| one.as_ref().err())) {
        (false, Some(why)) => Err(format!("openssl ts refuses: {why}")),
        (true, None) => Err("openssl ts accepts what must be refused".to_owned()),
        _ => Ok(()),
    }
}

fn verify(dir: &Path, time: &str) -> Result<(), String> {
    let arguments = ["ts", "-verify", "-token_in", "-in", "token", "-data", "signature", "-attime", time];
    let trust = ["-CAfile", "anchors.pem", "-untrusted", "extra.pem"];
    let output = Command::new("openssl").args(arguments).args(trust).current_dir(dir).output();
    let output = output.map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Whether the token itself is at fault, and not its place in time.
fn names_a_bad_token(case: &Case) -> bool {
    let bad = [Reason::TimestampMismatch, Reason::TimestampUntrusted];
    let times = case.expect.layers.iter().filter_map(|layer| layer.aspects.get(&AspectName::Time));
    times.filter_map(Aspect::reason).any(|reason| bad.contains(&reason))
}

/// The signature value, of RSA with 2048 bits, and every token after it.
fn taken_apart(der: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let places = (0..der.len()).filter(|at| der[*at..].starts_with(&ATTRIBUTE));
    let places: Vec<usize> = places.collect();
    let tokens = places.iter().map(|at| {
        let set = &der[at + ATTRIBUTE.len()..];
        let value = &set[header(set)?..];
        value.get(..header(value)? + length(value)?).map(<[u8]>::to_vec)
    });
    // unsignedAttrs has a header of four octets, and so has the attribute.
    let end = places.first()? - 8;
    let signature = der.get(end - 256..end)?;
    Some((signature.to_vec(), tokens.collect::<Option<_>>()?))
}

/// Octets of tag and length.
fn header(element: &[u8]) -> Option<usize> {
    Some(match element.get(1)? {
        0..0x80 => 2,
        long => 2 + usize::from(long & 0x7f),
    })
}

fn length(element: &[u8]) -> Option<usize> {
    match element.get(1)? {
        short @ 0..0x80 => Some(usize::from(*short)),
        _ => Some(element.get(2..header(element)?)?.iter().fold(0, |sum, octet| sum * 256 + usize::from(*octet))),
    }
}
