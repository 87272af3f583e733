//! A mail that carries certificates and CRLs, and nothing else (RFC 8551
//! section 3.8).

use std::io::Cursor;

use time::OffsetDateTime;
use waxseal_key::Arithmetic;

use super::compose::MimeShape;
use super::wrap::{Outline, WrapError, wrap};
use crate::Limits;
use crate::certificate::{Certificate, Crl};
use crate::cms::oid;
use crate::cms::write::{Shape, SignedData, Tamper};
use crate::io::Sink;

/// What a certificate management message carries, and how it is written.
#[derive(Debug, Clone)]
pub struct CertificatesRequest<'a> {
    /// The certificates, in this order.
    pub certificates: &'a [Certificate],
    /// The CRLs.
    pub crls: &'a [Crl],
    /// How the object is written.
    pub shape: Shape,
    /// How the mail around it is written.
    pub mime: MimeShape,
    /// The Date.
    pub date: Option<OffsetDateTime>,
    /// The other fields of the header.
    pub headers: Vec<(String, String)>,
}

impl<'a> CertificatesRequest<'a> {
    /// In the default shapes.
    #[must_use]
    pub fn new(certificates: &'a [Certificate], crls: &'a [Crl]) -> Self {
        Self {
            certificates,
            crls,
            shape: Shape::default(),
            mime: MimeShape::default(),
            date: None,
            headers: Vec::new(),
        }
    }
}

/// Writes a mail with certificates and CRLs: a SignedData without signers and
/// without content. After an error, what the output got is no mail.
///
/// # Errors
/// A field or a shape has no encoding; see [`WrapError`].
pub fn send_certificates(out: &mut dyn Sink, request: &CertificatesRequest<'_>) -> Result<(), WrapError> {
    let CertificatesRequest { mime, shape, .. } = request;
    mime.check()?;
    let outline = Outline {
        fields: &mime.certs_only,
        columns: mime.columns,
        headers: &request.headers,
        date: request.date,
        protect_headers: None,
        limits: &Limits::default(),
    };
    let recipe = SignedData {
        signers: &[],
        certificates: request.certificates,
        crls: request.crls,
        ocsp_responses: &[],
        signing_time: None,
        encryption_certificate: None,
        content_type: oid::DATA,
        shape,
        tamper: &Tamper::default(),
        arithmetic: &Arithmetic::default(),
    };
    // A mail without fields and without text: what it says stands in the request.
    wrap(&mut Cursor::new(b"\r\n"), out, &outline, |out, content| {
        recipe.write_detached(out, content, &recipe.digester()?.finish())
    })
}
