//! What is not known may be fetched: the issuers that a mail does not carry,
//! CRLs, OCSP responses. The engine asks, within bounds; the caller does it,
//! or does not. Nothing that was fetched is trusted for where it came from.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::{Certificate, Crl, OcspResponse};
use crate::Limits;

/// Fetches for the engine.
pub trait Fetcher: std::fmt::Debug {
    /// Fetches what a URI names, `most` octets at most. The engine gives any
    /// URI that a certificate names, of whatever scheme.
    ///
    /// # Errors
    /// Why it is not there, in a few words.
    fn fetch(&self, uri: &str, wanted: Wanted<'_>, most: u64) -> Result<Vec<u8>, String>;
}

/// What is sought at a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wanted<'a> {
    /// A CRL, complete or delta: DER or PEM.
    Crl,
    /// Certificates: one in DER, or a PKCS#7 object of several (RFC 5280 section 4.2.2.1).
    Certificates,
    /// The answer to this OCSPRequest (RFC 6960 appendix A).
    Ocsp(&'a [u8]),
}

/// For a person.
impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Crl => "CRL",
            Self::Certificates => "certificates",
            Self::Ocsp(_) => "OCSP response",
        })
    }
}

/// A fetcher, what it may still be asked, and what it gave: for all of one
/// message. The same is asked once.
#[derive(Debug)]
pub struct Fetching<'a> {
    fetcher: &'a dyn Fetcher,
    /// Requests that may still be made.
    requests: Cell<usize>,
    /// Octets that may still come.
    octets: Cell<u64>,
    certificates: usize,
    answers: RefCell<HashMap<(String, Vec<u8>), Answer>>,
    log: RefCell<Vec<Fetched>>,
}

/// What was asked of a fetcher, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where.
    pub uri: String,
    /// What, as [`Wanted`] calls it.
    pub wanted: String,
    /// How many octets came, or why nothing did that can be used.
    pub result: Result<usize, String>,
}

/// What came, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) certificates: Vec<Certificate>,
    pub(super) crls: Vec<Crl>,
    pub(super) responses: Vec<OcspResponse>,
}

impl<'a> Fetching<'a> {
    /// A fetcher within limits.
    #[must_use]
    pub fn new(fetcher: &'a dyn Fetcher, limits: &Limits) -> Self {
        Self {
            fetcher,
            requests: Cell::new(limits.fetches),
            octets: Cell::new(limits.fetched_octets),
            certificates: limits.certificates,
            answers: RefCell::default(),
            log: RefCell::default(),
        }
    }

    /// What was asked, in that order.
    #[must_use]
    pub fn log(&self) -> Vec<Fetched> {
        self.log.borrow().clone()
    }

    /// What is at a URI; nothing if it cannot be had, or read, or if the
    /// limits do not allow it.
    pub(super) fn get(&self, uri: &str, wanted: Wanted<'_>) -> Answer {
        let body = if let Wanted::Ocsp(question) = wanted { question } else { &[] };
        let key = (format!("{wanted} {uri}"), body.to_vec());
        if let Some(known) = self.answers.borrow().get(&key) {
            return known.clone();
        }
        let (result, answer) = match self.ask(uri, wanted) {
            Ok((octets, answer)) => (Ok(octets), answer),
            Err(why) => (Err(why), Answer::default()),
        };
        self.log.borrow_mut().push(Fetched { uri: uri.to_owned(), wanted: wanted.to_string(), result });
        self.answers.borrow_mut().insert(key, answer.clone());
        answer
    }

    fn ask(&self, uri: &str, wanted: Wanted<'_>) -> Result<(usize, Answer), String> {
        let left = self.requests.get().checked_sub(1).ok_or("not asked: the limit `fetches` is reached")?;
        self.requests.set(left);
        let most = self.octets.get();
        let octets = self.fetcher.fetch(uri, wanted, most)?;
        let len = octets.len() as u64;
        // Whatever the fetcher did with the bound that it was given.
        self.octets.set(most.checked_sub(len).ok_or("more octets than the limit `fetched-octets` allows")?);
        let said = |error: super::CertificateError| error.to_string();
        let mut answer = Answer::default();
        match wanted {
            Wanted::Crl => answer.crls = Crl::from_file(&octets).map_err(said)?,
            Wanted::Certificates => {
                answer.certificates = Certificate::from_file(&octets).map_err(said)?;
                answer.certificates.truncate(self.certificates);
            }
            Wanted::Ocsp(_) => answer.responses = vec![OcspResponse::parse(&octets).map_err(said)?],
        }
        Ok((octets.len(), answer))
    }
}
