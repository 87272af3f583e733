//! What Thunderbird writes: a draft with the same content is composed and sent to
//! a server on loopback, and what arrives there is the mail.
//!
//! Nothing of how it signs and encrypts can be chosen. A request that asks for
//! more than its habit is `unsupported`; what the habit was stands in the mail,
//! and is compared with what was asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use waxseal_engine::certificate::Certificate;
use waxseal_verdict::Form;

use super::content;
use super::draft::{self, Written};
use super::session::{Known, Session};
use super::{Thunderbird, Trouble};
use crate::shim::protocol::{Answer, EncryptArguments, KeyFiles, Refused, SignArguments, Wrote};
use crate::thunderbird::process::{Account, ThunderbirdError};

/// How long the mail may take from its "sent" to its arrival.
const ARRIVAL: Duration = Duration::from_secs(10);

/// The content ciphers that it was seen to choose, in DER.
const CIPHERS: &[(&str, &[u8])] = &[
    ("aes-128-cbc", b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x02"),
    ("aes-256-cbc", b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a"),
    ("3des-cbc", b"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x07"),
];

/// The property of `nsIMsgComposeSecure` that says how it signs.
pub(super) const SIGN_FORMAT: &str = "signFormat";

/// What is to become of a mail.
struct Order<'a> {
    dir: &'a str,
    message: &'a str,
    out: &'a str,
    clock: Option<&'a str>,
    settings: &'a BTreeMap<String, String>,
    known: Known<'a>,
    /// The certificate to sign with.
    signer: Option<Certificate>,
    /// The author's own, which every encrypted mail is encrypted for, too.
    own: Certificate,
    /// Certificates to encrypt for, by address.
    recipients: Option<Vec<(String, Certificate)>>,
}

impl Thunderbird {
    pub(super) fn try_sign(&mut self, arguments: &SignArguments) -> Result<Answer, Trouble> {
        let SignArguments { form, digest, scheme, announces, .. } = arguments;
        let rows = [
            (*form == Some(Form::Opaque), "Thunderbird signs clear"),
            (scheme.as_deref() == Some("rsassa-pss"), "Thunderbird signs with RSASSA-PKCS1-v1_5"),
            (announces.is_some(), "Thunderbird announces its own capabilities"),
            (
                arguments.dialect.is_some_and(|dialect| dialect != waxseal_verdict::Dialect::Cms),
                "Thunderbird writes CMS",
            ),
        ];
        if let Some((_, why)) = rows.iter().find(|(applies, _)| *applies) {
            return Ok(Answer::Unsupported((*why).to_owned()));
        }
        let signer = own(&arguments.dir, &arguments.key)?;
        let named = arguments.encryption_certificate.as_ref();
        let own = named.map_or_else(|| Ok(signer.clone()), |name| Session::certificate(&arguments.dir, name))?;
        let others: Vec<_> = arguments.certificates.iter().chain(named).cloned().collect();
        let order = Order {
            dir: &arguments.dir,
            message: &arguments.message,
            out: &arguments.out,
            clock: arguments.clock.as_deref(),
            settings: &arguments.settings,
            known: Known {
                dir: &arguments.dir,
                keys: std::slice::from_ref(&arguments.key),
                anchors: arguments.anchors.as_slice(),
                others: &others,
            },
            signer: Some(signer),
            own,
            recipients: None,
        };
        let mail = match self.write(&order)? {
            Ok(mail) => mail,
            Err(refused) => return Ok(Answer::Refused(refused)),
        };
        if let Some(wanted) = digest
            && let Some(used) = micalg(&mail)
            && used != *wanted
        {
            return Ok(Answer::Unsupported(format!("Thunderbird signs with {used} with this key")));
        }
        keep(&order, &mail)?;
        Ok(Answer::Wrote(Wrote::default()))
    }

    pub(super) fn try_encrypt(&mut self, arguments: &EncryptArguments) -> Result<Answer, Trouble> {
        let EncryptArguments { reading, to, recipients, cipher, key_encryption, signer, .. } = arguments;
        let rows = [
            (key_encryption.is_some(), "Thunderbird encrypts content keys with RSAES-PKCS1-v1_5"),
            (
                arguments.dialect.is_some_and(|dialect| dialect != waxseal_verdict::Dialect::Cms),
                "Thunderbird writes CMS",
            ),
            (!reading.earlier.is_empty(), "this shim reads no earlier mail before it writes"),
        ];
        if let Some((_, why)) = rows.iter().find(|(applies, _)| *applies) {
            return Ok(Answer::Unsupported((*why).to_owned()));
        }
        let dir = reading.dir.as_str();
        let certificates =
            recipients.iter().map(|name| Session::certificate(dir, name)).collect::<Result<Vec<_>, _>>()?;
        let pairs = if certificates.is_empty() { None } else { Some(paired(to, &certificates)?) };
        let signing = signer.as_ref().map(|key| own(dir, key)).transpose()?;
        // It does not encrypt without a certificate of the author's own: where none is named, one of the
        // recipients' takes that place, and nobody is added to them.
        let own = match (&arguments.copy_for, certificates.first()) {
            (Some(name), _) => Session::certificate(dir, name)?,
            (None, Some(first)) => first.clone(),
            (None, None) => match &signing {
                Some(signing) => signing.clone(),
                None => {
                    let why = "Thunderbird encrypts for the author, too, and no certificate of theirs is named";
                    return Ok(Answer::Unsupported(why.to_owned()));
                }
            },
        };
        let own_keys = signer.iter().chain(&reading.keys).cloned().collect::<Vec<_>>();
        let others = [&arguments.certificates, &reading.extra_certificates, &arguments.copy_for];
        let others: Vec<_> = others.into_iter().flatten().chain(recipients).cloned().collect();
        let order = Order {
            dir,
            message: &reading.message,
            out: &reading.out,
            clock: reading.clock.as_deref(),
            settings: &arguments.settings,
            known: Known { dir, keys: &own_keys, anchors: reading.anchors.as_slice(), others: &others },
            signer: signing,
            own,
            recipients: Some(pairs.unwrap_or_default()),
        };
        let mail = match self.write(&order)? {
            Ok(mail) => mail,
            Err(refused) => return Ok(Answer::Refused(refused)),
        };
        let used = content::object(&mail).and_then(|der| {
            let has = |oid: &[u8]| der.windows(oid.len()).any(|window| window == oid);
            CIPHERS.iter().find(|(_, oid)| has(oid)).map(|(name, _)| (*name).to_owned())
        });
        let Some(used) = used else {
            return Err(Trouble::Shim(
                "the mail that Thunderbird sent holds no EnvelopedData of a known cipher".to_owned(),
            ));
        };
        let is_wanted = cipher.as_ref().is_none_or(|wanted| *wanted == used)
            && arguments.sends.as_ref().is_none_or(|list| list.contains(&used));
        if !is_wanted {
            return Ok(Answer::Unsupported(format!("Thunderbird encrypts with {used} for these recipients")));
        }
        keep(&order, &mail)?;
        let all = order.recipients.iter().flatten().map(|(_, certificate)| certificate.serial_hex());
        Ok(Answer::Wrote(Wrote { cipher: Some(used), recipients: all.collect(), why: None }))
    }

    /// Composes and sends; what arrives, or why nothing was sent.
    fn write(&mut self, order: &Order<'_>) -> Result<Result<Vec<u8>, Refused>, Trouble> {
        let mail = std::fs::read(Path::new(order.dir).join(order.message)).map_err(Trouble::at(order.message))?;
        let files = tempfile::tempdir().map_err(Trouble::at("the attachments"))?;
        let Written { address, name, mut draft } = draft::read(&mail, files.path())?;
        let session = self.session()?;
        session.set_clock(order.clock)?;
        session.know(&order.known)?;
        let account = Account {
            address,
            name,
            signing: fingerprint(order.signer.as_ref().unwrap_or(&order.own)),
            encryption: fingerprint(&order.own),
            server: session.server()?,
        };
        session.thunderbird.set_account(&account)?;
        draft.sign = order.signer.is_some();
        draft.encrypt = order.recipients.is_some();
        draft.sign_format = order.settings.get(SIGN_FORMAT).cloned().unwrap_or_default();
        let recipients = order.recipients.iter().flatten();
        draft.certificates = recipients.map(|(address, one)| (address.clone(), fingerprint(one))).collect();
        let sent = session.thunderbird.send(&draft);
        let alerts = session.thunderbird.prompts()?.join("; ");
        let refused = |reason: &str, detail: String| Ok(Err(Refused { reason: reason.to_owned(), detail }));
        match sent {
            Ok(()) => {}
            Err(error @ ThunderbirdError::Unknown(_)) => return refused("not-known", error.to_string()),
            Err(ThunderbirdError::NotSent(why)) => {
                return refused("certificate-unusable", format!("{why} {alerts}").trim().to_owned());
            }
            Err(other) => return Err(other.into()),
        }
        let arrived = session.arrived(ARRIVAL);
        arrived.map_or_else(
            || Err(Trouble::Shim("Thunderbird says that it sent the mail, and none arrived".to_owned())),
            |mail| Ok(Ok(mail)),
        )
    }
}

fn fingerprint(certificate: &Certificate) -> [u8; 32] {
    Sha256::digest(certificate.der()).into()
}

fn own(dir: &str, key: &KeyFiles) -> Result<Certificate, Trouble> {
    match &key.certificate {
        Some(name) => Session::certificate(dir, name),
        None => Err(Trouble::Unsupported(format!("Thunderbird takes no key without its certificate: {}", key.key))),
    }
}

/// The certificate of each address: the one that names it, else the one at its place.
fn paired(to: &[String], certificates: &[Certificate]) -> Result<Vec<(String, Certificate)>, Trouble> {
    if to.len() != certificates.len() {
        let why = "Thunderbird encrypts for one certificate of each address";
        return Err(Trouble::Unsupported(format!(
            "{why}: {} addresses, {} certificates",
            to.len(),
            certificates.len()
        )));
    }
    let names = |certificate: &Certificate, address: &str| {
        certificate.emails().iter().any(|one| one.eq_ignore_ascii_case(address))
    };
    Ok(to
        .iter()
        .zip(certificates)
        .map(|(address, beside)| {
            let named = certificates.iter().find(|certificate| names(certificate, address));
            (address.clone(), named.unwrap_or(beside).clone())
        })
        .collect())
}

/// The digest that a clear-signed mail names.
fn micalg(mail: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(mail);
    let (_, rest) = text.split_once("micalg=")?;
    let value = rest.trim_start_matches('"').split(|end: char| !end.is_ascii_alphanumeric() && end != '-').next()?;
    Some(value.to_ascii_lowercase())
}

fn keep(order: &Order<'_>, mail: &[u8]) -> Result<(), Trouble> {
    std::fs::write(Path::new(order.dir).join(order.out), mail).map_err(Trouble::at(order.out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_clear_signature() {
        let header =
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=SHA-256; boundary=x";
        assert_eq!(micalg(header.as_bytes()).as_deref(), Some("sha-256"));
        assert_eq!(micalg(b"micalg=\"sha-512\"\r\n").as_deref(), Some("sha-512"));
        assert_eq!(micalg(b"Content-Type: text/plain\r\n"), None);
    }
}
