//! The mail that Outlook or Exchange took apart ([MS-OXOSMIME] section 2.1.3).
//!
//! A clear-signed mail lies whole in its only attachment, with its Content-Type;
//! of one that is signed opaque or encrypted the CMS object does. Around that
//! stands the header as it was received, where it was kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use waxseal_model::CaptureForm;

use super::mapi::{Message, Properties, id};
use super::{CaptureError, Captured};

/// Octets of base64 in a line, as RFC 2045 section 6.8 allows.
const LINE: usize = 76;
/// Fields that speak of the body, which is another one inside the container.
const OF_THE_BODY: [&str; 4] =
    ["content-type", "content-transfer-encoding", "content-disposition", "content-description"];
/// FILETIME counts from 1601, in tenths of a microsecond.
const FILETIME_EPOCH: i64 = 11_644_473_600;
/// Recipients that are written into a header.
const MOST_RECIPIENTS: usize = 1000;

/// What a message has that was signed or encrypted.
enum Protected<'a> {
    /// The entity multipart/signed with its header.
    Clear(&'a [u8]),
    /// A CMS object, and its media type as far as it is known.
    Opaque(&'a [u8], &'a Properties),
}

/// The mail of a message; `outer` is the header of the mail that it came in.
pub(super) fn mail(message: &Message, outer: Option<&[u8]>, form: CaptureForm) -> Result<Captured, CaptureError> {
    let protected = protected(message)?;
    let mut remade = Vec::new();
    let stored = message.properties.octets(id::TRANSPORT_MESSAGE_HEADERS).filter(|header| !header.is_empty());
    let mut header = match (outer, stored) {
        (Some(outer), _) => {
            remade.push(
                "header: that of the mail that winmail.dat came in, without what it says of that body".to_owned(),
            );
            let mut header = Header::read(outer);
            header.drop_body();
            header
        }
        (None, Some(stored)) => {
            remade.push("header: as the program stored it (PidTagTransportMessageHeaders)".to_owned());
            Header::read(stored)
        }
        (None, None) => {
            remade.push(
                "header: none was stored; From, To, Cc, Subject, Date and Message-ID are from properties".to_owned(),
            );
            Header::of_properties(message)
        }
    };
    let mail = match protected {
        Protected::Clear(entity) => {
            let (inner, body) = split(entity);
            let inner = Header::read(inner);
            if header.value("content-type").is_none_or(|value| Some(value) != inner.value("content-type")) {
                header.drop_body();
                header.fields.extend(inner.fields);
            }
            header.with_body(body)
        }
        Protected::Opaque(object, attachment) => {
            header.speak_of_object(object, message, attachment, &mut remade);
            remade.push(format!(
                "transfer encoding: base64 in lines of {LINE}; the octets of the object are as they were"
            ));
            header.with_body(&lines(object))
        }
    };
    Ok(Captured { mail, form, remade })
}

/// What the one attachment of an S/MIME message holds (sections 2.1.3.1.2 and 2.1.3.2.2).
fn protected(message: &Message) -> Result<Protected<'_>, CaptureError> {
    let class = message.properties.text(id::MESSAGE_CLASS).unwrap_or_default();
    let upper = class.to_ascii_uppercase();
    let is_smime = upper.ends_with(".SMIME") || upper.ends_with(".SMIME.MULTIPARTSIGNED");
    let [attachment] = message.attachments.as_slice() else {
        let count = message.attachments.len();
        return Err(if is_smime {
            CaptureError::damaged(
                "attachments",
                None,
                format!("a message of the class {class} has exactly one, and this has {count}"),
            )
        } else {
            unsuitable(&class)
        });
    };
    let data = attachment.octets(id::ATTACH_DATA_BINARY).unwrap_or_default();
    let media = attachment.text(id::ATTACH_MIME_TAG).unwrap_or_default().to_ascii_lowercase();
    let name = attachment.text(id::ATTACH_LONG_FILENAME).or_else(|| attachment.text(id::ATTACH_FILENAME));
    let is_object_name = name.is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"));
    let entity = Header::read(split(data).0);
    let is_clear = entity.value("content-type").is_some_and(|value| value.starts_with("multipart/signed"));
    let is_object = match media.as_str() {
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => true,
        "" | "application/octet-stream" => is_object_name || is_smime,
        _ => false,
    };
    if is_clear {
        Ok(Protected::Clear(data))
    } else if is_object && data.first() == Some(&0x30) {
        Ok(Protected::Opaque(data, attachment))
    } else if is_smime || is_object || media == "multipart/signed" {
        let what = format!(
            "is neither multipart/signed with its Content-Type nor a CMS object, in a message of the class {class}"
        );
        Err(CaptureError::damaged("attachment 1 (PidTagAttachDataBinary)", Some(0), what))
    } else {
        Err(unsuitable(&class))
    }
}

fn unsuitable(class: &str) -> CaptureError {
    let class = if class.is_empty() { "without a class" } else { class };
    CaptureError::Unsuitable(format!(
        "a message {class}: Outlook keeps what was signed or encrypted in messages of the class IPM.Note.SMIME and \
         IPM.Note.SMIME.MultipartSigned only; of this one nothing is left to verify. Save the mail again before it is \
         decrypted or its signature removed"
    ))
}

/// Header and body of an entity, the empty line with neither.
fn split(entity: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(length) = entity[at..].iter().position(|octet| *octet == b'\n') {
        let line = &entity[at..at + length];
        if line.is_empty() || line == b"\r" {
            return (&entity[..at], &entity[at + length + 1..]);
        }
        at += length + 1;
    }
    (entity, &[])
}

/// An object in lines of base64.
fn lines(object: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(object);
    let mut out = Vec::with_capacity(text.len() + text.len() / LINE * 2 + 2);
    for line in text.as_bytes().chunks(LINE) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// A header: fields with their folds, as they stood.
#[derive(Debug, Clone, Default)]
struct Header {
    /// Each with its colon, folds with CRLF, without the last line end.
    fields: Vec<Vec<u8>>,
}

impl Header {
    /// The fields of a section; what is none (Exchange 2000 wrote a title above them) is left out.
    fn read(section: &[u8]) -> Self {
        let mut fields: Vec<Vec<u8>> = Vec::new();
        let mut goes_on = false;
        for line in section.split(|octet| *octet == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                if fields.is_empty() {
                    continue;
                }
                break;
            }
            match line.first() {
                Some(b' ' | b'\t') if goes_on => {
                    if let Some(field) = fields.last_mut() {
                        field.extend_from_slice(b"\r\n");
                        field.extend_from_slice(line);
                    }
                }
                _ => {
                    goes_on = name(line).is_some();
                    if goes_on {
                        fields.push(line.to_vec());
                    }
                }
            }
        }
        Self { fields }
    }

    /// From what is left of a header in properties.
    fn of_properties(message: &Message) -> Self {
        let properties = &message.properties;
        let mut header = Self::default();
        let address = properties
            .text(id::SENDER_SMTP_ADDRESS)
            .or_else(|| properties.text(id::SENDER_EMAIL_ADDRESS).filter(|address| address.contains('@')));
        header.push("From", mailbox(properties.text(id::SENDER_NAME), address));
        // [MS-OXOMSG] section 2.2.3.1: 1 is To, 2 is Cc; blind ones stay blind.
        for (kind, name) in [(1, "To"), (2, "Cc")] {
            let of_kind = |recipient: &&Properties| recipient.number(id::RECIPIENT_TYPE).unwrap_or(1) & 0xF == kind;
            let boxes = message.recipients.iter().filter(of_kind).take(MOST_RECIPIENTS).filter_map(|recipient| {
                let address = recipient.text(id::SMTP_ADDRESS).or_else(|| recipient.text(id::EMAIL_ADDRESS));
                mailbox(recipient.text(id::DISPLAY_NAME), address.filter(|address| address.contains('@')))
            });
            let boxes: Vec<_> = boxes.collect();
            header.push(name, Some(boxes.join(",\r\n ")).filter(|boxes| !boxes.is_empty()));
        }
        header.push("Subject", properties.text(id::SUBJECT).map(|subject| words(&subject)));
        let date = properties.number(id::CLIENT_SUBMIT_TIME).and_then(|time| {
            let seconds = i64::try_from(time / 10_000_000).ok()?.checked_sub(FILETIME_EPOCH)?;
            OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc2822).ok()
        });
        header.push("Date", date);
        header.push("Message-ID", properties.text(id::INTERNET_MESSAGE_ID).map(|text| printable(&text)));
        header
    }

    fn push(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.fields.push(format!("{name}: {value}").into_bytes());
        }
    }

    /// A field without its folds and white space between words, in lower case
    /// up to its first `;`: enough to tell whether two say the same.
    fn value(&self, wanted: &str) -> Option<String> {
        let field =
            self.fields.iter().find(|field| name(field).is_some_and(|name| name.eq_ignore_ascii_case(wanted)))?;
        let colon = field.iter().position(|octet| *octet == b':')?;
        let text: String = field[colon + 1..].iter().map(|octet| char::from(*octet)).collect();
        let (media, parameters) = text.split_once(';').unwrap_or((&text, ""));
        let parameters: Vec<_> = parameters.split_whitespace().collect();
        let parameters = parameters.concat();
        Some(format!("{};{}", media.trim().to_ascii_lowercase(), parameters.trim_end_matches(';')))
    }

    /// Leaves out what speaks of a body.
    fn drop_body(&mut self) {
        let is_of_body = |field: &Vec<u8>| {
            name(field).is_some_and(|name| OF_THE_BODY.iter().any(|other| name.eq_ignore_ascii_case(other)))
        };
        self.fields.retain(|field| !is_of_body(field));
    }

    /// Says what an object is: as the mail said, as the program noted, or as the object does.
    fn speak_of_object(&mut self, object: &[u8], message: &Message, attachment: &Properties, remade: &mut Vec<String>) {
        let speaks = |value: &String| {
            ["application/pkcs7-mime;", "application/x-pkcs7-mime;", "application/octet-stream;"]
                .iter()
                .any(|media| value.starts_with(media))
        };
        let is_base64 = self.value("content-transfer-encoding").as_deref() == Some("base64;");
        if self.value("content-type").as_ref().is_some_and(speaks) {
            if !is_base64 {
                let named = |field: &Vec<u8>| {
                    name(field).is_some_and(|name| name.eq_ignore_ascii_case("content-transfer-encoding"))
                };
                self.fields.retain(|field| !named(field));
                self.push("Content-Transfer-Encoding", Some("base64".to_owned()));
            }
            return;
        }
        self.drop_body();
        let noted = message.properties.content_type.as_ref().or(attachment.content_type.as_ref());
        let value = match noted {
            Some(noted) => printable(noted),
            None => {
                remade.push("content type: none was stored; written from the name and the object".to_owned());
                let media = attachment.text(id::ATTACH_MIME_TAG).map(|media| printable(&media));
                let media = media.filter(|media| media.contains('/'));
                let kind = smime_type(object).map(|kind| format!(" smime-type={kind};")).unwrap_or_default();
                format!("{};{kind} name=\"smime.p7m\"", media.as_deref().unwrap_or("application/pkcs7-mime"))
            }
        };
        self.push("Content-Type", Some(value));
        self.push("Content-Transfer-Encoding", Some("base64".to_owned()));
        self.push("Content-Disposition", Some("attachment; filename=\"smime.p7m\"".to_owned()));
    }

    fn with_body(mut self, body: &[u8]) -> Vec<u8> {
        if self.value("mime-version").is_none() {
            self.push("MIME-Version", Some("1.0".to_owned()));
        }
        let mut mail = Vec::with_capacity(body.len() + 4096);
        for field in &self.fields {
            mail.extend_from_slice(field);
            mail.extend_from_slice(b"\r\n");
        }
        mail.extend_from_slice(b"\r\n");
        mail.extend_from_slice(body);
        mail
    }
}

/// The name of a field (RFC 5322 section 2.2): printable ASCII up to a colon.
fn name(line: &[u8]) -> Option<&str> {
    let colon = line.iter().position(|octet| *octet == b':')?;
    let name = line[..colon].trim_ascii_end();
    let fits = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(name).ok().filter(|_| fits)
}

/// The smime-type of an object (RFC 8551 section 3.2.2), by its content type.
fn smime_type(object: &[u8]) -> Option<&'static str> {
    const TYPES: [(&[u8], &str); 4] = [
        (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2], "signed-data"),
        (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3], "enveloped-data"),
        (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 9], "compressed-data"),
        (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 23], "authEnveloped-data"),
    ];
    // SEQUENCE with a length of up to five octets, then the identifier.
    let length = match object.get(1)? {
        octet @ 0x81..=0x84 => usize::from(octet & 0x7F) + 1,
        _ => 1,
    };
    let inner = object.get(1 + length..)?;
    let (6, octets) = (*inner.first()?, usize::from(*inner.get(1)?)) else { return None };
    let identifier = inner.get(2..2 + octets)?;
    TYPES.iter().find(|(known, _)| *known == identifier).map(|(_, name)| *name)
}

/// A mailbox (RFC 5322 section 3.4), as far as it is known.
fn mailbox(display: Option<String>, address: Option<String>) -> Option<String> {
    let address = address.map(|address| {
        let fits = |one: &char| one.is_ascii_graphic() && !matches!(one, '<' | '>' | ',' | ';');
        address.chars().filter(fits).collect::<String>()
    });
    match (display, address) {
        (Some(display), Some(address)) if display != address => {
            let text = printable(&display);
            let quoted = || format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let display = if text.is_ascii() { quoted() } else { words(&display) };
            Some(format!("{display} <{address}>"))
        }
        (_, Some(address)) => Some(format!("<{address}>")),
        _ => None,
    }
}

/// Text in a field: encoded words (RFC 2047) where it is not ASCII.
fn words(text: &str) -> String {
    let text = printable(text);
    if text.is_ascii() {
        return text;
    }
    let mut out = Vec::new();
    let mut word = String::new();
    for one in text.chars() {
        // Forty-five octets are sixty of base64, and a word has at most seventy-five.
        if word.len() + one.len_utf8() > 45 {
            out.push(STANDARD.encode(&word));
            word.clear();
        }
        word.push(one);
    }
    out.push(STANDARD.encode(&word));
    out.iter().map(|word| format!("=?utf-8?B?{word}?=")).collect::<Vec<_>>().join("\r\n ")
}

/// Text of a property that cannot end the field that it is put into.
fn printable(text: &str) -> String {
    let spaced = text.split(|one: char| one.is_control()).filter(|part| !part.is_empty());
    spaced.collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::mapi::Value;
    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    fn opaque(header: &str, object: &[u8]) -> Message {
        let mut message = Message::default();
        message.properties.set(id::MESSAGE_CLASS, text("IPM.Note.SMIME"));
        message.properties.set(id::TRANSPORT_MESSAGE_HEADERS, text(header));
        let mut attachment = Properties::default();
        attachment.set(id::ATTACH_DATA_BINARY, Value::Octets(object.to_vec()));
        attachment.set(id::ATTACH_LONG_FILENAME, text("smime.p7m"));
        message.attachments.push(attachment);
        message
    }

    const OBJECT: &[u8] = &[0x30, 0x80, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3, 0, 0];

    fn made(message: &Message) -> String {
        String::from_utf8(mail(message, None, CaptureForm::Msg).unwrap().mail).unwrap()
    }

    #[test]
    fn a_header_that_says_what_the_object_is_stays_as_it_is() {
        let header = "From: <a@example.test>\r\nContent-Type: application/x-pkcs7-mime;\r\n\tname=smime.p7m\r\n\
                      Content-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n\r\n";
        assert_eq!(made(&opaque(header, OBJECT)), format!("{header}MIAGCSqGSIb3DQEHAwAA\r\n"));
    }

    #[test]
    fn one_that_says_something_else_is_told_by_the_object() {
        let header = "Microsoft Mail Internet Headers Version 2.0\r\nFrom: <a@example.test>\r\n\
                      Content-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n";
        let mail = made(&opaque(header, OBJECT));
        assert!(
            mail.starts_with(
                "From: <a@example.test>\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data;"
            )
        );
        assert!(!mail.contains("8bit") && mail.contains("MIME-Version: 1.0\r\n\r\nMIAG"), "{mail}");
        let mut noted = opaque(header, OBJECT);
        noted.properties.content_type = Some("application/pkcs7-mime;\r\n name=a.p7m".to_owned());
        assert!(made(&noted).contains("\r\nContent-Type: application/pkcs7-mime;  name=a.p7m\r\n"), "{}", made(&noted));
    }

    #[test]
    fn no_property_adds_a_field() {
        let mut message = opaque("", OBJECT);
        message.properties.set(id::SUBJECT, text("a\r\nBcc: <eve@example.test>\r\n\r\nbody"));
        message.properties.set(id::SENDER_NAME, text("\"Ann\"\nX: y"));
        message.properties.set(id::SENDER_SMTP_ADDRESS, text("a@example.test>\r\nX: y"));
        message.properties.set(id::CLIENT_SUBMIT_TIME, Value::Number(133_800_000_000_000_000));
        let mut recipient = Properties::default();
        recipient.set(id::DISPLAY_NAME, text("Jürgen"));
        recipient.set(id::SMTP_ADDRESS, text("j@example.test"));
        message.recipients.push(recipient);
        let mail = made(&message);
        let names: Vec<_> =
            mail.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split(':').next()).collect();
        let body = ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"];
        assert_eq!(names, [&["From", "To", "Subject", "Date"][..], &body].concat(), "{mail}");
        assert!(mail.contains("To: =?utf-8?B?SsO8cmdlbg==?= <j@example.test>\r\n"), "{mail}");
        assert!(mail.contains("Date: Mon, 30 Dec 2024 02:40:00 +0000"), "{mail}");
    }

    #[test]
    fn a_message_that_keeps_nothing_of_a_signature_is_said() {
        let mut message = opaque("", OBJECT);
        message.attachments.clear();
        let error = mail(&message, None, CaptureForm::Msg).unwrap_err();
        assert!(error.to_string().contains("exactly one, and this has 0"), "{error}");
        message.properties.set(id::MESSAGE_CLASS, text("IPM.Note"));
        let error = mail(&message, None, CaptureForm::Msg).unwrap_err();
        assert!(matches!(&error, CaptureError::Unsuitable(why) if why.contains("IPM.Note:")), "{error}");
    }
}
