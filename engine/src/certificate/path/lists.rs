//! What CRLs say of a certificate (RFC 5280 section 6.3).

use waxseal_verdict::Reason;

use super::build::Search;
use super::revocation::{MOST_DEPTH, Status};
use super::{PathRequest, PolicyInputs, Purpose};
use crate::certificate::{Certificate, Crl, CrlEntry, DistributionPoint, GeneralName, KeyUsage, PointName, Reasons};

/// The CRLs, for one certificate of a path.
pub(super) struct Lists<'s, 'a> {
    pub(super) search: &'s mut Search<'a>,
    pub(super) path: &'s [&'s Certificate],
    pub(super) position: usize,
}

impl<'a> Lists<'_, 'a> {
    /// RFC 5280 section 6.3.3.
    pub(super) fn status(&mut self, certificate: &Certificate) -> Status {
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
                    Ok(Some(entry)) if self.spares(&entry) => covered = covered.or(reasons),
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
            Some((reason, why)) => Status::Open(reason, why),
            None if covered == Reasons::NONE => Status::unknown("no CRL tells whether it was revoked"),
            None => Status::unknown("the CRLs tell of some reasons only whether it was revoked"),
        }
    }

    /// The entry in a complete CRL and the newest delta that goes with it; an
    /// error tells why they cannot be used.
    fn look_up(&mut self, crl: &'a Crl, certificate: &Certificate) -> Result<Option<CrlEntry>, Unusable> {
        self.usable(crl)?;
        let crls = self.search.request.revocation.crls;
        let mut deltas: Vec<_> = crls.iter().filter(|delta| completes(delta, crl)).collect();
        deltas.sort_by(|one, other| compare(other.number(), one.number()));
        for delta in deltas {
            // A delta that cannot be used takes nothing away from the complete list.
            if self.usable(delta).is_err() {
                continue;
            }
            if let Some(entry) = self.find(delta, certificate)? {
                return Ok(Some(entry).filter(|entry| !entry.is_removal()));
            }
            break;
        }
        Ok(self.find(crl, certificate)?.filter(|entry| !entry.is_removal()))
    }

    /// The entry in one CRL, all of which is read for it.
    fn find(&mut self, crl: &Crl, certificate: &Certificate) -> Result<Option<CrlEntry>, Unusable> {
        let issuer = crl.issuer_name();
        let answer = self.search.entry(crl, certificate).ok_or_else(|| self.too_much())?;
        match answer.map(|answer| (answer.entry, answer.unknown)) {
            Err(why) => Err(unusable(format!("the CRL of {issuer} is damaged: {why}"))),
            Ok((None, Some(unknown))) => {
                Err(unusable(format!("the CRL of {issuer} has a critical extension {unknown}")))
            }
            Ok((entry, _)) => Ok(entry),
        }
    }

    fn spares(&self, entry: &CrlEntry) -> bool {
        let request = &self.search.request;
        request.revocation.spares(request.at, entry.date, entry.reason)
    }

    fn too_much(&self) -> Unusable {
        (Reason::LimitExceeded, self.search.too_much_to_read())
    }

    /// Whether a CRL is of this time, understood, and from whoever may issue it.
    fn usable(&mut self, crl: &'a Crl) -> Result<(), Unusable> {
        let at = self.search.request.revocation.now(self.search.request.at);
        let issuer = crl.issuer_name();
        if crl.this_update() > at {
            return Err(unusable(format!("the CRL of {issuer} is of the future")));
        }
        if let Some(next) = crl.next_update().filter(|next| *next < at) {
            return Err(unusable(format!("the CRL of {issuer} was to be replaced by {next}")));
        }
        if let Some(unknown) = crl.unknown_critical_extension() {
            return Err(unusable(format!("the CRL of {issuer} has a critical extension {unknown}")));
        }
        let known = self.search.certificates();
        let mut why = format!("no certificate of {issuer} for signing CRLs was found");
        for candidate in &known {
            let may_sign = candidate.key_usage().is_none_or(|usage| usage.any_of(KeyUsage::CRL_SIGN));
            if candidate.subject_name() != issuer || !may_sign {
                continue;
            }
            let signed = self.search.signed(crl.issuer_signature()).ok_or_else(|| self.too_much())?;
            if !self.search.spend() {
                return Err((Reason::LimitExceeded, "more signatures than may be checked".to_owned()));
            }
            match signed.verify(candidate, &known, self.search.request.arithmetic) {
                Err(obstacle) => why = format!("the CRL of {issuer}: {}", obstacle.explain(candidate).1),
                Ok(()) if self.is_trusted(candidate) => return Ok(()),
                Ok(()) => why = format!("who signed the CRL of {issuer} is not trusted"),
            }
        }
        Err(unusable(why))
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

/// Why a CRL cannot be used.
type Unusable = (Reason, String);

const fn unusable(why: String) -> Unusable {
    (Reason::CrlProblem, why)
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
