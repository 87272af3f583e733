//! Is there a path from a certificate to an anchor (RFC 5280 section 6,
//! RFC 8550 section 4)?
//!
//! What is checked on a path: every signature, every validity, names that
//! chain, basicConstraints, path lengths, keyUsage, extendedKeyUsage,
//! nameConstraints, certificate policies, and that no critical extension is
//! unknown, and what CRLs and OCSP responses say if there are some.
//!
//! Three choices where RFC 5280 leaves one, made as OpenSSL and the mail
//! clients make them:
//! - **An anchor is a certificate given as such**, a root, an intermediate or
//!   the signer's own. As an issuer it is trusted by name and key: its signature
//!   is not checked. What it says of itself holds (RFC 5937): its validity,
//!   that it is no authority, its path length and its constraints. So the
//!   certificate of a correspondent that was made an anchor vouches for that
//!   correspondent, never for others. RFC 5280 section 6.1 takes an anchor
//!   without looking at its certificate.
//! - **extendedKeyUsage of an authority restricts what is below it.** RFC 5280
//!   knows no such rule. Unlike OpenSSL, anyExtendedKeyUsage is enough, for
//!   authorities and for the signer (RFC 8550 section 4.4.4).
//! - **keyAgreement is as good as keyEncipherment** for encryption; OpenSSL
//!   accepts the second only.

mod build;
mod check;
mod lists;
mod names;
mod policies;
mod responses;
mod revocation;
mod signature;
mod wishes;

use std::collections::BTreeSet;

use time::OffsetDateTime;
use waxseal_key::Arithmetic;
use waxseal_verdict::{Aspect, Bad, Reason};

pub use self::policies::{ANY_POLICY, PolicyInputs};
pub use self::revocation::RevocationInputs;

use self::build::Spent;
use self::names::Comparisons;
use self::policies::Valid;
use self::wishes::{Gained, Wish};
use super::{Certificate, Fetching};
use crate::{Check, Limits};

/// What is asked about a certificate.
#[derive(Clone, Copy)]
pub struct PathRequest<'a> {
    /// The certificate to judge.
    pub leaf: &'a Certificate,
    /// Certificates that may stand between, in any order; nothing in them is trusted.
    pub candidates: &'a [Certificate],
    /// The certificates that are trusted.
    pub anchors: &'a [Certificate],
    /// The time at which everything has to be valid.
    pub at: OffsetDateTime,
    /// What is asked of certificate policies.
    pub policies: PolicyInputs<'a>,
    /// What is known of revoked certificates.
    pub revocation: RevocationInputs<'a>,
    /// What the key was used for.
    pub purpose: Purpose,
    /// Computes digests and signatures.
    pub arithmetic: &'a Arithmetic,
    /// Bounds the length of the path and the work of the search.
    pub limits: &'a Limits,
}

/// What the key of a certificate was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A signature on a mail.
    Sign,
    /// Encryption of a mail.
    Encrypt,
    /// A time-stamp: extendedKeyUsage is critical, and says that and nothing
    /// else (RFC 3161 section 2.3).
    TimeStamping,
    /// Anything: keyUsage and extendedKeyUsage of the certificate are not looked at.
    Any,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct PathResult {
    /// The chain aspect: good; bad with the first reason and all others;
    /// unchecked `no-anchor` if none was given, unchecked
    /// `unsupported-algorithm` if nothing is wrong but a signature could not be
    /// checked.
    pub aspect: Aspect,
    /// The path, the certificate first, the anchor last; if there is none, the
    /// part of it that came farthest.
    pub path: Vec<Certificate>,
    /// Everything that is wrong with this path, in the order of importance.
    pub findings: Vec<Finding>,
    /// Every check that was done on this path, whatever came of it, in the order
    /// in which they were done. After a finding that ends the matter, those that
    /// would follow are not done: revocation is asked of a path that is good
    /// otherwise.
    pub checks: Vec<Checked>,
    /// The certificate policies for which a good path is valid, of those that
    /// are acceptable (RFC 5280 section 6.1.6): dotted, in the terms of the
    /// anchor, [`ANY_POLICY`] for every one. Mostly there are none.
    pub policies: BTreeSet<String>,
    /// How many signatures were checked.
    pub work: usize,
    /// How many octets of CRLs and OCSP responses were hashed or looked through.
    pub revocation_octets: u64,
    /// How often a name was compared with a constraint.
    pub comparisons: usize,
    /// How many links between policies of two certificates a good path has.
    pub policy_links: usize,
}

/// A check that was done on one certificate of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Position in the path, 0 is the certificate that was asked about.
    pub position: usize,
    /// Which.
    pub check: Check,
}

/// What was done on a path, and what is wrong with it.
#[derive(Debug, Clone, Default)]
struct Judged {
    findings: Vec<Finding>,
    checks: Vec<Checked>,
}

impl Judged {
    fn checked(&mut self, position: usize, check: Check) {
        self.checks.push(Checked { position, check });
    }
}

/// Something that is wrong with one certificate of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Position in the path, 0 is the certificate that was asked about.
    pub position: usize,
    /// Why.
    pub reason: Reason,
    /// The certificate's subject and what is wrong, for a person.
    pub detail: String,
}

impl Finding {
    fn new(position: usize, certificate: &Certificate, reason: Reason, what: impl std::fmt::Display) -> Self {
        let subject = certificate.subject();
        let subject =
            if subject.is_empty() { certificate.emails().into_iter().next().unwrap_or_default() } else { subject };
        Self { position, reason, detail: format!("{subject}: {what}") }
    }
}

/// Looks for a path and judges it.
///
/// Of several paths the first good one is taken. Without an anchor the chain is
/// unchecked, whatever is found; the findings then tell what is wrong with the
/// certificate itself.
#[must_use]
pub fn validate(request: &PathRequest<'_>) -> PathResult {
    if request.anchors.is_empty() {
        let Judged { findings, checks } = check::check(request, &[request.leaf], false, &mut Comparisons::default());
        let path = vec![request.leaf.clone()];
        let aspect = Aspect::unchecked(Reason::NoAnchor);
        return PathResult {
            aspect,
            path,
            findings,
            checks,
            policies: BTreeSet::new(),
            work: 0,
            revocation_octets: 0,
            comparisons: 0,
            policy_links: 0,
        };
    }
    round(request, Spent::default(), false).0
}

/// The same, and what is missing is fetched: certificates of issuers, CRLs and
/// OCSP responses. After each gain everything is judged again.
#[must_use]
pub fn fetch_and_validate(request: &PathRequest<'_>, fetching: &Fetching<'_>) -> PathResult {
    if request.anchors.is_empty() {
        return validate(request);
    }
    let mut gained = Gained::default();
    let mut spent = Spent::default();
    loop {
        let candidates = [request.candidates, &gained.known.certificates].concat();
        let crls = [request.revocation.crls, &gained.known.crls].concat();
        let responses = [request.revocation.responses, &gained.known.responses].concat();
        let revocation = RevocationInputs { crls: &crls, responses: &responses, ..request.revocation };
        let known = PathRequest { candidates: &candidates, revocation, ..*request };
        let (result, wishes, more) = round(&known, spent, true);
        spent = more;
        if !gained.grant(&wishes, request, fetching) {
            return result;
        }
    }
}

/// Looks for a path among what is known: the result, what would have helped,
/// and what it cost.
fn round(request: &PathRequest<'_>, spent: Spent, wishing: bool) -> (PathResult, Vec<Wish>, Spent) {
    let found = build::search(request, spent, wishing);
    let policies = match found.judged.findings.as_slice() {
        [] => policies::follow(&found.path, &request.policies).unwrap_or_default(),
        _ => Valid::default(),
    };
    let result = PathResult {
        policies: policies.policies,
        policy_links: policies.links,
        comparisons: found.comparisons,
        aspect: aspect(&found.judged.findings),
        path: found.path.into_iter().cloned().collect(),
        findings: found.judged.findings,
        checks: found.judged.checks,
        work: found.spent.signatures,
        revocation_octets: found.spent.octets,
    };
    (result, found.wishes, found.spent)
}

/// Draws findings together. An algorithm that is not supported leaves open
/// whether the signature is good.
fn aspect(findings: &[Finding]) -> Aspect {
    let mut wrong = findings.iter().filter(|finding| finding.reason != Reason::UnsupportedAlgorithm);
    let Some(first) = wrong.next() else {
        return findings.first().map_or(Aspect::Good, |finding| Aspect::unchecked(finding.reason));
    };
    let mut also: Vec<Reason> = Vec::new();
    for finding in wrong {
        if finding.reason != first.reason && !also.contains(&finding.reason) {
            also.push(finding.reason);
        }
    }
    Aspect::Bad(Bad { reason: first.reason, detail: first.detail.clone(), also })
}

#[cfg(test)]
mod tests;
