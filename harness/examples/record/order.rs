//! One mail of the script as files and requests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use waxseal::shim::protocol::{EncryptArguments, KeyFiles, OpenArguments, SignArguments, op};
use waxseal_model::{Pki, ScriptedLetter, ScriptedMail};
use waxseal_verdict::{Form, Hello, WrittenForm};

use crate::{Result, rfc3339};

/// A request: its operation, its arguments, and the file that it leaves.
pub(crate) type Step = (&'static str, Map<String, Value>, String);

pub(crate) struct Order<'a> {
    pub(crate) mail: &'a ScriptedMail,
    pub(crate) pki: &'a Pki,
    pub(crate) at: OffsetDateTime,
    dir: PathBuf,
}

impl<'a> Order<'a> {
    /// Writes the letter, and what the people of it have, into `dir`.
    pub(crate) fn new(
        pki: &'a Pki,
        mail: &'a ScriptedMail,
        letter: &ScriptedLetter,
        at: OffsetDateTime,
        dir: &Path,
    ) -> Result<Self> {
        let order = Self { mail, pki, at, dir: dir.canonicalize()? };
        let people = std::iter::once(&mail.from).chain(&mail.to);
        for name in people.clone() {
            // The files of the corpus begin with a line of words, which not every program skips.
            let key = pki.key_pem(name).unwrap_or_default();
            let key = key.find("-----BEGIN").map_or(key, |start| &key[start..]);
            std::fs::write(order.path(&format!("{name}.key.pem")), key)?;
            std::fs::write(order.path(&format!("{name}.cert.pem")), pki.certificate_pem(name).unwrap_or_default())?;
        }
        let (mut issuers, mut anchors) = (BTreeSet::new(), BTreeSet::new());
        for name in people {
            let path = pki.path_without_root(name);
            issuers.extend(path.iter().skip(1).copied());
            let root = path.last().and_then(|last| pki.entity(last)?.issuer.as_deref());
            anchors.extend(root);
        }
        for (file, names) in [("issuers.pem", issuers), ("anchors.pem", anchors)] {
            let text: String = names.into_iter().filter_map(|name| pki.certificate_pem(name)).collect();
            std::fs::write(order.path(file), text)?;
        }
        std::fs::write(order.path("mail.eml"), order.text(letter))?;
        Ok(order)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn address(&self, entity: &str) -> String {
        self.pki.entity(entity).and_then(|entity| entity.addresses.first().cloned()).unwrap_or_default()
    }

    pub(crate) fn name(&self, entity: &str) -> String {
        self.pki.entity(entity).map(|entity| entity.common_name.clone()).unwrap_or_default()
    }

    /// The mail before anything protects it.
    fn text(&self, letter: &ScriptedLetter) -> String {
        let mailbox = |entity: &String| format!("{} <{}>", self.name(entity), self.address(entity));
        let to: Vec<String> = self.mail.to.iter().map(mailbox).collect();
        let header = letter.header.trim().replace("\r\n", "\n").replace('\n', "\r\n");
        format!(
            "From: {}\r\nTo: {}\r\n{header}\r\nDate: {}\r\nMessage-ID: <{}@recorded.example.test>\r\n\
             MIME-Version: 1.0\r\n{}",
            mailbox(&self.mail.from),
            to.join(", "),
            self.at.format(&Rfc2822).unwrap_or_default(),
            self.mail.name,
            letter.entity(),
        )
    }

    fn key(&self) -> KeyFiles {
        key(&self.mail.from)
    }

    /// What is needed to read a file of this order.
    pub(crate) fn opening(&self, message: &str) -> OpenArguments {
        OpenArguments {
            dir: self.dir.to_string_lossy().into_owned(),
            message: message.to_owned(),
            keys: if self.mail.encrypt.is_some() {
                self.mail.to.iter().map(|name| key(name)).collect()
            } else {
                Vec::new()
            },
            anchors: Some("anchors.pem".to_owned()),
            extra_certificates: None,
            clock: Some(rfc3339(self.at)),
            policy: self.mail.policy.clone(),
            out: "content".to_owned(),
            ..OpenArguments::default()
        }
    }

    /// The requests, in their order; or why this program is not asked.
    pub(crate) fn steps(&self, hello: &Hello, copies: bool) -> std::result::Result<Vec<Step>, String> {
        let mail = self.mail;
        let is_both = mail.sign.is_some() && mail.encrypt.is_some();
        let at_once = is_both && hello.writes_forms.contains(&WrittenForm::SignedEncrypted);
        let mut steps = Vec::new();
        let mut name = "mail.eml".to_owned();
        if let Some(sign) = mail.sign.as_ref().filter(|_| !at_once) {
            let arguments = SignArguments {
                dir: self.dir.to_string_lossy().into_owned(),
                message: name,
                form: Some(sign.form),
                digest: sign.digest.clone(),
                scheme: sign.scheme.clone(),
                dialect: mail.dialect,
                key: self.key(),
                certificates: Some("issuers.pem".to_owned()),
                anchors: Some("anchors.pem".to_owned()),
                settings: mail.settings.clone(),
                clock: Some(rfc3339(self.at)),
                out: "signed.eml".to_owned(),
                ..SignArguments::default()
            };
            name = arguments.out.clone();
            steps.push((op::SIGN, object(&arguments), name.clone()));
        }
        if let Some(encrypt) = &mail.encrypt {
            let arguments = EncryptArguments {
                reading: OpenArguments {
                    keys: Vec::new(),
                    extra_certificates: Some("issuers.pem".to_owned()),
                    out: "encrypted.eml".to_owned(),
                    ..self.opening(&name)
                },
                to: mail.to.iter().map(|entity| self.address(entity)).collect(),
                recipients: mail.to.iter().map(|entity| format!("{entity}.cert.pem")).collect(),
                cipher: encrypt.cipher.clone(),
                key_encryption: encrypt.key_encryption.clone(),
                dialect: mail.dialect,
                settings: mail.settings.clone(),
                copy_for: copies.then(|| format!("{}.cert.pem", mail.from)),
                signer: at_once.then(|| self.key()),
                certificates: at_once.then(|| "issuers.pem".to_owned()),
                ..EncryptArguments::default()
            };
            steps.push((op::ENCRYPT, object(&arguments), "encrypted.eml".to_owned()));
        }
        let signed = mail.sign.as_ref().map(|sign| match sign.form {
            Form::Opaque => WrittenForm::Opaque,
            _ => WrittenForm::Clear,
        });
        let forms = signed.filter(|_| !at_once).into_iter();
        let forms = forms.chain(mail.encrypt.iter().filter(|_| !at_once).map(|_| WrittenForm::Encrypted));
        match forms.into_iter().find(|form| !hello.writes_forms.contains(form)) {
            Some(form) => Err(format!("it does not write mail that is {form}")),
            None => Ok(steps),
        }
    }
}

fn key(entity: &str) -> KeyFiles {
    KeyFiles { key: format!("{entity}.key.pem"), certificate: Some(format!("{entity}.cert.pem")) }
}

fn object(arguments: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(arguments) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}
