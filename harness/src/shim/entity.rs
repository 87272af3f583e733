//! As much of a message as the adapter must see: which form the file has,
//! and whether its Content-Type is one of S/MIME.
//!
//! This is deliberately not the engine's reading of MIME: what a peer makes of
//! a message shall not depend on what the engine makes of it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use waxseal_verdict::{Form, Kind};

/// How a file is given to openssl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A mail or MIME entity.
    Mail,
    /// Bare CMS.
    Der,
    /// Bare CMS.
    Pem,
}

impl Encoding {
    /// The value of `-inform`.
    pub(crate) const fn option(self) -> &'static str {
        match self {
            Self::Mail => "SMIME",
            Self::Der => "DER",
            Self::Pem => "PEM",
        }
    }
}

/// What the beginning of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entity {
    pub(crate) encoding: Encoding,
    /// The kind that the Content-Type announces.
    pub(crate) announced: Option<Kind>,
    /// Clear for multipart/signed.
    pub(crate) form: Option<Form>,
    /// The media type, lower case; empty if there is none.
    media_type: String,
    /// Whether a file name of CMS is given.
    cms_name: bool,
}

impl Entity {
    /// Octets that are read in search of the header.
    const MOST_HEADER: u64 = 1 << 20;

    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut head = Vec::new();
        File::open(path)?.take(Self::MOST_HEADER).read_to_end(&mut head)?;
        Ok(Self::of(&head))
    }

    /// The same of octets in memory.
    pub(crate) fn of(head: &[u8]) -> Self {
        let mut entity =
            Self { encoding: Encoding::Mail, announced: None, form: None, media_type: String::new(), cms_name: false };
        if head.first() == Some(&0x30) {
            entity.encoding = Encoding::Der;
        } else if head.starts_with(b"-----BEGIN ") {
            entity.encoding = Encoding::Pem;
        } else {
            let value = content_type(head).to_ascii_lowercase();
            entity.media_type = value.split(';').next().unwrap_or_default().trim().to_owned();
            entity.cms_name = [".p7m", ".p7s", ".p7z"].iter().any(|end| value.contains(end));
            if entity.media_type == "multipart/signed" {
                (entity.announced, entity.form) = (Some(Kind::Signed), Some(Form::Clear));
            } else if value.contains("authenveloped-data") {
                entity.announced = Some(Kind::AuthEnveloped);
            } else if value.contains("enveloped-data") {
                entity.announced = Some(Kind::Encrypted);
            } else if value.contains("compressed-data") {
                entity.announced = Some(Kind::Compressed);
            } else if value.contains("signed-data") {
                (entity.announced, entity.form) = (Some(Kind::Signed), Some(Form::Opaque));
            }
        }
        entity
    }

    /// Whether openssl is asked about it. The message itself is shown to it
    /// unless it is mere text; what comes out of a layer only if it claims to be
    /// S/MIME.
    pub(crate) fn may_be_layer(&self, outermost: bool) -> bool {
        let claims = self.media_type == "multipart/signed"
            || self.media_type.ends_with("pkcs7-mime")
            || (self.media_type == "application/octet-stream" && self.cms_name);
        if !outermost {
            return self.encoding == Encoding::Mail && claims;
        }
        claims
            || self.encoding != Encoding::Mail
            || !(self.media_type.is_empty() || self.media_type.starts_with("text/"))
    }
}

/// The unfolded value of the first Content-Type field.
fn content_type(head: &[u8]) -> String {
    let mut value: Option<String> = None;
    for line in head.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(line);
        match &mut value {
            Some(value) if text.starts_with([' ', '\t']) => value.push_str(&text),
            Some(_) => break,
            None => {
                // A folded line that begins with the name is not the field.
                let field = text.split_once(':');
                if let Some((_, rest)) = field.filter(|(name, _)| name.trim_end().eq_ignore_ascii_case("content-type"))
                {
                    value = Some(rest.to_owned());
                }
            }
        }
    }
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> (Option<Kind>, bool, bool) {
        let entity = Entity::of(head.as_bytes());
        (entity.announced, entity.may_be_layer(true), entity.may_be_layer(false))
    }

    #[test]
    fn only_what_claims_to_be_smime_is_peeled() {
        for (head, seen) in [
            ("Subject: x\nContent-Type: MULTIPART/Signed;\n boundary=x\n\n", (Some(Kind::Signed), true, true)),
            (
                "Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\r\n\r\n",
                (Some(Kind::Encrypted), true, true),
            ),
            ("Content-Type: application/octet-stream;\n\tname=\"smime.p7m\"\n\n", (None, true, true)),
            ("Content-Type: application/octet-stream\n\n", (None, true, false)),
            ("Content-Type: multipart/mixed; boundary=x\n\n", (None, true, false)),
            ("Content-Type: text/plain\n\n", (None, false, false)),
            (
                "DKIM-Signature: h=Date:\n\tContent-Type:Date\nContent-Type: multipart/signed\n\n",
                (Some(Kind::Signed), true, true),
            ),
            ("Subject: Content-Type: multipart/signed\n\nContent-Type: multipart/signed\n", (None, false, false)),
            ("-----BEGIN CMS-----\n", (None, true, false)),
            ("0\u{1}", (None, true, false)),
        ] {
            assert_eq!(of(head), seen, "{head:?}");
        }
    }
}
