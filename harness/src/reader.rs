//! Opening a message with the engine: what `waxseal open`, the engine's shim
//! and the tests have in common.

use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::{Certificate, Crl, Fetcher, OcspResponse};
use waxseal_engine::io::Source;
use waxseal_engine::message::{self, OpenError, OpenRequest, Opened, Secrets, Sent};
use waxseal_engine::policy::address_book::Lesson;
use waxseal_engine::policy::{AddressBook, Policy};
use waxseal_key::{Arithmetic, SM2_DEFAULT_ID};

use crate::fetch::Network;
use crate::keys::KeyRing;
use crate::workspace::TempWorkspace;

/// Everything by which the engine judges a message.
#[derive(Debug)]
pub struct Reader {
    /// Keys that may open it.
    pub keys: KeyRing,
    /// Passwords and symmetric keys that may open it, too.
    pub secrets: Secrets,
    /// Certificates that are trusted.
    pub anchors: Vec<Certificate>,
    /// Certificates that may be needed beside those in the message.
    pub extra_certificates: Vec<Certificate>,
    /// CRLs that may tell of revoked certificates.
    pub crls: Vec<Crl>,
    /// OCSP responses that may, too.
    pub ocsp_responses: Vec<OcspResponse>,
    /// Fetches what is missing to judge a certificate.
    pub network: Option<Network>,
    /// What is known of correspondents.
    pub address_book: Option<AddressBook>,
    /// The time at which certificates are judged.
    pub at: OffsetDateTime,
    /// The sender's address, where it is not the From of the message.
    pub from: Option<String>,
    /// The identifier of signers with keys of SM2, where it is not the usual one.
    pub sm2_id: Option<Vec<u8>>,
    /// What is good enough.
    pub policy: Policy,
    /// Who computes.
    pub arithmetic: Arithmetic,
    /// How much of anything is read.
    pub limits: Limits,
}

impl Reader {
    /// Opens a message; `content` is what a bare detached signature is over.
    ///
    /// # Errors
    /// There is no verdict: the input is no message, or cannot be read.
    pub fn open(
        &self,
        input: &mut dyn Source,
        content: Option<&mut dyn Source>,
        keep_content: bool,
    ) -> Result<Opened, OpenError> {
        self.with_request(keep_content, |request| message::open(input, content, &mut TempWorkspace, request))
    }

    /// Opens a signed receipt, and compares it with the message that it is for.
    ///
    /// # Errors
    /// As [`open`](Self::open), for either of them.
    pub fn open_receipt(
        &self,
        input: &mut dyn Source,
        sent: &mut dyn Source,
        keep_content: bool,
    ) -> Result<Opened, OpenError> {
        self.with_request(keep_content, |request| {
            let sent = Sent::read(sent, None, &mut TempWorkspace, request)?;
            message::open_receipt(input, &sent, &mut TempWorkspace, request)
        })
    }

    /// Opens a mail as of another time, and learns from it what there is to
    /// learn; a downgrade is not accepted.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn learn(&mut self, input: &mut dyn Source, at: OffsetDateTime) -> Result<Vec<Lesson>, OpenError> {
        let now = std::mem::replace(&mut self.at, at);
        let opened = self.open(input, None, false);
        self.at = now;
        let Some(book) = &mut self.address_book else { return Ok(Vec::new()) };
        let introductions = opened?.introductions;
        Ok(introductions.iter().flat_map(|introduction| book.learn(introduction, &self.policy, false)).collect())
    }

    fn with_request<T>(&self, keep_content: bool, work: impl FnOnce(&OpenRequest<'_>) -> T) -> T {
        let credentials = self.keys.credentials();
        // A certificate given with a key may also be the signer's of a mail to oneself.
        let extra: Vec<_> = self.extra_certificates.iter().chain(self.keys.certificates()).cloned().collect();
        let request = OpenRequest {
            credentials: &credentials,
            secrets: &self.secrets,
            anchors: &self.anchors,
            extra_certificates: &extra,
            crls: &self.crls,
            ocsp_responses: &self.ocsp_responses,
            fetcher: self.network.as_ref().map(|network| network as &dyn Fetcher),
            address_book: self.address_book.as_ref(),
            from: self.from.as_deref(),
            sm2_id: self.sm2_id.as_deref().unwrap_or(SM2_DEFAULT_ID),
            keep_content,
            ..OpenRequest::new(self.at, &self.policy, &self.arithmetic, &self.limits)
        };
        work(&request)
    }
}
