//! Whether a certificate was revoked (RFC 5280 section 6.3).

use waxseal_verdict::Reason;

use super::build::Search;
use super::signature::Signed;
use super::{Finding, PathRequest, PolicyInputs, Purpose};
use crate::Check;
use crate::certificate::{Certificate, Crl, CrlEntry, DistributionPoint, GeneralName, KeyUsage, PointName, Reasons};

/// Issuers of CRLs whose certificates are judged by further CRLs: that deep.
const MOST_DEPTH: usize = 3;

/// What is known of revoked certificates.
#[derive(Debug, Clone, Copy, Default)]
pub struct RevocationInputs<'a> {
    /// CRLs, in any order; nothing in them is trusted.
    pub crls: &'a [Crl],
    /// Whether each certificate has to have a status: then it is a finding if
    /// none can be told, else only a certificate that was revoked is one.
    pub required: bool,
    /// How many issuers of CRLs are being judged.
    pub(super) depth: usize,
}

impl<'a> RevocationInputs<'a> {
    /// CRLs, and a status of every certificate that has to follow from them.
    #[must_use]
    pub const fn required(crls: &'a [Crl]) -> Self {
        Self { crls, required: true, depth: 0 }
    }

    /// CRLs, to look what they say.
    #[must_use]
    pub const fn optional(crls: &'a [Crl]) -> Self {
        Self { crls, required: false, depth: 0 }
    }
}

/// What the CRLs say of a certificate.
enum Status {
    /// It is on no list, for every reason.
    Good,
    Revoked(String),
    /// There is no list for it.
    Unknown(String),
    /// There is one, which cannot be used.
    Problem(String),
}

/// Adds what the CRLs say of the certificates of a path that is good
/// otherwise. The anchor at its end is trusted without.
pub(super) fn check(search: &mut Search<'_>, path: &[&Certificate], findings: &mut Vec<Finding>) {
    let inputs = search.request.revocation;
    if (inputs.crls.is_empty() && !inputs.required) || !Check::Revocation.on() {
        return;
    }
    for (position, certificate) in path.iter().enumerate().take(path.len().saturating_sub(1)) {
        let (reason, what) = match (Lists { search: &mut *search, path, position }).status(certificate) {
            Status::Good => continue,
            Status::Revoked(what) => (Reason::Revoked, what),
            Status::Unknown(what) => (Reason::RevocationUnknown, what),
            Status::Problem(what) => (Reason::CrlProblem, what),
        };
        if reason == Reason::Revoked || inputs.required {
            findings.push(Finding::new(position, certificate, reason, what));
        }
    }
}

/// The CRLs, for one certificate of a path.
struct Lists<'s, 'a> {
    search: &'s mut Search<'a>,
    path: &'s [&'s Certificate],
    position: usize,
}

impl Lists<'_, '_> {
    /// RFC 5280 section 6.3.3.
    fn status(&mut self, certificate: &Certificate) -> Status {
        // A newer list holds in place of an older one that is about the same.
        let mut crls: Vec<_> =
            self.search.request.revocation.crls.iter().filter(|crl| crl.base_number().is_none()).collect();
        crls.sort_by_key(|crl| std::cmp::Reverse(crl.this_update()));
        let here = GeneralName::Directory(certificate.issuer_name().clone());
        let implied = DistributionPoint { name: Some(PointName::Full(vec![here])), ..DistributionPoint::default() };
        let mut covered = Reasons::NONE;
        let mut problem = None;
        for point in certificate.crl_distribution_points().iter().chain([&implied]) {
            for crl in &crls {
                let Some(reasons) = applies(point, crl, certificate) else { continue };
                if reasons.within(covered) {
                    continue;
                }
                match self.look_up(crl, certificate) {
                    Ok(Some(entry)) => {
                        let when = entry.date.date();
                        return Status::Revoked(format!("was revoked on {when}: {}", entry.reason_name()));
                    }
                    Ok(None) => covered = covered.or(reasons),
                    Err(why) => problem = problem.or(Some(why)),
                }
                if Reasons::ALL.within(covered) {
                    return Status::Good;
                }
            }
        }
        match problem {
            Some(why) => Status::Problem(why),
            None if covered == Reasons::NONE => Status::Unknown("no CRL tells whether it was revoked".to_owned()),
            None => Status::Unknown("the CRLs tell of some reasons only whether it was revoked".to_owned()),
        }
    }

    /// The entry in a complete CRL and the newest delta that goes with it; an
    /// error tells why they cannot be used.
    fn look_up(&mut self, crl: &Crl, certificate: &Certificate) -> Result<Option<CrlEntry>, String> {
        self.usable(crl)?;
        let find = |crl: &Crl| {
            let answer = crl
                .find(certificate.issuer_name(), certificate.serial())
                .map_err(|error| format!("the CRL of {} is damaged: {error}", crl.issuer_name()))?;
            match (answer.entry, answer.unknown) {
                (None, Some(unknown)) => {
                    Err(format!("the CRL of {} has a critical extension {unknown}", crl.issuer_name()))
                }
                (entry, _) => Ok(entry),
            }
        };
        let crls = self.search.request.revocation.crls;
        let mut deltas: Vec<_> = crls.iter().filter(|delta| completes(delta, crl)).collect();
        deltas.sort_by(|one, other| compare(other.number(), one.number()));
        for delta in deltas {
            // A delta that cannot be used takes nothing away from the complete list.
            if self.usable(delta).is_err() {
                continue;
            }
            if let Some(entry) = find(delta)? {
                return Ok(Some(entry).filter(|entry| !entry.is_removal()));
            }
            break;
        }
        Ok(find(crl)?.filter(|entry| !entry.is_removal()))
    }

    /// Whether a CRL is of this time, understood, and from whoever may issue it.
    fn usable(&mut self, crl: &Crl) -> Result<(), String> {
        let at = self.search.request.at;
        let issuer = crl.issuer_name();
        if crl.this_update() > at {
            return Err(format!("the CRL of {issuer} is of the future"));
        }
        if let Some(next) = crl.next_update().filter(|next| *next < at) {
            return Err(format!("the CRL of {issuer} was to be replaced by {next}"));
        }
        if let Some(unknown) = crl.unknown_critical_extension() {
            return Err(format!("the CRL of {issuer} has a critical extension {unknown}"));
        }
        let signed = Signed::of(crl.issuer_signature(), self.search.request.arithmetic);
        let mut why = format!("no certificate of {issuer} for signing CRLs was found");
        for candidate in self.search.certificates() {
            let may_sign = candidate.key_usage().is_none_or(|usage| usage.any_of(KeyUsage::CRL_SIGN));
            if candidate.subject_name() != issuer || !may_sign {
                continue;
            }
            if !self.search.spend() {
                return Err("more signatures than may be checked".to_owned());
            }
            match signed.verify(candidate, &self.search.certificates(), self.search.request.arithmetic) {
                Err(obstacle) => why = format!("the CRL of {issuer}: {}", obstacle.explain(candidate).1),
                Ok(()) if self.is_trusted(candidate) => return Ok(()),
                Ok(()) => why = format!("who signed the CRL of {issuer} is not trusted"),
            }
        }
        Err(why)
    }

    /// Whether there is a path from the issuer of a CRL to the anchor of this
    /// path (RFC 5280 section 6.3.3 f). What stands above in the path is judged
    /// there. An issuer of CRLs is not refused because its own status follows
    /// from its own list; it is if that list revokes it.
    fn is_trusted(&mut self, issuer: &Certificate) -> bool {
        let request = self.search.request;
        let above = self.position + usize::from(request.revocation.depth == 0);
        if self.path.iter().skip(above).any(|known| known.der() == issuer.der()) {
            return true;
        }
        let Some(anchor) = self.path.last().filter(|_| request.revocation.depth < MOST_DEPTH) else { return false };
        let mut revocation = request.revocation;
        revocation.depth += 1;
        let nested = PathRequest {
            leaf: issuer,
            anchors: &[(*anchor).clone()],
            policies: PolicyInputs::default(),
            purpose: Purpose::Any,
            revocation,
            ..request
        };
        self.search.is_good(&nested)
    }
}

/// For which reasons a CRL tells the status of a certificate at a distribution
/// point, if it does (section 6.3.3 b and d).
fn applies(point: &DistributionPoint, crl: &Crl, certificate: &Certificate) -> Option<Reasons> {
    let scope = crl.scope().cloned().unwrap_or_default();
    let issuer = crl.issuer_name();
    let issued_for = |names: &[GeneralName]| names.contains(&GeneralName::Directory(issuer.clone()));
    let right_issuer = match point.crl_issuer.as_slice() {
        [] => issuer == certificate.issuer_name(),
        names => scope.indirect && issued_for(names),
    };
    let right_place = scope.name.as_ref().is_none_or(|name| {
        let here = name.names(issuer);
        let there = point.name.as_ref().map_or_else(|| point.crl_issuer.clone(), |name| name.names(issuer));
        here.iter().any(|name| there.contains(name))
    });
    let is_authority = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
    let other_kind = if is_authority { scope.only_users } else { scope.only_authorities };
    let reasons = point.reasons.unwrap_or(Reasons::ALL).and(scope.reasons.unwrap_or(Reasons::ALL));
    (right_issuer && right_place && !other_kind && !scope.only_attributes).then_some(reasons)
}

/// Whether a delta CRL goes with a complete one (sections 5.2.4 and 6.3.3 c).
fn completes(delta: &Crl, complete: &Crl) -> bool {
    let key = |crl: &Crl| crl.authority_key_identifier().and_then(|aki| aki.key_id.clone());
    let Some(base) = delta.base_number() else { return false };
    delta.issuer_name() == complete.issuer_name()
        && delta.scope() == complete.scope()
        && key(delta) == key(complete)
        && compare(Some(base), complete.number()).is_le()
        && compare(delta.number(), complete.number()).is_gt()
}

/// Compares CRL numbers, which are not negative.
fn compare(one: Option<&[u8]>, other: Option<&[u8]>) -> std::cmp::Ordering {
    let magnitude = |number: Option<&[u8]>| {
        let octets = number.unwrap_or_default();
        let octets = octets.strip_prefix(&[0]).unwrap_or(octets).to_vec();
        (octets.len(), octets)
    };
    magnitude(one).cmp(&magnitude(other))
}
