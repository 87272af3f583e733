use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice, SignatureScheme, Signer as _};

use super::{Answer, Edition, Level, Outcome, RULES, Role, Subject, check, check_pair};
use crate::Limits;
use crate::ber::writer as w;
use crate::certificate::Certificate;
use crate::certificate::path::{PathRequest, PolicyInputs, Purpose, RevocationInputs, validate};

const FROM: OffsetDateTime = datetime!(2025-01-01 00:00 UTC);
const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
const SIGN: u8 = 0xc0;
const ENCRYPT: u8 = 0x38;

/// A certificate to be made, of a holder and by an authority with keys made
/// from a number.
#[derive(Clone)]
struct Made {
    subject: &'static str,
    issuer: &'static str,
    key: u8,
    version: u8,
    not_before: OffsetDateTime,
    /// The algorithm and its parameters.
    signature: (&'static str, Vec<u8>),
    /// What the key is called.
    key_algorithm: [&'static str; 2],
    /// The octets of the key, in place of the right ones.
    point: Option<Vec<u8>>,
    id: &'static [u8],
    extensions: Vec<(&'static str, Vec<u8>)>,
}

const AUTHORITY_KEY: u8 = 9;

fn holder(key: u8, usage: u8) -> Made {
    Made {
        subject: "holder",
        issuer: "authority",
        key,
        version: 3,
        not_before: FROM,
        signature: (SM2_WITH_SM3, Vec::new()),
        key_algorithm: ["1.2.840.10045.2.1", "1.2.156.10197.1.301"],
        point: None,
        id: b"1234567812345678",
        extensions: vec![
            ("2.5.29.15", key_usage(usage)),
            ("2.5.29.14", w::octet_string(&[1; 20])),
            ("2.5.29.35", w::sequence([w::element(0x80, &[2; 20])])),
            ("2.5.29.19", w::sequence::<[Vec<u8>; 0]>([])),
        ],
    }
}

fn key_usage(bits: u8) -> Vec<u8> {
    w::element(w::tag::BIT_STRING, &[u8::try_from(bits.trailing_zeros().min(7)).unwrap(), bits])
}

impl Made {
    fn with(mut self, oid: &'static str, value: Vec<u8>) -> Self {
        self = self.without(oid);
        self.extensions.push((oid, value));
        self
    }

    fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|known| known.0 != oid);
        self
    }

    fn make(&self) -> Certificate {
        let algorithm = w::sequence([w::oid(self.signature.0).unwrap(), self.signature.1.clone()]);
        let own = private(self.key);
        let point = self.point.clone().unwrap_or_else(|| own.public_key()[own.public_key().len() - 65..].to_vec());
        let key = w::sequence([w::sequence(self.key_algorithm.map(|oid| w::oid(oid).unwrap())), w::bit_string(&point)]);
        let mut fields = Vec::new();
        if self.version > 1 {
            fields.push(w::context(0, &w::integer(u64::from(self.version - 1))));
        }
        let end = self.not_before + Duration::days(100);
        fields.extend([
            w::integer(u64::from(self.key)),
            algorithm.clone(),
            name(self.issuer),
            w::sequence([w::time(self.not_before).unwrap(), w::time(end).unwrap()]),
            name(self.subject),
            key,
        ]);
        let extensions = self.extensions.iter();
        let extensions = extensions.map(|(oid, value)| w::sequence([w::oid(oid).unwrap(), w::octet_string(value)]));
        fields.push(w::context(3, &w::sequence(extensions)));
        let tbs = w::sequence(fields);
        let signer = private(AUTHORITY_KEY).with_sm2_id(self.id).unwrap();
        let signature = signer.sign_message(SignatureScheme::Sm2, &mut std::io::Cursor::new(&tbs)).unwrap();
        Certificate::parse(&w::sequence([tbs, algorithm, w::bit_string(&signature)])).unwrap()
    }
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = w::sequence([w::oid("2.5.4.3").unwrap(), w::utf8_string(common_name)]);
    w::sequence([w::set_of(vec![attribute])])
}

fn private(number: u8) -> PrivateKey {
    let scalar = w::sequence([w::integer(1), w::octet_string(&[number; 32])]);
    let algorithm = w::sequence([w::oid("1.2.840.10045.2.1").unwrap(), w::oid("1.2.156.10197.1.301").unwrap()]);
    PrivateKey::from_pkcs8_der(&w::sequence([w::integer(0), algorithm, w::octet_string(&scalar)])).unwrap()
}

fn authority() -> Certificate {
    Made { subject: "authority", key: AUTHORITY_KEY, ..holder(AUTHORITY_KEY, 0x06) }
        .with("2.5.29.19", w::sequence([w::boolean(true)]))
        .make()
}

fn asked(certificate: &Certificate, role: Option<Role>, issuer: Option<&Certificate>, edition: Edition) -> Vec<Answer> {
    let arithmetic = &Arithmetic::new(ProviderChoice::Auto);
    check(&Subject { certificate, role, issuer, edition, arithmetic })
}

/// The rules that are broken.
fn broken(answers: &[Answer]) -> BTreeSet<&'static str> {
    answers.iter().filter(|answer| matches!(answer.outcome, Outcome::Broken(_))).map(|answer| answer.rule.id).collect()
}

#[test]
fn a_good_pair_keeps_every_rule() {
    let issuer = authority();
    let [signature, encryption] = [holder(1, SIGN).make(), holder(2, ENCRYPT).make()];
    for edition in Edition::ALL {
        for (certificate, role) in
            [(&signature, Role::Signature), (&encryption, Role::Encryption), (&issuer, Role::Authority)]
        {
            assert_eq!(Role::of(certificate), Some(role));
            let answers = asked(certificate, None, Some(&issuer), edition);
            assert_eq!(broken(&answers), BTreeSet::new(), "{role:?} {edition:?}");
            assert!(!answers.is_empty());
            assert!(answers.iter().all(|answer| !matches!(answer.outcome, Outcome::NotChecked(_))));
        }
        let answers = check_pair(&signature, &encryption, edition);
        assert_eq!((answers.len(), broken(&answers)), (5, BTreeSet::new()));
        assert_eq!(Edition::from_name(edition.name()), Some(edition));
    }
}

/// Each rule is broken by a certificate that differs from a good one in one thing.
#[test]
fn every_rule_can_be_broken_alone() {
    use Edition::{Gmt2012, Gmt2023};
    let sign = || holder(1, SIGN);
    let encrypt = || holder(2, ENCRYPT);
    let mut off_curve = private(1).public_key()[private(1).public_key().len() - 65..].to_vec();
    off_curve[64] ^= 1;
    let compressed = [&[2 | (off_curve[64] ^ 1) & 1], &off_curve[1..33]].concat();
    let under_itself = ["1.2.156.10197.1.301", "1.2.156.10197.1.301"];
    let p256 = ["1.2.840.10045.2.1", "1.2.840.10045.3.1.7"];
    let identity = |oid: &'static str| sign().with(oid, w::utf8_string("1"));
    let cases: Vec<(Edition, Made, &[&str])> = vec![
        (Gmt2023, Made { version: 2, ..sign() }, &["version"]),
        (Gmt2023, Made { signature: ("1.2.156.10197.1.503", Vec::new()), ..sign() }, &["signature-algorithm"]),
        (Gmt2023, Made { signature: (SM2_WITH_SM3, w::null()), ..sign() }, &["signature-parameters"]),
        (Gmt2023, Made { id: b"", ..sign() }, &["signature-id"]),
        (Gmt2023, Made { id: b"alice@example.test", ..sign() }, &["signature-id"]),
        (Gmt2012, Made { key_algorithm: under_itself, ..sign() }, &["key-algorithm"]),
        (Gmt2023, Made { key_algorithm: under_itself, ..sign() }, &[]),
        (Gmt2023, Made { key_algorithm: p256, ..sign() }, &["key-algorithm-2023", "key-point"]),
        (Gmt2012, Made { key_algorithm: p256, ..sign() }, &["key-algorithm", "key-point"]),
        (Gmt2023, Made { point: Some(off_curve), ..sign() }, &["key-point"]),
        (Gmt2023, Made { point: Some(compressed), ..sign() }, &["key-point"]),
        (Gmt2023, sign().without("2.5.29.15"), &["key-usage"]),
        (Gmt2023, sign().with("2.5.29.15", key_usage(0x01)), &["key-usage-purpose"]),
        (Gmt2023, sign().with("2.5.29.15", key_usage(0xe0)), &["key-usage-one-purpose"]),
        (Gmt2023, sign().with("2.5.29.15", key_usage(0xc4)), &["key-usage-no-authority"]),
        (Gmt2023, sign().with("2.5.29.15", key_usage(0x40)), &["key-usage-gmssl"]),
        (Gmt2023, encrypt().with("2.5.29.15", key_usage(0x08)), &["key-usage-gmssl"]),
        (Gmt2023, identity("1.2.156.10260.4.1.5"), &["identity-extensions"]),
        (Gmt2012, identity("1.2.156.10260.4.1.5"), &[]),
        (Gmt2012, identity("1.2.156.10260.4.1.1.1"), &["identity-extensions"]),
        (Gmt2023, identity("1.2.156.10260.4.1.1.1"), &[]),
        (Gmt2012, identity("1.2.156.10260.4.1.2"), &[]),
        (Gmt2023, identity("1.2.156.10260.4.1.2"), &[]),
        (Gmt2023, sign().without("2.5.29.14"), &["key-identifiers"]),
        (Gmt2023, sign().without("2.5.29.35"), &["key-identifiers"]),
        (Gmt2023, sign().without("2.5.29.19"), &["basic-constraints"]),
    ];
    let issuer = authority();
    let mut seen = BTreeSet::new();
    for (edition, made, expected) in cases {
        let answers = asked(&made.make(), None, Some(&issuer), edition);
        assert_eq!(broken(&answers), expected.iter().copied().collect(), "{edition:?} {:?}", made.extensions);
        seen.extend(expected);
        let bad = answers.iter().any(Answer::is_bad);
        let is_rule = |id: &&str| RULES.iter().any(|rule| rule.id == *id && rule.level != Level::Seen);
        assert_eq!(bad, expected.iter().any(is_rule));
    }
    let pairs: Vec<([Made; 2], &str)> = vec![
        ([sign(), sign().with("2.5.29.15", key_usage(SIGN))], "pair-roles pair-keys"),
        ([encrypt(), sign()], "pair-roles"),
        ([sign(), Made { subject: "somebody else", ..encrypt() }], "pair-subject"),
        ([sign(), Made { issuer: "another authority", ..encrypt() }], "pair-issuer"),
        ([sign(), holder(1, ENCRYPT)], "pair-keys"),
        ([sign(), Made { key_algorithm: under_itself, ..holder(1, ENCRYPT) }], "pair-keys"),
        ([sign(), Made { not_before: FROM + Duration::days(101), ..encrypt() }], "pair-validity"),
    ];
    for ([signature, encryption], expected) in pairs {
        let expected: BTreeSet<&str> = expected.split(' ').collect();
        assert_eq!(broken(&check_pair(&signature.make(), &encryption.make(), Gmt2023)), expected);
        seen.extend(expected);
    }
    let all: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(seen, all, "each rule is seen broken");
    assert_eq!(all.len(), RULES.len(), "no rule stands twice");
}

#[test]
fn what_is_not_known_is_not_judged() {
    let (issuer, one) = (authority(), holder(1, SIGN).make());
    let id = |answers: &[Answer]| {
        answers.iter().find(|answer| answer.rule.id == "signature-id").map(|answer| answer.outcome.clone()).unwrap()
    };
    assert_eq!(id(&asked(&one, None, None, Edition::Gmt2023)), Outcome::NotChecked("the issuer is not known"));
    assert_eq!(id(&asked(&issuer, None, None, Edition::Gmt2023)), Outcome::Kept, "a root vouches for itself");
    // Asked as what it is not.
    let answers = asked(&one, Some(Role::Encryption), Some(&issuer), Edition::Gmt2023);
    assert_eq!(broken(&answers), BTreeSet::from(["key-usage-purpose", "key-usage-gmssl"]));
    let arithmetic = &Arithmetic::new(ProviderChoice::AwsLc);
    let subject =
        Subject { certificate: &one, role: None, issuer: Some(&issuer), edition: Edition::Gmt2023, arithmetic };
    let answers = check(&subject);
    assert_eq!(broken(&answers), BTreeSet::new());
    assert!(matches!(id(&answers), Outcome::NotChecked(_)));
}

/// The certificates of the corpus, which OpenSSL and Bouncy Castle verify, and
/// one that was made by gmsm for CFCA's toolkit.
#[test]
fn certificates_of_others() {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../vectors/pki/{name}.cert.pem"));
        Certificate::from_file(&fs::read(path).unwrap()).unwrap().remove(0)
    };
    let issuer = read("intermediate-sm2");
    for (name, in_2012, in_2023) in [
        ("alice-sm2", &[][..], &[][..]),
        ("alice-sm2-encrypt", &[], &[]),
        ("alice-sm2-oid", &["key-algorithm"], &[]),
        ("bob-sm2-oid", &["key-algorithm"], &[]),
        ("alice-sm2-both", &["key-usage-one-purpose"], &["key-usage-one-purpose"]),
        ("alice-sm2-empty-id", &["signature-id"], &["signature-id"]),
        ("alice-sm2-forged", &["signature-id"], &["signature-id"]),
        (
            "alice-rsa-below-sm2",
            &["key-algorithm", "key-point", "key-usage-one-purpose"],
            &["key-algorithm-2023", "key-point", "key-usage-one-purpose"],
        ),
    ] {
        for (edition, expected) in [(Edition::Gmt2012, in_2012), (Edition::Gmt2023, in_2023)] {
            let mut found = broken(&asked(&read(name), None, Some(&issuer), edition));
            assert!(found.remove("basic-constraints"), "{name}: no holder of the corpus has it");
            assert_eq!(found, expected.iter().copied().collect(), "{name} {edition:?}");
        }
    }
    let pair = check_pair(&read("alice-sm2"), &read("alice-sm2-encrypt"), Edition::Gmt2023);
    assert_eq!(broken(&pair), BTreeSet::new());
    let pair = check_pair(&read("alice-sm2"), &read("bob-sm2-encrypt"), Edition::Gmt2023);
    assert_eq!(broken(&pair), BTreeSet::from(["pair-subject"]));

    let Some(folder) = waxseal_testing::shared("recordings/sm2") else { return };
    let message = fs::read(folder.join("cfca-sadk-sm2-signed-detached.p7s")).unwrap();
    // The only certificate stands at octet 61, and has 397.
    let theirs = Certificate::parse(&message[61..61 + 397]).unwrap();
    let found = broken(&asked(&theirs, None, None, Edition::Gmt2012));
    assert_eq!(found, BTreeSet::from(["basic-constraints", "key-identifiers", "key-usage-one-purpose"]));
}

/// A holder and its root, by `gmssl certgen` and `gmssl reqsign` of GmSSL 3.1.1.
#[test]
fn certificates_of_gmssl() {
    let [holder, root] = &Certificate::from_file(include_bytes!("gmssl.pem")).unwrap()[..] else { panic!("not two") };
    for edition in Edition::ALL {
        let answers = asked(holder, None, Some(root), edition);
        assert_eq!(broken(&answers), BTreeSet::from(["basic-constraints", "key-identifiers"]), "{edition:?}");
        assert!(!answers.iter().any(Answer::is_bad));
        assert!(!asked(root, None, None, edition).iter().any(Answer::is_bad));
    }
    let result = validate(&PathRequest {
        leaf: holder,
        candidates: &[],
        anchors: std::slice::from_ref(root),
        at: datetime!(2027-01-01 00:00 UTC),
        policies: PolicyInputs::default(),
        revocation: RevocationInputs::default(),
        purpose: Purpose::Sign,
        arithmetic: &Arithmetic::new(ProviderChoice::Auto),
        limits: &Limits::default(),
    });
    assert!(result.aspect.is_good(), "{:?}", result.aspect);
}

#[test]
fn no_rule_claims_to_be_confirmed() {
    // Nobody had the texts. Who confirms one writes its clause into `basis`.
    assert!(RULES.iter().all(|rule| !rule.confirmed && !rule.basis.is_empty()));
}
