//! Is the author of a mail the one that the signer's certificate names
//! (RFC 8550 section 3)?
//!
//! Two addresses are of one mailbox if their domains are the same without
//! regard to letter case (must), in A-labels or U-labels (RFC 9598 section 5),
//! and their local parts are, without regard to case where both are ASCII
//! (should). A local part beyond ASCII is compared as it is (RFC 9598 section 5).

use std::collections::BTreeSet;

use waxseal_verdict::{Aspect, Reason};

use super::Certificate;
use crate::Check;
use crate::mime::Headers;

/// Who a mail says it is from, as its header fields name them.
///
/// A CMS object that stands in no mail has no author at all, and nobody should
/// ask about it: its identity is not checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Author {
    /// The addresses of all From fields, without display names.
    pub from: Vec<String>,
    /// How many From fields there are; 0 where nobody counted.
    pub fields: usize,
    /// Whether an entry of From names somebody without an address.
    pub without_address: bool,
    /// The address of the Sender field.
    pub sender: Option<String>,
    /// Addresses that the names in From and Sender show, beside or in the place
    /// of the real ones.
    pub shown: Vec<String>,
    /// An address that the reader of the mail expects. It takes the place of
    /// the header fields.
    pub expected: Option<String>,
}

impl Author {
    /// An author of whom only the address is known.
    #[must_use]
    pub fn expected(address: impl Into<String>) -> Self {
        Self { expected: Some(address.into()), ..Self::default() }
    }

    /// Who a header section names.
    #[must_use]
    pub fn of(headers: &Headers) -> Self {
        Self {
            from: headers.from_addresses(),
            fields: headers.all("from").count(),
            without_address: headers.from_without_address(),
            sender: headers.sender().map(|sender| sender.address),
            shown: headers.all("from").chain(headers.all("sender")).flat_map(|field| field.shown_addresses()).collect(),
            expected: None,
        }
    }

    /// The addresses under which the author may be known: the one that is
    /// expected, or else From and Sender.
    pub(crate) fn claimed(&self) -> Vec<&str> {
        match &self.expected {
            Some(address) => vec![address],
            None => self.from.iter().chain(&self.sender).map(String::as_str).collect(),
        }
    }

    /// The addresses of which one has to be in the certificate, or why there
    /// is none to ask for.
    ///
    /// RFC 8550 section 3 lets From or Sender match; it says nothing of several
    /// authors, and a reader that shows one of them and checks another can be
    /// deceived, so that these are refused.
    fn addresses(&self) -> Result<Vec<&str>, Aspect> {
        if let Some(address) = &self.expected {
            return Ok(vec![address]);
        }
        let from: Vec<&str> =
            self.from.iter().map(|address| address.trim()).filter(|found| !found.is_empty()).collect();
        match from.as_slice() {
            [] => Err(Aspect::bad(Reason::NoFrom, "the mail has no From field with an address")),
            [one] if self.fields > 1 => {
                let what = format!("{} From fields; the one address in them is {one}", self.fields);
                Err(Aspect::bad(Reason::SeveralFrom, what))
            }
            [one] if self.without_address => {
                let what = format!("From names {one}, and somebody without an address");
                Err(Aspect::bad(Reason::SeveralFrom, what))
            }
            [_] => Ok(from.into_iter().chain(self.sender.as_deref()).collect()),
            several => Err(Aspect::bad(Reason::SeveralFrom, format!("From names {}", list(several)))),
        }
    }
}

/// What came of comparing an author with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compared {
    /// The identity.
    pub(crate) aspect: Aspect,
    /// The certified address that is the author's, if there is one.
    pub(crate) address: Option<String>,
}

/// Compares the author with the addresses in a certificate.
///
/// Good if From or Sender is one of them; `no-address` unchecked if the
/// certificate names none; else bad, with the addresses of both sides. Bad too
/// if a name shows an address that is neither the author's nor certified.
#[must_use]
pub fn check(author: &Author, certificate: &Certificate) -> Aspect {
    compare(author, &certificate.emails()).aspect
}

/// The address of the certificate that is the author's, if there is one.
#[must_use]
pub fn matching(author: &Author, certificate: &Certificate) -> Option<String> {
    compare(author, &certificate.emails()).address
}

/// [`check`] and [`matching`] with the addresses that a certificate was found to name.
pub(crate) fn compare(author: &Author, certified: &[String]) -> Compared {
    if !Check::Identity.on() {
        return Compared { aspect: Aspect::Good, address: None };
    }
    match judge(author, certified) {
        Ok(address) => {
            let aspect = deception(author, certified).unwrap_or(Aspect::Good);
            Compared { aspect, address: Some(address.to_owned()) }
        }
        Err(aspect) => Compared { aspect: aspect.worst(deception(author, &[]).unwrap_or(Aspect::Good)), address: None },
    }
}

/// The certified address that matches, or what to say of the identity.
fn judge<'a>(author: &Author, certified: &'a [String]) -> Result<&'a str, Aspect> {
    let addresses = author.addresses()?;
    if certified.is_empty() {
        return Err(Aspect::unchecked(Reason::NoAddress));
    }
    let asked: BTreeSet<_> = addresses.iter().filter_map(|address| split(address)).collect();
    let found = certified.iter().find(|known| split(known).is_some_and(|known| asked.contains(&known)));
    if let Some(address) = found {
        return Ok(address);
    }
    let mismatch = Aspect::bad(
        Reason::AddressMismatch,
        format!("{} is not among the addresses of the certificate: {}", addresses.join(" or "), list(certified)),
    );
    Err(match addresses.as_slice() {
        [_] => mismatch,
        _ => mismatch.worst(Aspect::bad(Reason::SenderMismatch, "")),
    })
}

/// An address that a name shows to the reader, and that is somebody else's:
/// many programs show the name alone (JOHNNY I2). What the certificate of the
/// author names as well deceives nobody.
fn deception(author: &Author, certified: &[String]) -> Option<Aspect> {
    if !Check::DisplayName.on() || author.expected.is_some() {
        return None;
    }
    let own = author.from.iter().chain(&author.sender).chain(certified);
    let own: BTreeSet<_> = own.filter_map(|address| split(address)).collect();
    let foreign: Vec<_> =
        author.shown.iter().filter(|shown| split(shown).is_none_or(|shown| !own.contains(&shown))).collect();
    (!foreign.is_empty()).then(|| {
        let real = list(&author.from.iter().chain(&author.sender).collect::<Vec<_>>());
        let what = format!("a display name shows {}; the address is {real}", list(&foreign));
        Aspect::bad(Reason::DisplayNameAddress, what)
    })
}

/// Addresses for a person; of very many the first few.
fn list(addresses: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 8;
    let mut text = addresses.iter().take(SHOWN).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if let Some(more) = addresses.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text += &format!(" and {more} more");
    }
    text
}

/// Whether two addresses are of one mailbox.
pub(super) fn same_mailbox(one: &str, other: &str) -> bool {
    match (split(one), split(other)) {
        (Some((local, domain)), Some((other_local, other_domain))) => domain == other_domain && local == other_local,
        _ => false,
    }
}

/// An address in the form in which two of one mailbox are the same text; `None`
/// if it is none.
#[must_use]
pub fn comparable(address: &str) -> Option<String> {
    split(address).map(|(local, domain)| format!("{local}@{domain}"))
}

/// Local part without quotes, and domain, as they compare.
fn split(address: &str) -> Option<(String, String)> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() {
        return None;
    }
    let local = match local.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(quoted) => unescape(quoted),
        // Which of two at signs ends the local part, readers do not agree on.
        None if local.contains('@') => return None,
        None => local.to_owned(),
    };
    let local = if local.is_ascii() { local.to_ascii_lowercase() } else { local };
    Some((local, domain_in_ascii(domain)))
}

/// A domain as it compares: in A-labels, lower case (RFC 9598 section 3). What
/// has none, such as an address literal, stays as it is.
pub(super) fn domain_in_ascii(domain: &str) -> String {
    if domain.is_ascii() && !domain.to_ascii_lowercase().contains("xn--") {
        return domain.to_ascii_lowercase();
    }
    // An A-label is decoded and encoded again: two spellings of a label may not differ.
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase())
}

/// The content of a quoted string: each backslash stands before a character
/// that is meant as it is (RFC 5322 section 3.2.4).
fn unescape(quoted: &str) -> String {
    let mut chars = quoted.chars();
    let mut text = String::with_capacity(quoted.len());
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aspect(from: &[&str], sender: Option<&str>, certified: &[&str]) -> Aspect {
        let author = Author {
            from: from.iter().map(ToString::to_string).collect(),
            sender: sender.map(str::to_owned),
            ..Author::default()
        };
        let certified: Vec<String> = certified.iter().map(ToString::to_string).collect();
        compare(&author, &certified).aspect
    }

    #[test]
    fn case_and_quotes_do_not_matter() {
        for from in ["Alice@EXAMPLE.test", "\"alice\"@example.test", " alice@example.test", "\"al\\ice\"@example.test"]
        {
            assert_eq!(aspect(&[from], None, &["alice@example.test"]), Aspect::Good, "{from}");
        }
    }

    /// RFC 9598 section 5: an exact match of local parts beyond ASCII.
    #[test]
    fn local_parts_beyond_ascii_compare_exactly() {
        let certified = ["x@y", "j\u{fc}rgen@example.test"];
        assert_eq!(aspect(&["j\u{fc}rgen@EXAMPLE.test"], None, &certified), Aspect::Good);
        for from in ["J\u{dc}RGEN@example.test", "ju\u{308}rgen@example.test", "jurgen@example.test"] {
            assert_eq!(aspect(&[from], None, &certified).reason(), Some(Reason::AddressMismatch), "{from}");
        }
    }

    /// RFC 9598 section 3 writes domains in A-labels; mail programs show, and
    /// some write, U-labels.
    #[test]
    fn a_domain_is_the_same_in_both_spellings() {
        let a_label = "anna@xn--bcher-kva.test";
        for from in ["anna@bücher.test", "Anna@BÜCHER.test", "anna@XN--BCHER-KVA.test", "anna@bu\u{308}cher.test"] {
            assert_eq!(aspect(&[from], None, &[a_label]), Aspect::Good, "{from}");
            assert_eq!(aspect(&[a_label], None, &[from]), Aspect::Good, "{from}");
        }
        for from in ["anna@bucher.test", "anna@xn--bcher-kvb.test", "anna@b\u{fc}cher.test.", "anna@xn--.test"] {
            assert_eq!(aspect(&[from], None, &[a_label]).reason(), Some(Reason::AddressMismatch), "{from}");
        }
    }

    #[test]
    fn other_addresses_are_named() {
        for from in [
            "bob@example.test",
            "alice@example.test.evil",
            "alice",
            "alice@example.test\0",
            "alice@",
            "x@alice@example.test",
        ] {
            let aspect = aspect(&[from], None, &["alice@example.test"]);
            assert_eq!(aspect.reason(), Some(Reason::AddressMismatch), "{from}");
            let Aspect::Bad(bad) = aspect else { unreachable!() };
            assert_eq!(bad.detail, format!("{from} is not among the addresses of the certificate: alice@example.test"));
        }
    }

    #[test]
    fn sender_counts_beside_from() {
        let certified = ["secretary@example.test"];
        assert_eq!(aspect(&["boss@example.test"], Some("secretary@example.test"), &certified), Aspect::Good);
        let Aspect::Bad(bad) = aspect(&["boss@example.test"], Some("other@example.test"), &certified) else {
            panic!("neither matches")
        };
        assert_eq!((bad.reason, bad.also), (Reason::AddressMismatch, vec![Reason::SenderMismatch]));
    }

    #[test]
    fn no_author_several_authors_no_address() {
        assert_eq!(aspect(&[], None, &["a@b"]).reason(), Some(Reason::NoFrom));
        assert_eq!(aspect(&[""], Some("a@b"), &["a@b"]).reason(), Some(Reason::NoFrom));
        assert_eq!(aspect(&["a@b", "c@d"], Some("a@b"), &["a@b"]).reason(), Some(Reason::SeveralFrom));
        assert_eq!(aspect(&["a@b"], None, &[]), Aspect::unchecked(Reason::NoAddress));
    }

    #[test]
    fn an_author_without_an_address_is_an_author() {
        let certified = ["a@b".to_owned()];
        let one = Author { from: vec!["a@b".into()], fields: 1, ..Author::default() };
        let reason = |author: &Author| judge(author, &certified).err().and_then(|aspect| aspect.reason());
        assert_eq!(reason(&one), None);
        assert_eq!(reason(&Author { fields: 2, ..one.clone() }), Some(Reason::SeveralFrom));
        assert_eq!(reason(&Author { without_address: true, ..one.clone() }), Some(Reason::SeveralFrom));
        let nobody = Author { from: vec![], without_address: true, sender: Some("a@b".into()), ..one };
        assert_eq!(reason(&nobody), Some(Reason::NoFrom));
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(list(&["a", "b"]), "a, b");
        assert_eq!(list(&["a"; 10]), "a, a, a, a, a, a, a, a and 2 more");
    }

    #[test]
    fn an_expected_address_takes_the_place_of_the_fields() {
        let mut author = Author::expected("A@b");
        author.from = vec!["x@y".into(), "z@y".into()];
        let certified = ["a@B".to_owned()];
        author.shown = vec!["ceo@corp.test".into()];
        assert_eq!(compare(&author, &certified), Compared { aspect: Aspect::Good, address: Some("a@B".into()) });
        author.expected = Some("x@y".into());
        assert!(compare(&author, &certified).aspect.is_bad());
    }

    /// JOHNNY (2019) I2.
    #[test]
    fn a_name_must_not_show_another_address() {
        let certified = ["m@e.test".to_owned(), "info@e.test".to_owned()];
        let read = |from: &str, certified: &[String]| {
            let headers = Headers::parse(format!("From: {from}\r\n").as_bytes(), 1 << 10).unwrap();
            compare(&Author::of(&headers), certified)
        };
        let deceiving = read("\"ceo@corp.test\" <M@e.test>", &certified);
        assert_eq!(deceiving.address.as_deref(), Some("m@e.test"));
        let Aspect::Bad(bad) = deceiving.aspect else { panic!("{:?}", deceiving.aspect) };
        assert_eq!(bad.reason, Reason::DisplayNameAddress);
        assert_eq!(bad.detail, "a display name shows ceo@corp.test; the address is M@e.test");
        for harmless in ["\"M@E.test\" <m@e.test>", "m@e.test (info@e.test)", "\"ceo\" <m@e.test>"] {
            assert_eq!(read(harmless, &certified).aspect, Aspect::Good, "{harmless}");
        }
        let Aspect::Bad(bad) = read("\"m@e.test\" <x@y.test>", &certified).aspect else { panic!("neither matches") };
        assert_eq!((bad.reason, bad.also), (Reason::AddressMismatch, vec![Reason::DisplayNameAddress]));
        assert_eq!(read("\"ceo@corp.test\" <m@e.test>", &[]).aspect.reason(), Some(Reason::DisplayNameAddress));
        let Aspect::Bad(bad) = read("\"ceo@corp.test\"", &certified).aspect else { panic!("no address") };
        assert_eq!((bad.reason, bad.also), (Reason::NoFrom, vec![Reason::DisplayNameAddress]));
    }

    #[test]
    fn many_addresses_cost_little() {
        let author = Author {
            from: vec!["a@b.test".into()],
            shown: (0..20_000).map(|number| format!("x{number}@y.test")).collect(),
            ..Author::default()
        };
        let certified: Vec<String> = (0..20_000).map(|number| format!("x{number}@y.test")).collect();
        assert_eq!(compare(&author, &certified).aspect.reason(), Some(Reason::AddressMismatch));
    }
}
