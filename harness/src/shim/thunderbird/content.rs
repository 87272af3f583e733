//! As much of a mail as the adapter must see: what its header announces, and
//! where the next CMS object is. What is in an object Thunderbird takes out.

use std::io::{self, Cursor, Read};

use waxseal_engine::Limits;
use waxseal_engine::mime::{self, Part};
use waxseal_verdict::{Form, Kind};

use super::native::Announced;
use crate::thunderbird::process::{Thunderbird, ThunderbirdError};

/// Layers that are peeled at most; no mail of the corpus comes near.
const MOST_LAYERS: usize = 16;

/// Whether it is a mail, and no bare CMS object.
pub(super) fn is_mail(octets: &[u8]) -> bool {
    octets.first() != Some(&0x30) && !octets.starts_with(b"-----BEGIN ")
}

/// What the Content-Type of the whole mail announces.
pub(super) fn announced(mail: &[u8]) -> Announced {
    let root = mime::parse(&mut Cursor::new(mail), &Limits::default()).ok()?;
    let content_type = &root.content_type;
    if content_type.media_type == "multipart/signed" {
        return Some((Kind::Signed, Some(Form::Clear)));
    }
    if !is_object(&root) {
        return None;
    }
    let smime_type = content_type.get("smime-type").unwrap_or_default().to_ascii_lowercase();
    Some(match smime_type.as_str() {
        "signed-data" => (Kind::Signed, Some(Form::Opaque)),
        "enveloped-data" => (Kind::Encrypted, None),
        "authenveloped-data" => (Kind::AuthEnveloped, None),
        "compressed-data" => (Kind::Compressed, None),
        "certs-only" => (Kind::CertsOnly, None),
        _ => (Kind::Unknown, None),
    })
}

/// The CMS object of a mail that is one, or of its first part that is one.
pub(super) fn object(mail: &[u8]) -> Option<Vec<u8>> {
    let mut source = Cursor::new(mail);
    let root = mime::parse(&mut source, &Limits::default()).ok()?;
    let part = root.walk().find(|part| is_object(part))?;
    let mut der = Vec::new();
    mime::decode_body(&mut source, part).ok()?.read_to_end(&mut der).ok()?;
    Some(der)
}

/// The entity inside all layers, with its header.
pub(super) fn innermost(thunderbird: &mut Thunderbird, mail: &[u8]) -> Result<Option<Vec<u8>>, ThunderbirdError> {
    let mut entity = None;
    for _ in 0..MOST_LAYERS {
        let outer = entity.as_deref().unwrap_or(mail);
        let Some(inner) = peel(thunderbird, outer)? else { break };
        entity = Some(inner);
    }
    Ok(entity)
}

/// What is inside the first layer of a mail.
fn peel(thunderbird: &mut Thunderbird, mail: &[u8]) -> Result<Option<Vec<u8>>, ThunderbirdError> {
    let mut source = Cursor::new(mail);
    let Ok(root) = mime::parse(&mut source, &Limits::default()) else { return Ok(None) };
    let is_clear = |part: &Part| part.content_type.media_type == "multipart/signed";
    let Some(part) = root.walk().find(|part| is_clear(part) || is_object(part)) else { return Ok(None) };
    let mut inner = Vec::new();
    if is_clear(part) {
        // What the signature is over stands in the mail.
        let Some(signed) = part.children.first() else { return Ok(None) };
        let range = signed.header.start..signed.body.end;
        mime::canonical(&mut source, range, signed.line_ends).read_to_end(&mut inner)?;
        return Ok(Some(inner));
    }
    let decoded = mime::decode_body(&mut source, part).map_err(io::Error::other);
    decoded.and_then(|mut body| body.read_to_end(&mut inner))?;
    Ok(Some(thunderbird.content(&inner)?))
}

fn is_object(part: &Part) -> bool {
    let media_type = part.content_type.media_type.as_str();
    let is_named = || {
        let name = part.file_name().unwrap_or_default().to_ascii_lowercase();
        [".p7m", ".p7z"].iter().any(|end| name.ends_with(end))
    };
    matches!(media_type, "application/pkcs7-mime" | "application/x-pkcs7-mime")
        || media_type == "application/octet-stream" && is_named()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_announces() {
        for (header, expected) in [
            ("multipart/signed; boundary=x", Some((Kind::Signed, Some(Form::Clear)))),
            ("application/x-pkcs7-mime; smime-type=signed-data", Some((Kind::Signed, Some(Form::Opaque)))),
            ("application/pkcs7-mime; smime-type=Enveloped-Data", Some((Kind::Encrypted, None))),
            ("application/pkcs7-mime", Some((Kind::Unknown, None))),
            ("application/octet-stream; name=smime.p7m", Some((Kind::Unknown, None))),
            ("application/octet-stream", None),
            ("text/plain", None),
        ] {
            let mail = format!("From: a@example.test\r\nContent-Type: {header}\r\n\r\n");
            assert_eq!(announced(mail.as_bytes()), expected, "{header}");
        }
        assert!(is_mail(b"From: x") && !is_mail(b"0\x80") && !is_mail(b"-----BEGIN CMS-----"));
    }
}
