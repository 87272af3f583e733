//! Messages cut into parts, as little as a witness needs.

use base64::Engine as _;
use sha2::{Digest, Sha256};

/// The CMS object of a message, and the detached content.
pub(crate) struct Object {
    pub(crate) der: Vec<u8>,
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) kind: Kind,
}

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SignedData, and whatever has no other name here: it is verified.
    Signed,
    /// EnvelopedData and AuthEnvelopedData.
    Enveloped,
    Digested,
    EncryptedData,
    Compressed,
}

/// Content types (RFC 5652, RFC 3274, RFC 5083), without tag and length.
const KINDS: &[(&[u8], Kind)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03], Kind::Enveloped),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x05], Kind::Digested),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06], Kind::EncryptedData),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x09], Kind::Compressed),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17], Kind::Enveloped),
];

/// The outermost CMS object of a message; `None` if it is none of S/MIME.
pub(crate) fn object(message: &[u8]) -> Option<Object> {
    let (header, body) = split(message)?;
    let content_type = field(&header, "content-type")?;
    let media_type = content_type.split(';').next()?.trim().to_ascii_lowercase();
    if media_type == "multipart/signed" {
        let parts = parts(&boundary(&content_type)?, body);
        let (_, signature) = split(parts.get(1)?)?;
        return Some(Object {
            der: decode(signature)?,
            content: Some(crlf_if_stored_with_lf(message, parts.first()?)),
            kind: Kind::Signed,
        });
    }
    if media_type.starts_with("multipart/") {
        return parts(&boundary(&content_type)?, body).into_iter().find_map(object);
    }
    let lower = content_type.to_ascii_lowercase();
    let octet_stream = media_type == "application/octet-stream" && lower.contains(".p7m");
    if !(media_type.ends_with("pkcs7-mime") || octet_stream) {
        return None;
    }
    let der = decode(body)?;
    // The first OBJECT IDENTIFIER, behind the header of ContentInfo.
    let starts = |oid: &[u8]| (0..12).any(|at| der.get(at..).is_some_and(|rest| rest.starts_with(oid)));
    let kind = KINDS.iter().find(|(oid, _)| starts(oid)).map_or(Kind::Signed, |(_, kind)| *kind);
    Some(Object { der, content: None, kind })
}

/// Every line end as CRLF.
pub(crate) fn crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut before = 0;
    for &octet in octets {
        if octet == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(octet);
        before = octet;
    }
    out
}

pub(crate) fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

fn crlf_if_stored_with_lf(message: &[u8], part: &[u8]) -> Vec<u8> {
    // A message without a single CRLF was stored with LF; in another one a lone LF is meant.
    if message.windows(2).any(|pair| pair == b"\r\n") { part.to_vec() } else { crlf(part) }
}

fn split(entity: &[u8]) -> Option<(String, &[u8])> {
    let (end, start) = [b"\r\n\r\n".as_slice(), b"\n\n"]
        .into_iter()
        .filter_map(|empty| entity.windows(empty.len()).position(|at| at == empty).map(|at| (at, at + empty.len())))
        .min()?;
    let header = String::from_utf8_lossy(&entity[..end]).replace("\r\n", "\n");
    Some((header.replace("\n ", " ").replace("\n\t", " "), &entity[start..]))
}

fn field(header: &str, name: &str) -> Option<String> {
    let of = |line: &str| {
        line.split_once(':').filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    header.lines().find_map(of)
}

fn boundary(content_type: &str) -> Option<String> {
    let (_, after) = content_type.split_once("boundary=")?;
    match after.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().map(ToOwned::to_owned),
        None => after.split([';', ' ']).next().map(ToOwned::to_owned),
    }
}

/// The parts between delimiter lines, without the line end before each.
fn parts<'a>(boundary: &str, body: &'a [u8]) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let close = format!("--{boundary}--");
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < body.len() {
        let next = body[at..].iter().position(|octet| *octet == b'\n').map_or(body.len(), |end| at + end + 1);
        let line = body[at..next].trim_ascii_end();
        if line == delimiter.as_bytes() || line == close.as_bytes() {
            if let Some(start) = start {
                let part: &[u8] = &body[start..at];
                let part = part.strip_suffix(b"\n").unwrap_or(part);
                parts.push(part.strip_suffix(b"\r").unwrap_or(part));
            }
            start = Some(next);
            if line == close.as_bytes() {
                break;
            }
        }
        at = next;
    }
    parts
}

fn decode(body: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = body.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
