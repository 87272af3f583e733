//! The network, as far as the user lets it be used: http and ldap, and a folder
//! that keeps what was fetched.
//!
//! Only what a certificate names is asked for, and only the question goes out.
//! There is no https: who fetches a CRL to judge a certificate would have to
//! judge a certificate for it (RFC 5280 section 8). What comes is signed.

mod cache;
mod http;
mod ldap;
pub(crate) mod tls;

use std::path::Path;
use std::time::Duration;

use waxseal_engine::certificate::{Fetcher, Wanted};

use crate::exit::Failed;
use cache::Cache;

/// How long one request may take in all.
const PATIENCE: Duration = Duration::from_secs(15);

/// Fetches for the engine.
#[derive(Debug)]
pub struct Network {
    http: http::Client,
    cache: Option<Cache>,
}

impl Network {
    /// With a folder that keeps what was fetched, if one is given.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(cache: Option<&Path>) -> Result<Self, Failed> {
        Ok(Self { http: http::Client { patience: PATIENCE }, cache: cache.map(Cache::open).transpose()? })
    }

    fn ask(&self, uri: &str, wanted: Wanted<'_>, most: u64) -> Result<Vec<u8>, String> {
        let scheme = uri.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match (scheme.as_str(), wanted) {
            ("http", Wanted::Ocsp(question)) => self.http.post(uri, question, most),
            ("http", _) => self.http.get(uri, most),
            ("ldap", Wanted::Crl | Wanted::Certificates) => ldap::read(uri, most, PATIENCE),
            _ => Err("only http and ldap are fetched".to_owned()),
        }
    }
}

impl Fetcher for Network {
    fn fetch(&self, uri: &str, wanted: Wanted<'_>, most: u64) -> Result<Vec<u8>, String> {
        if let Some(kept) = self.cache.as_ref().and_then(|cache| cache.get(uri, wanted, most)) {
            return Ok(kept);
        }
        let octets = self.ask(uri, wanted, most)?;
        if let Some(cache) = &self.cache {
            // What cannot be kept was fetched all the same.
            let _ = cache.put(uri, wanted, &octets);
        }
        Ok(octets)
    }
}
