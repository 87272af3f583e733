//! How the MIME header around a CMS object is spelt.

use waxseal_engine::message::MimeShape;
use waxseal_model::Spelling;

/// Which object the header stands around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    /// Detached signature, a part of multipart/signed.
    Clear,
    /// SignedData with its content.
    Opaque,
    /// EnvelopedData.
    Enveloped,
    /// AuthEnvelopedData.
    AuthEnveloped,
    /// CompressedData.
    Compressed,
    /// What RFC 8551 section 3.2.2 has no smime-type for.
    Other,
}

/// The engine's shape for a spelling; what the spelling leaves out is as RFC 8551 wants it.
pub(crate) fn shape(spelling: &Spelling, object: Object) -> MimeShape {
    let mut shape = MimeShape::default();
    let (media_type, smime_type, file_name) = match object {
        Object::Clear => ("application/pkcs7-signature", "", "smime.p7s"),
        Object::Opaque => ("application/pkcs7-mime", "signed-data", "smime.p7m"),
        Object::Enveloped => ("application/pkcs7-mime", "enveloped-data", "smime.p7m"),
        Object::AuthEnveloped => ("application/pkcs7-mime", "authEnveloped-data", "smime.p7m"),
        Object::Compressed => ("application/pkcs7-mime", "compressed-data", "smime.p7z"),
        Object::Other => ("application/pkcs7-mime", "", "smime.p7m"),
    };
    let fields = part_fields(
        spelling.media_type.as_deref().unwrap_or(media_type),
        spelling.smime_type.as_deref().unwrap_or(smime_type),
        spelling.file_name.as_deref().unwrap_or(file_name),
    );
    match object {
        Object::Clear => {
            shape.signature = fields;
            shape.signed = vec![VERSION.to_owned(), multipart_field(spelling)];
            shape.preamble = spelling.preamble.as_ref().map_or_else(String::new, |text| format!("{text}\r\n"));
        }
        Object::Opaque => shape.opaque = with_version(fields),
        Object::Enveloped => shape.enveloped = with_version(fields),
        Object::AuthEnveloped => shape.auth_enveloped = with_version(fields),
        Object::Compressed => shape.compressed = with_version(fields),
        Object::Other => shape.other = with_version(fields),
    }
    shape
}

const VERSION: &str = "MIME-Version: 1.0";

fn with_version(mut fields: Vec<String>) -> Vec<String> {
    fields.insert(0, VERSION.to_owned());
    fields
}

fn part_fields(media_type: &str, smime_type: &str, file_name: &str) -> Vec<String> {
    let mut content_type = format!("Content-Type: {media_type}");
    let mut disposition = "Content-Disposition: attachment".to_owned();
    if !smime_type.is_empty() {
        content_type.push_str(&format!("; smime-type={smime_type}"));
    }
    if !file_name.is_empty() {
        content_type.push_str(&format!(";\r\n name=\"{file_name}\""));
        disposition.push_str(&format!("; filename=\"{file_name}\""));
    }
    vec![content_type, "Content-Transfer-Encoding: base64".to_owned(), disposition]
}

fn multipart_field(spelling: &Spelling) -> String {
    let mut field = "Content-Type: multipart/signed".to_owned();
    let protocol = spelling.protocol.as_deref().unwrap_or("application/pkcs7-signature");
    if !protocol.is_empty() {
        field.push_str(&format!("; protocol=\"{protocol}\""));
    }
    let micalg = spelling.micalg.as_deref().unwrap_or("{micalg}");
    if !micalg.is_empty() {
        field.push_str(&format!(";\r\n micalg={micalg}"));
    }
    field.push_str("; boundary=\"{boundary}\"");
    field
}
