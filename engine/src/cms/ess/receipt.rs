//! Requests for receipts, and receipts (RFC 2634 section 2).

use waxseal_verdict::{Reason, ReceiptRequest};

use super::{names_of_each, number};
use crate::ber::{Cursor, Tag};
use crate::cms::attribute::Attributes;
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;
use crate::cms::read::object_identifier;
use crate::hex::hex;

impl Attributes {
    /// The receiptRequest attribute (RFC 2634 section 2.7).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn receipt_request(&self) -> Result<Option<ReceiptRequest>, CmsError> {
        let expected = "ReceiptRequest (SEQUENCE)";
        self.value(oid::ATTRIBUTE_RECEIPT_REQUEST, Tag::SEQUENCE, expected, |mut fields, place| {
            let identifier = fields.expect(Tag::OCTET_STRING, "signedContentIdentifier").within(place)?;
            let mut request = ReceiptRequest { identifier: hex(identifier.content), ..ReceiptRequest::default() };
            let from = fields.take().within(place)?;
            let unknown = || CmsError::new(Reason::BadBer, place, "receiptsFrom is not known".to_owned());
            let from = from.ok_or_else(unknown)?;
            request.from = match from.tag {
                tag if tag == Tag::context(0) && !from.constructed => match number(&from) {
                    Some(0) => "all",
                    Some(1) => "first-tier",
                    _ => return Err(unknown()),
                },
                tag if tag == Tag::context(1) && from.constructed => {
                    request.from_list = names_of_each(&from, place)?;
                    "list"
                }
                _ => return Err(unknown()),
            }
            .to_owned();
            let to = fields.expect(Tag::SEQUENCE, "receiptsTo (SEQUENCE)").within(place)?;
            request.to = names_of_each(&to, place)?;
            fields.end().within(place)?;
            Ok(request)
        })
    }
}

/// The content of a signed receipt (RFC 2634 section 2.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedReceipt {
    /// Always 1.
    pub version: u64,
    /// Type of the content that was received, dotted.
    pub content_type: String,
    /// The identifier of the request.
    pub identifier: Vec<u8>,
    /// The signature value of the message that was received.
    pub signature: Vec<u8>,
}

impl SignedReceipt {
    /// Reads the DER of a Receipt.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read(octets: &[u8]) -> Result<Self, CmsError> {
        const PLACE: &str = "Receipt";
        let mut outer = Cursor::new(octets, 0);
        let mut fields = outer.expect(Tag::SEQUENCE, "Receipt (SEQUENCE)").within(PLACE)?.inside();
        outer.end().within(PLACE)?;
        let version = fields.expect(Tag::INTEGER, "version").within(PLACE)?;
        let content_type = fields.expect(Tag::OBJECT_IDENTIFIER, "contentType").within(PLACE)?;
        let identifier = fields.expect(Tag::OCTET_STRING, "signedContentIdentifier").within(PLACE)?;
        let signature = fields.expect(Tag::OCTET_STRING, "originatorSignatureValue").within(PLACE)?;
        fields.end().within(PLACE)?;
        Ok(Self {
            version: crate::cms::read::version(&version, PLACE)?,
            content_type: object_identifier(&content_type, PLACE)?,
            identifier: identifier.content.to_vec(),
            signature: signature.content.to_vec(),
        })
    }
}
