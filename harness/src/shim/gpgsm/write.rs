//! Writing with gpgsm: it makes objects, which are put into mail here.

use std::collections::BTreeSet;
use std::path::Path;

use waxseal_engine::certificate::Certificate;
use waxseal_key::{DigestAlgorithm, PublicKeyAlgorithm, describe_public_key};
use waxseal_verdict::Form;

use super::super::mail::Entity;
use super::super::peel::{at, get};
use super::super::program::Trouble;
use super::super::protocol::{Answer, EncryptArguments, Refused, SignArguments, Wrote};
use super::super::serve::names;
use super::super::writing::{self, certificates, unsupported};
use super::home::{Home, fingerprint};
use super::native::Said;
use super::put;

/// Digests by the names of the algorithm table, and as gpgsm calls them.
const DIGESTS: &[(&str, &str)] =
    &[("sha-1", "SHA1"), ("sha-224", "SHA224"), ("sha-256", "SHA256"), ("sha-384", "SHA384"), ("sha-512", "SHA512")];

/// Content ciphers by the names of the algorithm table, and as gpgsm calls them.
const CIPHERS: &[(&str, &str)] = &[
    ("aes-128-cbc", "AES"),
    ("aes-192-cbc", "AES192"),
    ("aes-256-cbc", "AES256"),
    ("3des-cbc", "3DES"),
    ("camellia-128-cbc", "CAMELLIA128"),
    ("camellia-192-cbc", "CAMELLIA192"),
    ("camellia-256-cbc", "CAMELLIA256"),
];

/// Everything that it can be told to write with.
pub(super) fn algorithms() -> BTreeSet<String> {
    let mut all = names("rsa-pkcs1-v1_5 ecdsa");
    all.extend(DIGESTS.iter().chain(CIPHERS).map(|(name, _)| (*name).to_owned()));
    all
}

/// The MIME entity that is protected, and the object that came of it.
const ENTITY: &str = "gpgsm-entity";
const WRITTEN: &str = "gpgsm-written.der";

pub(super) fn sign(arguments: &SignArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    let Some(own) = certificates(dir, &arguments.key.certificate)?.into_iter().next() else {
        return unsupported("gpgsm signs with a key and its certificate; there is none");
    };
    if let Err(why) = writing::only_cms(arguments.dialect, "gpgsm") {
        return unsupported(why);
    }
    if arguments.encryption_certificate.is_some() {
        return unsupported("gpgsm does not write the attribute that names the certificate for answers");
    }
    if arguments.announces.is_some() {
        return unsupported("what gpgsm announces cannot be chosen");
    }
    use PublicKeyAlgorithm as K;
    let (habit, shortest) = match describe_public_key(own.spki()).map(|key| key.algorithm) {
        Ok(K::Rsa) => ("rsa-pkcs1-v1_5", 0),
        Ok(K::P256) => ("ecdsa", 32),
        Ok(K::P384) => ("ecdsa", 48),
        // Longer than any digest; its agent then says that 521 is no multiple of 8.
        Ok(K::P521) => ("ecdsa", 66),
        _ => return unsupported("gpgsm signs with RSA (PKCS #1 v1.5) and ECDSA, and such a key is for neither"),
    };
    if let Some(scheme) = arguments.scheme.as_ref().filter(|scheme| *scheme != habit) {
        return unsupported(format!("gpgsm signs with {habit} and such a key, not with {scheme}"));
    }
    // SHA-256 is its habit, too; it is needed here, for micalg.
    let name = arguments.digest.as_deref().unwrap_or("sha-256");
    let (Some((_, digest)), Some(micalg)) =
        (DIGESTS.iter().find(|(known, _)| *known == name), DigestAlgorithm::from_name(name))
    else {
        return unsupported(format!("gpgsm does not sign with the digest {name}"));
    };
    if micalg.output_len() < shortest {
        return unsupported(format!("gpg-agent signs with ECDSA what is as long as the key, and {name} is shorter"));
    }
    let sent = certificates(dir, &arguments.certificates)?;
    let trusted = certificates(dir, &arguments.anchors)?;
    let known = [std::slice::from_ref(&own), &sent, &trusted].concat();
    let home = home(dir, &known, &trusted)?;
    home.add_keys(std::slice::from_ref(&arguments.key))?;
    let entity = Entity::split(&dir.join(&arguments.message)).map_err(|error| at(&arguments.message, &error))?;
    put(dir, ENTITY, &entity.inner)?;
    let clear = arguments.form != Some(Form::Opaque);
    let run = home.gpgsm(arguments.clock.as_ref())?.args(["--status-fd", "1", "--yes", "--digest-algo", digest]);
    let run = run.args(["--local-user", &fingerprint(&own)?, "--output", WRITTEN]);
    let said = Said::new(&run.args([if clear { "--detach-sign" } else { "--sign" }, ENTITY]).go()?);
    if !said.success() {
        return Ok(Answer::Error("gpgsm wrote nothing".to_owned(), said.words()));
    }
    let der = get(dir, WRITTEN)?;
    let mail = if clear { entity.clear_signed(micalg.micalg(), &der) } else { entity.wrapped("signed-data", &der) };
    put(dir, &arguments.out, &mail)?;
    Ok(Answer::Wrote(Wrote::default()))
}

pub(super) fn encrypt(arguments: &EncryptArguments) -> Result<Answer, Trouble> {
    let reading = &arguments.reading;
    let dir = Path::new(&reading.dir);
    if let Err(why) = writing::only_cms(arguments.dialect, "gpgsm") {
        return unsupported(why);
    }
    if arguments.signer.is_some() {
        return unsupported("gpgsm signs and encrypts in two steps");
    }
    if let Some(other) = &arguments.key_encryption {
        return unsupported(format!("gpgsm encrypts keys with RSA PKCS #1 v1.5, not with {other}"));
    }
    let known = |name: &str| CIPHERS.iter().find(|(known, _)| *known == name);
    let ((name, cipher), why) = match writing::cipher(arguments, "gpgsm", "aes-128-cbc", known) {
        Ok(chosen) => chosen,
        Err(why) => return unsupported(why),
    };
    let recipients = match writing::recipients(arguments)? {
        Ok(recipients) => recipients,
        Err(refused) => return Ok(Answer::Refused(refused)),
    };
    let is_rsa =
        |one: &Certificate| describe_public_key(one.spki()).is_ok_and(|key| key.algorithm == PublicKeyAlgorithm::Rsa);
    if let Some(other) = recipients.iter().find(|one| !is_rsa(one)) {
        return unsupported(format!("gpgsm encrypts for RSA keys alone, and {} has another", other.subject()));
    }
    let trusted = certificates(dir, &reading.anchors)?;
    let extra = certificates(dir, &reading.extra_certificates)?;
    let home = home(dir, &[recipients.as_slice(), &extra, &trusted].concat(), &trusted)?;
    let entity = Entity::split(&dir.join(&reading.message)).map_err(|error| at(&reading.message, &error))?;
    put(dir, ENTITY, &entity.inner)?;
    let mut run = home.gpgsm(reading.clock.as_ref())?.args(["--status-fd", "1", "--yes", "--cipher-algo", cipher]);
    for recipient in &recipients {
        run = run.args(["--recipient", &fingerprint(recipient)?]);
    }
    let said = Said::new(&run.args(["--output", WRITTEN, "--encrypt", ENTITY]).go()?);
    if !said.success() {
        let detail = said.words().unwrap_or_default();
        // It does not encrypt for whom it does not trust.
        return Ok(Answer::Refused(Refused { reason: "certificate-unusable".to_owned(), detail }));
    }
    put(dir, &reading.out, &entity.wrapped("enveloped-data", &get(dir, WRITTEN)?))?;
    Ok(writing::wrote(name, &recipients, why))
}

/// A home in which these are known. It signs with, and encrypts for, trusted
/// certificates alone; where nothing is said of trust, every root is trusted.
fn home(dir: &Path, known: &[Certificate], trusted: &[Certificate]) -> Result<Home, Trouble> {
    let home = Home::new(dir)?;
    let roots: Vec<_> = known.iter().filter(|one| one.is_self_issued()).cloned().collect();
    home.trust(if trusted.is_empty() { &roots } else { trusted })?;
    home.import(known)?;
    Ok(home)
}
