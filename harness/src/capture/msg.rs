//! `.msg`: a message in a compound file ([MS-OXMSG]).
//!
//! A property of variable length is a stream `__substg1.0_IIIITTTT` of
//! identifier and type; those of fixed length stand in rows of sixteen octets
//! in `__properties_version1.0`; recipients and attachments are storages.

use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use cfb::CompoundFile;

use super::mapi::{self, CONTENT_TYPE, INTERNET_HEADERS, Message, Properties, Value, kind};
use super::{CaptureError, MOST_ITEMS, MOST_OCTETS};

/// The first octets of a compound file ([MS-CFB] section 2.2).
pub(super) const SIGNATURE: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
/// The streams that a property has for itself.
const STREAM: &str = "__substg1.0_";
/// The stream of properties of fixed length, and its heads (section 2.4).
const FIXED: &str = "__properties_version1.0";
const HEAD_OF_MESSAGE: usize = 32;
const HEAD_OF_OTHERS: usize = 8;
const ROW: usize = 16;
const RECIPIENT: &str = "__recip_version1.0_#";
const ATTACHMENT: &str = "__attach_version1.0_#";
/// Names of properties (section 2.2.3), and its three streams.
const NAMES: &str = "/__nameid_version1.0";
const GUIDS: &str = "__substg1.0_00020102";
const ENTRIES: &str = "__substg1.0_00030102";
const STRINGS: &str = "__substg1.0_00040102";
/// The first identifier of a named property.
const FIRST_NAMED: u16 = 0x8000;

/// The message of a file.
pub(super) fn read(file: &[u8]) -> Result<Message, CaptureError> {
    let open = || CompoundFile::open(Cursor::new(file));
    let mut reader = Reader { file: opened(open)?, octets: 0, items: 0, content_type: None };
    reader.content_type = reader.named_content_type()?;
    let mut message = Message { properties: reader.properties(Path::new("/"), HEAD_OF_MESSAGE)?, ..Message::default() };
    for storage in reader.storages()? {
        let path = Path::new("/").join(&storage);
        if storage.starts_with(RECIPIENT) {
            message.recipients.push(reader.properties(&path, HEAD_OF_OTHERS)?);
        } else if storage.starts_with(ATTACHMENT) {
            message.attachments.push(reader.properties(&path, HEAD_OF_OTHERS)?);
        }
    }
    Ok(message)
}

/// The sectors of a compound file, whatever is wrong with them.
fn opened<T>(open: impl FnOnce() -> std::io::Result<T>) -> Result<T, CaptureError> {
    open().map_err(|error| CaptureError::damaged("compound file", None, error.to_string()))
}

/// Reads streams, and not more than there may be.
struct Reader<'a> {
    file: CompoundFile<Cursor<&'a [u8]>>,
    octets: u64,
    items: usize,
    /// The identifier that the name Content-Type has in this file.
    content_type: Option<u16>,
}

impl Reader<'_> {
    /// The properties of the object that a storage is.
    fn properties(&mut self, storage: &Path, head: usize) -> Result<Properties, CaptureError> {
        let mut properties = Properties::default();
        let fixed = self.stream(&storage.join(FIXED))?;
        for (row, octets) in fixed.get(head..).unwrap_or_default().chunks_exact(ROW).enumerate() {
            self.count(storage, Some((head + row * ROW) as u64))?;
            let number = |at: usize| u16::from_le_bytes([octets[at], octets[at + 1]]);
            let (kind, id) = (number(0), number(2));
            if mapi::kept(id).is_some()
                && matches!(kind, kind::INTEGER_32 | kind::TIME)
                && let Some(value) = Value::read(kind, &octets[8..])
            {
                properties.set(id, value);
            }
        }
        for (name, id, kind) in self.streams(storage)? {
            let path = storage.join(&name);
            if Some(id) == self.content_type {
                let value = Value::read(kind, &self.stream(&path)?);
                properties.content_type = match value {
                    Some(Value::Text(text)) => Some(text),
                    Some(Value::Octets(octets)) => String::from_utf8(octets).ok(),
                    _ => None,
                };
            } else if mapi::kept(id).is_some() && matches!(kind, kind::STRING_8 | kind::STRING | kind::BINARY) {
                let octets = self.stream(&path)?;
                if let Some(value) = Value::read(kind, &octets) {
                    properties.set(id, value);
                }
            }
        }
        Ok(properties)
    }

    /// Storages of the root, by name.
    fn storages(&mut self) -> Result<Vec<String>, CaptureError> {
        let entries = self.file.read_root_storage();
        let mut names: Vec<_> =
            entries.filter(|entry| entry.is_storage()).take(MOST_ITEMS).map(|entry| entry.name().to_owned()).collect();
        names.sort();
        Ok(names)
    }

    /// Streams of a storage that are properties: name, identifier and type.
    fn streams(&mut self, storage: &Path) -> Result<Vec<(String, u16, u16)>, CaptureError> {
        let entries = opened(|| self.file.read_storage(storage))?;
        let names: Vec<_> = entries
            .filter(|entry| entry.is_stream())
            .take(MOST_ITEMS)
            .filter_map(|entry| {
                // Values of a property of several have a longer name, and none is kept.
                let code = entry.name().strip_prefix(STREAM).filter(|code| code.len() == 8)?;
                let code = u32::from_str_radix(code, 16).ok()?;
                Some((entry.name().to_owned(), (code >> 16) as u16, code as u16))
            })
            .collect();
        for _ in &names {
            self.count(storage, None)?;
        }
        Ok(names)
    }

    /// The identifier of the named property Content-Type ([MS-OXMSG] section 2.2.3.1).
    fn named_content_type(&mut self) -> Result<Option<u16>, CaptureError> {
        let storage = PathBuf::from(NAMES);
        let (guids, entries) = (self.stream(&storage.join(GUIDS))?, self.stream(&storage.join(ENTRIES))?);
        let strings = self.stream(&storage.join(STRINGS))?;
        for (row, entry) in entries.chunks_exact(8).enumerate() {
            self.count(&storage, Some(row as u64 * 8))?;
            let name = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]) as usize;
            let (index, number) = (u16::from_le_bytes([entry[4], entry[5]]), u16::from_le_bytes([entry[6], entry[7]]));
            // Bit 0 says that the name is a string; the sets 0 to 2 are known and are not stored.
            let set = usize::from(index >> 1).checked_sub(3).map(|set| set * 16);
            let is_header = set.and_then(|at| guids.get(at..at + 16)) == Some(&INTERNET_HEADERS[..]);
            if index & 1 == 1 && is_header && string(&strings, name).eq_ignore_ascii_case(CONTENT_TYPE) {
                return Ok(FIRST_NAMED.checked_add(number));
            }
        }
        Ok(None)
    }

    /// A stream; an absent one is empty.
    fn stream(&mut self, path: &Path) -> Result<Vec<u8>, CaptureError> {
        if !self.file.is_stream(path) {
            return Ok(Vec::new());
        }
        let name = || {
            let code = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(STREAM));
            let id = code.and_then(|code| u16::from_str_radix(code.get(..4)?, 16).ok());
            let known = id.and_then(mapi::kept).map(|name| format!(" ({name})")).unwrap_or_default();
            format!("{}{known}", path.display())
        };
        let damaged = |error: std::io::Error| CaptureError::damaged(name(), None, error.to_string());
        let left = MOST_OCTETS.saturating_sub(self.octets);
        let mut octets = Vec::new();
        let stream = self.file.open_stream(path).map_err(damaged)?;
        stream.take(left + 1).read_to_end(&mut octets).map_err(damaged)?;
        self.octets += octets.len() as u64;
        if self.octets > MOST_OCTETS {
            return Err(CaptureError::damaged(name(), Some(left), format!("more than {} MiB", MOST_OCTETS >> 20)));
        }
        Ok(octets)
    }

    fn count(&mut self, storage: &Path, offset: Option<u64>) -> Result<(), CaptureError> {
        self.items += 1;
        if self.items > MOST_ITEMS {
            let what = format!("more than {MOST_ITEMS} properties");
            return Err(CaptureError::damaged(storage.display().to_string(), offset, what));
        }
        Ok(())
    }
}

/// A string of the string stream: its length in octets, then UTF-16.
fn string(strings: &[u8], at: usize) -> String {
    let length = strings.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|length| u32::from_le_bytes(*length));
    let octets = length.and_then(|length| {
        let start = at.checked_add(4)?;
        strings.get(start..start.checked_add(length as usize)?)
    });
    octets.map(mapi::utf_16).unwrap_or_default()
}
