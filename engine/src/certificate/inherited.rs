//! Keys that are not complete without the certificate of their issuer.

use std::borrow::Cow;

use waxseal_key::with_inherited_parameters;

use super::Certificate;

/// The key of a certificate. A DSA key may leave its parameters to that of its
/// issuer (RFC 5280 section 4.1.2.7, RFC 3279 section 2.3.2); `known` are the
/// certificates among which the issuer may be. That the issuer signed the
/// certificate is for its path to show.
pub(crate) fn complete_key<'a>(
    certificate: &'a Certificate,
    known: impl IntoIterator<Item = &'a Certificate>,
) -> Cow<'a, [u8]> {
    let own = certificate.spki();
    if with_inherited_parameters(own, own).is_ok() {
        return Cow::Borrowed(own);
    }
    let known: Vec<_> = known.into_iter().collect();
    let mut name = certificate.issuer_name();
    // The issuer may have inherited them itself (PKITS 4.1.5).
    for _ in 0..GENERATIONS {
        let issuers = || known.iter().filter(|issuer| issuer.subject_name() == name);
        if let Some(complete) = issuers().find_map(|issuer| with_inherited_parameters(own, issuer.spki()).ok()) {
            return Cow::Owned(complete);
        }
        let Some(issuer) = issuers().next() else { break };
        name = issuer.issuer_name();
    }
    Cow::Borrowed(own)
}

/// From how far up parameters come down.
const GENERATIONS: usize = 8;
