//! What GmSSL leaves to its caller: which part of a mail is the object, of which
//! type it is, and a mail around what was written.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_engine::Limits;
use waxseal_engine::mime::{self, Part};
use waxseal_verdict::Kind;

/// Octets of a message that are read; GmSSL reads it into memory, too.
const MOST: u64 = 256 << 20;

/// A CMS object.
pub(super) struct Object {
    pub(super) der: Vec<u8>,
    /// What its type says, if that is one of GM/T 0010.
    pub(super) kind: Option<Kind>,
    /// Whether it does not begin with a type.
    pub(super) is_broken: bool,
}

/// What a file holds.
pub(super) enum Found {
    Object(Object),
    /// A multipart/signed.
    Clear,
    /// An object that cannot be taken out of its mail.
    Malformed(String),
    Nothing,
}

/// Looks for the object: the file itself, or in a mail the first part that is one.
pub(super) fn object(path: &Path, outermost: bool) -> io::Result<Found> {
    let mut octets = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut octets)?;
    if octets.first() == Some(&0x30) {
        // The content of a layer may be an object without a mail around it; text does not begin with a zero.
        return Ok(Found::Object(Object::new(octets)));
    }
    if octets.starts_with(b"-----BEGIN ") {
        return Ok(outermost.then(|| from_pem(&octets)).flatten().map_or(Found::Nothing, Found::Object));
    }
    let Ok(root) = mime::parse(&mut Cursor::new(&octets), &Limits::default()) else {
        return Ok(Found::Nothing);
    };
    if root.walk().any(|part| part.content_type.media_type == "multipart/signed") {
        return Ok(Found::Clear);
    }
    let Some(part) = root.walk().find(|part| is_object(part)) else { return Ok(Found::Nothing) };
    let mut der = Vec::new();
    let mut cursor = Cursor::new(&octets);
    let decoded = mime::decode_body(&mut cursor, part).map_err(|error| error.to_string());
    Ok(match decoded.and_then(|mut body| body.read_to_end(&mut der).map_err(|error| error.to_string())) {
        Ok(_) => Found::Object(Object::new(der)),
        Err(why) => Found::Malformed(why),
    })
}

fn is_object(part: &Part) -> bool {
    let media_type = part.content_type.media_type.as_str();
    let named = || {
        let name = part.file_name().unwrap_or_default().to_ascii_lowercase();
        [".p7m", ".p7s", ".p7z"].iter().any(|end| name.ends_with(end))
    };
    media_type == "application/pkcs7-mime"
        || media_type == "application/x-pkcs7-mime"
        || media_type == "application/octet-stream" && named()
}

impl Object {
    fn new(der: Vec<u8>) -> Self {
        // ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, … }
        let head = der.get(..32).unwrap_or(&der);
        let has = |oid: &[u8]| head.windows(oid.len()).any(|window| window == oid);
        // 1.2.156.10197.6.1.4.2.2 and .3
        let kind = match () {
            () if has(b"\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x02") => Some(Kind::Signed),
            () if has(b"\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x03") => Some(Kind::Encrypted),
            () => None,
        };
        let is_broken = !head.contains(&0x06);
        Self { der, kind, is_broken }
    }
}

fn from_pem(octets: &[u8]) -> Option<Object> {
    let text = std::str::from_utf8(octets).ok()?;
    let lines = text.lines().skip(1).take_while(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).ok().map(Object::new)
}

/// Writes PEM with the lines of 64 letters that GmSSL wants.
pub(super) fn write_pem(path: &Path, label: &str, der: &[u8]) -> io::Result<()> {
    let mut file = io::BufWriter::new(File::create(path)?);
    writeln!(file, "-----BEGIN {label}-----")?;
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        file.write_all(line)?;
        file.write_all(b"\n")?;
    }
    writeln!(file, "-----END {label}-----")?;
    file.flush()
}

/// A mail taken apart for protection.
pub(super) struct Entity {
    /// The fields that stay outside.
    pub(super) outer: Vec<u8>,
    /// The MIME entity that is protected: what describes the content, and the content.
    pub(super) inner: Vec<u8>,
}

/// Takes a mail apart: its Content fields go with its body (RFC 8551 section 3.1).
pub(super) fn split(path: &Path) -> io::Result<Entity> {
    let mail = std::fs::read(path)?;
    let end = mail.windows(4).position(|four| four == b"\r\n\r\n").map_or(mail.len(), |at| at + 2);
    let (header, body) = mail.split_at(end);
    let mut entity = Entity { outer: Vec::new(), inner: Vec::new() };
    let mut inside = false;
    for line in header.split_inclusive(|octet| *octet == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            inside = line.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"content-"));
        }
        let is_version = line.get(..13).is_some_and(|name| name.eq_ignore_ascii_case(b"mime-version:"));
        match inside {
            true => entity.inner.extend_from_slice(line),
            false if is_version => {}
            false => entity.outer.extend_from_slice(line),
        }
    }
    entity.inner.extend_from_slice(body);
    Ok(entity)
}

/// The mail around an object in PEM.
pub(super) fn wrapped(outer: &[u8], smime_type: &str, pem: &[u8]) -> Vec<u8> {
    let mut mail = outer.to_vec();
    let header = format!(
        "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type={smime_type}; name=smime.p7m\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7m\r\n\r\n"
    );
    mail.extend_from_slice(header.as_bytes());
    for line in pem.split(|octet| *octet == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"-")) {
        mail.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        mail.extend_from_slice(b"\r\n");
    }
    mail
}
