//! What a search missed, and fetching it.

use std::collections::HashSet;

use waxseal_key::DigestAlgorithm;

use super::PathRequest;
use crate::certificate::fetch::{Answer, Fetching, Wanted};
use crate::certificate::{Certificate, DistributionPoint, GeneralName, OcspRequest, PointName};

/// What would help to judge a path.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    /// The issuer of a certificate.
    Issuer(Certificate),
    /// Whether a certificate was revoked; its issuer stands beside it.
    Status(Certificate, Certificate),
}

/// What was fetched for one path, and where it was sought.
#[derive(Default)]
pub(super) struct Gained {
    pub(super) known: Answer,
    /// Each place is asked once, so that this comes to an end.
    tried: HashSet<(String, Vec<u8>)>,
}

impl Gained {
    /// Fetches for the first wish that can be granted; whether there is more
    /// to judge by than before.
    pub(super) fn grant(&mut self, wishes: &[Wish], request: &PathRequest<'_>, fetching: &Fetching<'_>) -> bool {
        wishes.iter().any(|wish| match wish {
            Wish::Issuer(certificate) => {
                certificate.issuer_uris().iter().any(|uri| self.take(uri, Wanted::Certificates, fetching))
            }
            Wish::Status(certificate, issuer) => {
                self.ask_responder(certificate, issuer, request, fetching) || self.ask_for_lists(certificate, fetching)
            }
        })
    }

    /// OCSP first: an answer is small, and of now. Without a nonce, because
    /// most responders sign their answers beforehand (RFC 5019 section 4).
    fn ask_responder(
        &mut self,
        certificate: &Certificate,
        issuer: &Certificate,
        request: &PathRequest<'_>,
        fetching: &Fetching<'_>,
    ) -> bool {
        let certificates = [(certificate, issuer)];
        let question = OcspRequest { certificates: &certificates, digest: DigestAlgorithm::Sha1, nonce: None };
        let Ok(question) = question.to_der(request.arithmetic) else { return false };
        certificate.responder_uris().iter().any(|uri| self.take(uri, Wanted::Ocsp(&question), fetching))
    }

    /// The CRLs of the distribution points, and the newer ones beside them.
    fn ask_for_lists(&mut self, certificate: &Certificate, fetching: &Fetching<'_>) -> bool {
        let mut gained = false;
        for point in certificate.crl_distribution_points() {
            // Several names of one place hold the same list (RFC 5280 section 4.2.1.13).
            gained |= uris(point).iter().any(|uri| self.take(uri, Wanted::Crl, fetching));
        }
        let mut freshest = certificate.freshest_crl().to_vec();
        freshest.extend(self.known.crls.iter().flat_map(|crl| crl.freshest_crl().to_vec()));
        for point in &freshest {
            gained |= uris(point).iter().any(|uri| self.take(uri, Wanted::Crl, fetching));
        }
        gained
    }

    /// Whether a place had something that was not known.
    fn take(&mut self, uri: &str, wanted: Wanted<'_>, fetching: &Fetching<'_>) -> bool {
        let body = if let Wanted::Ocsp(question) = wanted { question } else { &[] };
        if !self.tried.insert((format!("{wanted} {uri}"), body.to_vec())) {
            return false;
        }
        let Answer { certificates, crls, responses } = fetching.get(uri, wanted);
        let found = !(certificates.is_empty() && crls.is_empty() && responses.is_empty());
        self.known.certificates.extend(certificates);
        self.known.crls.extend(crls);
        self.known.responses.extend(responses);
        found
    }
}

/// The URIs of a distribution point; names in a directory without a host lead
/// nowhere.
fn uris(point: &DistributionPoint) -> Vec<String> {
    match &point.name {
        Some(PointName::Full(names)) => names.iter().filter_map(GeneralName::uri).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
