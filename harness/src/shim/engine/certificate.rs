//! `check-certificate`: chain and identity of a certificate.

use std::path::{Path, PathBuf};

use waxseal_engine::Limits;
use waxseal_engine::certificate::identity::{self, Author};
use waxseal_engine::certificate::path::{self, PathRequest, PolicyInputs, Purpose, RevocationInputs};
use waxseal_key::Arithmetic;
use waxseal_verdict::{Aspect, Reason};

use super::{Engine, clock};
use crate::exit::Failed;
use crate::keys::{load_certificates, load_crls, load_ocsp_responses};
use crate::shim::protocol::{Answer, CertificatePurpose, CheckCertificateArguments, JudgedCertificate};

impl Engine {
    pub(super) fn try_check(self, arguments: &CheckCertificateArguments) -> Result<Answer, Failed> {
        let dir = Path::new(&arguments.dir);
        let files = |names: &[String]| -> Vec<PathBuf> { names.iter().map(|name| dir.join(name)).collect() };
        let own = load_certificates(&files(std::slice::from_ref(&arguments.certificate)))?;
        let Some((leaf, beside)) = own.split_first() else {
            return Err(Failed::usage(format!("{}: there is no certificate in it", arguments.certificate)));
        };
        let mut candidates = beside.to_vec();
        candidates.extend(load_certificates(&files(arguments.extra_certificates.as_slice()))?);
        let anchors = load_certificates(&files(arguments.anchors.as_slice()))?;
        let (crls, responses) = (load_crls(&files(&arguments.crls))?, load_ocsp_responses(&files(&arguments.ocsp))?);
        let revocation = match (crls.is_empty() && responses.is_empty(), arguments.require_revocation) {
            (true, false) => RevocationInputs::default(),
            _ => RevocationInputs::required(&crls).with_responses(&responses),
        };
        let chain = match anchors.is_empty() {
            true => Aspect::unchecked(Reason::NoAnchor),
            false => {
                let request = PathRequest {
                    leaf,
                    candidates: &candidates,
                    anchors: &anchors,
                    at: clock(arguments.clock.as_ref())?,
                    policies: PolicyInputs::default(),
                    revocation,
                    purpose: match arguments.purpose {
                        CertificatePurpose::Sign => Purpose::Sign,
                        CertificatePurpose::Encrypt => Purpose::Encrypt,
                    },
                    arithmetic: &Arithmetic::new(self.provider),
                    limits: &Limits::default(),
                };
                path::validate(&request).aspect
            }
        };
        let identity = arguments
            .address
            .as_deref()
            .map_or(Aspect::Absent, |address| identity::check(&Author::expected(address), leaf));
        Ok(Answer::Certificate(JudgedCertificate { chain, identity }))
    }
}
