//! The search for a path (RFC 4158): depth first from the certificate to an
//! anchor, issuers by name, likely ones first.

use std::collections::{HashMap, HashSet};
use std::io::Cursor;

use waxseal_key::{DigestAlgorithm, KeyError, SignatureScheme, algorithm};
use waxseal_verdict::Reason;

use super::names::Comparisons;
use super::{Finding, PathRequest, check};
use crate::Check;
use crate::certificate::{Certificate, Name, complete_key};

/// The path that was found, or the best that was not one.
pub(super) struct Found<'a> {
    pub(super) path: Vec<&'a Certificate>,
    pub(super) findings: Vec<Finding>,
    pub(super) work: usize,
}

/// Looks for a path without findings.
pub(super) fn search<'a>(request: &PathRequest<'a>) -> Found<'a> {
    let mut search = Search {
        request: *request,
        graph: Graph::of(request),
        trail: vec![request.leaf],
        work: 0,
        comparisons: Comparisons::default(),
        exhausted: false,
        best: None,
    };
    let good = search.extend();
    let work = search.work;
    if let Some(path) = good {
        return Found { path, findings: Vec::new(), work };
    }
    let exhausted = search.exhausted;
    let Attempt { path, mut findings, .. } = search.best.unwrap_or_else(|| Attempt {
        rank: Rank::DeadEnd(0, false),
        path: vec![request.leaf],
        findings: Vec::new(),
    });
    if exhausted {
        let limits = request.limits;
        let what = format!(
            "no path within {} certificates and {} signature checks; give fewer or the right candidates",
            limits.path_length, limits.path_work
        );
        findings.insert(0, Finding::new(0, request.leaf, Reason::LimitExceeded, what));
    }
    Found { path, findings, work }
}

/// Everything that may be on a path, by subject.
struct Graph<'a> {
    anchors: HashSet<&'a [u8]>,
    all: Vec<&'a Certificate>,
    by_subject: HashMap<&'a Name, Vec<&'a Certificate>>,
}

impl<'a> Graph<'a> {
    fn of(request: &PathRequest<'a>) -> Self {
        let mut seen = HashSet::new();
        // Anchors first, so that of equally likely issuers an anchor is tried first.
        let given = request.anchors.iter().chain(request.candidates).chain([request.leaf]);
        let all: Vec<_> = given.filter(|certificate| seen.insert(certificate.der())).collect();
        let mut by_subject: HashMap<_, Vec<_>> = HashMap::new();
        for certificate in &all {
            by_subject.entry(certificate.subject_name()).or_default().push(*certificate);
        }
        Self { anchors: request.anchors.iter().map(Certificate::der).collect(), all, by_subject }
    }

    fn is_anchor(&self, certificate: &Certificate) -> bool {
        self.anchors.contains(certificate.der())
    }

    /// Who may have issued a certificate, likely ones first.
    ///
    /// The key identifier orders and does not decide: issuers reissued with
    /// another one stay usable (RFC 4158 section 3.5.12).
    fn issuers(&self, certificate: &Certificate, request: &PathRequest<'_>) -> Vec<&'a Certificate> {
        let mut issuers: Vec<_> = if Check::NameChaining.on() {
            if certificate.issuer_name().is_empty() {
                return Vec::new();
            }
            self.by_subject.get(certificate.issuer_name()).cloned().unwrap_or_default()
        } else {
            self.all.clone()
        };
        issuers.sort_by_key(|issuer| {
            let valid = (issuer.not_before()..=issuer.not_after()).contains(&request.at);
            (hint(certificate, issuer), !self.is_anchor(issuer), !valid)
        });
        issuers
    }
}

/// What authorityKeyIdentifier says of an issuer, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hint {
    Agrees,
    Silent,
    Contradicts,
}

fn hint(certificate: &Certificate, issuer: &Certificate) -> Hint {
    let Some(aki) = certificate.authority_key_identifier() else { return Hint::Silent };
    match (&aki.key_id, issuer.ski()) {
        (Some(wanted), Some(found)) if wanted == found => Hint::Agrees,
        (Some(_), Some(_)) => Hint::Contradicts,
        _ => match (&aki.issuer, &aki.serial) {
            (Some(name), Some(serial)) if name == issuer.issuer_name() && serial == issuer.serial() => Hint::Agrees,
            _ => Hint::Silent,
        },
    }
}

/// How near a path came, the nearer the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// No anchor reached: how many certificates stand in the path, and whether
    /// it may go on with a signature that cannot be checked.
    DeadEnd(usize, bool),
    /// An anchor reached, but a certificate on the way does not satisfy.
    Complete,
}

/// A path that is none.
struct Attempt<'a> {
    rank: Rank,
    path: Vec<&'a Certificate>,
    findings: Vec<Finding>,
}

struct Search<'a> {
    request: PathRequest<'a>,
    graph: Graph<'a>,
    /// From the certificate upwards.
    trail: Vec<&'a Certificate>,
    work: usize,
    comparisons: Comparisons,
    /// Whether a limit cut the search.
    exhausted: bool,
    best: Option<Attempt<'a>>,
}

impl<'a> Search<'a> {
    /// Looks upwards from the end of the trail. The path, if it is good.
    fn extend(&mut self) -> Option<Vec<&'a Certificate>> {
        let tip = *self.trail.last()?;
        if self.graph.is_anchor(tip) {
            let findings = check::check(&self.request, &self.trail, true, &mut self.comparisons);
            if findings.is_empty() {
                return Some(self.trail.clone());
            }
            self.attempt(Rank::Complete, findings);
        }
        let issuers = self.graph.issuers(tip, &self.request);
        let signed = Signed::of(tip, &self.request);
        let mut obstacle = Obstacle::NoIssuer;
        let mut climbed = false;
        for issuer in issuers {
            // RFC 4158 section 2.4.1: a path with the same name and key twice is a loop.
            let met =
                |known: &&Certificate| known.subject_name() == issuer.subject_name() && known.spki() == issuer.spki();
            if self.trail.iter().any(met) {
                obstacle = obstacle.max(Obstacle::Circle);
                continue;
            }
            if self.trail.len() >= self.request.limits.path_length || self.work >= self.request.limits.path_work {
                self.exhausted = true;
                break;
            }
            self.work += 1;
            match signed.verify(issuer, &self.graph, &self.request) {
                Ok(()) => {
                    climbed = true;
                    self.trail.push(issuer);
                    let found = self.extend();
                    self.trail.pop();
                    if found.is_some() {
                        return found;
                    }
                }
                // A signature by another key of the same name proves nothing about this certificate.
                Err(Obstacle::BadSignature(_)) if hint(tip, issuer) == Hint::Contradicts => {}
                Err(found) => obstacle = obstacle.max(found),
            }
        }
        if climbed { None } else { self.dead_end(tip, obstacle) }
    }

    /// Nobody above the tip: why, and what is wrong with the path so far.
    fn dead_end(&mut self, tip: &Certificate, obstacle: Obstacle) -> Option<Vec<&'a Certificate>> {
        let position = self.trail.len() - 1;
        let open = matches!(obstacle, Obstacle::Unsupported(_));
        let rank = Rank::DeadEnd(self.trail.len(), open);
        if Check::Anchor.on() && !self.is_nearer(rank) {
            return None;
        }
        let mut findings = check::check(&self.request, &self.trail, false, &mut self.comparisons);
        if !Check::Anchor.on() && findings.is_empty() {
            return Some(self.trail.clone());
        }
        let (reason, what) = if tip.is_self_issued() && !open {
            (Reason::Untrusted, "is self-signed and not among the anchors".to_owned())
        } else {
            obstacle.explain(tip)
        };
        findings.insert(0, Finding::new(position, tip, reason, what));
        self.attempt(rank, findings);
        None
    }

    /// Keeps the path if it came nearer than all before.
    fn attempt(&mut self, rank: Rank, findings: Vec<Finding>) {
        if self.is_nearer(rank) {
            self.best = Some(Attempt { rank, path: self.trail.clone(), findings });
        }
    }

    fn is_nearer(&self, rank: Rank) -> bool {
        self.best.as_ref().is_none_or(|best| best.rank < rank)
    }
}

/// Why a certificate has no issuer, the more telling the greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    NoIssuer,
    Circle,
    Unsupported(String),
    BadSignature(String),
}

impl Obstacle {
    fn explain(self, tip: &Certificate) -> (Reason, String) {
        match self {
            Self::NoIssuer => (Reason::NoPath, format!("no certificate of its issuer {} was found", tip.issuer())),
            Self::Circle => (Reason::NoPath, "the certificates issue each other in a circle".to_owned()),
            Self::Unsupported(why) => (Reason::UnsupportedAlgorithm, why),
            Self::BadSignature(why) => (Reason::BadSignature, why),
        }
    }
}

/// What an issuer signed: computed once, compared with each possible issuer.
enum Signed<'a> {
    Digest { certificate: &'a Certificate, scheme: SignatureScheme, digest: DigestAlgorithm, value: Vec<u8> },
    Message { certificate: &'a Certificate, scheme: SignatureScheme },
    Not(Obstacle),
}

impl<'a> Signed<'a> {
    fn of(certificate: &'a Certificate, request: &PathRequest<'_>) -> Self {
        if !certificate.signature_algorithms_agree() {
            let what = "the signature algorithm differs inside and outside (RFC 5280 section 4.1.1.2)";
            return Self::Not(Obstacle::BadSignature(what.to_owned()));
        }
        let (scheme, digest) = match certificate.signature_scheme() {
            Ok(Some((scheme, Some(digest)))) => (scheme, digest),
            Ok(Some((scheme, None))) if scheme.signs_message() => return Self::Message { certificate, scheme },
            Ok(_) => {
                let oid = certificate.signature_algorithm();
                let name = algorithm::oid_name(oid).unwrap_or(oid);
                return Self::Not(Obstacle::Unsupported(format!("signed with {name}, which is not supported")));
            }
            Err(error) => return Self::Not(Obstacle::BadSignature(error.to_string())),
        };
        match request.arithmetic.digest(digest, certificate.tbs()) {
            Ok(value) => Self::Digest { certificate, scheme, digest, value },
            Err(error) => Self::Not(Obstacle::Unsupported(error.to_string())),
        }
    }

    fn verify(&self, issuer: &Certificate, graph: &Graph<'_>, request: &PathRequest<'_>) -> Result<(), Obstacle> {
        if !Check::CertificateSignature.on() {
            return Ok(());
        }
        let key = complete_key(issuer, graph.all.iter().copied());
        let arithmetic = request.arithmetic;
        let verified = match self {
            Self::Digest { certificate, scheme, digest, value } => {
                arithmetic.verify_digest(&key, *scheme, *digest, value, certificate.signature())
            }
            Self::Message { certificate, scheme } => {
                arithmetic.verify_message(&key, *scheme, &mut Cursor::new(certificate.tbs()), certificate.signature())
            }
            Self::Not(obstacle) => return Err(obstacle.clone()),
        };
        match verified {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(Obstacle::BadSignature(format!("its signature does not fit the key of {}", issuer.subject())))
            }
            Err(error @ (KeyError::NotByThisProvider { .. } | KeyError::UnknownAlgorithm(_))) => {
                Err(Obstacle::Unsupported(error.to_string()))
            }
            Err(error) => {
                Err(Obstacle::BadSignature(format!("the key of {} cannot be used: {error}", issuer.subject())))
            }
        }
    }
}
