//! What OCSP responses say of a certificate (RFC 6960 section 3.2).
//!
//! Who may answer: the authority that issued the certificate, by its own key,
//! or whoever has a certificate that this authority issued itself with the
//! purpose id-kp-OCSPSigning (section 4.2.2.2). Whether such a responder was
//! revoked itself is asked unless its certificate says that it need not be
//! (id-pkix-ocsp-nocheck); if nothing tells, it may answer, as section
//! 4.2.2.2.1 leaves to the reader.

use time::{Duration, OffsetDateTime};
use waxseal_key::DigestAlgorithm;
use waxseal_verdict::Reason;

use super::build::Search;
use super::revocation::{MOST_DEPTH, Status, status};
use crate::Check;
use crate::certificate::crl::reason_name;
use crate::certificate::ocsp::{NO_CHECK, OCSP_SIGNING};
use crate::certificate::{
    Certificate, CertificateStatus, KeyUsage, OcspResponse, OcspStatus, Responder, SingleResponse,
};

/// How far the clock of a responder may be from the reader's.
const CLOCKS: Duration = Duration::minutes(5);
/// How long an answer holds that does not say it. RFC 6960 section 4.2.2.1:
/// newer information is available all the time; the authorities of mail
/// certificates renew their answers within four days.
const WITHOUT_NEXT_UPDATE: Duration = Duration::days(4);

/// The OCSP responses, for one certificate of a path.
pub(super) struct Responses<'s, 'a> {
    pub(super) search: &'s mut Search<'a>,
    pub(super) path: &'s [&'s Certificate],
    pub(super) position: usize,
    /// How many responders are being judged.
    pub(super) depth: usize,
}

/// Why a response says nothing.
type Silent = (Reason, String);

fn problem(why: String) -> Silent {
    (Reason::OcspProblem, why)
}

impl<'a> Responses<'_, 'a> {
    /// What the newest response that can be used says.
    pub(super) fn status(&mut self, certificate: &Certificate) -> Status {
        let Some(issuer) = self.path.get(self.position + 1) else { return Status::unknown("has no issuer") };
        let mut newest: Option<SingleResponse> = None;
        let mut silent: Option<Silent> = None;
        for response in self.search.request.revocation.responses {
            match self.judge(response, certificate, issuer) {
                Ok(found) if newest.as_ref().is_none_or(|newest| newest.this_update < found.this_update) => {
                    newest = Some(found);
                }
                Ok(_) => {}
                Err(found) => {
                    if silent.as_ref().is_none_or(|(reason, _)| *reason == Reason::RevocationUnknown) {
                        silent = Some(found);
                    }
                }
            }
        }
        let request = &self.search.request;
        let counts = |date: OffsetDateTime, reason| {
            // RFC 6960 section 2.2 gives the time from which on it counts.
            date <= request.revocation.now(request.at) && !request.revocation.spares(request.at, date, reason)
        };
        match (newest.map(|found| found.status), silent) {
            (Some(CertificateStatus::Revoked { at, reason }), _) if counts(at, reason) => Status::Revoked(format!(
                "was revoked on {}: {}, as an OCSP responder says",
                at.date(),
                reason_name(reason)
            )),
            (Some(CertificateStatus::Unknown), _) => Status::unknown("the OCSP responder does not know it"),
            (Some(_), _) => Status::Good,
            (None, Some((reason, why))) => Status::Open(reason, why),
            (None, None) => Status::unknown("no OCSP response tells whether it was revoked"),
        }
    }

    /// What one response says of the certificate, if it can be used.
    fn judge(
        &mut self,
        response: &'a OcspResponse,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<SingleResponse, Silent> {
        let request = self.search.request;
        let (Some(responder), Some(produced_at)) = (response.responder(), response.produced_at()) else {
            return Err(not_successful(response.status()));
        };
        if !self.search.read(response.der().len()) {
            return Err((Reason::LimitExceeded, self.search.too_much_to_read()));
        }
        let of = format!("the OCSP response of {responder}");
        let found = response
            .about(certificate, issuer, request.arithmetic)
            .map_err(|error| problem(format!("{of} is damaged: {error}")))?
            .ok_or_else(|| (Reason::RevocationUnknown, format!("{of} is about other certificates")))?;
        if let Some(unknown) = response.unknown_critical_extension().or(found.unknown.as_deref()) {
            return Err(problem(format!("{of} has a critical extension {unknown}")));
        }
        if response.lacks_nonce() {
            return Err(problem(format!("{of} does not repeat the nonce of the question")));
        }
        fresh(&found, produced_at, request.revocation.now(request.at)).map_err(|why| problem(format!("{of} {why}")))?;
        self.signed(response, responder, issuer).map_err(|why| match why {
            (Reason::OcspProblem, why) => problem(format!("{of}: {why}")),
            other => other,
        })?;
        Ok(found)
    }

    /// Whether somebody signed it who may.
    fn signed(
        &mut self,
        response: &'a OcspResponse,
        responder: &Responder,
        issuer: &Certificate,
    ) -> Result<(), Silent> {
        let request = self.search.request;
        let known = self.search.certificates();
        let named = |certificate: &Certificate| match responder {
            Responder::Name(name) => certificate.subject_name() == name,
            Responder::Key(key) => {
                let bits = certificate.key_bits().unwrap_or_default();
                request.arithmetic.digest(DigestAlgorithm::Sha1, bits).is_ok_and(|hash| hash == *key)
            }
        };
        let mut why = format!("no certificate of {responder} was found");
        let others = response.certificates().iter().chain(known.iter().copied());
        let others = others.filter(|candidate| candidate.der() != issuer.der());
        for candidate in std::iter::once(issuer).chain(others) {
            if !named(candidate) {
                continue;
            }
            if candidate.der() != issuer.der()
                && let Err(refused) = self.may_answer(candidate, issuer)
            {
                why = refused;
                continue;
            }
            let Some(signed) = response.signature().map(|signature| self.search.signed(signature)) else { break };
            let signed = signed.ok_or_else(|| (Reason::LimitExceeded, self.search.too_much_to_read()))?;
            if !self.search.spend() {
                return Err((Reason::LimitExceeded, "more signatures than may be checked".to_owned()));
            }
            match signed.verify(candidate, &known, request.arithmetic) {
                Ok(()) => return Ok(()),
                Err(obstacle) => why = obstacle.explain(candidate).1,
            }
        }
        Err(problem(why))
    }

    /// Whether the issuer of the certificate in question has charged this one
    /// with answering.
    fn may_answer(&mut self, responder: &Certificate, issuer: &Certificate) -> Result<(), String> {
        if !Check::OcspResponder.on() {
            return Ok(());
        }
        let request = self.search.request;
        let name = responder.subject();
        if responder.issuer_name() != issuer.subject_name() {
            return Err(format!("{name} answers, whose certificate was not issued by {}", issuer.subject()));
        }
        if !responder.extended_key_usage().unwrap_or_default().iter().any(|purpose| purpose == OCSP_SIGNING) {
            return Err(format!("{name} answers, whose certificate is not for signing OCSP responses"));
        }
        let signs = KeyUsage::DIGITAL_SIGNATURE.with(KeyUsage::NON_REPUDIATION);
        if responder.key_usage().is_some_and(|usage| !usage.any_of(signs)) {
            return Err(format!("{name} answers, whose key must not sign"));
        }
        if !(responder.not_before()..=responder.not_after()).contains(&request.revocation.now(request.at)) {
            return Err(format!("{name} answers, whose certificate is not valid at this time"));
        }
        let known = self.search.certificates();
        let Some(signed) = self.search.signed_once(responder.issuer_signature()).filter(|_| self.search.spend()) else {
            return Err("more signatures than may be checked".to_owned());
        };
        if signed.verify(issuer, &known, request.arithmetic).is_err() {
            return Err(format!("{name} answers, whose certificate was not signed by {}", issuer.subject()));
        }
        let no_check = responder.extensions().iter().any(|extension| extension.oid == NO_CHECK);
        if !no_check && self.depth < MOST_DEPTH {
            let (path, position) = (self.path, self.position);
            if let Status::Revoked(what) = status(self.search, path, position, responder, self.depth + 1) {
                return Err(format!("{name} answers, whose certificate {what}"));
            }
        }
        Ok(())
    }
}

fn not_successful(status: OcspStatus) -> Silent {
    (Reason::RevocationUnknown, format!("the OCSP responder has no answer but {status}"))
}

/// Whether an answer is of this time (RFC 6960 section 4.2.2.1).
fn fresh(found: &SingleResponse, produced_at: OffsetDateTime, at: OffsetDateTime) -> Result<(), String> {
    let latest = at.saturating_add(CLOCKS);
    if found.this_update > latest || produced_at > latest {
        return Err(format!("is of the future: of {}", found.this_update.max(produced_at)));
    }
    let earliest = at.saturating_sub(CLOCKS);
    match found.next_update {
        Some(next) if next < earliest => Err(format!("was to be replaced by {next}")),
        None if found.this_update.saturating_add(WITHOUT_NEXT_UPDATE) < earliest => {
            Err(format!("is of {}, and does not say how long it holds", found.this_update))
        }
        _ => Ok(()),
    }
}
