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
    let mut issuers = known.into_iter().filter(|issuer| issuer.subject_name() == certificate.issuer_name());
    let complete = issuers.find_map(|issuer| with_inherited_parameters(own, issuer.spki()).ok());
    complete.map_or(Cow::Borrowed(own), Cow::Owned)
}
