//! The attributes with every field, and with each of them damaged.

use super::*;
use crate::ber::writer as w;
use crate::cms::testing::Tree;
use waxseal_verdict::Reason;

fn attributes(oid: &str, value: &[u8]) -> Attributes {
    let attribute = w::sequence([w::oid(oid).unwrap(), w::set_as_given([value])]);
    let set = w::context(0, &attribute);
    Attributes::read(&Cursor::new(&set, 0).take().unwrap().unwrap(), "signedAttrs").unwrap()
}

fn oid(dotted: &str) -> Vec<u8> {
    w::oid(dotted).unwrap()
}

fn mail(address: &[u8]) -> Vec<u8> {
    w::sequence([w::element(0x81, address)])
}

/// Reads a value, and then with each required element dropped, and each of
/// these exchanged for another: both must be noticed.
fn check<T: std::fmt::Debug>(
    attribute: &str,
    value: &[u8],
    required: &[&[usize]],
    typed: &[&[usize]],
    read: impl Fn(&Attributes) -> Result<T, CmsError>,
) -> T {
    let tree = Tree::parse(value);
    let found = |tree: &Tree| read(&attributes(attribute, &tree.der()));
    for path in required {
        let error = found(&tree.without(path)).unwrap_err();
        assert_eq!(error.reason, Reason::BadBer, "without {path:?}: {error}");
        assert!(error.context.starts_with("signedAttrs."), "{error}");
    }
    for path in required.iter().chain(typed) {
        let error = found(&tree.with_wrong(path)).unwrap_err();
        assert_eq!(error.reason, Reason::BadBer, "with another {path:?}: {error}");
    }
    found(&tree).unwrap()
}

#[test]
fn a_receipt_request() {
    let value = |from: Vec<u8>| w::sequence([w::octet_string(b"id"), from, w::sequence([mail(b"a@b")])]);
    let read = |attributes: &Attributes| attributes.receipt_request();
    let oid = oid::ATTRIBUTE_RECEIPT_REQUEST;
    let list = w::context(1, &mail(b"c@d"));
    let required: &[&[usize]] = &[&[0], &[1], &[2]];
    let found = check(oid, &value(list), required, &[&[1, 0], &[2, 0]], read).unwrap();
    assert_eq!((found.identifier.as_str(), found.from.as_str()), ("6964", "list"));
    assert_eq!((found.from_list[0][0].as_str(), found.to[0][0].as_str()), ("c@d", "a@b"));
    for (number, word) in [(0, "all"), (1, "first-tier")] {
        let found = check(oid, &value(w::element(0x80, &[number])), required, &[], read).unwrap();
        assert_eq!(found.from, word);
    }
    assert!(read(&attributes(oid, &value(w::element(0x80, &[2])))).is_err());
}

#[test]
fn a_security_label_in_any_order() {
    let category = w::sequence([w::element(0x80, &[0x2a, 3]), w::context(1, &w::integer(7))]);
    let members = [w::integer(3), oid("1.2.3"), w::element(0x0c, b"mark"), w::set_as_given([category])];
    let read = |attributes: &Attributes| attributes.security_label();
    let label = oid::ATTRIBUTE_SECURITY_LABEL;
    let typed: &[&[usize]] = &[&[0], &[2], &[3], &[3, 0]];
    let found = check(label, &w::set_as_given(&members), &[&[1], &[3, 0, 0], &[3, 0, 1]], typed, read).unwrap();
    assert_eq!((found.policy.as_str(), found.classification), ("1.2.3", Some(3)));
    assert_eq!((found.privacy_mark.as_deref(), found.categories[0].value.as_str()), (Some("mark"), "020107"));
    let reversed: Vec<_> = members.iter().rev().collect();
    assert_eq!(read(&attributes(label, &w::set_as_given(reversed))).unwrap(), Some(found));
    // A member twice, a class below zero, and one beyond every number.
    for extra in [w::integer(4), w::element(2, &[0xff]), w::element(2, &[1; 9])] {
        let doubled = w::set_as_given([oid("1.2.3"), w::integer(1), extra]);
        assert_eq!(read(&attributes(label, &doubled)).unwrap_err().reason, Reason::BadBer);
    }
}

#[test]
fn a_way_through_lists() {
    let id = w::sequence([w::sequence([b""]), w::integer(9)]);
    let data = |policy: Vec<u8>| w::sequence([id.clone(), w::element(0x18, b"20250615120000Z"), policy]);
    let value = w::sequence([data(w::element(0x80, b"")), data(w::context(2, &mail(b"a@b")))]);
    let read = |attributes: &Attributes| attributes.expansion_history();
    let required: &[&[usize]] = &[&[0, 0], &[0, 1], &[1, 1]];
    let found = check(oid::ATTRIBUTE_EXPANSION_HISTORY, &value, required, &[&[0], &[0, 2], &[1, 2, 0]], read);
    assert_eq!((found[0].list.as_str(), found[0].receipts.as_deref()), ("issuer=, serial=09", Some("none")));
    assert_eq!((found[1].receipts.as_deref(), found[1].receipts_to[0][0].as_str()), (Some("in-addition-to"), "a@b"));
}

#[test]
fn hints_references_and_preferences() {
    let hints = w::sequence([w::element(0x0c, b"words"), oid("1.2.3")]);
    let read = |attributes: &Attributes| attributes.content_hints();
    let found = check(oid::ATTRIBUTE_CONTENT_HINTS, &hints, &[&[1]], &[&[0]], read).unwrap();
    assert_eq!((found.description.as_deref(), found.content_type.as_str()), (Some("words"), "1.2.3"));
    let reference = w::sequence([oid("1.2.3"), w::octet_string(&[1]), w::octet_string(&[2])]);
    let read = |attributes: &Attributes| attributes.content_reference();
    let found = check(oid::ATTRIBUTE_CONTENT_REFERENCE, &reference, &[&[0], &[1], &[2]], &[], read).unwrap();
    assert_eq!((found.identifier.as_str(), found.signature.as_str()), ("01", "02"));
    let key = |value: &[u8]| {
        attributes(oid::ATTRIBUTE_ENCRYPTION_KEY_PREFERENCE, value)
            .encryption_key()
            .map(|key| key.map(|key| key.to_string()))
    };
    let name = [w::sequence([b""]), w::integer(9)].concat();
    assert_eq!(key(&w::context(0, &name)).unwrap().as_deref(), Some("issuer=, serial=09"));
    assert_eq!(key(&w::context(1, &w::octet_string(&[7]))).unwrap().as_deref(), Some("ski=07"));
    assert_eq!(key(&w::element(0x82, &[8])).unwrap().as_deref(), Some("ski=08"));
    assert!(key(&w::integer(1)).is_err() && key(&w::context(0, &w::integer(1))).is_err());
}

#[test]
fn header_fields() {
    let field =
        |status: &[u8]| w::sequence([w::element(0x1a, b"Subject"), w::element(0x0c, b"hello"), w::element(2, status)]);
    let value = w::set_as_given([w::element(0x0a, &[1]), w::sequence([field(&[2])])]);
    let read = |attributes: &Attributes| attributes.secure_headers();
    let oid = oid::ATTRIBUTE_SECURE_HEADERS;
    let required: &[&[usize]] = &[&[0], &[1], &[1, 0, 0], &[1, 0, 1]];
    let tree = Tree::parse(&value);
    for path in required {
        assert!(read(&attributes(oid, &tree.without(path).der())).is_err(), "without {path:?}");
    }
    let found = read(&attributes(oid, &value)).unwrap().unwrap();
    assert!(found.relaxed);
    assert_eq!((found.fields[0].name.as_str(), found.fields[0].status.as_str()), ("Subject", "modified"));
    let plain = read(&attributes(oid, &tree.without(&[1, 0, 2]).der())).unwrap().unwrap();
    assert_eq!(plain.fields[0].status, "duplicated", "the default");
    let wrong = w::set_as_given([w::element(0x0a, &[1]), w::sequence([field(&[3])])]);
    assert!(read(&attributes(oid, &wrong)).is_err());
}

#[test]
fn a_receipt() {
    let receipt = w::sequence([w::integer(1), oid("1.2.3"), w::octet_string(&[4]), w::octet_string(&[5])]);
    let tree = Tree::parse(&receipt);
    for index in 0..4 {
        assert!(SignedReceipt::read(&tree.without(&[index]).der()).is_err());
        assert!(SignedReceipt::read(&tree.with_wrong(&[index]).der()).is_err());
    }
    assert!(SignedReceipt::read(&tree.with_surplus(&[]).der()).is_err());
    assert!(SignedReceipt::read(&[receipt.as_slice(), &[0]].concat()).is_err());
    let found = SignedReceipt::read(&receipt).unwrap();
    assert_eq!((found.version, found.identifier, found.signature), (1, vec![4], vec![5]));
}
