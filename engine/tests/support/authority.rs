//! An authority of OpenSSL, and what it says of a certificate that it issued.

use std::io::Cursor;

use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::{Certificate, Crl, OcspResponse};
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Boundary, OpenRequest, SignRequest, open, sign};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice};
use waxseal_verdict::Aspect;

use super::{Bench, P256, Person, RSA};

const CONFIGURATION: &str = "[ca]\ndefault_ca = here\n[here]\ndatabase = index.txt\ncrlnumber = number\n\
    default_md = sha256\ndefault_crl_days = 30\ncertificate = ca.crt\nprivate_key = ca.key\n";

/// What is known of revoked certificates.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    pub crls: &'a [Crl],
    pub responses: &'a [OcspResponse],
}

impl<'a> Known<'a> {
    pub fn crls(crls: &'a [Crl]) -> Self {
        Self { crls, responses: &[] }
    }

    pub fn responses(responses: &'a [OcspResponse]) -> Self {
        Self { crls: &[], responses }
    }
}

/// An authority that has issued one certificate.
pub struct Authority {
    pub bench: Bench,
    pub certificate: Certificate,
    pub ann: Person,
}

impl Authority {
    pub fn new() -> Option<Self> {
        let bench = Bench::new()?;
        let authority = bench.person("ca", RSA, "keyCertSign,cRLSign");
        bench.write("ca.cnf", CONFIGURATION.as_bytes());
        let extensions = "subjectAltName=email:ann@example.test\nkeyUsage=digitalSignature\n";
        let ann = issue(&bench, "ca", "ann", "77", extensions);
        Some(Self { bench, certificate: authority.certificate, ann })
    }

    /// Another person to whom this authority gives a certificate.
    pub fn issue(&self, name: &str, serial: &str, extensions: &str) -> Person {
        issue(&self.bench, "ca", name, serial, extensions)
    }

    /// A CRL with these lines of OpenSSL's database.
    pub fn crl(&self, index: &str, number: &str) -> Crl {
        self.bench.write("index.txt", index.as_bytes());
        self.bench.write("number", format!("{number}\n").as_bytes());
        self.bench.run(&["ca", "-config", "ca.cnf", "-gencrl", "-out", "list.crl"]);
        Crl::from_file(&std::fs::read(self.bench.path("list.crl")).unwrap()).unwrap().remove(0)
    }

    /// What OpenSSL says of the certificate with the last CRL.
    pub fn openssl_accepts(&self) -> bool {
        let arguments = ["verify", "-crl_check", "-CAfile", "ca.crt", "-CRLfile", "list.crl", "ann.crt"];
        self.bench.try_run(&arguments).status.success()
    }

    /// The chain aspect of a mail that carries `sent`, for a reader who has `given`.
    pub fn chain(&self, sent: Known<'_>, given: Known<'_>, required: bool, at: OffsetDateTime) -> Aspect {
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let signers = [(&self.ann.key as &dyn waxseal_key::Signer, &self.ann.certificate)];
        let boundary = Boundary::Given("boundary".to_owned());
        let mut request = SignRequest::new(&signers, OffsetDateTime::now_utc(), boundary, &arithmetic);
        request.crls = sent.crls;
        request.ocsp_responses = sent.responses;
        let mut mail = Vec::new();
        sign(&mut Cursor::new(b"From: ann@example.test\r\n\r\nhello\r\n"), &mut mail, &request).unwrap();
        let mut policy = Policy::named("default").unwrap();
        policy.require_revocation = required;
        let limits = Limits::default();
        let request = OpenRequest {
            anchors: std::slice::from_ref(&self.certificate),
            crls: given.crls,
            ocsp_responses: given.responses,
            ..OpenRequest::new(at, &policy, &arithmetic, &limits)
        };
        let opened = open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, &request).unwrap();
        opened.verdict.layers[0].chain.clone()
    }
}

/// A person whose certificate an authority issues, with these lines of extensions.
pub fn issue(bench: &Bench, authority: &str, name: &str, serial: &str, extensions: &str) -> Person {
    let file = |end: &str| format!("{name}.{end}");
    let (key, request, certificate) = (file("key"), file("csr"), file("crt"));
    let (issuer, issuer_key) = (format!("{authority}.crt"), format!("{authority}.key"));
    bench.run(&[&["genpkey", "-out", &key], P256].concat());
    bench.run(&["req", "-new", "-key", &key, "-subj", &format!("/CN={name}"), "-out", &request]);
    bench.write("extensions", extensions.as_bytes());
    let issue = ["x509", "-req", "-in", &request, "-CA", &issuer, "-CAkey", &issuer_key, "-set_serial", serial];
    bench.run(&[&issue[..], &["-days", "20", "-extfile", "extensions", "-out", &certificate]].concat());
    Person {
        key: PrivateKey::from_pem(&std::fs::read_to_string(bench.path(&key)).unwrap(), None).unwrap(),
        certificate: Certificate::from_file(&std::fs::read(bench.path(&certificate)).unwrap()).unwrap().remove(0),
        key_file: bench.path(&key),
        certificate_file: bench.path(&certificate),
    }
}

/// A line of OpenSSL's database: the serial number 77 was revoked.
pub const REVOKED: &str = "R\t491231235959Z\t240101000000Z,keyCompromise\t4D\tunknown\t/CN=ann\n";
/// The same of another one.
pub const ANOTHER: &str = "R\t491231235959Z\t240101000000Z\t4E\tunknown\t/CN=bob\n";
/// The serial number 77 is valid.
pub const VALID: &str = "V\t491231235959Z\t\t4D\tunknown\t/CN=ann\n";
