//! Writing with `openssl cms`: it makes the whole MIME entity itself; the fields
//! of the mail that stay outside are put before it.

use std::collections::BTreeSet;
use std::path::Path;

use waxseal_engine::certificate::Certificate;
use waxseal_key::{PublicKeyAlgorithm, describe_public_key};
use waxseal_verdict::Form;

use super::super::mail::{self, Entity};
use super::super::peel::{at, get, put};
use super::super::program::Trouble;
use super::super::protocol::{Answer, EncryptArguments, SignArguments, Wrote};
use super::super::serve::names;
use super::super::writing::{self, unsupported};
use super::native::Said;
use super::program::Program;

/// Digests by the names of the algorithm table, and as openssl calls them.
const DIGESTS: &[(&str, &str)] = &[
    ("md5", "md5"),
    ("sha-1", "sha1"),
    ("sha-224", "sha224"),
    ("sha-256", "sha256"),
    ("sha-384", "sha384"),
    ("sha-512", "sha512"),
    ("sha3-224", "sha3-224"),
    ("sha3-256", "sha3-256"),
    ("sha3-384", "sha3-384"),
    ("sha3-512", "sha3-512"),
];

/// A content cipher.
struct Cipher {
    /// As [`Wrote::cipher`] spells it.
    name: &'static str,
    option: &'static str,
    /// Whether the legacy provider has it.
    legacy: bool,
}

/// The ciphers that it writes and reads again. Not CAST5, whose parameters it
/// does not write as RFC 2984 has them, and not CCM, which `cms` cannot use.
const CIPHERS: &[Cipher] = &[
    cipher("aes-128-cbc", "-aes-128-cbc"),
    cipher("aes-192-cbc", "-aes-192-cbc"),
    cipher("aes-256-cbc", "-aes-256-cbc"),
    cipher("aes-128-gcm", "-aes-128-gcm"),
    cipher("aes-192-gcm", "-aes-192-gcm"),
    cipher("aes-256-gcm", "-aes-256-gcm"),
    cipher("3des-cbc", "-des-ede3-cbc"),
    cipher("camellia-128-cbc", "-camellia-128-cbc"),
    cipher("camellia-192-cbc", "-camellia-192-cbc"),
    cipher("camellia-256-cbc", "-camellia-256-cbc"),
    Cipher { name: "des-cbc", option: "-des-cbc", legacy: true },
    Cipher { name: "rc2-cbc-40", option: "-rc2-40-cbc", legacy: true },
    Cipher { name: "rc2-cbc-64", option: "-rc2-64-cbc", legacy: true },
    Cipher { name: "rc2-cbc-128", option: "-rc2-cbc", legacy: true },
];

const fn cipher(name: &'static str, option: &'static str) -> Cipher {
    Cipher { name, option, legacy: false }
}

/// Everything that it can be told to write with.
pub(super) fn algorithms(legacy: bool) -> BTreeSet<String> {
    let ciphers = CIPHERS.iter().filter(|cipher| legacy || !cipher.legacy).map(|cipher| cipher.name);
    let digests = DIGESTS.iter().map(|(name, _)| *name);
    let mut all = names("rsa-pkcs1-v1_5 rsassa-pss ecdsa rsaes-oaep ec");
    all.extend(ciphers.chain(digests).map(str::to_owned));
    all
}

/// The MIME entity that is protected, and the one that came of it.
const ENTITY: &str = "openssl-entity";
const WRITTEN: &str = "openssl-written";

pub(super) fn sign(program: &Program, arguments: &SignArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    let Some(certificate) = &arguments.key.certificate else {
        return unsupported("openssl cms signs with a key and its certificate; there is none");
    };
    if let Err(why) = writing::only_cms(arguments.dialect, "openssl") {
        return unsupported(why);
    }
    if arguments.encryption_certificate.is_some() {
        return unsupported("openssl cms does not write the attribute that names the certificate for answers");
    }
    let Some(own) = writing::certificates(dir, [certificate])?.into_iter().next() else {
        return Err(Trouble::Shim(format!("{certificate}: no certificate")));
    };
    let key = describe_public_key(own.spki()).map(|key| key.algorithm).ok();
    if let Some(why) = refused_key(key.as_ref()) {
        return unsupported(why);
    }
    let mut words = vec!["cms", "-sign", "-binary", "-crlfeol", "-in", ENTITY, "-out", WRITTEN];
    words.extend(["-signer", certificate, "-inkey", &arguments.key.key]);
    if arguments.form == Some(Form::Opaque) {
        words.push("-nodetach");
    }
    if let Some(name) = &arguments.digest {
        let Some((_, digest)) = DIGESTS.iter().find(|(known, _)| known == name) else {
            return unsupported(format!("openssl cms does not sign with the digest {name}"));
        };
        words.extend(["-md", digest]);
    }
    match (arguments.scheme.as_deref(), key.as_ref()) {
        (None, _) | (Some("rsa-pkcs1-v1_5"), Some(PublicKeyAlgorithm::Rsa)) => {}
        (Some("rsassa-pss"), Some(PublicKeyAlgorithm::RsaPss)) => {}
        (Some("rsassa-pss"), Some(PublicKeyAlgorithm::Rsa)) => words.extend(["-keyopt", "rsa_padding_mode:pss"]),
        // What is left of the keys that it signs with.
        (Some("ecdsa"), key) if !matches!(key, Some(PublicKeyAlgorithm::Rsa | PublicKeyAlgorithm::RsaPss)) => {}
        (Some(scheme), _) => return unsupported(format!("openssl cms does not sign with {scheme} and such a key")),
    }
    let sha3 = arguments.digest.as_ref().is_some_and(|digest| digest.starts_with("sha3-"));
    if sha3 && (key != Some(PublicKeyAlgorithm::Rsa) || arguments.scheme.as_deref() == Some("rsassa-pss")) {
        return unsupported("OpenSSL 3.0 signs with SHA-3 and RSA PKCS #1 v1.5, and with no other scheme");
    }
    if let Some(sent) = &arguments.certificates {
        words.extend(["-certfile", sent]);
    }
    match &arguments.announces {
        None => {}
        Some(list) if list.is_empty() => words.push("-nosmimecap"),
        Some(_) => return unsupported("what openssl cms announces cannot be chosen"),
    }
    let entity = Entity::split(&dir.join(&arguments.message)).map_err(|error| at(&arguments.message, &error))?;
    put(dir, ENTITY, &entity.inner)?;
    let said = program.run_at(dir, &words, arguments.clock.as_ref())?;
    written(dir, &said, &entity, &arguments.out, || Answer::Wrote(Wrote::default()))
}

pub(super) fn encrypt(program: &Program, arguments: &EncryptArguments) -> Result<Answer, Trouble> {
    let reading = &arguments.reading;
    let dir = Path::new(&reading.dir);
    if let Err(why) = writing::only_cms(arguments.dialect, "openssl") {
        return unsupported(why);
    }
    if arguments.signer.is_some() {
        return unsupported("openssl cms signs and encrypts in two steps");
    }
    let known =
        |name: &str| CIPHERS.iter().find(|cipher| cipher.name == name && (program.has_legacy() || !cipher.legacy));
    let (cipher, why) = match writing::cipher(arguments, "openssl cms", "aes-256-cbc", known) {
        Ok(chosen) => chosen,
        Err(why) => return unsupported(why),
    };
    let oaep = match arguments.key_encryption.as_deref() {
        None => false,
        Some("rsaes-oaep") => true,
        Some(other) => return unsupported(format!("openssl cms does not encrypt keys with {other}")),
    };
    let recipients = match writing::recipients(arguments)? {
        Ok(recipients) => recipients,
        Err(refused) => return Ok(Answer::Refused(refused)),
    };
    let entity = Entity::split(&dir.join(&reading.message)).map_err(|error| at(&reading.message, &error))?;
    put(dir, ENTITY, &entity.inner)?;
    let files: Vec<String> = (1..=recipients.len()).map(|number| format!("openssl-to-{number}.pem")).collect();
    let mut words = vec!["cms", "-encrypt", "-binary", "-crlfeol", cipher.option, "-in", ENTITY, "-out", WRITTEN];
    words.extend(program.providers());
    for (file, certificate) in files.iter().zip(&recipients) {
        mail::write_pem(&dir.join(file), "CERTIFICATE", certificate.der()).map_err(|error| at(file, &error))?;
        words.extend(["-recip", file]);
        if oaep && is_rsa(certificate) {
            words.extend(["-keyopt", "rsa_padding_mode:oaep"]);
        }
    }
    let said = program.run(dir, &words)?;
    written(dir, &said, &entity, &reading.out, || writing::wrote(cipher.name, &recipients, why))
}

/// Why it cannot sign with a key, by its kind; what the table does not know it is asked for.
fn refused_key(key: Option<&PublicKeyAlgorithm>) -> Option<&'static str> {
    use PublicKeyAlgorithm as K;
    match key? {
        K::Sm2 => {
            Some("openssl cms leaves out the identity of the signer (Z of GM/T 0009), so nobody else verifies it")
        }
        K::Ed25519 | K::Ed448 => Some("openssl cms has no signatures without a digest of its own"),
        K::X25519 | K::RsaOaep => Some("the key is for encryption alone"),
        K::MlDsa44 | K::MlDsa65 | K::MlDsa87 => Some("OpenSSL 3.0 has no ML-DSA"),
        _ => None,
    }
}

fn is_rsa(certificate: &Certificate) -> bool {
    describe_public_key(certificate.spki()).is_ok_and(|key| key.algorithm == PublicKeyAlgorithm::Rsa)
}

/// Puts what was written below the fields that stay outside.
fn written(
    dir: &Path,
    said: &Said,
    entity: &Entity,
    out: &str,
    answer: impl FnOnce() -> Answer,
) -> Result<Answer, Trouble> {
    if !said.success {
        return Ok(Answer::Error("openssl cms wrote nothing".to_owned(), said.words()));
    }
    let mut mail = entity.outer.clone();
    mail.extend(with_crlf(&get(dir, WRITTEN)?));
    put(dir, out, &mail)?;
    Ok(answer())
}

/// With `-crlfeol` openssl ends the lines of header fields with CRLF, and those
/// of base64 with LF. A mail that is signed again has to be one from end to end
/// (RFC 8551 section 3.1.1). What is signed clear is left as it was signed.
fn with_crlf(written: &[u8]) -> Vec<u8> {
    let is_clear = written
        .split(|octet| *octet == b'\n')
        .take_while(|line| !line.is_empty() && *line != b"\r")
        .any(|line| line.to_ascii_lowercase().starts_with(b"content-type: multipart/signed"));
    if is_clear {
        return written.to_vec();
    }
    let mut out = Vec::with_capacity(written.len() + written.len() / 64);
    for line in written.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}
