//! Writers of .msg and winmail.dat, by the specifications and not by the
//! readers that they test.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use cfb::CompoundFile;

/// A property: identifier and value.
pub(crate) type Property = (u16, Value);

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    /// PtypString8: text in a code page.
    Octet(Vec<u8>),
    Binary(Vec<u8>),
    Number(u32),
    Time(u64),
    /// The named property Content-Type of PS_INTERNET_HEADERS.
    ContentType(String),
}

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// What a message is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) properties: Vec<Property>,
    pub(crate) recipients: Vec<Vec<Property>>,
    pub(crate) attachments: Vec<Vec<Property>>,
}

/// The identifier of the only named property here.
const NAMED: u16 = 0x8000;
const INTERNET_HEADERS: [u8; 16] = [0x86, 3, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];
const NAME: &str = "Content-Type";

impl Message {
    /// A clear-signed mail as [MS-OXOSMIME] section 2.1.3.1.2 takes it apart.
    pub(crate) fn clear(mail: &[u8]) -> Self {
        let (header, body) = split(mail);
        let content_type = field(header, "content-type");
        let data = [content_type.as_slice(), b"\r\n", body].concat();
        Self {
            properties: vec![
                (0x001A, text("IPM.Note.SMIME.MultipartSigned")),
                (0x0037, text("a subject")),
                (0x007D, Value::Text(String::from_utf8(header.to_vec()).unwrap())),
                (0x0039, Value::Time(133_800_000_000_000_000)),
            ],
            recipients: Vec::new(),
            attachments: vec![vec![
                (0x3701, Value::Binary(data)),
                (0x3705, Value::Number(1)),
                (0x3707, text("SMIME.txt")),
                (0x370E, text("multipart/signed")),
            ]],
        }
    }

    /// One that is signed opaque or encrypted (section 2.1.3.2.1.2).
    pub(crate) fn opaque(mail: &[u8], object: &[u8]) -> Self {
        let mut message = Self::clear(mail);
        message.set(0x001A, text("IPM.Note.SMIME"));
        message.attachments[0] = vec![
            (0x3701, Value::Binary(object.to_vec())),
            (0x3705, Value::Number(1)),
            (0x3707, text("smime.p7m")),
            (0x370E, text("application/pkcs7-mime")),
        ];
        message
    }

    pub(crate) fn set(&mut self, id: u16, value: Value) {
        self.properties.retain(|(other, _)| *other != id);
        self.properties.push((id, value));
    }

    pub(crate) fn without(mut self, id: u16) -> Self {
        self.properties.retain(|(other, _)| *other != id);
        self
    }

    /// As a compound file ([MS-OXMSG]).
    pub(crate) fn msg(&self) -> Vec<u8> {
        let mut file = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
        let root = PathBuf::from("/");
        let counts = [self.recipients.len() as u32, self.attachments.len() as u32];
        let head: Vec<u8> = [0, 0, counts[0], counts[1], counts[0], counts[1], 0, 0]
            .iter()
            .flat_map(|number: &u32| number.to_le_bytes())
            .collect();
        object(&mut file, &root, &head, &self.properties);
        let names = root.join("__nameid_version1.0");
        file.create_storage(&names).unwrap();
        // Offset 0 of the strings; a string (1) in the fourth set (3); property 0.
        let entry = [0, 0, 0, 0, 7, 0, 0, 0];
        let string: Vec<u8> = [(NAME.len() as u32 * 2).to_le_bytes().to_vec(), utf_16(NAME)].concat();
        for (stream, octets) in [("00020102", &INTERNET_HEADERS[..]), ("00030102", &entry), ("00040102", &string)] {
            put(&mut file, &names.join(format!("__substg1.0_{stream}")), octets);
        }
        for (storage, objects) in [("recip", &self.recipients), ("attach", &self.attachments)] {
            for (number, properties) in objects.iter().enumerate() {
                let path = root.join(format!("__{storage}_version1.0_#{number:08X}"));
                file.create_storage(&path).unwrap();
                object(&mut file, &path, &[0; 8], properties);
            }
        }
        file.flush().unwrap();
        file.into_inner().into_inner()
    }

    /// As a stream ([MS-OXTNEF]).
    pub(crate) fn tnef(&self) -> Vec<u8> {
        let mut out = [&0x223E_9F78_u32.to_le_bytes()[..], &[1, 0]].concat();
        let class = b"IPM.Microsoft Mail.Note\0";
        attribute(&mut out, 1, 0x0008_9006, &0x0001_0000_u32.to_le_bytes());
        attribute(&mut out, 1, 0x0006_9007, &[0xE4, 4, 0, 0, 0, 0, 0, 0]);
        attribute(&mut out, 1, 0x0007_8008, class);
        attribute(&mut out, 1, 0x0006_9003, &list(&self.properties));
        if !self.recipients.is_empty() {
            let rows: Vec<_> = self.recipients.iter().map(|recipient| list(recipient)).collect();
            let count = (rows.len() as u32).to_le_bytes().to_vec();
            attribute(&mut out, 1, 0x0006_9004, &[count, rows.concat()].concat());
        }
        for attachment in &self.attachments {
            attribute(&mut out, 2, 0x0006_9002, &[1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]);
            let (data, rest): (Vec<_>, Vec<_>) = attachment.iter().cloned().partition(|(id, _)| *id == 0x3701);
            for (_, value) in data {
                if let Value::Binary(octets) = value {
                    attribute(&mut out, 2, 0x0006_800F, &octets);
                }
            }
            attribute(&mut out, 2, 0x0001_8010, b"smime\0");
            attribute(&mut out, 2, 0x0006_9005, &list(&rest));
        }
        out
    }
}

/// Header with its last line end, and body.
pub(crate) fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    let end = mail.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (&mail[..end + 2], &mail[end + 4..])
}

/// A field with its folds and line end.
pub(crate) fn field(header: &[u8], name: &str) -> Vec<u8> {
    let text = String::from_utf8(header.to_vec()).unwrap();
    let mut found = String::new();
    let mut inside = false;
    for line in text.split_inclusive("\r\n") {
        if !line.starts_with([' ', '\t']) {
            inside = line.split(':').next().unwrap().eq_ignore_ascii_case(name);
        }
        if inside {
            found.push_str(line);
        }
    }
    found.into_bytes()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The type of a property, and its octets in a stream of its own.
fn stored(value: &Value) -> (u16, Vec<u8>) {
    match value {
        Value::Text(text) | Value::ContentType(text) => (0x001F, utf_16(text)),
        Value::Octet(octets) => (0x001E, octets.clone()),
        Value::Binary(octets) => (0x0102, octets.clone()),
        Value::Number(number) => (0x0003, number.to_le_bytes().to_vec()),
        Value::Time(time) => (0x0040, time.to_le_bytes().to_vec()),
    }
}

fn object(file: &mut CompoundFile<Cursor<Vec<u8>>>, path: &Path, head: &[u8], properties: &[Property]) {
    let mut rows = head.to_vec();
    for (id, value) in properties {
        let id = if matches!(value, Value::ContentType(_)) { NAMED } else { *id };
        let (kind, octets) = stored(value);
        rows.extend_from_slice(&kind.to_le_bytes());
        rows.extend_from_slice(&id.to_le_bytes());
        rows.extend_from_slice(&6_u32.to_le_bytes());
        if matches!(kind, 0x0003 | 0x0040) {
            let mut fixed = octets.clone();
            // Whoever wrote it left something there.
            fixed.resize(8, 0xA5);
            rows.extend_from_slice(&fixed);
        } else {
            let nul = match kind {
                0x001F => 2,
                0x001E => 1,
                _ => 0,
            };
            rows.extend_from_slice(&(octets.len() as u32 + nul).to_le_bytes());
            rows.extend_from_slice(&[0; 4]);
            put(file, &path.join(format!("__substg1.0_{id:04X}{kind:04X}")), &octets);
        }
    }
    put(file, &path.join("__properties_version1.0"), &rows);
}

fn put(file: &mut CompoundFile<Cursor<Vec<u8>>>, path: &Path, octets: &[u8]) {
    file.create_stream(path).unwrap().write_all(octets).unwrap();
}

fn attribute(out: &mut Vec<u8>, level: u8, id: u32, octets: &[u8]) {
    out.push(level);
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&(octets.len() as u32).to_le_bytes());
    out.extend_from_slice(octets);
    let sum = octets.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
    out.extend_from_slice(&sum.to_le_bytes());
}

/// A list of properties, each padded to four octets.
fn list(properties: &[Property]) -> Vec<u8> {
    let mut out = (properties.len() as u32).to_le_bytes().to_vec();
    for (id, value) in properties {
        let (kind, mut octets) = stored(value);
        let named = matches!(value, Value::ContentType(_));
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&(if named { NAMED } else { *id }).to_le_bytes());
        if named {
            let name = [utf_16(NAME), vec![0, 0]].concat();
            out.extend_from_slice(&INTERNET_HEADERS);
            out.extend_from_slice(&1_u32.to_le_bytes());
            out.extend_from_slice(&(name.len() as u32).to_le_bytes());
            out.extend_from_slice(&name);
            pad(&mut out, name.len());
        }
        match kind {
            0x0003 | 0x0040 => out.extend_from_slice(&octets),
            _ => {
                // Text ends in a NUL here.
                octets.extend_from_slice(match kind {
                    0x001F => &[0, 0],
                    0x001E => &[0],
                    _ => &[],
                });
                out.extend_from_slice(&1_u32.to_le_bytes());
                out.extend_from_slice(&(octets.len() as u32).to_le_bytes());
                out.extend_from_slice(&octets);
                pad(&mut out, octets.len());
            }
        }
    }
    out
}

fn pad(out: &mut Vec<u8>, length: usize) {
    out.resize(out.len() + (4 - length % 4) % 4, 0);
}
