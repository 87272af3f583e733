//! Certificates that were revoked: CRLs of OpenSSL, beside a mail and in it,
//! and `openssl verify -crl_check` as second opinion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;

use support::{Bench, P256, Person, RSA};
use time::{Duration, OffsetDateTime};
use waxseal_engine::Limits;
use waxseal_engine::certificate::{Certificate, Crl};
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Boundary, OpenRequest, SignRequest, open, sign};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice};
use waxseal_verdict::{Aspect, Reason};

const CONFIGURATION: &str = "[ca]\ndefault_ca = here\n[here]\ndatabase = index.txt\ncrlnumber = number\n\
    default_md = sha256\ndefault_crl_days = 30\ncertificate = ca.crt\nprivate_key = ca.key\n";

/// An authority that has issued one certificate.
struct Authority {
    bench: Bench,
    certificate: Certificate,
    ann: Person,
}

impl Authority {
    fn new() -> Option<Self> {
        let bench = Bench::new()?;
        let authority = bench.person("ca", RSA, "keyCertSign,cRLSign");
        bench.run(&[&["genpkey", "-out", "ann.key"], P256].concat());
        bench.run(&["req", "-new", "-key", "ann.key", "-subj", "/CN=ann", "-out", "ann.csr"]);
        bench.write("extensions", b"subjectAltName=email:ann@example.test\nkeyUsage=digitalSignature\n");
        let issue = ["x509", "-req", "-in", "ann.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", "77"];
        bench.run(&[&issue[..], &["-days", "20", "-extfile", "extensions", "-out", "ann.crt"]].concat());
        bench.write("ca.cnf", CONFIGURATION.as_bytes());
        let ann = Person {
            key: PrivateKey::from_pem(&std::fs::read_to_string(bench.path("ann.key")).unwrap(), None).unwrap(),
            certificate: Certificate::from_file(&std::fs::read(bench.path("ann.crt")).unwrap()).unwrap().remove(0),
            key_file: bench.path("ann.key"),
            certificate_file: bench.path("ann.crt"),
        };
        Some(Self { bench, certificate: authority.certificate, ann })
    }

    /// A CRL with these lines of OpenSSL's database.
    fn crl(&self, index: &str, number: &str) -> Crl {
        self.bench.write("index.txt", index.as_bytes());
        self.bench.write("number", format!("{number}\n").as_bytes());
        self.bench.run(&["ca", "-config", "ca.cnf", "-gencrl", "-out", "list.crl"]);
        Crl::from_file(&std::fs::read(self.bench.path("list.crl")).unwrap()).unwrap().remove(0)
    }

    /// What OpenSSL says of the certificate with the last CRL.
    fn openssl_accepts(&self) -> bool {
        let arguments = ["verify", "-crl_check", "-CAfile", "ca.crt", "-CRLfile", "list.crl", "ann.crt"];
        self.bench.try_run(&arguments).status.success()
    }

    /// The chain aspect of a mail that carries `sent`, for a reader who has `given`.
    fn chain(&self, sent: &[Crl], given: &[Crl], required: bool, at: OffsetDateTime) -> Aspect {
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let signers = [(&self.ann.key as &dyn waxseal_key::Signer, &self.ann.certificate)];
        let boundary = Boundary::Given("boundary".to_owned());
        let mut request = SignRequest::new(&signers, OffsetDateTime::now_utc(), boundary, &arithmetic);
        request.crls = sent;
        let mut mail = Vec::new();
        sign(&mut Cursor::new(b"From: ann@example.test\r\n\r\nhello\r\n"), &mut mail, &request).unwrap();
        let mut policy = Policy::named("default").unwrap();
        policy.require_revocation = required;
        let limits = Limits::default();
        let request = OpenRequest {
            anchors: std::slice::from_ref(&self.certificate),
            crls: given,
            ..OpenRequest::new(at, &policy, &arithmetic, &limits)
        };
        let opened = open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, &request).unwrap();
        opened.verdict.layers[0].chain.clone()
    }
}

/// A line of OpenSSL's database: the serial number 77 was revoked.
const REVOKED: &str = "R\t491231235959Z\t240101000000Z,keyCompromise\t4D\tunknown\t/CN=ann\n";
const ANOTHER: &str = "R\t491231235959Z\t240101000000Z\t4E\tunknown\t/CN=bob\n";

#[test]
fn a_certificate_on_the_list_is_revoked() {
    let Some(authority) = Authority::new() else { return };
    let now = OffsetDateTime::now_utc();
    let others = authority.crl(ANOTHER, "01");
    assert!(authority.openssl_accepts());
    let listed = authority.crl(&[ANOTHER, REVOKED].concat(), "02");
    assert!(!authority.openssl_accepts());
    for required in [false, true] {
        let not_listed = std::slice::from_ref(&others);
        assert_eq!(authority.chain(&[], not_listed, required, now), Aspect::Good);
        assert_eq!(authority.chain(not_listed, &[], required, now), Aspect::Good);
        let listed = std::slice::from_ref(&listed);
        for (sent, given) in [(&[][..], listed), (listed, &[])] {
            let chain = authority.chain(sent, given, required, now);
            assert_eq!(chain.reason(), Some(Reason::Revoked), "{chain:?}");
            let Aspect::Bad(bad) = chain else { panic!("not bad") };
            assert_eq!(bad.detail, "CN=ann: was revoked on 2024-01-01: keyCompromise");
        }
    }
}

/// A newer list holds, in whatever order they come: a certificate that was on
/// hold may be good again (RFC 5280 section 5.3.1).
#[test]
fn a_newer_list_holds_in_place_of_an_older() {
    let Some(authority) = Authority::new() else { return };
    let old = authority.crl(REVOKED, "01");
    // OpenSSL dates a list by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let newest = authority.crl(ANOTHER, "02");
    let at = OffsetDateTime::now_utc();
    for given in [[old.clone(), newest.clone()], [newest, old]] {
        assert_eq!(authority.chain(&[], &given, true, at), Aspect::Good);
    }
}

#[test]
fn what_no_list_tells_is_unknown_and_the_policy_decides() {
    let Some(authority) = Authority::new() else { return };
    let now = OffsetDateTime::now_utc();
    let reason = |given: &[Crl], required, at| authority.chain(&[], given, required, at).reason();
    assert_eq!(reason(&[], false, now), None);
    assert_eq!(reason(&[], true, now), Some(Reason::RevocationUnknown));
    // A list that was altered says nothing, whatever it says.
    let listed = authority.crl(REVOKED, "01");
    let mut altered = listed.der().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let altered = [Crl::parse(&altered).unwrap()];
    assert_eq!(reason(&altered, true, now), Some(Reason::CrlProblem));
    assert_eq!(reason(&altered, false, now), None);
    // Nobody knows what was revoked since a list that should have been replaced.
    let empty = [authority.crl("", "02")];
    assert_eq!(reason(&empty, true, now), None);
    assert_eq!(reason(&empty, true, now - Duration::days(1)), Some(Reason::NotYetValid));
    let next = empty[0].next_update().unwrap();
    assert!(next > now + Duration::days(29) && empty[0].number() == Some(&[2]));
}
