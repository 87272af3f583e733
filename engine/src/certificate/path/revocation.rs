//! Whether a certificate was revoked: what CRLs and OCSP responses say, drawn
//! together.
//!
//! Of either kind the newest one that can be used counts. An answer
//! "revoked" of one kind holds, whatever the other says; "good" of one kind is
//! enough if the other does not say "revoked". All else is unknown, and the
//! caller decides whether that is a finding.

use time::OffsetDateTime;
use waxseal_verdict::Reason;

use super::build::Search;
use super::lists::Lists;
use super::responses::Responses;
use super::wishes::Wish;
use super::{Finding, Judged};
use crate::Check;
use crate::certificate::{Certificate, Crl, OcspResponse};

/// Issuers of CRLs, or responders, that are judged by further CRLs and
/// responses: that deep.
pub(super) const MOST_DEPTH: usize = 3;

/// What is known of revoked certificates.
#[derive(Debug, Clone, Copy, Default)]
pub struct RevocationInputs<'a> {
    /// CRLs, in any order; nothing in them is trusted.
    pub crls: &'a [Crl],
    /// OCSP responses, in any order; nothing in them is trusted.
    pub responses: &'a [OcspResponse],
    /// Whether each certificate has to have a status: then it is a finding if
    /// none can be told, else only a certificate that was revoked is one.
    pub required: bool,
    /// How many issuers of CRLs are being judged.
    pub(super) depth: usize,
    /// The time of reading, where the path is judged at an earlier one.
    pub(super) known_at: Option<OffsetDateTime>,
}

impl<'a> RevocationInputs<'a> {
    /// CRLs, and a status of every certificate that has to follow.
    #[must_use]
    pub const fn required(crls: &'a [Crl]) -> Self {
        Self { crls, responses: &[], required: true, depth: 0, known_at: None }
    }

    /// CRLs, to look what they say.
    #[must_use]
    pub const fn optional(crls: &'a [Crl]) -> Self {
        Self { crls, responses: &[], required: false, depth: 0, known_at: None }
    }

    /// The same with OCSP responses.
    #[must_use]
    pub const fn with_responses(self, responses: &'a [OcspResponse]) -> Self {
        Self { responses, ..self }
    }

    /// For a path that is judged at an earlier time than now: what is known is
    /// what is known now. Who was revoked since for a reason that says nothing
    /// against the key counts as not revoked then (RFC 3161 section 4 has the
    /// reasons).
    #[must_use]
    pub const fn as_known_at(self, now: OffsetDateTime) -> Self {
        Self { known_at: Some(now), ..self }
    }

    /// The time of which CRLs and responses have to be, for a path that is
    /// judged at a time.
    pub(super) fn now(&self, at: OffsetDateTime) -> OffsetDateTime {
        self.known_at.unwrap_or(at)
    }

    /// Whether a certificate was revoked after the time of the path for a reason
    /// that leaves what was signed before as good as it was.
    pub(super) fn spares(&self, at: OffsetDateTime, date: OffsetDateTime, reason: Option<u8>) -> bool {
        /// affiliationChanged, superseded, cessationOfOperation.
        const HARMLESS: [u8; 3] = [3, 4, 5];
        self.known_at.is_some() && date > at && reason.is_some_and(|reason| HARMLESS.contains(&reason))
    }
}

/// What is said of a certificate.
pub(super) enum Status {
    /// It was not revoked, for any reason.
    Good,
    /// It was; when and why.
    Revoked(String),
    /// Nobody says for sure: `revocation-unknown` if nothing is about it, else
    /// what is wrong with that which is.
    Open(Reason, String),
}

impl Status {
    pub(super) fn unknown(what: &str) -> Self {
        Self::Open(Reason::RevocationUnknown, what.to_owned())
    }
}

/// Adds what is said of the certificates of a path that is good otherwise. The
/// anchor at its end is trusted without.
pub(super) fn check<'a>(search: &mut Search<'a>, path: &[&'a Certificate], judged: &mut Judged) {
    let inputs = search.request.revocation;
    let nothing = inputs.crls.is_empty() && inputs.responses.is_empty() && !search.wishing;
    if (nothing && !inputs.required) || !Check::Revocation.on() {
        return;
    }
    for (position, certificate) in path.iter().enumerate().take(path.len().saturating_sub(1)) {
        judged.checked(position, Check::Revocation);
        let (reason, what) = match status(search, path, position, certificate, inputs.depth) {
            Status::Good => continue,
            Status::Revoked(what) => (Reason::Revoked, what),
            Status::Open(reason, what) => {
                if let Some(issuer) = path.get(position + 1) {
                    search.wish(|| Wish::Status((*certificate).clone(), (*issuer).clone()));
                }
                (reason, what)
            }
        };
        if reason == Reason::Revoked || inputs.required {
            judged.findings.push(Finding::new(position, certificate, reason, what));
        }
    }
}

/// The status of a certificate that the one above `position` issued.
pub(super) fn status(
    search: &mut Search<'_>,
    path: &[&Certificate],
    position: usize,
    certificate: &Certificate,
    depth: usize,
) -> Status {
    let inputs = search.request.revocation;
    let answered = (!inputs.responses.is_empty())
        .then(|| Responses { search: &mut *search, path, position, depth }.status(certificate));
    if let Some(Status::Revoked(_)) = answered {
        return answered.unwrap_or(Status::Good);
    }
    let listed = (!inputs.crls.is_empty() || answered.is_none())
        .then(|| Lists { search: &mut *search, path, position }.status(certificate));
    match (answered, listed) {
        (_, Some(Status::Revoked(what))) => Status::Revoked(what),
        (Some(Status::Good), _) | (_, Some(Status::Good)) => Status::Good,
        (Some(Status::Open(reason, what)), Some(Status::Open(other, also))) => {
            // What is wrong with an answer tells more than that there is none.
            let reason = if reason == Reason::RevocationUnknown { other } else { reason };
            Status::Open(reason, format!("{what}; {also}"))
        }
        (Some(one), None) | (None, Some(one)) => one,
        (Some(one), Some(_)) => one,
        (None, None) => Status::unknown("nothing tells whether it was revoked"),
    }
}
