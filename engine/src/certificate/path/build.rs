//! The search for a path (RFC 4158): depth first from the certificate to an
//! anchor, issuers by name, likely ones first.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use waxseal_key::same_public_key;
use waxseal_verdict::Reason;

use super::names::Comparisons;
use super::signature::{Obstacle, Signed};
use super::wishes::Wish;
use super::{Checked, Finding, Judged, PathRequest, check, revocation};
use crate::Check;
use crate::certificate::issued::IssuerSignature;
use crate::certificate::{Certificate, Crl, CrlAnswer, Name};

/// The path that was found, or the best that was not one.
pub(super) struct Found<'a> {
    pub(super) path: Vec<&'a Certificate>,
    pub(super) judged: Judged,
    pub(super) spent: Spent,
    pub(super) comparisons: usize,
    /// What would have helped.
    pub(super) wishes: Vec<Wish>,
}

/// What a search cost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Signatures that were checked.
    pub(super) signatures: usize,
    /// Octets of CRLs and OCSP responses that were hashed or looked through.
    pub(super) octets: u64,
}

/// Looks for a path without findings; so much was spent before, and what would
/// help is noted or not.
pub(super) fn search<'a>(request: &PathRequest<'a>, spent: Spent, wishing: bool) -> Found<'a> {
    let mut search = Search {
        request: *request,
        graph: Graph::of(request),
        trail: vec![request.leaf],
        spent,
        signed: HashMap::new(),
        entries: HashMap::new(),
        wishing,
        wishes: Vec::new(),
        comparisons: Comparisons::default(),
        exhausted: false,
        best: None,
    };
    let good = search.extend();
    let (spent, comparisons) = (search.spent, search.comparisons.made());
    if let Some((path, checks)) = good {
        // Of a path that was found, only what is left open is missing.
        let is_on_path = |wish: &Wish| matches!(wish, Wish::Status(certificate, _) if path.contains(&certificate));
        let wishes = search.wishes.into_iter().filter(is_on_path).collect();
        let judged = Judged { findings: Vec::new(), checks };
        return Found { path, judged, spent, comparisons, wishes };
    }
    let (exhausted, wishes) = (search.exhausted, search.wishes);
    let Attempt { path, mut judged, .. } = search.best.unwrap_or_else(|| Attempt {
        rank: Rank::DeadEnd(0, false),
        path: vec![request.leaf],
        judged: Judged::default(),
    });
    if exhausted {
        let limits = request.limits;
        let what = format!(
            "no path within {} certificates and {} signature checks; give fewer or the right candidates",
            limits.path_length, limits.path_work
        );
        judged.findings.insert(0, Finding::new(0, request.leaf, Reason::LimitExceeded, what));
    }
    Found { path, judged, spent, comparisons, wishes }
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
    judged: Judged,
}

/// A good path, and the checks that were done on it.
type Good<'a> = (Vec<&'a Certificate>, Vec<Checked>);

pub(super) struct Search<'a> {
    pub(super) request: PathRequest<'a>,
    graph: Graph<'a>,
    /// From the certificate upwards.
    trail: Vec<&'a Certificate>,
    spent: Spent,
    /// What issuers signed beside certificates, hashed once, by place.
    signed: HashMap<*const u8, Rc<Signed<'a>>>,
    /// What CRLs say of certificates, by the places of both.
    entries: HashMap<(*const u8, *const u8), Result<CrlAnswer, String>>,
    /// Whether somebody can fetch what is missing.
    pub(super) wishing: bool,
    wishes: Vec<Wish>,
    comparisons: Comparisons,
    /// Whether a limit cut the search.
    exhausted: bool,
    best: Option<Attempt<'a>>,
}

impl<'a> Search<'a> {
    /// Looks upwards from the end of the trail. The path, if it is good.
    fn extend(&mut self) -> Option<Good<'a>> {
        let tip = *self.trail.last()?;
        if self.graph.is_anchor(tip) {
            let mut judged = self.judge(true);
            judged.checked(self.trail.len() - 1, Check::Anchor);
            if judged.findings.is_empty() {
                let path = self.trail.clone();
                revocation::check(self, &path, &mut judged);
            }
            if judged.findings.is_empty() {
                return Some((self.trail.clone(), judged.checks));
            }
            self.attempt(Rank::Complete, judged);
        }
        let issuers = self.graph.issuers(tip, &self.request);
        let signed = Signed::of(tip.issuer_signature(), self.request.arithmetic);
        let mut obstacle = Obstacle::NoIssuer;
        let mut climbed = false;
        for issuer in issuers {
            // RFC 4158 section 2.4.1: a path with the same name and key twice is a loop.
            let met = |known: &&Certificate| {
                known.subject_name() == issuer.subject_name() && same_public_key(known.spki(), issuer.spki())
            };
            if self.trail.iter().any(met) {
                obstacle = obstacle.max(Obstacle::Circle);
                continue;
            }
            if self.trail.len() >= self.request.limits.path_length
                || self.spent.signatures >= self.request.limits.path_work
            {
                self.exhausted = true;
                break;
            }
            self.spent.signatures += 1;
            match signed.verify(issuer, &self.graph.all, self.request.arithmetic) {
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

    /// Judges the certificates of the trail. Each was climbed by the name and
    /// the key of the next.
    fn judge(&mut self, anchored: bool) -> Judged {
        let mut judged = check::check(&self.request, &self.trail, anchored, &mut self.comparisons);
        for position in 0..self.trail.len() - 1 {
            judged.checked(position, Check::NameChaining);
            judged.checked(position, Check::CertificateSignature);
        }
        judged
    }

    /// Every certificate that is known.
    pub(super) fn certificates(&self) -> Vec<&'a Certificate> {
        self.graph.all.clone()
    }

    /// Counts the check of a signature, if one more may be made.
    pub(super) const fn spend(&mut self) -> bool {
        let may = self.spent.signatures < self.request.limits.path_work;
        self.spent.signatures += may as usize;
        may
    }

    /// Counts octets of a CRL or OCSP response, if so many more may be read.
    pub(super) fn read(&mut self, octets: usize) -> bool {
        let octets = self.spent.octets.saturating_add(octets as u64);
        let may = octets <= self.request.limits.revocation_octets;
        if may {
            self.spent.octets = octets;
        }
        may
    }

    /// Why [`read`](Self::read) refused.
    pub(super) fn too_much_to_read(&self) -> String {
        format!("more than {} octets of CRLs and OCSP responses to read", self.request.limits.revocation_octets)
    }

    /// What an issuer signed, hashed the first time; `None` if that is too much
    /// to read.
    pub(super) fn signed(&mut self, signature: IssuerSignature<'a>) -> Option<Rc<Signed<'a>>> {
        let place = signature.tbs.as_ptr();
        if let Some(known) = self.signed.get(&place) {
            return Some(Rc::clone(known));
        }
        let signed = Rc::new(self.signed_once(signature)?);
        self.signed.insert(place, Rc::clone(&signed));
        Some(signed)
    }

    /// The same for what is not met again.
    pub(super) fn signed_once<'b>(&mut self, signature: IssuerSignature<'b>) -> Option<Signed<'b>> {
        self.read(signature.tbs.len()).then(|| Signed::of(signature, self.request.arithmetic))
    }

    /// What a CRL says of a certificate, looked up the first time; `None` if
    /// that is too much to read.
    pub(super) fn entry(&mut self, crl: &Crl, certificate: &Certificate) -> Option<Result<CrlAnswer, String>> {
        let places = (crl.der().as_ptr(), certificate.der().as_ptr());
        if let Some(known) = self.entries.get(&places) {
            return Some(known.clone());
        }
        if !self.read(crl.der().len()) {
            return None;
        }
        let found = crl.find(certificate.issuer_name(), certificate.serial()).map_err(|error| error.to_string());
        self.entries.insert(places, found.clone());
        Some(found)
    }

    /// Notes what would help, if somebody can fetch it.
    pub(super) fn wish(&mut self, wish: impl FnOnce() -> Wish) {
        if self.wishing {
            self.wishes.push(wish());
        }
    }

    /// Whether there is a good path for another certificate. The work counts
    /// here.
    pub(super) fn is_good(&mut self, request: &PathRequest<'_>) -> bool {
        let found = search(request, self.spent, self.wishing);
        self.spent = found.spent;
        self.wishes.extend(found.wishes);
        found.judged.findings.is_empty()
    }

    /// Nobody above the tip: why, and what is wrong with the path so far.
    fn dead_end(&mut self, tip: &Certificate, obstacle: Obstacle) -> Option<Good<'a>> {
        if !tip.is_self_issued() {
            self.wish(|| Wish::Issuer(tip.clone()));
        }
        let position = self.trail.len() - 1;
        let open = matches!(obstacle, Obstacle::Unsupported(_));
        let rank = Rank::DeadEnd(self.trail.len(), open);
        if Check::Anchor.on() && !self.is_nearer(rank) {
            return None;
        }
        let mut judged = self.judge(false);
        judged.checked(position, Check::Anchor);
        if !Check::Anchor.on() && judged.findings.is_empty() {
            return Some((self.trail.clone(), judged.checks));
        }
        let (reason, what) = if tip.is_self_issued() && !open {
            (Reason::Untrusted, "is self-signed and not among the anchors".to_owned())
        } else {
            obstacle.explain(tip)
        };
        judged.findings.insert(0, Finding::new(position, tip, reason, what));
        self.attempt(rank, judged);
        None
    }

    /// Keeps the path if it came nearer than all before.
    fn attempt(&mut self, rank: Rank, judged: Judged) {
        if self.is_nearer(rank) {
            self.best = Some(Attempt { rank, path: self.trail.clone(), judged });
        }
    }

    fn is_nearer(&self, rank: Rank) -> bool {
        self.best.as_ref().is_none_or(|best| best.rank < rank)
    }
}
