//! A mail that was written, as a draft in Thunderbird: what a person would have
//! typed and attached to write the same.

use std::io::{Cursor, Read};
use std::path::Path;

use waxseal_engine::Limits;
use waxseal_engine::mime::{self, Part};

use super::Trouble;
use crate::charset;
use crate::thunderbird::process::{Attachment, Draft};

/// The author of a mail, and the draft.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) draft: Draft,
}

/// Reads a mail; its attachments become files of `folder`.
pub(super) fn read(mail: &[u8], folder: &Path) -> Result<Written, Trouble> {
    let root = mime::parse(&mut Cursor::new(mail), &Limits::default()).map_err(Trouble::at("the mail"))?;
    let field = |name: &str| root.headers.get(name).map(|field| field.value().into_owned()).unwrap_or_default();
    let list = |name: &str| Some(field(name)).filter(|value| !value.trim().is_empty()).into_iter().collect();
    let (name, address) = mailbox(&field("From"))?;
    let mut draft = Draft {
        to: list("To"),
        cc: list("Cc"),
        subject: field("Subject"),
        message_id: field("Message-ID"),
        references: field("References"),
        ..Draft::default()
    };
    let (text, attached) = match root.content_type.media_type.as_str() {
        "multipart/mixed" => root.children.split_first().ok_or_else(|| unfit("an empty multipart/mixed"))?,
        _ => (&root, &[][..]),
    };
    draft.media_type = match text.content_type.media_type.as_str() {
        kind @ ("text/plain" | "text/html") => kind.to_owned(),
        other => return Err(unfit(other)),
    };
    draft.body = body(mail, text)?;
    for (number, part) in attached.iter().enumerate() {
        draft.attachments.push(attachment(mail, part, &folder.join(number.to_string()))?);
    }
    Ok(Written { address, name, draft })
}

fn unfit(what: &str) -> Trouble {
    Trouble::Unsupported(format!("Thunderbird is asked to write text with attachments, and not {what}"))
}

fn decoded(mail: &[u8], part: &Part) -> Result<Vec<u8>, Trouble> {
    let mut octets = Vec::new();
    let mut source = Cursor::new(mail);
    let body = mime::decode_body(&mut source, part).map_err(Trouble::at("the mail"));
    body?.read_to_end(&mut octets).map_err(Trouble::at("the mail"))?;
    Ok(octets)
}

fn body(mail: &[u8], part: &Part) -> Result<String, Trouble> {
    let octets = decoded(mail, part)?;
    let label = part.content_type.get("charset");
    let unknown = || unfit(&format!("text that its character set, {}, does not explain", label.unwrap_or("us-ascii")));
    charset::decode(&octets, label).ok_or_else(unknown)
}

fn attachment(mail: &[u8], part: &Part, path: &Path) -> Result<Attachment, Trouble> {
    if part.content_type.is_multipart() {
        return Err(unfit(&part.content_type.media_type));
    }
    std::fs::write(path, decoded(mail, part)?).map_err(Trouble::at("an attachment"))?;
    let name = part.file_name().unwrap_or_else(|| "attachment".to_owned());
    Ok(Attachment { path: path.to_owned(), name, media_type: part.content_type.media_type.clone() })
}

/// The display name and the address of a field with one mailbox.
fn mailbox(field: &str) -> Result<(String, String), Trouble> {
    let field = field.trim();
    let (name, address) = match field.rsplit_once('<') {
        Some((name, rest)) => (name.trim().trim_matches('"').to_owned(), rest.trim_end_matches('>').trim()),
        None => (String::new(), field),
    };
    if address.contains('@') && !address.contains([',', ' ']) {
        Ok((name, address.to_owned()))
    } else {
        Err(unfit(&format!("a mail of {field:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_an_attachment() {
        let mail = "From: \"Alice Amber\" <alice@example.test>\r\nTo: Bob <bob@example.test>\r\nSubject: =?utf-8?q?T=C3=A9?=\r\n\
            Message-ID: <1@example.test>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\
            Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nT=E9\r\n--x\r\n\
            Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAE=\r\n--x--\r\n";
        let folder = tempfile::tempdir().unwrap();
        let written = read(mail.as_bytes(), folder.path()).unwrap();
        assert_eq!((written.name.as_str(), written.address.as_str()), ("Alice Amber", "alice@example.test"));
        let draft = written.draft;
        assert_eq!((draft.body.as_str(), draft.message_id.as_str()), ("Té", "<1@example.test>"));
        let [attachment] = draft.attachments.as_slice() else { panic!("{draft:?}") };
        assert_eq!((attachment.name.as_str(), attachment.media_type.as_str()), ("a.pdf", "application/pdf"));
        assert_eq!(std::fs::read(&attachment.path).unwrap(), [0, 1]);
    }

    #[test]
    fn what_nobody_types() {
        for mail in [
            "From: a@example.test, b@example.test\r\n\r\nx\r\n",
            "From: a@example.test\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\ny\r\n--x--\r\n",
            "From: a@example.test\r\nContent-Type: text/plain; charset=of-nobody\r\n\r\nx\r\n",
        ] {
            let refused = read(mail.as_bytes(), Path::new("/nowhere"));
            assert!(matches!(refused, Err(Trouble::Unsupported(_))), "{mail}: {refused:?}");
        }
    }
}
