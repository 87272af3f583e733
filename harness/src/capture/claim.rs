//! What a mail says of the program that wrote it.

use waxseal_verdict::Claim;

/// A client as a header field names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its name.
    pub name: String,
    /// Its version, if one stands there.
    pub version: Option<String>,
    /// The field.
    pub field: String,
}

/// The client that a mail names: X-Mailer before User-Agent, because relays and
/// libraries write the second too. X-MimeOLE names a library.
#[must_use]
pub fn claimed(claims: &[Claim]) -> Option<Claimed> {
    ["x-mailer", "user-agent"].iter().find_map(|wanted| {
        let claim = claims.iter().find(|claim| claim.field.eq_ignore_ascii_case(wanted))?;
        let (name, version) = name_and_version(&claim.value)?;
        Some(Claimed { name, version, field: claim.field.clone() })
    })
}

/// `Name/1.2` (the last product of several), `Name (1.2)`, or `Name 1.2 …`.
fn name_and_version(value: &str) -> Option<(String, Option<String>)> {
    let value: String = value.chars().filter(|one| !one.is_control()).collect();
    let product = value.split_whitespace().rev().find_map(|word| {
        let (name, version) = word.split_once('/')?;
        let is_version = version.starts_with(|first: char| first.is_ascii_digit());
        (is_version && !name.is_empty() && !name.starts_with('(')).then(|| (name.to_owned(), Some(version.to_owned())))
    });
    if product.is_some() {
        return product;
    }
    let words: Vec<_> = value.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(|one| "(),;".contains(one)).to_owned();
    let is_version = |word: &&str| bare(word).starts_with(|first: char| first.is_ascii_digit());
    let at = words.iter().skip(1).position(is_version).map(|at| at + 1);
    let name = words[..at.unwrap_or(words.len())].join(" ");
    let name = name.trim_end_matches([',', ';', '(', ' ']);
    if name.is_empty() {
        return None;
    }
    Some((name.to_owned(), at.map(|at| bare(words[at]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_name_themselves_in_three_ways() {
        for (value, name, version) in [
            ("Microsoft Outlook 16.0", "Microsoft Outlook", Some("16.0")),
            ("Microsoft Office Outlook, Build 11.0.5510", "Microsoft Office Outlook, Build", Some("11.0.5510")),
            ("iPhone Mail (22F76)", "iPhone Mail", Some("22F76")),
            ("Apple Mail (2.3826.700.81)", "Apple Mail", Some("2.3826.700.81")),
            (
                "Zimbra 10.1.8_GA_4769 (ZimbraWebClient - FF140 (Linux)/10.1.8_GA_4769)",
                "Zimbra",
                Some("10.1.8_GA_4769"),
            ),
            ("Evolution 3.36.5-0ubuntu1", "Evolution", Some("3.36.5-0ubuntu1")),
            ("Mozilla Thunderbird", "Mozilla Thunderbird", None),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.3.0",
                "Thunderbird",
                Some("102.3.0"),
            ),
        ] {
            let claim = Claim { field: "User-Agent".to_owned(), value: value.to_owned() };
            let found = claimed(&[claim]).unwrap();
            assert_eq!((found.name.as_str(), found.version.as_deref()), (name, version), "{value}");
        }
        assert_eq!(claimed(&[Claim { field: "X-Mailer".to_owned(), value: " ".to_owned() }]), None);
        let ole = Claim { field: "X-MimeOLE".to_owned(), value: "Produced By Microsoft MimeOLE V6.0".to_owned() };
        assert_eq!(claimed(&[ole]), None);
    }
}
