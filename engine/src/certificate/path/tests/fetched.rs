//! What is missing is fetched, once each, and not without end.

use std::cell::RefCell;
use std::collections::HashMap;

use time::Duration;
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::Reason;

use super::made::*;
use crate::Limits;
use crate::ber::writer as w;
use crate::certificate::path::{
    PathRequest, PathResult, PolicyInputs, Purpose, RevocationInputs, fetch_and_validate, validate,
};
use crate::certificate::{Certificate, Fetcher, Fetching, Wanted};

/// A network in memory; what is asked of it is noted.
#[derive(Debug, Default)]
struct Memory {
    places: HashMap<String, Vec<u8>>,
    asked: RefCell<Vec<String>>,
}

impl Memory {
    fn with(mut self, uri: &str, octets: &[u8]) -> Self {
        self.places.insert(uri.to_owned(), octets.to_vec());
        self
    }
}

impl Fetcher for Memory {
    fn fetch(&self, uri: &str, wanted: Wanted<'_>, _most: u64) -> Result<Vec<u8>, String> {
        self.asked.borrow_mut().push(format!("{wanted} {uri}"));
        self.places.get(uri).cloned().ok_or_else(|| "not there".to_owned())
    }
}

const ISSUER: &str = "1.3.6.1.5.5.7.48.2";
const RESPONDER: &str = "1.3.6.1.5.5.7.48.1";

/// authorityInfoAccess.
fn access(places: &[(&str, &str)]) -> (&'static str, bool, Vec<u8>) {
    let places =
        places.iter().map(|(method, uri)| w::sequence([w::oid(method).unwrap(), w::element(0x86, uri.as_bytes())]));
    ("1.3.6.1.5.5.7.1.1", false, w::sequence(places))
}

/// cRLDistributionPoints, or freshestCRL.
fn points(oid: &'static str, uri: &str) -> (&'static str, bool, Vec<u8>) {
    let name = w::context(0, &w::context(0, &w::element(0x86, uri.as_bytes())));
    (oid, false, w::sequence([w::sequence([name])]))
}

fn signs_lists(made: Made) -> Made {
    made.with(key_usage(KEY_CERT_SIGN | 0x02))
}

fn person() -> Made {
    leaf("person", 9, "authority", 2)
}

fn authority() -> Certificate {
    signs_lists(ca("authority", 2, "root", 1)).make()
}

fn judge(leaf: &Certificate, required: bool, network: &Memory, limits: &Limits) -> (PathResult, usize) {
    let fetching = Fetching::new(network, limits);
    let request = PathRequest {
        leaf,
        candidates: &[],
        anchors: &[signs_lists(root("root", 1)).make()],
        at: NOW,
        policies: PolicyInputs::default(),
        revocation: RevocationInputs { required, ..RevocationInputs::default() },
        purpose: Purpose::Sign,
        arithmetic: &Arithmetic::new(ProviderChoice::Auto),
        limits,
    };
    let without = validate(&request);
    assert!(!without.aspect.is_good(), "nothing is fetched without a fetcher");
    let result = fetch_and_validate(&request, &fetching);
    assert_eq!(
        fetching
            .log()
            .iter()
            .filter(|fetched| !fetched.result.as_ref().is_err_and(|why| why.contains("limit")))
            .count(),
        network.asked.borrow().len()
    );
    (result, network.asked.borrow().len())
}

/// iPhone Mail sends the certificate of the signer alone.
#[test]
fn the_issuer_is_fetched() {
    let leaf = person().with(access(&[(ISSUER, "http://a.test/ca.cer")])).make();
    let signed_data = w::sequence([
        w::integer(1),
        w::set_as_given([b""]),
        w::sequence([w::oid("1.2.840.113549.1.7.1").unwrap()]),
        w::context(0, authority().der()),
        w::set_as_given([b""]),
    ]);
    let certs_only = w::sequence([w::oid("1.2.840.113549.1.7.2").unwrap(), w::context(0, &signed_data)]);
    for octets in [authority().der(), &certs_only] {
        let network = Memory::default().with("http://a.test/ca.cer", octets);
        let (result, asked) = judge(&leaf, false, &network, &Limits::default());
        assert!(result.aspect.is_good() && result.path.len() == 3, "{:?}", result.findings);
        assert_eq!(asked, 1);
    }
    // What was fetched is not trusted for it.
    let network = Memory::default().with("http://a.test/ca.cer", ca("authority", 2, "x", 2).make().der());
    let (result, _) = judge(&leaf, false, &network, &Limits::default());
    assert_eq!(result.aspect.reason(), Some(Reason::NoPath));
    let garbage = Memory::default().with("http://a.test/ca.cer", b"<html>");
    assert_eq!(judge(&leaf, false, &garbage, &Limits::default()).0.aspect.reason(), Some(Reason::NoPath));
}

/// Every issuer up to the anchor, one after the other.
#[test]
fn a_chain_of_issuers_is_fetched() {
    let places = ["http://a.test/1", "http://a.test/2", "http://a.test/3"];
    let leaf = leaf("person", 9, "one", 4).with(access(&[(ISSUER, places[0])])).make();
    let network = Memory::default()
        .with(places[0], ca("one", 4, "two", 5).with(access(&[(ISSUER, places[1])])).make().der())
        .with(places[1], ca("two", 5, "three", 6).with(access(&[(ISSUER, places[2])])).make().der())
        .with(places[2], ca("three", 6, "root", 1).make().der());
    let (result, asked) = judge(&leaf, false, &network, &Limits::default());
    assert!(result.aspect.is_good() && result.path.len() == 5 && asked == 3, "{:?}", result.findings);
}

/// OCSP first; a list where nobody answers; the lists of authorities, too.
#[test]
fn the_status_is_fetched() {
    let (responder, list, of_root) = ("http://a.test/ocsp", "http://a.test/ca.crl", "http://a.test/root.crl");
    let everything = access(&[(ISSUER, "http://a.test/ca.cer"), (RESPONDER, responder)]);
    let leaf = person().with(everything).with(points("2.5.29.31", list)).make();
    let authority = signs_lists(ca("authority", 2, "root", 1)).with(points("2.5.29.31", of_root)).make();
    let network =
        || Memory::default().with("http://a.test/ca.cer", authority.der()).with(of_root, crl("root", 1, &[]).der());
    let good = response("authority", 2, &[(&leaf, &authority)], &[]);
    let with_answer = network().with(responder, good.der());
    let (result, _) = judge(&leaf, true, &with_answer, &Limits::default());
    assert!(result.aspect.is_good(), "{:?}", result.findings);
    let asked = with_answer.asked.borrow().clone();
    assert_eq!(
        asked,
        ["certificates http://a.test/ca.cer", "OCSP response http://a.test/ocsp", "CRL http://a.test/root.crl"]
    );
    for (entries, due) in [(revoked(8), None), (revoked(9), Some(Reason::Revoked))] {
        let with_list = network().with(list, crl("authority", 2, &entries).der());
        let (result, asked) = judge(&leaf, true, &with_list, &Limits::default());
        assert_eq!(result.aspect.reason(), due, "{:?}", result.findings);
        assert_eq!(asked, 4, "the responder was asked, and was not there");
    }
    let (result, _) = judge(&leaf, true, &network(), &Limits::default());
    assert_eq!(result.aspect.reason(), Some(Reason::RevocationUnknown));
    // Nobody has to know, and somebody says so.
    let with_list = network().with(list, crl("authority", 2, &revoked(9)).der());
    assert_eq!(judge(&leaf, false, &with_list, &Limits::default()).0.aspect.reason(), Some(Reason::Revoked));
}

/// What keeps a fetcher busy: many places, circles, much.
#[test]
fn fetching_ends() {
    let many: Vec<_> = (0..1000).map(|number| format!("http://a.test/{number}")).collect();
    let many: Vec<_> = many.iter().map(|uri| (ISSUER, uri.as_str())).collect();
    let leaf = person().with(access(&many)).make();
    let (result, asked) = judge(&leaf, false, &Memory::default(), &Limits::default());
    assert_eq!((result.aspect.reason(), asked), (Some(Reason::NoPath), Limits::default().fetches));
    // They issue each other, and each says where the other is.
    let (one, two) = ("http://a.test/one", "http://a.test/two");
    let network = Memory::default()
        .with(one, ca("authority", 2, "other", 3).with(access(&[(ISSUER, two)])).make().der())
        .with(two, ca("other", 3, "authority", 2).with(access(&[(ISSUER, one)])).make().der());
    let leaf = person().with(access(&[(ISSUER, one)])).make();
    let (result, asked) = judge(&leaf, false, &network, &Limits::default());
    assert_eq!((result.aspect.reason(), asked), (Some(Reason::NoPath), 2));
    assert!(result.work < 20, "{}", result.work);
    // More octets than are left: nothing of them is used.
    let large = Memory::default().with(one, authority().der());
    let limits = Limits { fetched_octets: 100, ..Limits::default() };
    let fetching = Fetching::new(&large, &limits);
    assert!(fetching.get(one, Wanted::Certificates).certificates.is_empty());
    assert!(fetching.log()[0].result.as_ref().unwrap_err().contains("fetched-octets"));
    // A file of a thousand certificates.
    let thousand = authority().der().repeat(1000);
    let network = Memory::default().with(one, &thousand);
    let (result, _) = judge(&leaf, false, &network, &Limits::default());
    assert!(result.aspect.is_good(), "{:?}", result.findings);
    let fetching = Fetching::new(&network, &Limits::default());
    assert_eq!(fetching.get(one, Wanted::Certificates).certificates.len(), Limits::default().certificates);
}

/// A list that is fetched, and the newer one that it names.
#[test]
fn the_freshest_list_is_fetched() {
    let (list, delta) = ("http://a.test/ca.crl", "http://a.test/delta.crl");
    let leaf = person()
        .with(access(&[(ISSUER, "http://a.test/ca.cer")]))
        .with(points("2.5.29.31", list))
        .with(points("2.5.29.46", delta))
        .make();
    let numbered = |number: u64, base: Option<u64>, entries: &[u8]| {
        let extension = |oid, value: u64| w::sequence([w::oid(oid).unwrap(), w::octet_string(&w::integer(value))]);
        let mut extensions = vec![extension("2.5.29.20", number)];
        extensions.extend(base.map(|base| {
            w::sequence([w::oid("2.5.29.27").unwrap(), w::boolean(true), w::octet_string(&w::integer(base))])
        }));
        let mut fields = vec![w::integer(1), algorithm(), name("authority")];
        fields.extend([NOW - Duration::DAY, NOW + Duration::WEEK].map(|at| w::time(at).unwrap()));
        if !entries.is_empty() {
            fields.push(w::sequence([entries]));
        }
        fields.push(w::context(0, &w::sequence(extensions)));
        signed(&w::sequence(fields), 2, &[])
    };
    for (entries, due) in [(vec![], None), (revoked(9), Some(Reason::Revoked))] {
        let network = Memory::default()
            .with("http://a.test/ca.cer", authority().der())
            .with(list, &numbered(5, None, &[]))
            .with(delta, &numbered(6, Some(5), &entries));
        let (result, _) = judge(&leaf, false, &network, &Limits::default());
        assert_eq!(result.aspect.reason(), due, "{:?}", result.findings);
    }
}
