//! The checks on the certificates of a path whose signatures hold (RFC 5280
//! sections 6.1.3 to 6.1.5).

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use waxseal_verdict::Reason;

use super::names::{self, Comparisons};
use super::{Finding, Judged, PathRequest, Purpose, policies};
use crate::Check;
use crate::certificate::extensions::oid;
use crate::certificate::{Certificate, KeyUsage};

/// id-kp-emailProtection.
const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";
/// id-kp-timeStamping.
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// anyExtendedKeyUsage.
const ANY_PURPOSE: &str = "2.5.29.37.0";

/// Extensions that may be critical, because what they ask is done here;
/// revocation is another question.
const KNOWN: &[&str] = &[
    oid::BASIC_CONSTRAINTS,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::NAME_CONSTRAINTS,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::CERTIFICATE_POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::INHIBIT_ANY_POLICY,
    oid::CRL_DISTRIBUTION_POINTS,
];

/// Everything wrong with a path, its first certificate first. `anchored` says
/// whether the last one is an anchor.
pub(super) fn check(
    request: &PathRequest<'_>,
    path: &[&Certificate],
    anchored: bool,
    comparisons: &mut Comparisons,
) -> Judged {
    let mut judged = Judged::default();
    for (position, certificate) in path.iter().enumerate() {
        let mut note = |check: Check, found: Option<(Reason, String)>| {
            judged.checked(position, check);
            if let Some((reason, what)) = found {
                judged.findings.push(Finding::new(position, certificate, reason, what));
            }
        };
        note(Check::Validity, validity(certificate, request.at));
        note(Check::CriticalExtension, critical_extensions(certificate));
        if request.purpose != Purpose::Any {
            note(Check::ExtendedKeyUsage, extended_key_usage(certificate, request.purpose, position == 0));
        }
        if position == 0 {
            if request.purpose != Purpose::Any {
                note(Check::KeyUsage, key_usage_of_leaf(certificate, request.purpose));
            }
        } else {
            let is_anchor = anchored && position + 1 == path.len();
            note(Check::BasicConstraints, authority(certificate, is_anchor));
            note(Check::KeyUsage, key_usage_of_issuer(certificate));
            note(Check::PathLength, path_length(certificate, path.get(1..position).unwrap_or_default()));
        }
    }
    names::check(path, comparisons, &mut judged);
    if anchored {
        policies::check(path, &request.policies, &mut judged);
    }
    judged
}

fn validity(certificate: &Certificate, at: OffsetDateTime) -> Option<(Reason, String)> {
    if !Check::Validity.on() {
        None
    } else if at < certificate.not_before() {
        let what = format!("is valid from {}, judged at {}", show(certificate.not_before()), show(at));
        Some((Reason::NotYetValid, what))
    } else if at > certificate.not_after() {
        // notAfter is the last second that counts, so that its fractions still do.
        let last = certificate.not_after() + time::Duration::nanoseconds(999_999_999);
        let what = format!("was valid until {}, judged at {}", show(certificate.not_after()), show(at));
        (at > last).then_some((Reason::Expired, what))
    } else {
        None
    }
}

fn show(time: OffsetDateTime) -> String {
    let utc = time.checked_to_offset(UtcOffset::UTC).unwrap_or(time);
    utc.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

fn critical_extensions(certificate: &Certificate) -> Option<(Reason, String)> {
    if !Check::CriticalExtension.on() {
        return None;
    }
    let critical = || certificate.extensions().iter().filter(|extension| extension.critical);
    if let Some(unknown) = critical().find(|extension| !KNOWN.contains(&extension.oid.as_str())) {
        return Some((Reason::UnknownCriticalExtension, format!("critical extension {} is not known", unknown.oid)));
    }
    critical().find(|extension| extension.malformed).map(|broken| {
        let what = format!("critical extension {} occurs twice or cannot be read", broken.oid);
        (Reason::UnknownCriticalExtension, what)
    })
}

fn extended_key_usage(certificate: &Certificate, purpose: Purpose, is_leaf: bool) -> Option<(Reason, String)> {
    let (needed, name) = match purpose {
        Purpose::Any => return None,
        Purpose::Sign | Purpose::Encrypt => (EMAIL_PROTECTION, "emailProtection"),
        Purpose::TimeStamping => (TIME_STAMPING, "timeStamping"),
    };
    if !Check::ExtendedKeyUsage.on() {
        return None;
    }
    if is_leaf && purpose == Purpose::TimeStamping {
        return stamps_only(certificate).map(|what| (Reason::ExtendedKeyUsage, what));
    }
    let purposes = certificate.extended_key_usage()?;
    if purposes.iter().any(|found| found == needed || found == ANY_PURPOSE) {
        return None;
    }
    let what = format!("extendedKeyUsage has neither {name} nor any, but {}", purposes.join(", "));
    Some((Reason::ExtendedKeyUsage, what))
}

/// Why a certificate is none of a time-stamping authority (RFC 3161 section 2.3).
fn stamps_only(certificate: &Certificate) -> Option<String> {
    let extension = certificate.extensions().iter().find(|extension| extension.oid == oid::EXTENDED_KEY_USAGE);
    match (certificate.extended_key_usage(), extension) {
        (Some([only]), Some(extension)) if only == TIME_STAMPING && extension.critical => None,
        (Some([only]), _) if only == TIME_STAMPING => {
            Some("extendedKeyUsage is timeStamping, and not critical (RFC 3161 section 2.3)".to_owned())
        }
        (Some(purposes), _) => {
            let found = purposes.join(", ");
            Some(format!("extendedKeyUsage is not timeStamping alone, but {found} (RFC 3161 section 2.3)"))
        }
        (None, _) => Some("no extendedKeyUsage says that it is for time-stamps (RFC 3161 section 2.3)".to_owned()),
    }
}

/// RFC 8550 section 4.4.2: without keyUsage a key may do everything.
fn key_usage_of_leaf(certificate: &Certificate, purpose: Purpose) -> Option<(Reason, String)> {
    let (needed, verb) = match purpose {
        Purpose::Sign => (KeyUsage::DIGITAL_SIGNATURE.with(KeyUsage::NON_REPUDIATION), "sign mail"),
        Purpose::Encrypt => (KeyUsage::KEY_ENCIPHERMENT.with(KeyUsage::KEY_AGREEMENT), "encrypt mail"),
        Purpose::TimeStamping => (KeyUsage::DIGITAL_SIGNATURE.with(KeyUsage::NON_REPUDIATION), "sign time-stamps"),
        Purpose::Any => return None,
    };
    let usage = certificate.key_usage()?;
    let refused = Check::KeyUsage.on() && !usage.any_of(needed);
    refused.then(|| (Reason::KeyUsage, format!("keyUsage is {usage}: the key must not {verb}")))
}

/// RFC 5280 section 6.1.4 k. Before version 3 nothing says who is an authority:
/// such a certificate has to be an anchor, and a root.
fn authority(certificate: &Certificate, is_anchor: bool) -> Option<(Reason, String)> {
    if !Check::BasicConstraints.on() {
        return None;
    }
    let what = match certificate.basic_constraints() {
        Some(constraints) if constraints.ca => return None,
        Some(_) => "basicConstraints says that it is no CA",
        None if is_anchor && certificate.version() < 3 && certificate.is_self_issued() => return None,
        // Roots of the nineties say it by keyUsage alone.
        None if is_anchor && certificate.key_usage().is_some_and(|usage| usage.any_of(KeyUsage::KEY_CERT_SIGN)) => {
            return None;
        }
        None => "has no basicConstraints, so that it is no CA",
    };
    Some((Reason::NotACa, what.to_owned()))
}

/// RFC 5280 section 6.1.4 n.
fn key_usage_of_issuer(certificate: &Certificate) -> Option<(Reason, String)> {
    let usage = certificate.key_usage()?;
    let refused = Check::KeyUsage.on() && !usage.any_of(KeyUsage::KEY_CERT_SIGN);
    refused.then(|| (Reason::KeyUsage, format!("keyUsage is {usage}: the key must not sign certificates")))
}

/// RFC 5280 section 6.1.4 l and m: certificates between the authority and the
/// end of the path count, but not those that an authority issued to itself.
fn path_length(certificate: &Certificate, between: &[&Certificate]) -> Option<(Reason, String)> {
    let allowed = certificate.basic_constraints()?.path_length?;
    let found = between.iter().filter(|below| !below.is_self_issued()).count();
    let longer = Check::PathLength.on() && u32::try_from(found).is_ok_and(|found| found > allowed);
    longer.then(|| (Reason::PathLength, format!("allows {allowed} certificates below it, {found} are there")))
}
