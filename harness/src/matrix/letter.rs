//! The mail of a scenario before anything protects it, and who has which key.

use std::collections::BTreeSet;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use waxseal_forge::KeyPem;
use waxseal_model::{Pki, Scenario};

use crate::sut::left;

/// Who writes a mail that nobody signs.
const NOBODY: &str = "alice";
/// To whom a mail goes that is for nobody in particular.
const ANYBODY: &str = "bob";

/// Everything that the people of a scenario have.
pub(crate) struct People<'a> {
    pki: &'a Pki,
    signer: Option<&'a str>,
    recipient: Option<&'a str>,
}

impl<'a> People<'a> {
    pub(crate) fn of(pki: &'a Pki, scenario: &Scenario<'a>) -> Self {
        let signer = scenario.signature.map(|value| value.signer.as_str());
        Self { pki, signer, recipient: scenario.recipient.map(|value| value.entity.as_str()) }
    }

    pub(crate) fn from(&self) -> String {
        self.address(self.signer.unwrap_or(NOBODY))
    }

    pub(crate) fn to(&self) -> String {
        self.address(self.recipient.unwrap_or(ANYBODY))
    }

    fn address(&self, entity: &str) -> String {
        self.pki.entity(entity).and_then(|entity| entity.addresses.first().cloned()).unwrap_or_default()
    }

    /// The key and certificate of the signer, as they stand in files.
    pub(crate) fn signer(&self) -> Option<KeyPem> {
        self.signer.and_then(|name| self.key(name))
    }

    pub(crate) fn recipient(&self) -> Option<KeyPem> {
        self.recipient.and_then(|name| self.key(name))
    }

    /// The certificate of whoever writes, also where nobody signs: PEM.
    pub(crate) fn writer_certificate(&self) -> String {
        self.key(self.signer.unwrap_or(NOBODY)).and_then(|pair| pair.certificate).unwrap_or_default()
    }

    fn key(&self, entity: &str) -> Option<KeyPem> {
        let certificate = self.pki.certificate_pem(entity).map(str::to_owned);
        let pem = self.pki.key_pem(entity)?;
        // The files of the corpus begin with a line of words, which not every program skips.
        let key = pem.find("-----BEGIN").map_or(pem, |start| &pem[start..]).to_owned();
        Some(KeyPem { key, certificate })
    }

    /// The way from these people's certificates to an anchor, without both ends: PEM.
    pub(crate) fn issuers(&self) -> String {
        let paths = self
            .signer
            .iter()
            .chain(&self.recipient)
            .flat_map(|name| self.pki.path_without_root(name).into_iter().skip(1));
        let names: BTreeSet<&str> = paths.collect();
        names.into_iter().filter_map(|name| self.pki.certificate_pem(name)).collect()
    }

    /// The ends of their paths: PEM.
    pub(crate) fn anchors(&self) -> String {
        let ends = self.signer.iter().chain(&self.recipient).filter_map(|name| {
            let last = *self.pki.path_without_root(name).last()?;
            self.pki.entity(last)?.issuer.as_deref()
        });
        let names: BTreeSet<&str> = ends.collect();
        names.into_iter().filter_map(|name| self.pki.certificate_pem(name)).collect()
    }
}

/// The MIME entity of a scenario, with CRLF.
pub(crate) fn entity(scenario: &Scenario<'_>) -> Vec<u8> {
    scenario.content.entity.trim_start_matches('\n').replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

/// The whole mail around an entity.
pub(crate) fn mail(name: &str, entity: &[u8], people: &People<'_>, writer: &str, at: OffsetDateTime) -> Vec<u8> {
    let header = format!(
        "From: {}\r\nTo: {}\r\nSubject: {name}\r\nDate: {}\r\nMessage-ID: <{name}.{writer}@matrix.example.test>\r\n\
         MIME-Version: 1.0\r\n",
        people.from(),
        people.to(),
        at.format(&Rfc2822).unwrap_or_default(),
    );
    [header.as_bytes(), entity].concat()
}

/// Writes what a writer may need; the names of the files are [`files`].
pub(crate) fn put(dir: &Path, mail: &[u8], people: &People<'_>) -> std::io::Result<()> {
    // A shim may have been in the directory before.
    let write = |name: &str, octets: &[u8]| left::replace(&dir.join(name), octets);
    write(files::MAIL, mail)?;
    if let Some(signer) = people.signer() {
        write(files::SIGNER_KEY, signer.key.as_bytes())?;
        write(files::SIGNER, signer.certificate.unwrap_or_default().as_bytes())?;
    }
    if let Some(recipient) = people.recipient() {
        write(files::RECIPIENT_KEY, recipient.key.as_bytes())?;
        write(files::RECIPIENT, recipient.certificate.unwrap_or_default().as_bytes())?;
    }
    write(files::ISSUERS, people.issuers().as_bytes())?;
    write(files::ANCHORS, people.anchors().as_bytes())
}

/// Names in the directory of a writer.
pub(crate) mod files {
    pub(crate) const MAIL: &str = "mail.eml";
    pub(crate) const SIGNER_KEY: &str = "signer.key.pem";
    pub(crate) const SIGNER: &str = "signer.cert.pem";
    pub(crate) const RECIPIENT_KEY: &str = "recipient.key.pem";
    pub(crate) const RECIPIENT: &str = "recipient.cert.pem";
    pub(crate) const ISSUERS: &str = "issuers.pem";
    pub(crate) const ANCHORS: &str = "anchors.pem";
}
