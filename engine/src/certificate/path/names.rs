//! Name constraints (RFC 5280 sections 4.2.1.10 and 6.1.4 g).

use waxseal_verdict::Reason;

use super::{Finding, Judged};
use crate::Check;
use crate::certificate::identity::{domain_in_ascii, same_mailbox};
use crate::certificate::{Certificate, GeneralName, NameConstraints};

/// Comparisons of a name with a subtree during one search. Hostile certificates
/// hold thousands of both.
pub(super) const MAX_COMPARISONS: usize = 250_000;

/// How many comparisons were made during a search.
#[derive(Debug, Default)]
pub(super) struct Comparisons(usize);

impl Comparisons {
    /// Their number.
    pub(super) const fn made(&self) -> usize {
        self.0
    }

    /// Counts some more.
    fn spend(&mut self, more: usize) -> Result<(), TooMany> {
        let total = self.0.saturating_add(more);
        if total > MAX_COMPARISONS {
            return Err(TooMany);
        }
        self.0 = total;
        Ok(())
    }
}

/// The bound on comparisons was reached.
struct TooMany;

/// Applies the constraints of every authority to all certificates below it.
/// Certificates that an authority issued to itself are exempt, unless the path
/// ends there.
pub(super) fn check(path: &[&Certificate], comparisons: &mut Comparisons, judged: &mut Judged) {
    if !Check::NameConstraints.on() {
        return;
    }
    for (above, authority) in path.iter().enumerate().skip(1) {
        let Some(constraints) = authority.name_constraints() else { continue };
        for (position, certificate) in path.iter().enumerate().take(above) {
            if position > 0 && certificate.is_self_issued() {
                continue;
            }
            judged.checked(position, Check::NameConstraints);
            match violation(constraints, certificate, comparisons) {
                Ok(None) => {}
                Ok(Some(what)) => {
                    let what = format!("{what} (constraint of {})", authority.subject());
                    judged.findings.push(Finding::new(position, certificate, Reason::NameConstraint, what));
                }
                Err(TooMany) => {
                    let what = format!("more than {MAX_COMPARISONS} comparisons of names with constraints");
                    judged.findings.push(Finding::new(position, certificate, Reason::LimitExceeded, what));
                    return;
                }
            }
        }
    }
}

/// The first name of a certificate that the constraints do not allow.
fn violation(
    constraints: &NameConstraints,
    certificate: &Certificate,
    comparisons: &mut Comparisons,
) -> Result<Option<String>, TooMany> {
    if constraints.unreadable {
        return Ok(Some("the name constraints above it cannot be read".to_owned()));
    }
    for name in constrained_names(certificate) {
        comparisons.spend(constraints.permitted.len() + constraints.excluded.len())?;
        let of_form = |base: &&GeneralName| same_form(base, &name);
        let permitted: Vec<_> = constraints.permitted.iter().filter(of_form).collect();
        let excluded: Vec<_> = constraints.excluded.iter().filter(of_form).collect();
        // A name that cannot be compared is in every excluded subtree and in no permitted one.
        if excluded.iter().any(|base| within(&name, base).unwrap_or(true)) {
            return Ok(Some(format!("{} is in an excluded subtree", show(&name))));
        }
        if !permitted.is_empty() && !permitted.iter().any(|base| within(&name, base).unwrap_or(false)) {
            return Ok(Some(format!("{} is in no permitted subtree", show(&name))));
        }
    }
    Ok(None)
}

/// The names that constraints apply to: the subject, the alternative names, and
/// the addresses inside the subject (RFC 5280 section 4.2.1.10 asks for these
/// only without subjectAltName; they count as identities all the same).
fn constrained_names(certificate: &Certificate) -> Vec<GeneralName> {
    let subject = certificate.subject_name();
    let mut names = certificate.subject_alt_name().to_vec();
    names.extend(subject.emails().iter().cloned().map(GeneralName::Rfc822));
    if !subject.is_empty() {
        names.push(GeneralName::Directory(subject.clone()));
    }
    names
}

/// Whether a subtree speaks about names like this one. Constraints on
/// rfc822Name hold for SmtpUTF8Mailbox too (RFC 9598 section 6).
fn same_form(base: &GeneralName, name: &GeneralName) -> bool {
    use GeneralName as G;
    match (base, name) {
        (G::Other(base), G::Other(name)) => base == name,
        (G::Rfc822(_) | G::SmtpUtf8Mailbox(_), G::Rfc822(_) | G::SmtpUtf8Mailbox(_)) => true,
        _ => std::mem::discriminant(base) == std::mem::discriminant(name),
    }
}

/// Whether a name is inside a subtree of its form; `None` if this cannot be said.
fn within(name: &GeneralName, base: &GeneralName) -> Option<bool> {
    use GeneralName as G;
    match (name, base) {
        (G::Directory(name), G::Directory(base)) => Some(name.is_within(base)),
        (G::Rfc822(name) | G::SmtpUtf8Mailbox(name), G::Rfc822(base) | G::SmtpUtf8Mailbox(base)) => {
            if base.contains('@') {
                return Some(same_mailbox(name, base));
            }
            host_within(name.rsplit_once('@')?.1, base)
        }
        (G::Dns(name), G::Dns(base)) => {
            let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
            Some(base.is_empty() || name == base || is_subdomain(&name, base.strip_prefix('.').unwrap_or(&base)))
        }
        (G::Uri(name), G::Uri(base)) => host_within(uri_host(name)?, base),
        (G::Ip(name), G::Ip(base)) => {
            let (network, mask) = base.split_at_checked(name.len()).filter(|(_, mask)| mask.len() == name.len())?;
            Some(name.iter().zip(network).zip(mask).all(|((name, network), mask)| name & mask == network & mask))
        }
        _ => None,
    }
}

/// A host is the base, or below it where the base starts with a period; an
/// empty base holds everything.
fn host_within(host: &str, base: &str) -> Option<bool> {
    if host.is_empty() {
        return None;
    }
    let host = domain_in_ascii(host);
    Some(match base.strip_prefix('.') {
        Some(above) => is_subdomain(&host, &domain_in_ascii(above)),
        None => base.is_empty() || host == domain_in_ascii(base),
    })
}

fn is_subdomain(name: &str, above: &str) -> bool {
    name.strip_suffix(above).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// The host name of a URI with an authority; an address is none (RFC 5280
/// section 4.2.1.10).
fn uri_host(uri: &str) -> Option<&str> {
    let authority = uri.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return None;
    }
    let host = host.split(':').next()?;
    (!host.is_empty() && host.parse::<std::net::Ipv4Addr>().is_err()).then_some(host)
}

fn show(name: &GeneralName) -> String {
    use GeneralName as G;
    match name {
        G::Rfc822(text) | G::SmtpUtf8Mailbox(text) | G::Dns(text) | G::Uri(text) => text.clone(),
        G::Directory(name) => format!("{name}"),
        G::Ip(octets) => format!("address {octets:?}"),
        G::RegisteredId(oid) => format!("registered identifier {oid}"),
        G::Other(oid) => format!("a name of type {oid}"),
        G::Unread(tag) => format!("a name of form [{tag}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_hosts_and_mailboxes() {
        let mail =
            |name: &str, base: &str| within(&GeneralName::Rfc822(name.into()), &GeneralName::Rfc822(base.into()));
        assert_eq!(mail("a@Example.test", "example.TEST"), Some(true));
        assert_eq!(mail("a@x.example.test", "example.test"), Some(false));
        assert_eq!(mail("a@x.example.test", ".example.test"), Some(true));
        assert_eq!(mail("a@example.test", ".example.test"), Some(false));
        assert_eq!(mail("a@badexample.test", ".example.test"), Some(false));
        assert_eq!(mail("a@example.test", "a@EXAMPLE.test"), Some(true));
        assert_eq!(mail("b@example.test", "a@example.test"), Some(false));
        assert_eq!(mail("a@example.test", ""), Some(true));
        assert_eq!(mail("a@b\u{fc}cher.test", "xn--bcher-kva.test"), Some(true));
        assert_eq!(mail("a@x.xn--bcher-kva.test", ".b\u{fc}cher.test"), Some(true));
        assert_eq!(mail("nonsense", "example.test"), None);
    }

    #[test]
    fn hosts_uris_and_addresses() {
        let dns = |name: &str, base: &str| within(&GeneralName::Dns(name.into()), &GeneralName::Dns(base.into()));
        assert_eq!(dns("x.example.test", "example.test"), Some(true));
        assert_eq!(dns("badexample.test", "example.test"), Some(false));
        let uri = |name: &str, base: &str| within(&GeneralName::Uri(name.into()), &GeneralName::Uri(base.into()));
        assert_eq!(uri("https://u@x.example.test:8/p", ".example.test"), Some(true));
        assert_eq!(uri("https://example.test?x", "example.test"), Some(true));
        assert_eq!(uri("https://192.0.2.1/", "example.test"), None);
        assert_eq!(uri("urn:x", "example.test"), None);
        let ip = |name: &[u8], base: &[u8]| within(&GeneralName::Ip(name.into()), &GeneralName::Ip(base.into()));
        assert_eq!(ip(&[192, 0, 2, 1], &[192, 0, 2, 0, 255, 255, 255, 0]), Some(true));
        assert_eq!(ip(&[192, 0, 3, 1], &[192, 0, 2, 0, 255, 255, 255, 0]), Some(false));
        assert_eq!(ip(&[192, 0, 2, 1], &[0; 32]), None);
    }
}
