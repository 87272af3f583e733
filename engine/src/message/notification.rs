//! Disposition notifications (RFC 8098): what a mail program says of a message
//! that it got.

use std::io::Read;

use waxseal_verdict::Notification;

use crate::Limits;
use crate::io::Source;
use crate::mime::{self, Headers, MimeError, Part};

/// Notifications of one message that are read.
pub(super) const MOST: usize = 16;

/// Reads a part, if it is a notification with a Disposition field (RFC 8098
/// section 3.2.6) that can be read.
pub(super) fn read(source: &mut dyn Source, part: &Part, limits: &Limits) -> Result<Option<Notification>, MimeError> {
    if part.content_type.media_type != "message/disposition-notification" {
        return Ok(None);
    }
    let body = mime::decode_body(source, part)?;
    let mut octets = Vec::new();
    if body.take(limits.header_octets as u64).read_to_end(&mut octets).is_err() {
        return Ok(None);
    }
    // A section of header fields; the empty line after it may be missing.
    octets.extend_from_slice(b"\r\n\r\n");
    let Ok(fields) = Headers::parse(&octets, limits.header_octets.saturating_add(4)) else { return Ok(None) };
    Ok(of_fields(&fields))
}

fn of_fields(fields: &Headers) -> Option<Notification> {
    let value = |name: &str| fields.get(name).map(|field| field.value().trim().to_owned());
    let disposition = value("disposition")?;
    let (mode, kind) = disposition.split_once(';')?;
    let (action, sending) = mode.split_once('/')?;
    let (kind, modifiers) = kind.split_once('/').unwrap_or((kind, ""));
    let word = |text: &str| text.trim().to_owned();
    let modifiers = modifiers.split(',').map(word).filter(|modifier| !modifier.is_empty()).collect();
    // An address stands after its type, such as `rfc822`.
    let address = |name: &str| {
        let found = value(name)?;
        let bare = found.split_once(';').map(|(_, address)| address.trim().to_owned());
        Some(bare.unwrap_or(found))
    };
    Some(Notification {
        disposition: word(kind).to_ascii_lowercase(),
        modifiers,
        action: word(action).to_ascii_lowercase(),
        sending: word(sending),
        final_recipient: address("final-recipient").unwrap_or_default(),
        original_recipient: address("original-recipient"),
        original_message_id: value("original-message-id"),
        ..Notification::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Option<Notification> {
        of_fields(&Headers::parse(format!("{text}\r\n\r\n").as_bytes(), 10_000).unwrap())
    }

    /// The example of RFC 8098 section 8, and a disposition with modifiers.
    #[test]
    fn fields_become_a_notification() {
        let example = "Reporting-UA: joes-pc.cs.example.com; Foomail 97.1\r\n\
                       Original-Recipient: rfc822;Joe_Recipient@example.com\r\n\
                       Final-Recipient: rfc822;Joe_Recipient@example.com\r\n\
                       Original-Message-ID: <199509192301.23456@example.org>\r\n\
                       Disposition: manual-action/MDN-sent-manually; displayed";
        let found = fields(example).unwrap();
        assert_eq!((found.action.as_str(), found.sending.as_str()), ("manual-action", "MDN-sent-manually"));
        assert_eq!((found.disposition.as_str(), found.modifiers.len()), ("displayed", 0));
        assert_eq!(found.final_recipient, "Joe_Recipient@example.com");
        assert_eq!(found.original_message_id.as_deref(), Some("<199509192301.23456@example.org>"));
        let found =
            fields("Disposition: automatic-action / MDN-sent-automatically;\r\n processed/error, x-odd").unwrap();
        assert_eq!(
            (found.disposition.as_str(), found.modifiers),
            ("processed", vec!["error".to_owned(), "x-odd".to_owned()])
        );
        for text in ["Final-Recipient: rfc822;a@b", "Disposition: displayed", "Disposition: manual-action; displayed"] {
            assert_eq!(fields(text), None, "{text}");
        }
    }
}
