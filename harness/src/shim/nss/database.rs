//! Databases of NSS: keys, certificates, and what they are trusted for.
//!
//! Each request gets its own, so that nothing that one message brought is there
//! when the next one is judged. Making one takes several commands, each of which
//! waits for the disk; so it is made in memory, and kept for the next request
//! that needs the same.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use waxseal_engine::certificate::Certificate;

use super::super::memory;
use super::super::peel::{at, get, put};
use super::super::program::{Run, Trouble};
use super::super::protocol::KeyFiles;
use super::super::writing::certificates;

/// How many databases are kept.
const MOST: usize = 256;
/// The files of a database.
const FILES: [&str; 3] = ["cert9.db", "key4.db", "pkcs11.txt"];
/// PKCS#12 has a password; the file is gone in a moment.
const PASSWORD: &str = "waxseal";

/// What a certificate is trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nothing: it is known.
    Known,
    /// As an authority.
    Authority,
    /// By itself, whoever issued it.
    Peer,
}

impl Trust {
    /// The trust arguments of certutil: for TLS, mail, and code.
    const fn flags(self) -> &'static str {
        match self {
            Self::Known => ",,",
            Self::Authority => "CT,C,C",
            Self::Peer => "P,P,P",
        }
    }

    /// How an anchor is trusted: a CA for what it issued, any other certificate for itself.
    pub(super) fn of_anchor(anchor: &Certificate) -> Self {
        match anchor.basic_constraints() {
            Some(constraints) if constraints.ca => Self::Authority,
            // A root of version 1 has no extensions.
            None if anchor.is_self_issued() && anchor.version() < 3 => Self::Authority,
            _ => Self::Peer,
        }
    }
}

/// What a database shall hold.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Keys in PKCS#8, each with its certificate.
    keys: Vec<(Vec<u8>, Certificate)>,
    certificates: Vec<(Certificate, &'static str)>,
}

impl Contents {
    /// Adds keys; one without a certificate NSS cannot find.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub(super) fn with_keys(mut self, dir: &Path, keys: &[KeyFiles]) -> Result<Self, Trouble> {
        for own in keys {
            if let Some(certificate) = certificates(dir, &own.certificate)?.into_iter().next() {
                self.keys.push((get(dir, &own.key)?, certificate));
            }
        }
        Ok(self)
    }

    /// Adds certificates.
    pub(super) fn with(mut self, certificates: &[Certificate], trust: impl Fn(&Certificate) -> Trust) -> Self {
        self.certificates.extend(certificates.iter().map(|one| (one.clone(), trust(one).flags())));
        self
    }

    fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |octets: &[u8]| {
            hash.update((octets.len() as u64).to_be_bytes());
            hash.update(octets);
        };
        for (key, certificate) in &self.keys {
            add(key);
            add(certificate.der());
        }
        for (certificate, flags) in &self.certificates {
            add(certificate.der());
            add(flags.as_bytes());
        }
        hash.finalize().into()
    }
}

/// The name under which a key is in a database: the first is 1.
pub(super) fn key_name(number: usize) -> String {
    format!("waxseal-key-{number}")
}

/// The name under which a certificate is, unless another one of the same subject is there.
pub(super) fn certificate_name(number: usize) -> String {
    format!("waxseal-{number}")
}

/// The databases that were made so far.
#[derive(Debug, Default)]
pub(super) struct Databases {
    made: HashMap<[u8; 32], Vec<Vec<u8>>>,
}

impl Databases {
    /// Puts a database into a folder of the case directory; the result names it to NSS.
    ///
    /// # Errors
    /// A file cannot be written, or a program of NSS cannot be started.
    pub(super) fn place(&mut self, dir: &Path, name: &str, contents: &Contents) -> Result<String, Trouble> {
        let hash = contents.hash();
        if !self.made.contains_key(&hash) {
            if self.made.len() >= MOST {
                self.made.clear();
            }
            self.made.insert(hash, make(contents)?);
        }
        std::fs::create_dir_all(dir.join(name)).map_err(|error| at(name, &error))?;
        for (file, octets) in FILES.iter().zip(self.made.get(&hash).into_iter().flatten()) {
            put(dir, &format!("{name}/{file}"), octets)?;
        }
        Ok(format!("sql:{name}"))
    }
}

/// Makes a database; the result is the content of its files.
fn make(contents: &Contents) -> Result<Vec<Vec<u8>>, Trouble> {
    let place = in_memory().map_err(|error| format!("no temporary directory for a database of NSS: {error}"))?;
    let dir = place.path();
    let certutil = |words: &[&str]| Run::new("certutil", dir).args(["-d", "sql:."]).args(words).go();
    let made = certutil(&["-N", "--empty-password"])?;
    if !made.success {
        return Err(Trouble::Shim(format!("certutil -N made no database: {}", made.words.trim())));
    }
    for (number, (key, certificate)) in (1..).zip(&contents.keys) {
        put(dir, "key.pem", key)?;
        put(dir, "certificate.pem", certificate.to_pem().as_bytes())?;
        let password = format!("pass:{PASSWORD}");
        let export = ["pkcs12", "-export", "-in", "certificate.pem", "-inkey", "key.pem", "-out", "key.p12"];
        let named = ["-name", &key_name(number), "-passout", &password];
        let exported = Run::new("openssl", dir).args(export).args(named).go()?;
        if !exported.success {
            return Err(Trouble::Shim(format!("openssl made no PKCS#12 of a key: {}", exported.words.trim())));
        }
        // A key that NSS does not take is one that it does not have: it says so when it is asked to use it.
        Run::new("pk12util", dir).args(["-d", "sql:.", "-i", "key.p12", "-W", PASSWORD, "-K", ""]).go()?;
    }
    let mut batch = String::new();
    for (number, (certificate, flags)) in (1..).zip(&contents.certificates) {
        let file = format!("{number}.der");
        put(dir, &file, certificate.der())?;
        batch.push_str(&format!("-A -n {} -t {flags} -i {file}\n", certificate_name(number)));
    }
    if !batch.is_empty() {
        put(dir, "batch", batch.as_bytes())?;
        // One that it does not read is left out, and missing when it is needed; but a batch ends with it, and those
        // that come after it are to be there.
        if !certutil(&["-B", "-i", "batch"])?.success {
            for line in batch.lines() {
                certutil(&line.split(' ').collect::<Vec<_>>())?;
            }
        }
    }
    FILES.iter().map(|name| get(dir, name)).collect()
}

/// A directory that is no disk, where there is one: NSS waits until each of its changes is written.
fn in_memory() -> io::Result<TempDir> {
    let builder = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix("waxseal-nss-");
        builder
    };
    builder().tempdir_in(memory::folder()).or_else(|_| builder().tempdir())
}
