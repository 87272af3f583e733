//! Writing with cmsutil: it makes objects, which are put into mail here.

use std::collections::BTreeSet;
use std::path::Path;

use waxseal_key::{DigestAlgorithm, PublicKeyAlgorithm, describe_public_key};
use waxseal_verdict::Form;

use super::super::mail::Entity;
use super::super::peel::{at, get, put};
use super::super::program::{Run, Trouble};
use super::super::protocol::{Answer, EncryptArguments, SignArguments, Wrote};
use super::super::serve::names;
use super::super::writing::{self, certificates, unsupported};
use super::Nss;
use super::database::{Contents, Trust, certificate_name, key_name};

/// Digests by the names of the algorithm table, and as cmsutil calls them.
const DIGESTS: &[(&str, &str)] =
    &[("sha-1", "SHA1"), ("sha-256", "SHA256"), ("sha-384", "SHA384"), ("sha-512", "SHA512")];

/// The content cipher that NSS chooses where it knows nothing of the
/// recipients' capabilities. It takes no wish.
const CIPHER: &str = "aes-128-cbc";
/// How that is named in the object.
const CIPHER_OID: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x02";

/// Everything that it can be told to write with.
pub(super) fn algorithms() -> BTreeSet<String> {
    let mut all = names("rsa-pkcs1-v1_5 ecdsa");
    all.insert(CIPHER.to_owned());
    all.extend(DIGESTS.iter().map(|(name, _)| (*name).to_owned()));
    all
}

/// The MIME entity that is protected, and the object that came of it.
const ENTITY: &str = "nss-entity";
const WRITTEN: &str = "nss-written.der";

pub(super) fn sign(nss: &mut Nss, arguments: &SignArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    let Some(own) = certificates(dir, &arguments.key.certificate)?.into_iter().next() else {
        return unsupported("cmsutil signs with a key and its certificate; there is none");
    };
    if let Err(why) = writing::only_cms(arguments.dialect, "cmsutil") {
        return unsupported(why);
    }
    if arguments.clock.is_some() && nss.faketime.is_none() {
        return unsupported("cmsutil signs now, and libfaketime is not here (Debian: apt-get install libfaketime)");
    }
    use PublicKeyAlgorithm as K;
    let habit = match describe_public_key(own.spki()).map(|key| key.algorithm) {
        Ok(K::Rsa) => "rsa-pkcs1-v1_5",
        Ok(K::P256 | K::P384 | K::P521) => "ecdsa",
        _ => return unsupported("cmsutil signs with RSA (PKCS #1 v1.5) and ECDSA, and such a key is for neither"),
    };
    if let Some(scheme) = arguments.scheme.as_ref().filter(|scheme| *scheme != habit) {
        return unsupported(format!("cmsutil signs with {habit} and such a key, not with {scheme}"));
    }
    // SHA-256 is its habit, too; it is needed here, for micalg.
    let name = arguments.digest.as_deref().unwrap_or("sha-256");
    let (Some((_, digest)), Some(micalg)) =
        (DIGESTS.iter().find(|(known, _)| *known == name), DigestAlgorithm::from_name(name))
    else {
        return unsupported(format!("cmsutil does not sign with the digest {name}"));
    };
    let announced = match &arguments.announces {
        None => true,
        Some(list) if list.is_empty() => false,
        Some(_) => return unsupported("what cmsutil announces cannot be chosen"),
    };
    // The first of these keeps its name, so that it can be told from others of the same subject.
    let named = certificates(dir, &arguments.encryption_certificate)?;
    let sent = certificates(dir, &arguments.certificates)?;
    let contents = Contents::default().with_keys(dir, std::slice::from_ref(&arguments.key))?;
    // It announces what answers are to be encrypted for only with a certificate that it trusts.
    // Where nothing is said of trust, every root is trusted.
    let mut trusted = certificates(dir, &arguments.anchors)?;
    if trusted.is_empty() {
        trusted.extend(sent.iter().filter(|one| one.is_self_issued()).cloned());
    }
    let contents = contents.with(&named, |_| Trust::Known).with(&sent, |_| Trust::Known);
    let contents = contents.with(&trusted, Trust::of_anchor);
    let database = nss.databases.place(dir, "nss-signer", &contents)?;
    let entity = Entity::split(&dir.join(&arguments.message)).map_err(|error| at(&arguments.message, &error))?;
    put(dir, ENTITY, &entity.inner)?;
    let mut words = vec!["-S", "-G", "-d", &database, "-H", digest, "-i", ENTITY, "-o", WRITTEN];
    let (signer, answers) = (key_name(1), certificate_name(1));
    words.extend(["-N", &signer]);
    if announced {
        words.push("-P");
    }
    if let Some(named) = named.first() {
        if named.subject_der() == own.subject_der() && named.der() != own.der() {
            return unsupported("cmsutil finds certificates by subject, and the one for answers has the signer's");
        }
        words.extend(["-Y", if named.der() == own.der() { &signer } else { &answers }]);
    }
    if named.is_empty() && trusted.is_empty() {
        words.extend(["-Y", "NONE"]);
    }
    let clear = arguments.form != Some(Form::Opaque);
    if clear {
        words.push("-T");
    }
    let run = Run::new("cmsutil", dir).args(&words);
    let ran = run.at(nss.faketime.as_ref(), arguments.clock.as_ref())?.go()?;
    if !ran.success {
        return Ok(Answer::Error("cmsutil wrote nothing".to_owned(), Some(ran.words)));
    }
    let der = get(dir, WRITTEN)?;
    let mail = if clear { entity.clear_signed(micalg.micalg(), &der) } else { entity.wrapped("signed-data", &der) };
    put(dir, &arguments.out, &mail)?;
    Ok(Answer::Wrote(Wrote::default()))
}

pub(super) fn encrypt(nss: &mut Nss, arguments: &EncryptArguments) -> Result<Answer, Trouble> {
    let reading = &arguments.reading;
    let dir = Path::new(&reading.dir);
    if let Err(why) = writing::only_cms(arguments.dialect, "cmsutil") {
        return unsupported(why);
    }
    if arguments.signer.is_some() {
        return unsupported("cmsutil signs and encrypts in two steps");
    }
    if let Some(other) = &arguments.key_encryption {
        return unsupported(format!("cmsutil encrypts keys with RSA PKCS #1 v1.5, not with {other}"));
    }
    let known = |name: &str| (name == CIPHER).then_some(());
    let why = match writing::cipher(arguments, "cmsutil", CIPHER, known) {
        Ok(((), why)) => why,
        Err(why) => return unsupported(why),
    };
    let recipients = match writing::recipients(arguments)? {
        Ok(recipients) => recipients,
        Err(refused) => return Ok(Answer::Refused(refused)),
    };
    for (number, recipient) in recipients.iter().enumerate() {
        if !describe_public_key(recipient.spki()).is_ok_and(|key| key.algorithm == PublicKeyAlgorithm::Rsa) {
            let why = format!("cmsutil encrypts for RSA keys alone, and {} has another", recipient.subject());
            return unsupported(why);
        }
        let same = |other: &waxseal_engine::certificate::Certificate| other.subject_der() == recipient.subject_der();
        if recipients.iter().take(number).any(same) {
            return unsupported(format!(
                "cmsutil finds certificates by subject, and {} is there twice",
                recipient.subject()
            ));
        }
    }
    let contents = Contents::default().with(&recipients, |_| Trust::Known);
    let database = nss.databases.place(dir, "nss-recipients", &contents)?;
    let entity = Entity::split(&dir.join(&reading.message)).map_err(|error| at(&reading.message, &error))?;
    put(dir, ENTITY, &entity.inner)?;
    let to = (1..=recipients.len()).map(certificate_name).collect::<Vec<_>>().join(",");
    let run = Run::new("cmsutil", dir).args(["-E", "-d", &database, "-r", &to, "-i", ENTITY, "-o", WRITTEN]);
    let ran = run.go()?;
    if !ran.success {
        return Ok(Answer::Error("cmsutil wrote nothing".to_owned(), Some(ran.words)));
    }
    let der = get(dir, WRITTEN)?;
    if !der.windows(CIPHER_OID.len()).any(|window| window == CIPHER_OID) {
        return Err(Trouble::Shim(format!("cmsutil chose another cipher than {CIPHER}, which this shim knows of it")));
    }
    put(dir, &reading.out, &entity.wrapped("enveloped-data", &der))?;
    Ok(writing::wrote(CIPHER, &recipients, why))
}
