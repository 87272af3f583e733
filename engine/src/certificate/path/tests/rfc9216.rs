//! The certificates of RFC 9216: one name for a person's certificate for
//! signing and the one for encryption, authorities that certify each other.

use std::fs;

use time::macros::datetime;
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::{Aspect, Reason};

use crate::Limits;
use crate::certificate::Certificate;
use crate::certificate::path::{PathRequest, PolicyInputs, Purpose, RevocationInputs, validate};

#[test]
fn people_lead_to_their_authority() {
    let Some(folder) = waxseal_testing::shared("oracles/rfc9216") else { return };
    let load = |section: &str| {
        let bytes = fs::read(folder.join(format!("s{section}.certificate.pem"))).unwrap();
        Certificate::from_file(&bytes).unwrap().remove(0)
    };
    let everything = ["3.1", "3.3", "4.1", "4.3", "5.1", "5.3", "6.1", "6.3", "7.1", "7.3", "8.1", "8.3"].map(load);
    let judge = |leaf: &str, anchor: &str, purpose| {
        validate(&PathRequest {
            leaf: &load(leaf),
            candidates: &everything,
            anchors: &[load(anchor)],
            at: datetime!(2025-01-01 00:00 UTC),
            policies: PolicyInputs::default(),
            revocation: RevocationInputs::default(),
            purpose,
            arithmetic: &Arithmetic::new(ProviderChoice::Auto),
            limits: &Limits::default(),
        })
        .aspect
    };
    for (signing, encryption) in [("4.1", "4.3"), ("5.1", "5.3")] {
        assert_eq!(judge(signing, "3.1", Purpose::Sign), Aspect::Good);
        assert_eq!(judge(signing, "3.1", Purpose::Encrypt).reason(), Some(Reason::KeyUsage));
        assert_eq!(judge(encryption, "3.1", Purpose::Encrypt), Aspect::Good);
        assert_eq!(judge(encryption, "3.1", Purpose::Sign).reason(), Some(Reason::KeyUsage));
        // The other authority certified the first one, with Ed25519.
        assert_eq!(judge(signing, "6.1", Purpose::Sign), Aspect::Good);
    }
    for certificate in ["7.1", "8.1"] {
        assert_eq!(judge(certificate, "6.1", Purpose::Sign), Aspect::Good);
    }
}
