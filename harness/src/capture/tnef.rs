//! `winmail.dat`: a message in TNEF ([MS-OXTNEF] section 2.1.3).
//!
//! A signature and a key, then attributes: level, identifier, length, octets,
//! and their sum. Properties stand in lists inside three of the attributes.
//!
//! Written here: the crates that read TNEF either stop at attachments, or bind
//! a library in C.

use super::mapi::{self, CONTENT_TYPE, INTERNET_HEADERS, Message, Properties, Value, id, kind};
use super::{CaptureError, MOST_ITEMS};

/// 0x223E9F78, little end first.
pub(super) const SIGNATURE: [u8; 4] = [0x78, 0x9F, 0x3E, 0x22];
/// The level of an attribute.
const MESSAGE: u8 = 1;
const ATTACHMENT: u8 = 2;

/// Identifiers of attributes, the legacy type in the upper half (section 2.1.3.3).
const SUBJECT: u32 = 0x0001_8004;
const MESSAGE_CLASS: u32 = 0x0007_8008;
const ATTACH_TITLE: u32 = 0x0001_8010;
const BODY: u32 = 0x0002_800C;
const OWNER: u32 = 0x0006_0000;
const SENT_FOR: u32 = 0x0006_0001;
const ATTACH_META_FILE: u32 = 0x0006_8011;
const ATTACH_DATA: u32 = 0x0006_800F;
const ATTACH_REND_DATA: u32 = 0x0006_9002;
const MSG_PROPS: u32 = 0x0006_9003;
const RECIP_TABLE: u32 = 0x0006_9004;
const ATTACH_PROPS: u32 = 0x0006_9005;

/// Attributes whose names errors tell.
const NAMES: [(u32, &str); 8] = [
    (SUBJECT, "attSubject"),
    (MESSAGE_CLASS, "attMessageClass"),
    (ATTACH_TITLE, "attAttachTitle"),
    (ATTACH_DATA, "attAttachData"),
    (ATTACH_REND_DATA, "attAttachRendData"),
    (MSG_PROPS, "attMsgProps"),
    (RECIP_TABLE, "attRecipTable"),
    (ATTACH_PROPS, "attAttachment"),
];

/// What somebody is told who only wants to know what stands in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A subject.
    Subject,
    /// The name of a person.
    Name,
    /// The name of an attachment.
    FileName,
    /// Other text.
    Text,
    /// A body, or what is attached.
    Content,
    /// A body in compressed RTF.
    Compressed,
    /// Octets in which text may stand, such as entry identifiers.
    Octets,
}

/// Who is told: the place, what stands there, and its octets; of text in UTF-8 if it was in UTF-16.
type Tell<'t> = &'t dyn Fn(&str, What, &[u8]);

/// The message of a stream.
pub(super) fn read(stream: &[u8]) -> Result<Message, CaptureError> {
    read_telling(stream, &|_, _, _| ())
}

/// Tells everything that stands in a stream, up to its end or to where it is damaged.
pub(super) fn tell(stream: &[u8], tell: Tell<'_>) -> Result<(), CaptureError> {
    read_telling(stream, tell).map(|_| ())
}

fn read_telling(stream: &[u8], tell: Tell<'_>) -> Result<Message, CaptureError> {
    let mut input = Input { octets: stream, at: 0, path: "winmail.dat".to_owned(), items: 0, tell };
    if input.take(4, "signature")? != SIGNATURE {
        return Err(CaptureError::damaged("winmail.dat", Some(0), "it has not the signature 0x223E9F78 of TNEF"));
    }
    input.take(2, "key")?;
    let mut message = Message::default();
    // Properties go before attributes, wherever they stand (section 2.1.3).
    let mut weak = Properties::default();
    while !input.is_empty() {
        attribute(&mut input, &mut message, &mut weak)?;
    }
    for id in [id::MESSAGE_CLASS, id::SUBJECT] {
        if let Some(octets) = weak.octets(id) {
            message.properties.set_weakly(id, Value::Octets(octets.to_vec()));
        }
    }
    Ok(message)
}

fn attribute(input: &mut Input<'_, '_>, message: &mut Message, weak: &mut Properties) -> Result<(), CaptureError> {
    let start = input.at;
    let level = input.take(1, "level of an attribute")?[0];
    let id = input.number("identifier of an attribute")?;
    let length = input.number("length of an attribute")?;
    let name = NAMES.iter().find(|(known, _)| *known == id).map_or("attribute", |(_, name)| *name);
    let path = format!("winmail.dat/{name} 0x{id:08X}");
    let fault = |what: String| CaptureError::damaged(&path, Some(start as u64), what);
    if !matches!(level, MESSAGE | ATTACHMENT) {
        return Err(fault(format!("its level is {level}, and 1 and 2 are all there are")));
    }
    let inside = input.at;
    let octets = input.octets.get(inside..).and_then(|rest| rest.get(..length as usize));
    let octets = octets.ok_or_else(|| fault(format!("has {length} octets, and fewer are left")))?;
    input.at += octets.len();
    let stated = u16::from_le_bytes(input.array("checksum of an attribute")?);
    let sum = octets.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
    if sum != stated {
        return Err(fault(format!("its checksum is 0x{sum:04X}, and 0x{stated:04X} is stated")));
    }
    let end = inside + octets.len();
    let mut inner = Input { octets: &input.octets[..end], at: inside, path, items: input.items, tell: input.tell };
    if let Some(what) = of_attribute(id) {
        (inner.tell)(&inner.path, what, octets);
    }
    match (id, level) {
        (MSG_PROPS, MESSAGE) => inner.properties(&mut message.properties)?,
        (RECIP_TABLE, MESSAGE) => {
            for _ in 0..inner.number("number of recipients")? {
                // One without properties has four octets in the file, and a hundred here.
                inner.count()?;
                let mut recipient = Properties::default();
                inner.properties(&mut recipient)?;
                message.recipients.push(recipient);
            }
        }
        (MESSAGE_CLASS, MESSAGE) => set(weak, id::MESSAGE_CLASS, octets),
        (SUBJECT, MESSAGE) => set(weak, id::SUBJECT, octets),
        (ATTACH_REND_DATA, ATTACHMENT) => message.attachments.push(Properties::default()),
        (ATTACH_DATA | ATTACH_TITLE | ATTACH_PROPS, ATTACHMENT) => {
            let Some(attachment) = message.attachments.last_mut() else {
                return Err(inner.fault("stands before attAttachRendData, which begins an attachment".to_owned()));
            };
            match id {
                ATTACH_DATA => attachment.set(id::ATTACH_DATA_BINARY, Value::Octets(octets.to_vec())),
                ATTACH_TITLE => set(attachment, id::ATTACH_FILENAME, octets),
                _ => inner.properties(attachment)?,
            }
        }
        _ => {}
    }
    input.items = inner.items;
    input.count()
}

/// What an attribute tells that is no list of properties (section 2.1.3.3).
const fn of_attribute(id: u32) -> Option<What> {
    match id {
        SUBJECT => Some(What::Subject),
        ATTACH_TITLE => Some(What::FileName),
        BODY | ATTACH_DATA | ATTACH_META_FILE => Some(What::Content),
        OWNER | SENT_FOR => Some(What::Text),
        // Names and addresses, strings, text.
        _ if id >> 16 <= 2 => Some(What::Text),
        _ => None,
    }
}

/// What a property tells ([MS-OXPROPS] section 2); `kind` is its type.
fn of_property(id: u16, kind: u16, is_of_attachment: bool) -> What {
    match (id, kind) {
        (0x1009, _) => What::Compressed,
        // The body as text and as HTML, and what is attached.
        (0x1000 | 0x1013 | id::ATTACH_DATA_BINARY, _) => What::Content,
        (_, kind::BINARY | kind::OBJECT) => What::Octets,
        // As it is, without prefix, and of the conversation.
        (id::SUBJECT | 0x0E1D | 0x0070, _) => What::Subject,
        (id::ATTACH_FILENAME | id::ATTACH_LONG_FILENAME, _) => What::FileName,
        (id::DISPLAY_NAME, _) if is_of_attachment => What::FileName,
        // Of a recipient twice; sender, author, receiver, for whom; Bcc, Cc, To.
        (id::DISPLAY_NAME | 0x5FF6 | id::SENDER_NAME | 0x0042 | 0x0040 | 0x0044 | 0x0E02..=0x0E04, _) => What::Name,
        _ => What::Text,
    }
}

/// Sets text that may end in a NUL.
fn set(properties: &mut Properties, id: u16, octets: &[u8]) {
    if let Some(value) = Value::read(kind::STRING_8, octets) {
        properties.set_weakly(id, value);
    }
}

/// What is left to read, and where we are.
struct Input<'a, 't> {
    octets: &'a [u8],
    at: usize,
    path: String,
    items: usize,
    tell: Tell<'t>,
}

impl<'a> Input<'a, '_> {
    const fn is_empty(&self) -> bool {
        self.at >= self.octets.len()
    }

    fn fault(&self, what: String) -> CaptureError {
        CaptureError::damaged(&self.path, Some(self.at as u64), what)
    }

    fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], CaptureError> {
        let octets = self.octets.get(self.at..).and_then(|rest| rest.get(..length));
        let octets = octets.ok_or_else(|| self.fault(format!("it ends within the {what}")))?;
        self.at += length;
        Ok(octets)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], CaptureError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    fn number(&mut self, what: &str) -> Result<u32, CaptureError> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn count(&mut self) -> Result<(), CaptureError> {
        self.items += 1;
        if self.items > MOST_ITEMS {
            return Err(self.fault(format!("more than {MOST_ITEMS} attributes, recipients and properties")));
        }
        Ok(())
    }

    /// Octets up to the next multiple of four after a value of this length. The last may be left out.
    fn pad(&mut self, length: usize) {
        self.at = (self.at + (4 - length % 4) % 4).min(self.octets.len());
    }

    /// A list of properties (section 2.1.3.4).
    fn properties(&mut self, into: &mut Properties) -> Result<(), CaptureError> {
        for _ in 0..self.number("number of properties")? {
            self.count()?;
            self.property(into)?;
        }
        Ok(())
    }

    fn property(&mut self, into: &mut Properties) -> Result<(), CaptureError> {
        let kind = u16::from_le_bytes(self.array("type of a property")?);
        let id = u16::from_le_bytes(self.array("identifier of a property")?);
        let path_length = self.path.len();
        let name = mapi::kept(id).map(|name| format!(" {name}")).unwrap_or_default();
        self.path.push_str(&format!("/property 0x{id:04X}{kind:04X}{name}"));
        let is_content_type = id >= 0x8000 && self.is_named_content_type()?;
        let several = kind & kind::MULTIPLE != 0;
        let kind = kind & !kind::MULTIPLE;
        let first = match kind {
            kind::STRING_8 | kind::STRING | kind::BINARY | kind::OBJECT => self.variable(id, kind)?,
            _ => self.fixed(kind, several)?,
        };
        if let Some(value) = first.filter(|_| !several).and_then(|octets| Value::read(kind, octets)) {
            if is_content_type {
                into.content_type = match value {
                    Value::Text(text) => Some(text),
                    Value::Octets(octets) => String::from_utf8(octets).ok(),
                    Value::Number(_) => None,
                };
            } else if mapi::kept(id).is_some() {
                into.set(id, value);
            }
        }
        self.path.truncate(path_length);
        Ok(())
    }

    /// Reads the name of a named property.
    fn is_named_content_type(&mut self) -> Result<bool, CaptureError> {
        let set: [u8; 16] = self.array("set of a named property")?;
        match self.number("kind of a name")? {
            0 => {
                self.number("number that is a name")?;
                Ok(false)
            }
            1 => {
                let length = self.number("length of a name")? as usize;
                let name = mapi::utf_16(self.take(length, "name of a property")?);
                self.pad(length);
                Ok(set == INTERNET_HEADERS && name.eq_ignore_ascii_case(CONTENT_TYPE))
            }
            other => Err(self.fault(format!("a name of the kind {other}, and 0 and 1 are all there are"))),
        }
    }

    /// Values of variable length, each with its own; the first one.
    fn variable(&mut self, id: u16, kind: u16) -> Result<Option<&'a [u8]>, CaptureError> {
        let mut first = None;
        let what = of_property(id, kind, self.path.contains("attAttachment"));
        for _ in 0..self.number("number of values")? {
            self.count()?;
            let length = self.number("length of a value")? as usize;
            let value = self.take(length, "value")?;
            match kind {
                kind::STRING => (self.tell)(&self.path, what, mapi::utf_16(value).as_bytes()),
                _ => (self.tell)(&self.path, what, value),
            }
            self.pad(length);
            first.get_or_insert(value);
        }
        Ok(first)
    }

    /// One value of fixed length, or a number of them.
    fn fixed(&mut self, kind: u16, several: bool) -> Result<Option<&'a [u8]>, CaptureError> {
        let length = match kind {
            kind::INTEGER_16 | kind::BOOLEAN => 2,
            kind::INTEGER_32 | kind::FLOATING_32 | kind::ERROR_CODE => 4,
            kind::FLOATING_64 | kind::CURRENCY | kind::FLOATING_TIME | kind::INTEGER_64 | kind::TIME => 8,
            kind::GUID => 16,
            _ => return Err(self.fault(format!("the type 0x{kind:04X} is none that TNEF has"))),
        };
        let count = if several { self.number("number of values")? } else { 1 };
        let mut first = None;
        for _ in 0..count {
            self.count()?;
            let value = self.take(length, "value")?;
            self.pad(length);
            first.get_or_insert(value);
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of so many recipients that have no property.
    fn recipients(count: u32) -> Vec<u8> {
        let table = [&count.to_le_bytes()[..], &vec![0; count as usize * 4]].concat();
        let sum = table.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
        let length = u32::try_from(table.len()).unwrap().to_le_bytes();
        [&SIGNATURE[..], &[1, 0, MESSAGE], &RECIP_TABLE.to_le_bytes(), &length, &table, &sum.to_le_bytes()].concat()
    }

    #[test]
    fn recipients_without_properties_are_counted() {
        // The attribute is one of the items.
        let most = u32::try_from(MOST_ITEMS).unwrap() - 1;
        assert_eq!(read(&recipients(most)).unwrap().recipients.len(), MOST_ITEMS - 1);
        let error = read(&recipients(most + 2)).unwrap_err().to_string();
        assert!(
            error.starts_with("winmail.dat/attRecipTable 0x00069004, offset ") && error.contains("20000"),
            "{error}"
        );
    }
}
