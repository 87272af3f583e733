//! A mail as a person has it: as it is, as Outlook saves it (`.msg`, a compound
//! file of [MS-OXMSG]), or as Exchange wraps it (`winmail.dat`, [MS-OXTNEF],
//! also inside a mail). What was signed or encrypted comes out octet for octet;
//! what had to be written anew around it is said.
//!
//! Nothing here is trusted: sizes, counts and nesting have limits, and every
//! fault names the place.

mod claim;
mod mapi;
mod msg;
mod private;
mod rebuild;
mod tnef;

use std::fmt;
use std::io::{Cursor, Read as _};

use waxseal_engine::Limits;
use waxseal_engine::mime::{MimeError, Part, decode_body, has_header_field, parse, smime};
use waxseal_model::CaptureForm;

pub use claim::{Claimed, claimed};
pub use private::{Private, PrivateKind, private_in};

/// Octets of a captured file, and of everything that is taken out of it.
pub const MOST_OCTETS: u64 = 64 << 20;
/// Attributes, properties, streams and attachments that are looked at.
const MOST_ITEMS: usize = 20_000;

/// A captured mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The mail (RFC 5322).
    pub mail: Vec<u8>,
    /// How it came.
    pub form: CaptureForm,
    /// What in it is not as its program wrote it, a line each.
    pub remade: Vec<String>,
}

/// Why no mail comes out of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The container is damaged.
    #[error("{place}: {what}")]
    Damaged {
        /// Where, as far as it is known.
        place: Place,
        /// What is wrong there.
        what: String,
    },
    /// The container is whole, and nothing that was signed or encrypted is in it.
    #[error("{0}")]
    Unsuitable(String),
    /// It is neither mail nor one of the containers.
    #[error("neither a mail (no header field), nor .msg of Outlook, nor winmail.dat")]
    NotAMessage,
    /// It is a mail that cannot be cut into parts.
    #[error("a mail that cannot be cut into parts: {0}")]
    Mail(String),
}

/// A place in a container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The stream, attribute or property, outermost first.
    pub path: String,
    /// Octets from the start of the file, or of the stream.
    pub offset: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{}, offset {offset}", self.path),
            None => f.write_str(&self.path),
        }
    }
}

impl CaptureError {
    fn damaged(path: impl Into<String>, offset: Option<u64>, what: impl Into<String>) -> Self {
        Self::Damaged { place: Place { path: path.into(), offset }, what: what.into() }
    }
}

/// The mail that a file holds.
///
/// # Errors
/// It holds none, or is damaged.
pub fn read(file: Vec<u8>) -> Result<Captured, CaptureError> {
    if file.len() as u64 > MOST_OCTETS {
        return Err(CaptureError::Unsuitable(format!("has more than {} MiB", MOST_OCTETS >> 20)));
    }
    if file.starts_with(&msg::SIGNATURE) {
        return rebuild::mail(&msg::read(&file)?, None, CaptureForm::Msg);
    }
    if file.starts_with(&tnef::SIGNATURE) {
        return rebuild::mail(&tnef::read(&file)?, None, CaptureForm::Tnef);
    }
    if file.starts_with(b"From ") {
        return Err(CaptureError::Unsuitable(
            "an mbox, which changes lines that begin with `From `: save the mail by itself, as .eml".to_owned(),
        ));
    }
    let limits = Limits::default();
    if !has_header_field(&mut Cursor::new(&file), &limits).map_err(cut)? {
        return Err(CaptureError::NotAMessage);
    }
    let root = parse(&mut Cursor::new(&file), &limits).map_err(cut)?;
    // What Exchange wrapped has no S/MIME beside its winmail.dat. Where there is some, the mail was signed as it is,
    // and a winmail.dat in it is what Outlook puts beside the text of one in its own format.
    let is_whole = !smime::find(&root).is_empty();
    match root.walk().find(|part| is_tnef(part) && !is_whole) {
        None => Ok(Captured { mail: file, form: CaptureForm::Mail, remade: Vec::new() }),
        Some(part) => {
            let mut attachment = Vec::new();
            let mut source = Cursor::new(&file);
            let body = decode_body(&mut source, part).map_err(cut)?;
            let path = format!("part {}", part.path);
            body.take(MOST_OCTETS)
                .read_to_end(&mut attachment)
                .map_err(|error| CaptureError::damaged(&path, None, error.to_string()))?;
            let header = &file[..usize::try_from(root.header.end).unwrap_or(file.len()).min(file.len())];
            rebuild::mail(&tnef::read(&attachment)?, Some(header), CaptureForm::TnefInMail)
        }
    }
}

/// [MS-OXTNEF] section 1.3: the media type, or the name by which it is known.
fn is_tnef(part: &Part) -> bool {
    let name = || part.file_name().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
    let media = part.content_type.media_type.as_str();
    part.children.is_empty() && (matches!(media, "application/ms-tnef" | "application/vnd.ms-tnef") || name())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn cut(error: MimeError) -> CaptureError {
    CaptureError::Mail(error.to_string())
}
