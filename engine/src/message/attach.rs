//! A time-stamp put on a signature of a message that exists (RFC 3161 appendix A).

use std::io::{self, Read, SeekFrom};
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_key::Arithmetic;

use crate::Limits;
use crate::ber::Reader;
use crate::cms::write::with_unsigned_attribute;
use crate::cms::{CmsError, ContentInfo, SignedDataHead, SignedDataTail, oid};
use crate::io::{Section, Sink, Source};
use crate::message::input::InputKind;
use crate::message::request::OpenError;
use crate::mime::smime::{self, Role};
use crate::mime::{self, Body, MimeError, Part, TransferEncoding};
use crate::timestamp::Token;

/// Why no token was put on a signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The input is no message, or cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The outermost layer is no signature.
    #[error("the outermost layer is no signature: a time-stamp goes onto a signed mail before it is encrypted")]
    NotSigned,
    /// The object is damaged, or has no such signer.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The object stands in the mail in an encoding that cannot be made anew.
    #[error("the signature stands in the mail neither in base64 nor in binary: send it in one of them")]
    Encoding,
    /// The object is larger than what is held in memory.
    #[error("the object has more than {MOST} octets: sign clear, so that the content stands outside")]
    TooLarge,
    /// The token is for something else.
    #[error("the token is not for this signature: make the request from this mail")]
    Mismatch,
    /// The output refuses.
    #[error("the message cannot be written: {0}")]
    Write(io::Error),
}

impl From<io::Error> for AttachError {
    fn from(error: io::Error) -> Self {
        Self::Open(error.into())
    }
}

impl From<MimeError> for AttachError {
    fn from(error: MimeError) -> Self {
        Self::Open(error.into())
    }
}

/// Octets of an object, as it stands in the message.
const MOST: u64 = 256 << 20;

/// The signature values of the outermost layer, in the order of its signers:
/// what a time-stamp covers.
///
/// # Errors
/// The outermost layer is no signature that can be read.
pub fn signature_values(input: &mut dyn Source, limits: &Limits) -> Result<Vec<Vec<u8>>, AttachError> {
    let object = Located::find(input, limits)?.object(input)?;
    Ok(signers(&object, limits)?.signers.into_iter().map(|signer| signer.signature).collect())
}

/// Puts a token on a signature of the outermost layer. Everything that is
/// signed, and everything around the object, keeps its octets.
///
/// # Errors
/// The outermost layer is no signature, there is no such signer, or the token is
/// for something else; whether it is to be believed is not asked.
pub fn attach_token(
    input: &mut dyn Source,
    out: &mut dyn Sink,
    signer: usize,
    token: &[u8],
    arithmetic: &Arithmetic,
    limits: &Limits,
) -> Result<(), AttachError> {
    let located = Located::find(input, limits)?;
    let object = located.object(input)?;
    let list = signers(&object, limits)?.signers;
    let read = Token::parse(token, limits)?;
    let imprint = &read.info().imprint;
    let covers = |signature: &[u8]| {
        imprint
            .digest()
            .is_some_and(|digest| arithmetic.digest(digest, signature).is_ok_and(|hash| hash == imprint.hash))
    };
    if list.get(signer).is_some_and(|signer| !covers(&signer.signature)) {
        return Err(AttachError::Mismatch);
    }
    let stamped = with_unsigned_attribute(&object, signer, oid::ATTRIBUTE_TIME_STAMP_TOKEN, token)?;
    located.replace(input, out, &stamped)
}

/// What stands after the content of a SignedData that is held in memory.
fn signers(object: &[u8], limits: &Limits) -> Result<SignedDataTail, AttachError> {
    let mut reader = Reader::new(object, limits);
    if ContentInfo::begin(&mut reader)?.content_type != oid::SIGNED_DATA {
        return Err(AttachError::NotSigned);
    }
    let mut head = SignedDataHead::read(&mut reader, limits)?;
    let mut block = vec![0; 64 << 10];
    while head.content.read_content(&mut reader, &mut block)? > 0 {}
    let mut tail = SignedDataTail::default();
    tail.read(&mut reader, &head, limits)?;
    Ok(tail)
}

/// Where the object of the outermost signature stands.
struct Located {
    range: Range<u64>,
    encoding: TransferEncoding,
}

impl Located {
    fn find(input: &mut dyn Source, limits: &Limits) -> Result<Self, AttachError> {
        let kind = InputKind::of(input, limits)?;
        let end = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        let located = match kind {
            InputKind::Cms => Self { range: 0..end, encoding: TransferEncoding::Binary },
            InputKind::Pem(range) => Self { range, encoding: TransferEncoding::Base64 },
            InputKind::Mail => {
                let root = mime::parse(input, limits)?;
                let part = signature_part(&root).ok_or(AttachError::NotSigned)?;
                Self { range: part.body.clone(), encoding: part.encoding }
            }
            _ => return Err(OpenError::NotAMessage.into()),
        };
        match located.range.end - located.range.start {
            MOST.. => Err(AttachError::TooLarge),
            _ => Ok(located),
        }
    }

    fn object(&self, input: &mut dyn Source) -> Result<Vec<u8>, AttachError> {
        let mut object = Vec::new();
        Body::new(input, self.range.clone(), self.encoding)?.read_to_end(&mut object)?;
        Ok(object)
    }

    /// The message with another object in this place.
    fn replace(&self, input: &mut dyn Source, out: &mut dyn Sink, object: &[u8]) -> Result<(), AttachError> {
        let mut old = Vec::new();
        Section::new(input, self.range.start, self.range.end).read_to_end(&mut old)?;
        let new = match self.encoding {
            TransferEncoding::Base64 => like(&old, object),
            TransferEncoding::Binary => object.to_vec(),
            _ => return Err(AttachError::Encoding),
        };
        let end = input.seek(SeekFrom::End(0))?;
        io::copy(&mut Section::new(input, 0, self.range.start), out).map_err(AttachError::Write)?;
        out.write_all(&new).map_err(AttachError::Write)?;
        io::copy(&mut Section::new(input, self.range.end, end), out).map_err(AttachError::Write)?;
        Ok(())
    }
}

/// The part that holds the object of the outermost signature.
fn signature_part(root: &Part) -> Option<&Part> {
    let first = smime::find(root).into_iter().next()?.smime;
    match first.role {
        Role::Signed { signature, .. } => Some(signature),
        Role::Pkcs7Mime { .. } | Role::DetachedSignature => Some(first.part),
        _ => None,
    }
}

/// base64 with the line ends and the line length of other base64.
fn like(old: &[u8], octets: &[u8]) -> Vec<u8> {
    let first = old.split(|octet| *octet == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let columns = first.trim_ascii().len().max(4);
    let line_end: &[u8] = if first.ends_with(b"\r") || !old.contains(&b'\n') { b"\r\n" } else { b"\n" };
    let before = old.len() - old.trim_ascii_start().len();
    let after = old.trim_ascii_end().len().max(before);
    let text = STANDARD.encode(octets);
    // A single line stays one.
    let columns = if old[before..after].contains(&b'\n') || columns <= 76 { columns } else { text.len() };
    let lines: Vec<&[u8]> = text.as_bytes().chunks(columns).collect();
    [&old[..before], &lines.join(line_end), &old[after..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_as_they_were() {
        assert_eq!(like(b"AQID\r\nBA==\r\n", &[1, 2, 3, 4, 5]), b"AQID\r\nBAU=\r\n");
        assert_eq!(like(b"\nAQIDBAUG\nBw==", &[1; 9]), b"\nAQEBAQEB\nAQEB");
        let single = STANDARD.encode([7; 90]);
        assert_eq!(like(single.as_bytes(), &[7; 120]), STANDARD.encode([7; 120]).into_bytes());
    }
}
