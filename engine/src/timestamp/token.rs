//! TimeStampToken (RFC 3161 section 2.4.2): SignedData over a TSTInfo.

use std::io::Read;

use waxseal_verdict::Reason;

use super::{TimeStampResp, TstInfo};
use crate::Limits;
use crate::ber::Reader;
use crate::cms::{self, CmsError, ContentInfo, SignedDataHead, SignedDataTail, oid};

/// A token, read and not judged.
#[derive(Debug)]
pub struct Token {
    /// What stands before the content.
    pub(crate) head: SignedDataHead,
    /// The octets of the TSTInfo.
    pub(crate) content: Vec<u8>,
    /// What stands after it.
    pub(crate) tail: SignedDataTail,
    info: TstInfo,
}

impl Token {
    /// Reads the ContentInfo of a token, in DER or BER.
    ///
    /// # Errors
    /// It is no SignedData over a TSTInfo by one signer (section 2.4.2), or
    /// exceeds a limit.
    pub fn parse(octets: &[u8], limits: &Limits) -> Result<Self, CmsError> {
        let mut reader = Reader::new(octets, limits);
        let outer = ContentInfo::begin(&mut reader)?;
        if outer.content_type != oid::SIGNED_DATA {
            let detail = format!("a token of content type {} instead of SignedData", outer.content_type);
            return Err(CmsError::new(Reason::TypeMismatch, "ContentInfo", detail));
        }
        let token = Self::read(&mut reader, limits)?;
        match cms::finish(&mut reader, "ContentInfo")? {
            false => Ok(token),
            true => Err(CmsError::new(Reason::BadBer, "ContentInfo", "octets after the token")),
        }
    }

    fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Self, CmsError> {
        let mut head = SignedDataHead::read(reader, limits)?;
        let mut content = Vec::new();
        let mut block = [0; 1024];
        loop {
            match head.content.read_content(reader, &mut block)? {
                0 => break,
                read if content.len() + read > limits.element_octets => {
                    let detail = format!("a TSTInfo of more than {} octets", limits.element_octets);
                    return Err(CmsError::new(Reason::LimitExceeded, "TSTInfo", detail));
                }
                read => content.extend_from_slice(&block[..read]),
            }
        }
        let mut tail = SignedDataTail::default();
        tail.read(reader, &head, limits)?;
        Self::of_parts(head, content, tail)
    }

    /// A token of a SignedData that was read already.
    pub(crate) fn of_parts(head: SignedDataHead, content: Vec<u8>, tail: SignedDataTail) -> Result<Self, CmsError> {
        let content_type = &head.content.content_type;
        if content_type != oid::TST_INFO {
            let detail = format!("content of type {content_type} instead of TSTInfo");
            return Err(CmsError::new(Reason::TypeMismatch, "SignedData.encapContentInfo", detail));
        }
        if head.content.stream.is_none() {
            return Err(CmsError::new(Reason::ContentMissing, "SignedData.encapContentInfo", "there is no TSTInfo"));
        }
        if tail.signers.len() != 1 {
            let detail = format!("{} signers, a token has one (RFC 3161 section 2.4.2)", tail.signers.len());
            let reason = if tail.signers.is_empty() { Reason::NoSigners } else { Reason::BadParameters };
            return Err(CmsError::new(reason, "SignedData.signerInfos", detail));
        }
        let info = TstInfo::parse(&content)?;
        Ok(Self { head, content, tail, info })
    }

    /// What the token says.
    #[must_use]
    pub const fn info(&self) -> &TstInfo {
        &self.info
    }

    /// The certificates in it, as they stand.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.tail.carried.certificates
    }

    /// The ContentInfo of the token in a file: a token by itself, or in a
    /// response.
    ///
    /// # Errors
    /// It is neither, or the response is a refusal.
    pub fn in_file(octets: &[u8]) -> Result<Vec<u8>, CmsError> {
        if ContentInfo::begin(&mut Reader::new(octets, &Limits::default())).is_ok() {
            return Ok(octets.to_vec());
        }
        let response = TimeStampResp::parse(octets)?;
        let why =
            || CmsError::new(Reason::ContentMissing, "TimeStampResp", format!("no token: {}", response.refusal()));
        response.token.clone().ok_or_else(why)
    }
}
