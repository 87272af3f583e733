//! OCSP (RFC 6960): asking whether certificates were revoked, and reading what
//! was answered. Whether an answer can be believed, a path decides.

mod identifier;
mod request;
mod response;

pub use request::{MOST_NONCE, OcspRequest, OcspRequestError};
pub use response::{CertificateStatus, OcspResponse, OcspStatus, Responder, SingleResponse};

/// id-kp-OCSPSigning: may sign answers for the authority that issued it
/// (RFC 6960 section 4.2.2.2).
pub(super) const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// id-pkix-ocsp-nocheck: whether this certificate was revoked need not be
/// asked (RFC 6960 section 4.2.2.2.1).
pub(super) const NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
/// id-pkix-ocsp-basic.
const BASIC: &str = "1.3.6.1.5.5.7.48.1.1";
/// id-pkix-ocsp-nonce.
const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";
