//! The fields of a certificate, one after the other, with errors that name them.
//!
//! Certificates are read with [`Cursor`] rather than with a strict DER library,
//! because the bytes that were signed have to be cut out of the input as they
//! are, and because strict libraries refuse certificates that mail still
//! carries: long or negative serial numbers, TeletexString names, lengths that
//! are not minimal.

use super::CertificateError;
use crate::ber::{BerErrorKind, Cursor, Element, oid};

/// Takes fields by their identifier octet; `what` names the field in errors.
pub(super) trait Fields<'a> {
    /// The next field, whatever it is.
    fn any(&mut self, what: &'static str) -> Result<Element<'a>, CertificateError>;

    /// The next field, which must begin with this identifier octet.
    fn field(&mut self, identifier: u8, what: &'static str) -> Result<Element<'a>, CertificateError>;

    /// The next field if it begins with this identifier octet.
    fn optional(&mut self, identifier: u8, what: &'static str) -> Result<Option<Element<'a>>, CertificateError>;
}

impl<'a> Fields<'a> for Cursor<'a> {
    fn any(&mut self, what: &'static str) -> Result<Element<'a>, CertificateError> {
        let offset = self.offset();
        let element = self.take().map_err(|error| match error.kind {
            BerErrorKind::Truncated => CertificateError::encoding(offset, what, "is cut off"),
            BerErrorKind::Malformed(why) | BerErrorKind::Limit(why) => {
                CertificateError::Encoding { offset, what, why: format!("has {why}") }
            }
            _ => CertificateError::Encoding { offset, what, why: format!("is damaged: {error}") },
        })?;
        element.ok_or_else(|| CertificateError::encoding(offset, what, "is missing"))
    }

    fn field(&mut self, identifier: u8, what: &'static str) -> Result<Element<'a>, CertificateError> {
        match self.peek() {
            Some(found) if found != identifier => Err(CertificateError::Encoding {
                offset: self.offset(),
                what,
                why: format!("has tag {found:#04x} instead of {identifier:#04x}"),
            }),
            _ => self.any(what),
        }
    }

    fn optional(&mut self, identifier: u8, what: &'static str) -> Result<Option<Element<'a>>, CertificateError> {
        if self.peek() == Some(identifier) { self.any(what).map(Some) } else { Ok(None) }
    }
}

/// The OBJECT IDENTIFIER that an element holds, in dotted form.
pub(super) fn object_identifier(element: &Element<'_>) -> Result<String, CertificateError> {
    oid::dotted(element.content)
        .ok_or_else(|| CertificateError::encoding(element.offset, "object identifier", "is malformed"))
}

/// The octets of the BIT STRING that an element holds.
pub(super) fn bits<'a>(element: &Element<'a>) -> Result<&'a [u8], CertificateError> {
    element
        .bits()
        .ok_or_else(|| CertificateError::encoding(element.offset, "bit string", "has a bad count of unused bits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::identifier as tag;

    #[test]
    fn cut_elements_name_their_place() {
        for cut in [&[0x30][..], &[0x30, 0x82, 1], &[0x30, 3, 1], &[0x30, 0x80, 5, 0], &[0x1f, 0x81]] {
            let error = Cursor::new(cut, 0).any("thing").unwrap_err().to_string();
            assert!(error.contains("thing at offset 0 is cut off"), "{error}");
        }
        let reserved = Cursor::new(&[0x30, 0xff], 0).any("thing").unwrap_err().to_string();
        assert_eq!(reserved, "thing at offset 0 has the reserved length octet FF");
        let deep = [0x30, 0x80].repeat(1000);
        assert!(Cursor::new(&deep, 0).any("thing").is_err());
    }

    #[test]
    fn the_form_counts_as_much_as_the_number() {
        let mut fields = Cursor::new(&[0x80, 1, 7], 0);
        assert!(fields.optional(tag::context(0), "thing").unwrap().is_none());
        assert!(fields.field(tag::context(0), "thing").is_err());
        assert_eq!(fields.optional(tag::context_primitive(0), "thing").unwrap().unwrap().content, [7]);
        assert_eq!(fields.any("thing").unwrap_err().to_string(), "thing at offset 3 is missing");
    }
}
