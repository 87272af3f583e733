//! Mail for peers that know objects and no mail: which part of a mail is the
//! object, of which type it is, and a mail around what was written.
//!
//! The reader is the engine's. What it cannot read is not held against the peer:
//! it never saw it.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use waxseal_engine::Limits;
use waxseal_engine::ber::Reader;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::{ContentInfo, SignedDataHead, SignedDataTail};
use waxseal_engine::mime::{self, Part};
use waxseal_verdict::{Form, Kind};

/// Octets of a message that are read; the peers read it into memory, too.
const MOST: u64 = 256 << 20;

/// A CMS object.
#[derive(Debug)]
pub(crate) struct Object {
    /// The object, as it stands: BER.
    pub(crate) der: Vec<u8>,
    /// The content that stands beside it.
    pub(crate) content: Option<Vec<u8>>,
    /// What its content type says.
    pub(crate) kind: Kind,
    /// Whether that is a type of GM/T 0010.
    pub(crate) is_gmt: bool,
    /// Whether it does not begin with a type.
    pub(crate) is_broken: bool,
}

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Found {
    /// An object.
    Object(Object),
    /// An object that cannot be taken out of its mail, and why.
    Malformed(String),
    /// No object.
    Nothing,
}

/// Looks for the object: the file itself, or in a mail the first part that is one.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn object(path: &Path, outermost: bool) -> io::Result<Found> {
    let mut octets = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut octets)?;
    if octets.first() == Some(&0x30) {
        // The content of a layer may be an object without a mail around it; text does not begin with a zero.
        return Ok(Found::Object(Object::new(octets)));
    }
    if octets.starts_with(b"-----BEGIN ") {
        return Ok(outermost
            .then(|| from_pem(&octets))
            .flatten()
            .map_or(Found::Nothing, |der| Found::Object(Object::new(der))));
    }
    let Ok(root) = mime::parse(&mut Cursor::new(&octets), &Limits::default()) else {
        return Ok(Found::Nothing);
    };
    let found = root.walk().find_map(|part| match part.content_type.media_type.as_str() {
        "multipart/signed" if !is_openpgp(part) => Some(clear(&octets, part)),
        _ if is_object(part) => Some(decoded(&octets, part).map(Object::new)),
        _ => None,
    });
    Ok(match found {
        Some(Ok(object)) => Found::Object(object),
        Some(Err(why)) => Found::Malformed(why),
        None => Found::Nothing,
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

fn is_openpgp(part: &Part) -> bool {
    part.content_type.get("protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case("application/pgp-signature"))
}

/// The signature of a multipart/signed, and what it is over.
fn clear(octets: &[u8], part: &Part) -> Result<Object, String> {
    let [content, signature] = part.children.as_slice() else {
        return Err(format!("a multipart/signed of {} parts, expected 2 (RFC 1847)", part.children.len()));
    };
    let mut signed = Vec::new();
    mime::canonical(&mut Cursor::new(octets), content.entity(), content.line_ends)
        .read_to_end(&mut signed)
        .map_err(|error| error.to_string())?;
    Ok(Object { content: Some(signed), ..Object::new(decoded(octets, signature)?) })
}

fn decoded(octets: &[u8], part: &Part) -> Result<Vec<u8>, String> {
    let mut der = Vec::new();
    let mut cursor = Cursor::new(octets);
    let mut body = mime::decode_body(&mut cursor, part).map_err(|error| error.to_string())?;
    body.read_to_end(&mut der).map_err(|error| error.to_string())?;
    Ok(der)
}

/// The content types, as they stand in an object.
const TYPES: &[(&[u8], Kind, bool)] = &[
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", Kind::Data, false),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", Kind::Signed, false),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", Kind::Encrypted, false),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05", Kind::Digested, false),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", Kind::EncryptedData, false),
    (b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02", Kind::Authenticated, false),
    (b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", Kind::Compressed, false),
    (b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", Kind::AuthEnveloped, false),
    // GM/T 0010: 1.2.156.10197.6.1.4.2
    (b"\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x02", Kind::Signed, true),
    (b"\x06\x0a\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x03", Kind::Encrypted, true),
];

impl Object {
    /// An object in BER; of which type it is stands at its beginning.
    pub(crate) fn new(der: Vec<u8>) -> Self {
        // ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, … }
        let head = der.get(..32).unwrap_or(&der);
        let starts = |oid: &[u8]| head.windows(oid.len()).take(8).any(|window| window == oid);
        let found = TYPES.iter().find(|(oid, ..)| starts(oid));
        let (kind, is_gmt) = found.map_or((Kind::Unknown, false), |(_, kind, is_gmt)| (*kind, *is_gmt));
        let is_broken = !head.contains(&0x06);
        Self { der, content: None, kind, is_gmt, is_broken }
    }

    /// The certificates that a SignedData brings, as far as it can be read: what
    /// is malformed the peer says itself.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        let limits = Limits::default();
        let mut reader = Reader::new(Cursor::new(&self.der), &limits);
        let mut tail = SignedDataTail::default();
        let mut read = || {
            ContentInfo::begin(&mut reader)?;
            let mut head = SignedDataHead::read(&mut reader, &limits)?;
            let mut octets = vec![0; 1 << 16];
            while head.content.read_content(&mut reader, &mut octets)? > 0 {}
            tail.read(&mut reader, &head, &limits)
        };
        // What was read before an error is there.
        let _ = read();
        tail.carried.certificates.iter().filter_map(|der| Certificate::parse(der).ok()).collect()
    }

    /// Clear if the content stands beside it.
    pub(crate) const fn form(&self) -> Form {
        if self.content.is_some() { Form::Clear } else { Form::Opaque }
    }
}

/// The octets of the first PEM block.
pub(crate) fn from_pem(octets: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(octets).ok()?;
    let lines = text.lines().skip_while(|line| !line.starts_with("-----BEGIN ")).skip(1);
    STANDARD.decode(lines.take_while(|line| !line.starts_with('-')).collect::<String>()).ok()
}

/// Writes PEM with the lines of 64 letters that RFC 7468 wants.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write_pem(path: &Path, label: &str, der: &[u8]) -> io::Result<()> {
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
#[derive(Debug)]
pub(crate) struct Entity {
    /// The fields that stay outside.
    pub(crate) outer: Vec<u8>,
    /// The MIME entity that is protected: what describes the content, and the content.
    pub(crate) inner: Vec<u8>,
}

impl Entity {
    /// Takes a mail apart: its Content fields go with its body (RFC 8551 section 3.1).
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn split(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&in_crlf(std::fs::read(path)?)))
    }

    /// The same of a mail in memory, with CRLF.
    pub(crate) fn of(mail: &[u8]) -> Self {
        let end = mail.windows(4).position(|four| four == b"\r\n\r\n").map_or(mail.len(), |at| at + 2);
        let (header, body) = mail.split_at(end);
        let mut entity = Self { outer: Vec::new(), inner: Vec::new() };
        let (mut inside, mut dropped) = (false, false);
        for line in header.split_inclusive(|octet| *octet == b'\n') {
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                let named = |name: &[u8]| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
                // What is written around it says so itself.
                (inside, dropped) = (named(b"content-"), named(b"mime-version:"));
            }
            match (inside, dropped) {
                (true, _) => entity.inner.extend_from_slice(line),
                (_, true) => {}
                _ => entity.outer.extend_from_slice(line),
            }
        }
        entity.inner.extend_from_slice(body);
        entity
    }

    /// The mail, put together again.
    pub(crate) fn whole(&self) -> Vec<u8> {
        [&self.outer[..], b"MIME-Version: 1.0\r\n", &self.inner].concat()
    }

    /// The mail with an object in the place of what was protected.
    pub(crate) fn wrapped(&self, smime_type: &str, der: &[u8]) -> Vec<u8> {
        let mut mail = self.outer.clone();
        let header = format!(
            "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type={smime_type}; name=smime.p7m\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7m\r\n\r\n"
        );
        mail.extend_from_slice(header.as_bytes());
        push_base64(&mut mail, der);
        mail
    }

    /// The mail as multipart/signed: what was protected, and the signature over
    /// it (RFC 8551 section 3.5.3). `micalg` is the digest as that section spells it.
    pub(crate) fn clear_signed(&self, micalg: &str, der: &[u8]) -> Vec<u8> {
        // No line of the content can be this one: it would have to know its own hash.
        let hash = Sha256::digest(&self.inner);
        let boundary: String = hash.iter().take(16).map(|octet| format!("{octet:02x}")).collect();
        let mut mail = self.outer.clone();
        let header = format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n \
             micalg={micalg}; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
        );
        mail.extend_from_slice(header.as_bytes());
        mail.extend_from_slice(&self.inner);
        let between = format!(
            "\r\n--{boundary}\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n\r\n"
        );
        mail.extend_from_slice(between.as_bytes());
        push_base64(&mut mail, der);
        mail.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        mail
    }
}

/// A mail that is stored with LF, in the form in which it is sent.
pub(crate) fn in_crlf(mail: Vec<u8>) -> Vec<u8> {
    match mail.iter().position(|octet| *octet == b'\n') {
        Some(at) if at == 0 || mail[at - 1] != b'\r' => {
            let mut sent = Vec::with_capacity(mail.len() + mail.len() / 32);
            let mut last = 0;
            for octet in mail {
                if octet == b'\n' && last != b'\r' {
                    sent.push(b'\r');
                }
                sent.push(octet);
                last = octet;
            }
            sent
        }
        _ => mail,
    }
}

/// Appends base64 in the lines of 76 letters of RFC 2045.
fn push_base64(mail: &mut Vec<u8>, der: &[u8]) {
    for line in STANDARD.encode(der).as_bytes().chunks(76) {
        mail.extend_from_slice(line);
        mail.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: a@example.test\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n\
                        Subject: x\r\n y\r\ncontent-transfer-encoding: 8bit\r\n\r\nhello\r\n";
    const INNER: &str =
        "Content-Type: text/plain;\r\n charset=utf-8\r\ncontent-transfer-encoding: 8bit\r\n\r\nhello\r\n";
    /// A ContentInfo of SignedData, as far as this module looks.
    const SIGNED: &[u8] = b"\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x02\x30\x00";

    fn found(mail: &[u8]) -> Found {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mail");
        std::fs::write(&path, mail).unwrap();
        object(&path, true).unwrap()
    }

    #[test]
    fn content_fields_go_with_the_body() {
        let entity = Entity::of(MAIL.as_bytes());
        assert_eq!(String::from_utf8(entity.outer).unwrap(), "From: a@example.test\r\nSubject: x\r\n y\r\n");
        assert_eq!(String::from_utf8(entity.inner).unwrap(), INNER);
        let stored = in_crlf(MAIL.replace("\r\n", "\n").into_bytes());
        assert_eq!(stored, MAIL.as_bytes());
        // A bare LF in a mail with CRLF is an octet of its content.
        assert_eq!(in_crlf(b"a\r\nb\nc".to_vec()), b"a\r\nb\nc");
    }

    /// What one function writes, the parser of the engine finds again.
    #[test]
    fn an_object_is_found_in_the_mail_around_it() {
        let entity = Entity::of(MAIL.as_bytes());
        let Found::Object(opaque) = found(&entity.wrapped("signed-data", SIGNED)) else { panic!("opaque") };
        assert_eq!((opaque.der.as_slice(), opaque.kind, opaque.form()), (SIGNED, Kind::Signed, Form::Opaque));
        let Found::Object(clear) = found(&entity.clear_signed("sha-256", SIGNED)) else { panic!("clear") };
        assert_eq!((clear.der.as_slice(), clear.kind, clear.form()), (SIGNED, Kind::Signed, Form::Clear));
        assert_eq!(clear.content.as_deref(), Some(INNER.as_bytes()));
    }

    #[test]
    fn what_holds_no_object_is_told_from_a_broken_one() {
        assert!(matches!(found(MAIL.as_bytes()), Found::Nothing));
        let alone = "Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n--x--\r\n";
        assert!(matches!(found(alone.as_bytes()), Found::Malformed(why) if why.contains("1 parts")));
        let pgp = "Content-Type: multipart/signed; boundary=x; protocol=\"application/pgp-signature\"\r\n\r\n\
                   --x\r\n\r\nhello\r\n--x\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--x--\r\n";
        assert!(matches!(found(pgp.as_bytes()), Found::Nothing));
        assert!(matches!(found(b"0\x03abc"), Found::Object(object) if object.is_broken));
    }
}
