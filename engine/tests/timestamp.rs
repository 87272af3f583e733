//! Time-stamps against `openssl ts`, both ways, and tokens that nobody should
//! believe.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::{Bench, P256, Person, text};
use time::{Duration, OffsetDateTime};
use waxseal_engine::Limits;
use waxseal_engine::ber::writer as w;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::oid;
use waxseal_engine::cms::write::{Tamper, with_unsigned_attribute};
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{
    self, AttachError, Boundary, OpenRequest, SignRequest, VerifiedToken, attach_token, signature_values, verify_token,
};
use waxseal_engine::policy::Policy;
use waxseal_engine::timestamp::{
    Accuracy, Authority, ChainArchive, MessageImprint, TimeStampReq, TimeStampResp, Token,
};
use waxseal_key::{Arithmetic, DigestAlgorithm, PrivateKey, ProviderChoice, SeededRandom, Signer};
use waxseal_verdict::{Aspect, Kind, Overall, Reason, Verdict};

const DATA: &[u8] = b"what is stamped\n";
/// As in an authority's own arc.
const POLICY: &str = "1.3.6.1.4.1.32473.3161.1";

/// What real authorities say in their certificates beside what they must.
const DETAILS: &str = "crlDistributionPoints=URI:http://crl.example.test/authority/issued-certificates.crl\n\
    authorityInfoAccess=OCSP;URI:http://ocsp.example.test,caIssuers;URI:http://certificates.example.test/authority.crt\n\
    certificatePolicies=@policy\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n\
    [policy]\npolicyIdentifier=1.3.6.1.4.1.32473.1\nCPS.1=https://www.example.test/certification-practice-statement\n";

/// Root, intermediate and authorities, made by OpenSSL in its directory.
struct Tsa<'a> {
    bench: &'a Bench,
    /// The time at which everything is judged.
    now: OffsetDateTime,
    root: Certificate,
    intermediate: Certificate,
    key: PrivateKey,
    certificate: Certificate,
    policies: [String; 1],
    arithmetic: Arithmetic,
    tamper: Tamper,
}

impl<'a> Tsa<'a> {
    fn new(bench: &'a Bench) -> Self {
        let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"];
        bench.run(&[&["genpkey", "-out", "root.key"][..], &rsa].concat());
        bench.run(&[
            "req",
            "-x509",
            "-key",
            "root.key",
            "-out",
            "root.pem",
            "-days",
            "3650",
            "-subj",
            "/C=XX/O=Example Trust Services/CN=Example Time-Stamping Root CA",
        ]);
        bench.run(&[&["genpkey", "-out", "inter.key"][..], &rsa].concat());
        issue(
            bench,
            "inter",
            "/C=XX/O=Example Trust Services/CN=Example Time-Stamping CA 1",
            "root",
            "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n",
            &["-days", "3650"],
        );
        bench.run(&[&["genpkey", "-out", "tsa.key"][..], P256].concat());
        let certificate = authority(bench, "tsa", "critical,timeStamping", &["-days", "3650"]);
        let key_pem = std::fs::read_to_string(bench.path("tsa.key")).unwrap();
        Self {
            bench,
            // Certificates that are still to be made begin later than this line.
            now: OffsetDateTime::now_utc() + Duration::minutes(2),
            root: certificate_of(bench, "root"),
            intermediate: certificate_of(bench, "inter"),
            key: PrivateKey::from_pem(&key_pem, None).unwrap(),
            certificate,
            policies: [POLICY.to_owned()],
            arithmetic: Arithmetic::new(ProviderChoice::RustCrypto),
            tamper: Tamper { unfit_certificates: true, ..Tamper::default() },
        }
    }

    fn chain(&self) -> [Certificate; 2] {
        [self.intermediate.clone(), self.root.clone()]
    }

    fn with<'b>(&'b self, certificate: &'b Certificate, chain: &'b [Certificate]) -> Authority<'b> {
        let signer: &dyn Signer = &self.key;
        let authority = Authority::new(signer, certificate, &self.policies, &self.tamper, &self.arithmetic);
        Authority { chain, ..authority }
    }

    /// A token over octets, by a certificate of its key.
    fn token(&self, octets: &[u8], certificate: &Certificate, at: OffsetDateTime) -> Vec<u8> {
        let request = TimeStampReq::of(octets, DigestAlgorithm::Sha256, &self.arithmetic).unwrap();
        self.with(certificate, &self.chain()).issue(&request, at, &[1, 2, 3]).unwrap()
    }

    fn request<'b>(&'b self, anchors: &'b [Certificate], policy: &'b Policy, limits: &'b Limits) -> OpenRequest<'b> {
        OpenRequest { anchors, ..OpenRequest::new(self.now, policy, &self.arithmetic, limits) }
    }

    /// What the engine says of a token over [`DATA`], with the root as anchor.
    fn verify(&self, token: &[u8], extra: &[Certificate]) -> VerifiedToken {
        let anchors = [self.root.clone()];
        let (policy, limits) = (Policy::named("default").unwrap(), Limits::default());
        let request = OpenRequest { extra_certificates: extra, ..self.request(&anchors, &policy, &limits) };
        let mut covered = |digest| self.arithmetic.digest(digest, DATA).ok();
        verify_token(token, &mut covered, &request)
    }

    /// What OpenSSL says of a response or token over [`DATA`].
    fn openssl(&self, file: &str, arguments: &[&str]) -> Result<(), String> {
        let verify = ["ts", "-verify", "-data", "data", "-in", file, "-CAfile", "root.pem"];
        let output = self.bench.try_run(&[&verify[..], arguments].concat());
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

/// Issues a certificate for the key of this name.
fn issue(bench: &Bench, name: &str, subject: &str, issuer: &str, extensions: &str, more: &[&str]) {
    let key = if bench.path(&format!("{name}.key")).exists() { format!("{name}.key") } else { "tsa.key".to_owned() };
    bench.write(&format!("{name}.cnf"), format!("{extensions}{DETAILS}").as_bytes());
    bench.run(&["req", "-new", "-key", &key, "-subj", subject, "-out", "request.pem"]);
    let (out, config) = (format!("{name}.pem"), format!("{name}.cnf"));
    let (issuer, issuer_key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
    let base = [
        "x509",
        "-req",
        "-in",
        "request.pem",
        "-CA",
        &issuer,
        "-CAkey",
        &issuer_key,
        "-extfile",
        &config,
        "-out",
        &out,
    ];
    bench.run(&[&base[..], more].concat());
}

/// A certificate of the authority's key with this extendedKeyUsage.
fn authority(bench: &Bench, name: &str, usage: &str, days: &[&str]) -> Certificate {
    let usage = if usage.is_empty() { String::new() } else { format!("extendedKeyUsage={usage}\n") };
    let extensions = format!("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n{usage}");
    issue(
        bench,
        name,
        "/C=XX/O=Example Trust Services/CN=Example Time-Stamping Authority 1",
        "inter",
        &extensions,
        days,
    );
    certificate_of(bench, name)
}

fn certificate_of(bench: &Bench, name: &str) -> Certificate {
    let pem = std::fs::read(bench.path(&format!("{name}.pem"))).unwrap();
    Certificate::from_file(&pem).unwrap().remove(0)
}

#[test]
fn openssl_asks_and_verifies_what_is_answered() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    bench.write("data", DATA);
    for (digest, more) in [("-sha256", &["-cert"][..]), ("-sha384", &["-cert", "-no_nonce"]), ("-sha512", &[])] {
        bench.run(&[&["ts", "-query", "-data", "data", digest, "-out", "q.tsq"][..], more].concat());
        let query = std::fs::read(bench.path("q.tsq")).unwrap();
        let chain = [tsa.intermediate.clone()];
        let accuracy = Some(Accuracy { seconds: 1, millis: 500, micros: 100 });
        let authority = Authority { accuracy, ordering: true, ..tsa.with(&tsa.certificate, &chain) };
        let response = authority.reply(&query, tsa.now, &[0xf0, 1]);
        bench.write("r.tsr", &response.to_der().unwrap());
        // Without -cert nothing in the token leads to the root.
        bench.write(
            "chain.pem",
            &[std::fs::read(bench.path("tsa.pem")).unwrap(), std::fs::read(bench.path("inter.pem")).unwrap()].concat(),
        );
        tsa.openssl("r.tsr", &["-untrusted", "chain.pem"]).unwrap();
        let by_query =
            ["ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", "-CAfile", "root.pem", "-untrusted", "chain.pem"];
        bench.run(&by_query);
        assert_eq!(tsa.openssl("r.tsr", &[]).is_ok(), more.contains(&"-cert"));
        let shown = String::from_utf8(bench.run(&["ts", "-reply", "-in", "r.tsr", "-text"])).unwrap();
        for line in [
            "Status: Granted.",
            "Policy OID: 1.3.6.1.4.1.32473.3161.1",
            "Accuracy: 0x01 seconds, 0x01F4 millis, 0x64 micros",
            "Ordering: yes",
            "Serial number: 0xF001",
        ] {
            assert!(shown.contains(line), "{line} is not in {shown}");
        }
        let found = tsa.verify(&response.token.unwrap(), &[tsa.certificate.clone(), tsa.intermediate.clone()]);
        assert_eq!(found.time, Aspect::Good, "{digest}");
        assert!(TimeStampReq::parse(&query).unwrap().differences(&found.info.unwrap()).is_empty());
    }
}

#[test]
fn openssl_answers_what_is_asked() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    for ess in ["sha1", "sha256", "sha512"] {
        bench.write("serial", b"0a\n");
        bench.write("ts.cnf", format!(
            "[tsa]\ndefault_tsa=one\n[one]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\ncerts=inter.pem\n\
             signer_digest=sha256\ndefault_policy={POLICY}\nother_policies=1.3.6.1.4.1.32473.2\ndigests=sha256,sha512\n\
             accuracy=secs:1,millisecs:500,microsecs:100\nordering=yes\ntsa_name=yes\ness_cert_id_chain=yes\n\
             clock_precision_digits=3\ness_cert_id_alg={ess}\n").as_bytes());
        let asked = TimeStampReq {
            policy: Some("1.3.6.1.4.1.32473.2".to_owned()),
            ..TimeStampReq::of(DATA, DigestAlgorithm::Sha512, &tsa.arithmetic).unwrap().with_nonce(&[0x99; 8])
        };
        let answer = |request: &TimeStampReq| {
            bench.write("q.tsq", &request.to_der().unwrap());
            bench.run(&["ts", "-reply", "-config", "ts.cnf", "-queryfile", "q.tsq", "-out", "r.tsr"]);
            let octets = std::fs::read(bench.path("r.tsr")).unwrap();
            let response = TimeStampResp::parse(&octets).unwrap();
            assert_eq!(response.to_der().unwrap(), octets, "what OpenSSL wrote comes out as it was");
            response
        };
        let token = answer(&asked).token.unwrap();
        // OpenSSL's clock goes on while the test runs.
        let later = Tsa { now: OffsetDateTime::now_utc() + Duration::SECOND, ..Tsa::again(&tsa) };
        let found = later.verify(&token, &[]);
        assert_eq!(found.time, Aspect::Good, "{ess}");
        let info = found.info.unwrap();
        assert!(asked.differences(&info).is_empty());
        assert_eq!(info.accuracy, Some(Accuracy { seconds: 1, millis: 500, micros: 100 }));
        assert!(info.ordering && info.gen_time.as_profiled);
        assert_eq!(found.stamp.authority.as_deref(), Some(later.certificate.subject().as_str()));
        // What is refused, and how.
        for (wrong, failure) in [
            (TimeStampReq { policy: Some("1.2.3".to_owned()), ..asked.clone() }, "unacceptedPolicy"),
            (TimeStampReq::of(DATA, DigestAlgorithm::Sha1, &tsa.arithmetic).unwrap(), "badAlg"),
            (TimeStampReq::new(MessageImprint::new(DigestAlgorithm::Sha256, vec![1; 20])), "badDataFormat"),
            (TimeStampReq { version: 2, ..asked.clone() }, "badRequest"),
        ] {
            let theirs = answer(&wrong);
            let policies = [POLICY.to_owned(), "1.3.6.1.4.1.32473.2".to_owned()];
            let own = Authority { policies: &policies, ..tsa.with(&tsa.certificate, &[]) };
            let ours = own.reply(&wrong.to_der().unwrap(), tsa.now, &[1]);
            assert!(theirs.refusal().contains(failure), "{}", theirs.refusal());
            assert_eq!((theirs.failures, theirs.status), (ours.failures, ours.status));
        }
    }
}

impl<'a> Tsa<'a> {
    /// The same authority.
    fn again(other: &Tsa<'a>) -> Self {
        let key_pem = std::fs::read_to_string(other.bench.path("tsa.key")).unwrap();
        Self {
            key: PrivateKey::from_pem(&key_pem, None).unwrap(),
            root: other.root.clone(),
            intermediate: other.intermediate.clone(),
            certificate: other.certificate.clone(),
            policies: other.policies.clone(),
            tamper: other.tamper.clone(),
            ..*other
        }
    }
}

/// The compact profile is to save seven eighths of what a token costs.
#[test]
fn a_compact_token_has_an_eighth_of_the_full_one() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    bench.write("data", DATA);
    let request = TimeStampReq::of(DATA, DigestAlgorithm::Sha256, &tsa.arithmetic).unwrap();
    let chain = tsa.chain();
    let full = tsa.with(&tsa.certificate, &chain).issue(&request, tsa.now, &[1, 2, 3]).unwrap();
    let compact = Authority { compact: true, ..tsa.with(&tsa.certificate, &chain) };
    let compact = compact.issue(&TimeStampReq { certificates: false, ..request }, tsa.now, &[1, 2, 4]).unwrap();
    let percent = compact.len() as f64 * 100.0 / full.len() as f64;
    println!("compact token: {} octets, full token with chain: {} octets, {percent:.1} %", compact.len(), full.len());
    assert!(percent <= 12.0, "{percent:.1} %");
    // It is a token all the same, with the chain given.
    let mut archive = ChainArchive::default();
    let emptied = archive.compact(&full, &Limits::default()).unwrap();
    assert_eq!(archive.compact(&emptied, &Limits::default()).unwrap(), emptied);
    let kept = archive.to_pem(&tsa.arithmetic).unwrap();
    bench.write("archive", kept.as_bytes());
    bench.write("compact.tst", &compact);
    tsa.openssl("compact.tst", &["-token_in", "-untrusted", "archive"]).unwrap();
    assert!(tsa.openssl("compact.tst", &["-token_in"]).is_err(), "it does hold certificates");
    let archive = ChainArchive::parse(kept.as_bytes()).unwrap();
    assert_eq!(archive.certificates().len(), 3);
    for token in [&compact, &emptied] {
        assert_eq!(tsa.verify(token, archive.certificates()).time, Aspect::Good);
    }
    // The archive is asked by what the token names.
    let mut without = tsa.verify(&compact, &[]);
    assert_eq!(without.time.reason(), Some(Reason::TimestampUntrusted));
    assert_eq!(without.stamp.integrity.reason(), Some(Reason::SignerCertificateNotFound));
    without = tsa.verify(&compact, &archive.certificates()[1..]);
    assert_eq!(without.time.reason(), Some(Reason::TimestampUntrusted));
}

#[test]
fn an_authority_is_one_for_time_stamps_and_nothing_else() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    bench.write("data", DATA);
    let days = ["-days", "3650"];
    let cases = [
        ("good", "critical,timeStamping", &days[..], None),
        ("mail", "critical,emailProtection", &days, Some(Reason::ExtendedKeyUsage)),
        ("two", "critical,timeStamping,emailProtection", &days, Some(Reason::ExtendedKeyUsage)),
        ("any", "critical,anyExtendedKeyUsage", &days, Some(Reason::ExtendedKeyUsage)),
        ("soft", "timeStamping", &days, Some(Reason::ExtendedKeyUsage)),
        ("none", "", &days, Some(Reason::ExtendedKeyUsage)),
        ("ended", "critical,timeStamping", &["-days", "-1"], Some(Reason::Expired)),
    ];
    for (name, usage, days, expected) in cases {
        let certificate = authority(&bench, name, usage, days);
        let token = tsa.token(DATA, &certificate, tsa.now);
        let found = tsa.verify(&token, &[]);
        assert_eq!(found.stamp.chain.reason(), expected, "{name}: {:?}", found.stamp.chain);
        assert_eq!(found.time.reason(), expected.map(|_| Reason::TimestampUntrusted), "{name}");
        bench.write("t.tst", &token);
        let theirs = tsa.openssl("t.tst", &["-token_in"]);
        assert_eq!(theirs.is_ok(), expected.is_none(), "{name}: {theirs:?}");
    }
    // Nobody is trusted at all, or somebody else.
    let token = tsa.token(DATA, &tsa.certificate, tsa.now);
    let (policy, limits) = (Policy::named("default").unwrap(), Limits::default());
    let with = |anchors: &[Certificate]| {
        let mut covered = |digest| tsa.arithmetic.digest(digest, DATA).ok();
        verify_token(&token, &mut covered, &tsa.request(anchors, &policy, &limits)).time
    };
    assert_eq!(with(&[]), Aspect::unchecked(Reason::NoAnchor));
    let other = bench.person("other", P256, "keyCertSign");
    assert_eq!(with(&[other.certificate]).reason(), Some(Reason::TimestampUntrusted));
    // From tomorrow.
    let tomorrow = tsa.token(DATA, &tsa.certificate, tsa.now + Duration::DAY);
    assert_eq!(tsa.verify(&tomorrow, &[]).time.reason(), Some(Reason::TimestampUntrusted));
    // An authority that has ended since: by policy.
    let later = |policy: &str| {
        let certificate = authority(&bench, "brief", "critical,timeStamping", &["-days", "5"]);
        let token = tsa.token(DATA, &certificate, tsa.now);
        let (policy, anchors) = (Policy::named(policy).unwrap(), [tsa.root.clone()]);
        let request = OpenRequest { at: tsa.now + Duration::days(30), ..tsa.request(&anchors, &policy, &limits) };
        verify_token(&token, &mut |digest| tsa.arithmetic.digest(digest, DATA).ok(), &request).time
    };
    assert_eq!(later("default").reason(), Some(Reason::TimestampUntrusted));
    assert_eq!(later("archive"), Aspect::Good);
}

#[test]
fn a_token_is_bound_to_what_it_says() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    let good = tsa.token(DATA, &tsa.certificate, tsa.now);
    assert_eq!(tsa.verify(&good, &[]).time, Aspect::Good);
    let other = tsa.token(b"something else", &tsa.certificate, tsa.now);
    let found = tsa.verify(&other, &[]);
    assert_eq!((found.time.reason(), &found.stamp.integrity), (Some(Reason::TimestampMismatch), &Aspect::Good));
    // Every octet counts: no altered token is as good as the whole one.
    let untrusted = |token: &[u8]| tsa.verify(token, &[]).time;
    for at in (0..good.len()).step_by(7) {
        let mut altered = good.clone();
        altered[at] ^= 1;
        // What no signature covers may be altered: certificates beside the path, NULL, lengths of certificates.
        if untrusted(&altered).is_good() {
            let read = Token::parse(&altered, &Limits::default()).unwrap();
            assert_eq!(Some(read.info()), tsa.verify(&good, &[]).info.as_ref(), "octet {at}");
        }
    }
    for cut in 0..good.len() {
        assert_eq!(untrusted(&good[..cut]).reason(), Some(Reason::TimestampUntrusted), "cut at {cut}");
    }
    assert_eq!(untrusted(&[good.as_slice(), &[0]].concat()).reason(), Some(Reason::TimestampUntrusted));
    // A signature over the right octets that names no certificate.
    let tamper = Tamper { mandatory_attributes_missing: true, unfit_certificates: true, ..Tamper::default() };
    let request = TimeStampReq::of(DATA, DigestAlgorithm::Sha256, &tsa.arithmetic).unwrap();
    let nameless = Nameless { tsa: &tsa, tamper: &tamper }.token(&request);
    let found = tsa.verify(&nameless, &[]);
    assert_eq!(found.stamp.structure.reason(), Some(Reason::MissingAttribute), "{:?}", found.stamp);
    assert_eq!(found.time.reason(), Some(Reason::TimestampUntrusted));
    assert_eq!(found.stamp.integrity, Aspect::Good);
}

/// An authority that does not say which certificate it used.
struct Nameless<'a> {
    tsa: &'a Tsa<'a>,
    tamper: &'a Tamper,
}

impl Nameless<'_> {
    fn token(&self, request: &TimeStampReq) -> Vec<u8> {
        use waxseal_engine::cms::write::{AttributeKind, ContentSigner, Shape, SignedData};
        let token = self.tsa.token(DATA, &self.tsa.certificate, self.tsa.now);
        let mut info = Token::parse(&token, &Limits::default()).unwrap().info().clone();
        info.imprint = request.imprint.clone();
        let signers =
            [ContentSigner::new(&self.tsa.key, &self.tsa.certificate, DigestAlgorithm::Sha256, None).unwrap()];
        let chain = self.tsa.chain();
        let shape =
            Shape { attributes: vec![AttributeKind::ContentType, AttributeKind::MessageDigest], ..Shape::default() };
        let recipe = SignedData {
            signers: &signers,
            certificates: &chain,
            signing_time: None,
            crls: &[],
            ocsp_responses: &[],
            encryption_certificate: None,
            content_type: oid::TST_INFO,
            shape: &shape,
            tamper: self.tamper,
            arithmetic: &self.tsa.arithmetic,
        };
        let mut out = Vec::new();
        recipe.write(&mut out, &mut Cursor::new(info.to_der().unwrap())).unwrap();
        out
    }
}

#[test]
fn what_is_huge_or_nested_is_answered() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    let chain = tsa.chain();
    let own = tsa.with(&tsa.certificate, &chain);
    let request = TimeStampReq::of(DATA, DigestAlgorithm::Sha256, &tsa.arithmetic).unwrap();
    // A nonce and a serial number of 100,000 octets, an accuracy of all time.
    let huge = Authority { accuracy: Some(Accuracy { seconds: u64::MAX, millis: 999, micros: 999 }), ..own };
    let token = huge.issue(&request.clone().with_nonce(&[0x77; 100_000]), tsa.now, &[0x55; 100_000]).unwrap();
    let found = tsa.verify(&token, &[]);
    assert_eq!(found.time, Aspect::Good);
    assert!(found.stamp.serial.unwrap().len() <= 128);
    // A token over a token, and one with a token for its unsigned attribute.
    let inner = tsa.token(DATA, &tsa.certificate, tsa.now);
    let nested = own.sign(&inner, true).unwrap();
    assert_eq!(tsa.verify(&nested, &[]).stamp.structure.reason(), Some(Reason::BadBer));
    let carrying = with_unsigned_attribute(&inner, 0, oid::ATTRIBUTE_TIME_STAMP_TOKEN, &inner).unwrap();
    assert_eq!(tsa.verify(&carrying, &[]).time, Aspect::Good);
    // A form of the time that RFC 3161 forbids, under a good signature.
    let content = Token::parse(&inner, &Limits::default()).unwrap().info().to_der().unwrap();
    let at = content.windows(4).position(|found| found[0] == 0x18 && found[2..] == *b"20").unwrap();
    let len = usize::from(content[at + 1]);
    let time = [&content[at + 2..at + 16], b".500Z"].concat();
    let fields = [&content[head(&content)..at], &w::element(0x18, &time), &content[at + 2 + len..]].concat();
    let odd = own.sign(&w::sequence([fields]), true).unwrap();
    let found = tsa.verify(&odd, &[]);
    assert_eq!((found.stamp.structure.reason(), &found.stamp.integrity), (Some(Reason::BadDer), &Aspect::Good));
}

/// Octets of tag and length.
fn head(der: &[u8]) -> usize {
    if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) }
}

const MAIL: &[u8] = b"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: x\r\n\
    Content-Type: text/plain\r\n\r\nhello\r\n";

/// A mail signed now by a person.
fn signed(tsa: &Tsa<'_>, person: &Person) -> Vec<u8> {
    let signers: [(&dyn Signer, &Certificate); 1] = [(&person.key, &person.certificate)];
    let mut random = SeededRandom::new("timestamp");
    let request = SignRequest::new(&signers, tsa.now, Boundary::random(&mut random), &tsa.arithmetic);
    let mut out = Vec::new();
    message::sign(&mut Cursor::new(MAIL), &mut out, &request).unwrap();
    out
}

fn attach(tsa: &Tsa<'_>, mail: &[u8], token: &[u8]) -> Result<Vec<u8>, AttachError> {
    let mut out = Vec::new();
    attach_token(&mut Cursor::new(mail), &mut out, 0, token, &tsa.arithmetic, &Limits::default())?;
    Ok(out)
}

/// What the engine says at a time.
fn open_at(tsa: &Tsa<'_>, mail: &[u8], person: &Person, policy: &str, at: OffsetDateTime) -> Verdict {
    let anchors = [tsa.root.clone(), person.certificate.clone()];
    let (policy, limits) = (Policy::named(policy).unwrap(), Limits::default());
    let request = OpenRequest { at, ..tsa.request(&anchors, &policy, &limits) };
    message::open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, &request).unwrap().verdict
}

#[test]
fn a_time_stamp_on_a_mail() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    let alice = bench.person("alice", P256, "digitalSignature");
    let mail = signed(&tsa, &alice);
    let values = signature_values(&mut Cursor::new(&mail), &Limits::default()).unwrap();
    let [value] = values.as_slice() else { panic!("{values:?}") };
    let token = tsa.token(value, &tsa.certificate, tsa.now);
    let stamped = attach(&tsa, &mail, &token).unwrap();
    // Up to the object nothing changed, and the signature is what it was.
    let object = mail.windows(16).position(|window| window == b"pkcs7-signature;").unwrap();
    assert_eq!(mail[..object], stamped[..object]);
    assert_eq!(signature_values(&mut Cursor::new(&stamped), &Limits::default()).unwrap(), values);
    let verdict = open_at(&tsa, &stamped, &alice, "stamped", tsa.now);
    assert_eq!(verdict.overall, Overall::Valid, "{verdict:#?}");
    let [stamp] = verdict.timestamps.as_slice() else { panic!("{verdict:#?}") };
    assert_eq!((stamp.signer, stamp.counts, stamp.layer.as_str()), (Some(0), true, verdict.layers[0].path.as_str()));
    assert_eq!(verdict.layers[0].signers[0].chain_at, None);
    // OpenSSL reads the mail as before.
    bench.write("stamped.eml", &stamped);
    let certificate = text(&alice.certificate_file);
    bench.run(&["cms", "-verify", "-in", "stamped.eml", "-CAfile", certificate, "-out", "out"]);
    // Without it: only a policy that requires one can know.
    assert_eq!(open_at(&tsa, &mail, &alice, "default", tsa.now).overall, Overall::Valid);
    let stripped = open_at(&tsa, &mail, &alice, "stamped", tsa.now);
    assert_eq!(stripped.layers[0].time.reason(), Some(Reason::TimestampMissing));
    // One for another signature is not taken, and if it is there it is told.
    let foreign = tsa.token(b"another signature", &tsa.certificate, tsa.now);
    assert!(matches!(attach(&tsa, &mail, &foreign), Err(AttachError::Mismatch)));
    let put = |mail: &[u8], tokens: &[&[u8]]| put_on(mail, tokens);
    let verdict = open_at(&tsa, &put(&mail, &[&foreign]), &alice, "default", tsa.now);
    assert_eq!(verdict.layers[0].time.reason(), Some(Reason::TimestampMismatch));
    assert_eq!((verdict.overall, verdict.timestamps[0].counts), (Overall::Warning, false));
    // Beside a good one it is told too, and the good one counts.
    let verdict = open_at(&tsa, &put(&stamped, &[&foreign]), &alice, "default", tsa.now);
    assert_eq!(verdict.layers[0].time.reason(), Some(Reason::TimestampMismatch));
    let mut counts: Vec<_> = verdict.timestamps.iter().map(|stamp| (stamp.imprint.is_good(), stamp.counts)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [(false, false), (true, true)]);
}

#[test]
fn a_certificate_that_ended_is_judged_at_the_earliest_good_time_stamp() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    // Valid for thirty days.
    let alice = bench.person("alice", P256, "digitalSignature");
    let mail = signed(&tsa, &alice);
    let value = signature_values(&mut Cursor::new(&mail), &Limits::default()).unwrap().remove(0);
    let at = |days: i64| tsa.now + Duration::days(days);
    let token = |days| tsa.token(&value, &tsa.certificate, at(days));
    let soon = attach(&tsa, &mail, &token(0)).unwrap();
    let chain = |mail: &[u8], policy: &str| {
        let verdict = open_at(&tsa, mail, &alice, policy, at(100));
        let layer = &verdict.layers[0];
        (layer.chain.reason(), layer.time.reason(), layer.signers[0].chain_at.is_some())
    };
    assert_eq!(chain(&mail, "default"), (Some(Reason::Expired), None, false));
    assert_eq!(chain(&soon, "default"), (None, None, true));
    assert_eq!(chain(&soon, "strict"), (Some(Reason::Expired), None, false));
    // A second one, later: the first still counts, in whatever order they stand.
    assert_eq!(chain(&attach(&tsa, &soon, &token(60)).unwrap(), "default"), (None, None, true));
    let late = attach(&tsa, &mail, &token(60)).unwrap();
    assert_eq!(chain(&attach(&tsa, &late, &token(0)).unwrap(), "default"), (None, None, true));
    // Exchanged for one that came after the end.
    let replaced = (Some(Reason::Expired), Some(Reason::TimestampReplaced), false);
    assert_eq!(chain(&late, "default"), replaced);
    assert_eq!(chain(&late, "archive"), replaced);
    // Exchanged for one of the next week, while the certificate was valid.
    let week = attach(&tsa, &mail, &token(7)).unwrap();
    assert_eq!(chain(&week, "default"), (None, Some(Reason::TimestampReplaced), true));
    assert_eq!(chain(&week, "archive"), (None, None, true));
    // Stamped before it says to have been signed.
    let before = attach(&tsa, &mail, &token(-1)).unwrap();
    let verdict = open_at(&tsa, &before, &alice, "default", tsa.now);
    assert_eq!(verdict.layers[0].time.reason(), Some(Reason::TimestampUntrusted), "the authority did not exist");
    // An early one that nobody vouches for does not count.
    let mail_ca = authority(&bench, "mail", "critical,emailProtection", &["-days", "3650"]);
    let forged = attach(&tsa, &late, &tsa.token(&value, &mail_ca, at(0))).unwrap();
    let (reason, time, moved) = chain(&forged, "default");
    assert_eq!((reason, moved), (Some(Reason::Expired), false));
    assert!([Some(Reason::TimestampUntrusted), Some(Reason::TimestampReplaced)].contains(&time), "{time:?}");
}

/// A mail with tokens on its first signature, whatever they are for.
fn put_on(mail: &[u8], tokens: &[&[u8]]) -> Vec<u8> {
    with_object(mail, |object| {
        let put = |object: Vec<u8>, token: &&[u8]| {
            with_unsigned_attribute(&object, 0, oid::ATTRIBUTE_TIME_STAMP_TOKEN, token).unwrap()
        };
        tokens.iter().fold(object, put)
    })
}

/// A mail with another object in the last of its parts, which is in base64.
fn with_object(mail: &[u8], change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let header = b"Content-Transfer-Encoding: base64";
    let at = mail.windows(header.len()).rposition(|window| window == header).unwrap();
    let start = at + mail[at..].windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let end = start + mail[start..].windows(4).position(|window| window == b"\r\n--").unwrap();
    let text: Vec<u8> = mail[start..end].iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let mut out = mail[..start].to_vec();
    for line in STANDARD.encode(change(STANDARD.decode(text).unwrap())).as_bytes().chunks(76) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(&mail[end..]);
    out
}

#[test]
fn ten_thousand_tokens_are_bounded_work() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    let alice = bench.person("alice", P256, "digitalSignature");
    let mail = signed(&tsa, &alice);
    let value = signature_values(&mut Cursor::new(&mail), &Limits::default()).unwrap().remove(0);
    let chain: [Certificate; 0] = [];
    let request = TimeStampReq {
        certificates: false,
        ..TimeStampReq::of(&value, DigestAlgorithm::Sha256, &tsa.arithmetic).unwrap()
    };
    let token = tsa.with(&tsa.certificate, &chain).issue(&request, tsa.now, &[1]).unwrap();
    // One attribute with 10,000 values: 5 MB of what is held of an object.
    let values = w::set_as_given(std::iter::repeat_n(&token, 10_000));
    let attribute = w::sequence([w::oid(oid::ATTRIBUTE_TIME_STAMP_TOKEN).unwrap(), values]);
    let object = {
        let once = put_on(&mail, &[&token]);
        let single = w::sequence([w::oid(oid::ATTRIBUTE_TIME_STAMP_TOKEN).unwrap(), w::set_as_given([&token])]);
        with_object(&once, |object| exchanged(&object, &single, &attribute))
    };
    let anchors = [tsa.root.clone(), alice.certificate.clone()];
    let policy = Policy::named("default").unwrap();
    let open = |limits: &Limits| {
        let extra = [tsa.certificate.clone(), tsa.intermediate.clone()];
        let request = OpenRequest { extra_certificates: &extra, ..tsa.request(&anchors, &policy, limits) };
        message::open(&mut Cursor::new(&object), None, &mut MemoryWorkspace, &request).unwrap().verdict
    };
    let start = std::time::Instant::now();
    let usual = open(&Limits::default());
    assert_eq!(usual.layers[0].structure.reason(), Some(Reason::LimitExceeded), "{:?}", usual.layers[0].structure);
    let mut roomy = Limits::default();
    for (name, value) in [("element-octets", 64 << 20), ("elements", 10_000_000)] {
        roomy.set(name, value).unwrap();
    }
    let roomy = open(&roomy);
    assert_eq!(roomy.layers[0].structure.reason(), Some(Reason::LimitExceeded));
    assert_eq!(roomy.timestamps.len(), Limits::default().timestamps, "the work is counted");
    assert!(roomy.timestamps.iter().all(|stamp| stamp.imprint.is_good()));
    assert!(start.elapsed().as_secs() < 60, "it hangs");
}

/// DER with an element exchanged, and the lengths around it made right.
fn exchanged(der: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    if der == old {
        return new.to_vec();
    }
    if der[0] & 0x20 == 0 || !der.windows(old.len()).any(|window| window == old) {
        return der.to_vec();
    }
    let mut inside = &der[head(der)..];
    let mut content = Vec::new();
    while !inside.is_empty() {
        let len = match inside[1] {
            short @ 0..0x80 => usize::from(short),
            long => {
                inside[2..2 + usize::from(long & 0x7f)].iter().fold(0, |len, octet| len * 256 + usize::from(*octet))
            }
        };
        let (element, rest) = inside.split_at(head(inside) + len);
        content.extend(exchanged(element, old, new));
        inside = rest;
    }
    w::element(der[0], &content)
}

#[test]
fn tokens_and_responses_are_messages_too() {
    let Some(bench) = Bench::new() else { return };
    let tsa = Tsa::new(&bench);
    let token = tsa.token(DATA, &tsa.certificate, tsa.now);
    let response = TimeStampResp::granted(token.clone()).to_der().unwrap();
    let anchors = [tsa.root.clone()];
    let (policy, limits) = (Policy::named("default").unwrap(), Limits::default());
    let request = tsa.request(&anchors, &policy, &limits);
    let open = |octets: &[u8], content: Option<&[u8]>| {
        let mut content = content.map(Cursor::new);
        let content = content.as_mut().map(|content| content as &mut dyn waxseal_engine::io::Source);
        message::open(&mut Cursor::new(octets), content, &mut MemoryWorkspace, &request).unwrap().verdict
    };
    for octets in [&token, &response] {
        let verdict = open(octets, Some(DATA));
        assert_eq!((verdict.overall, verdict.layers[0].kind), (Overall::Valid, Kind::Timestamp), "{verdict:#?}");
        assert_eq!((verdict.timestamps.len(), verdict.timestamps[0].signer), (1, None));
        assert_eq!(open(octets, Some(b"else")).layers[0].time.reason(), Some(Reason::TimestampMismatch));
        assert_eq!(open(octets, None).overall, Overall::Undetermined);
    }
    let refused = tsa.with(&tsa.certificate, &[]).reply(b"no request", tsa.now, &[1]).to_der().unwrap();
    let verdict = open(&refused, None);
    assert_eq!(verdict.layers[0].structure.reason(), Some(Reason::ContentMissing));
}
