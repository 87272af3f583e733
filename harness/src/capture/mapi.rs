//! A message as MAPI has it ([MS-OXCMSG]): properties, recipients, attachments.
//! Of the properties only those are kept that a mail can be made from.

use std::collections::BTreeMap;

/// Property identifiers ([MS-OXPROPS]).
pub(super) mod id {
    pub(in super::super) const MESSAGE_CLASS: u16 = 0x001A;
    pub(in super::super) const SUBJECT: u16 = 0x0037;
    pub(in super::super) const CLIENT_SUBMIT_TIME: u16 = 0x0039;
    pub(in super::super) const TRANSPORT_MESSAGE_HEADERS: u16 = 0x007D;
    pub(in super::super) const RECIPIENT_TYPE: u16 = 0x0C15;
    pub(in super::super) const SENDER_NAME: u16 = 0x0C1A;
    pub(in super::super) const SENDER_EMAIL_ADDRESS: u16 = 0x0C1F;
    pub(in super::super) const INTERNET_MESSAGE_ID: u16 = 0x1035;
    pub(in super::super) const DISPLAY_NAME: u16 = 0x3001;
    pub(in super::super) const EMAIL_ADDRESS: u16 = 0x3003;
    pub(in super::super) const ATTACH_DATA_BINARY: u16 = 0x3701;
    pub(in super::super) const ATTACH_FILENAME: u16 = 0x3704;
    pub(in super::super) const ATTACH_LONG_FILENAME: u16 = 0x3707;
    pub(in super::super) const ATTACH_MIME_TAG: u16 = 0x370E;
    pub(in super::super) const SMTP_ADDRESS: u16 = 0x39FE;
    pub(in super::super) const SENDER_SMTP_ADDRESS: u16 = 0x5D01;
}

/// Those that are kept, and what they are called in errors.
const KEPT: [(u16, &str); 16] = [
    (id::MESSAGE_CLASS, "PidTagMessageClass"),
    (id::SUBJECT, "PidTagSubject"),
    (id::CLIENT_SUBMIT_TIME, "PidTagClientSubmitTime"),
    (id::TRANSPORT_MESSAGE_HEADERS, "PidTagTransportMessageHeaders"),
    (id::RECIPIENT_TYPE, "PidTagRecipientType"),
    (id::SENDER_NAME, "PidTagSenderName"),
    (id::SENDER_EMAIL_ADDRESS, "PidTagSenderEmailAddress"),
    (id::INTERNET_MESSAGE_ID, "PidTagInternetMessageId"),
    (id::DISPLAY_NAME, "PidTagDisplayName"),
    (id::EMAIL_ADDRESS, "PidTagEmailAddress"),
    (id::ATTACH_DATA_BINARY, "PidTagAttachDataBinary"),
    (id::ATTACH_FILENAME, "PidTagAttachFilename"),
    (id::ATTACH_LONG_FILENAME, "PidTagAttachLongFilename"),
    (id::ATTACH_MIME_TAG, "PidTagAttachMimeTag"),
    (id::SMTP_ADDRESS, "PidTagSmtpAddress"),
    (id::SENDER_SMTP_ADDRESS, "PidTagSenderSmtpAddress"),
];

/// The property set of header fields, PS_INTERNET_HEADERS, as it is stored
/// ([MS-OXPROPS] section 1.3.2).
pub(super) const INTERNET_HEADERS: [u8; 16] = [0x86, 3, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];
/// The name in that set under which the Content-Type of a mail is kept ([MS-OXOSMIME] section 2.1.3.2.1.2).
pub(super) const CONTENT_TYPE: &str = "content-type";

/// The type of a property ([MS-OXCDATA] section 2.11.1), without the flag of several values.
pub(super) mod kind {
    pub(in super::super) const INTEGER_16: u16 = 0x0002;
    pub(in super::super) const INTEGER_32: u16 = 0x0003;
    pub(in super::super) const FLOATING_32: u16 = 0x0004;
    pub(in super::super) const FLOATING_64: u16 = 0x0005;
    pub(in super::super) const CURRENCY: u16 = 0x0006;
    pub(in super::super) const FLOATING_TIME: u16 = 0x0007;
    pub(in super::super) const ERROR_CODE: u16 = 0x000A;
    pub(in super::super) const BOOLEAN: u16 = 0x000B;
    pub(in super::super) const OBJECT: u16 = 0x000D;
    pub(in super::super) const INTEGER_64: u16 = 0x0014;
    pub(in super::super) const STRING_8: u16 = 0x001E;
    pub(in super::super) const STRING: u16 = 0x001F;
    pub(in super::super) const TIME: u16 = 0x0040;
    pub(in super::super) const GUID: u16 = 0x0048;
    pub(in super::super) const BINARY: u16 = 0x0102;
    /// Several values.
    pub(in super::super) const MULTIPLE: u16 = 0x1000;
}

/// The name of a kept property; `None` for one that is not.
pub(super) fn kept(id: u16) -> Option<&'static str> {
    KEPT.iter().find(|(kept, _)| *kept == id).map(|(_, name)| *name)
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Octets, or text in some code page.
    Octets(Vec<u8>),
    /// Text in Unicode.
    Text(String),
    /// A number, or a FILETIME.
    Number(u64),
}

impl Value {
    /// The value of a type in which its octets are stored; `None` for a type that is not kept.
    pub(super) fn read(kind: u16, octets: &[u8]) -> Option<Self> {
        // What stands behind a shorter number in its row means nothing.
        let number = |length: usize| {
            let mut padded = [0; 8];
            let length = octets.len().min(length);
            padded[..length].copy_from_slice(&octets[..length]);
            u64::from_le_bytes(padded)
        };
        match kind {
            kind::STRING_8 => Some(Self::Octets(without_nul(octets).to_vec())),
            kind::BINARY => Some(Self::Octets(octets.to_vec())),
            kind::STRING => Some(Self::Text(utf_16(octets))),
            kind::INTEGER_32 => Some(Self::Number(number(4))),
            kind::TIME => Some(Self::Number(number(8))),
            _ => None,
        }
    }
}

/// Text in UTF-16, little end first, up to a NUL.
pub(super) fn utf_16(octets: &[u8]) -> String {
    let units = octets.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units.take_while(|unit| *unit != 0)).map(|one| one.unwrap_or('\u{fffd}')).collect()
}

fn without_nul(octets: &[u8]) -> &[u8] {
    octets.split(|octet| *octet == 0).next().unwrap_or_default()
}

/// The properties of an object, as far as they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Properties {
    values: BTreeMap<u16, Value>,
    /// The named property Content-Type.
    pub(super) content_type: Option<String>,
}

impl Properties {
    pub(super) fn set(&mut self, id: u16, value: Value) {
        self.values.insert(id, value);
    }

    /// Sets a property that is not there.
    pub(super) fn set_weakly(&mut self, id: u16, value: Value) {
        self.values.entry(id).or_insert(value);
    }

    /// Octets of a binary property, or of text as it is stored; text in Unicode as UTF-8.
    pub(super) fn octets(&self, id: u16) -> Option<&[u8]> {
        match self.values.get(&id)? {
            Value::Octets(octets) => Some(octets),
            Value::Text(text) => Some(text.as_bytes()),
            Value::Number(_) => None,
        }
    }

    /// Text; what is no UTF-8 is read as ISO 8859-1. An empty one counts as absent.
    pub(super) fn text(&self, id: u16) -> Option<String> {
        let octets = self.octets(id).filter(|octets| !octets.is_empty())?;
        Some(match std::str::from_utf8(octets) {
            Ok(text) => text.to_owned(),
            Err(_) => octets.iter().copied().map(char::from).collect(),
        })
    }

    pub(super) fn number(&self, id: u16) -> Option<u64> {
        match self.values.get(&id)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// A message with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Message {
    pub(super) properties: Properties,
    pub(super) recipients: Vec<Properties>,
    pub(super) attachments: Vec<Properties>,
}
