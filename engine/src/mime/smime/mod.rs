//! S/MIME media types, in every spelling that real clients write.

mod find;
mod micalg;

use waxseal_verdict::Deviation;

use super::part::{LineEnds, Part};
pub use find::{Protected, find};
pub use micalg::Micalg;

/// A part that announces a CMS object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SmimePart<'a> {
    /// The part: the whole `multipart/signed`, or the one with the object.
    pub part: &'a Part,
    /// What it announces.
    pub role: Role<'a>,
    /// What its media types do that no standard has.
    pub deviations: Vec<Deviation>,
}

impl SmimePart<'_> {
    /// The part whose decoded body is the CMS object; `None` where it is missing.
    #[must_use]
    pub const fn object(&self) -> Option<&Part> {
        match &self.role {
            Role::Signed { signature, .. } => Some(signature),
            Role::Broken { .. } => None,
            Role::Pkcs7Mime { .. } | Role::DetachedSignature | Role::CertsOnly => Some(self.part),
        }
    }
}

/// What a media type announces.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role<'a> {
    /// `multipart/signed` (RFC 8551 section 3.5.3).
    Signed {
        /// The signed entity; its [`Part::entity`] is hashed in canonical form.
        content: &'a Part,
        /// The part with the detached signature.
        signature: &'a Part,
        /// Parts that follow where RFC 1847 section 2.1 allows none.
        extra: Vec<&'a Part>,
        /// The digests that micalg declares.
        micalg: Vec<Micalg>,
    },
    /// A `multipart/signed` for S/MIME that has no content or no signature part.
    Broken {
        /// What is missing.
        why: &'static str,
    },
    /// `application/pkcs7-mime` (RFC 8551 section 3.2).
    Pkcs7Mime {
        /// The smime-type parameter, or what the file name says; `None` when neither does.
        smime_type: Option<SmimeType>,
    },
    /// `application/pkcs7-signature` outside a `multipart/signed`.
    DetachedSignature,
    /// Certificates and revocation lists only (RFC 8551 section 3.8).
    CertsOnly,
}

/// The smime-type parameter (RFC 8551 section 3.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SmimeType {
    /// `signed-data`.
    SignedData,
    /// `enveloped-data`.
    EnvelopedData,
    /// `authEnveloped-data`.
    AuthEnvelopedData,
    /// `compressed-data`.
    CompressedData,
    /// `certs-only`.
    CertsOnly,
    /// `signed-receipt` (RFC 2634 section 2.4).
    SignedReceipt,
    /// Another, as it is written.
    Other(String),
}

impl SmimeType {
    fn parse(value: &str) -> Self {
        match value.trim().to_ascii_lowercase().as_str() {
            "signed-data" => Self::SignedData,
            "enveloped-data" => Self::EnvelopedData,
            "authenveloped-data" => Self::AuthEnvelopedData,
            "compressed-data" => Self::CompressedData,
            "certs-only" => Self::CertsOnly,
            "signed-receipt" => Self::SignedReceipt,
            _ => Self::Other(value.to_owned()),
        }
    }

    /// As RFC 8551 spells it, or as it came.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::SignedData => "signed-data",
            Self::EnvelopedData => "enveloped-data",
            Self::AuthEnvelopedData => "authEnveloped-data",
            Self::CompressedData => "compressed-data",
            Self::CertsOnly => "certs-only",
            Self::SignedReceipt => "signed-receipt",
            Self::Other(name) => name,
        }
    }
}

/// What one media type and file name announce by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mime,
    Signature,
}

/// Media types, and whether each is the spelling before RFC 2633.
const TYPES: [(&str, Kind, bool); 4] = [
    ("application/pkcs7-mime", Kind::Mime, false),
    ("application/x-pkcs7-mime", Kind::Mime, true),
    ("application/pkcs7-signature", Kind::Signature, false),
    ("application/x-pkcs7-signature", Kind::Signature, true),
];

/// File names that say S/MIME where the media type does not (RFC 8551 section
/// 3.2.1), with the smime-type each stands for.
const NAMES: [(&str, Kind, Option<SmimeType>); 4] = [
    (".p7m", Kind::Mime, None),
    (".p7s", Kind::Signature, None),
    (".p7c", Kind::Mime, Some(SmimeType::CertsOnly)),
    (".p7z", Kind::Mime, Some(SmimeType::CompressedData)),
];

fn by_type(media_type: &str) -> Option<(Kind, bool)> {
    TYPES.iter().find(|(name, ..)| *name == media_type).map(|(_, kind, old)| (*kind, *old))
}

/// The one media type beside which a file name counts (RFC 8551 section 3.10):
/// a `text/html` is shown, whatever it is called.
const OCTETS: &str = "application/octet-stream";

fn by_name(part: &Part) -> Option<(Kind, Option<SmimeType>)> {
    let media_type = &part.content_type.media_type;
    if media_type != OCTETS && by_type(media_type).is_none() {
        return None;
    }
    let name = part.file_name()?.trim_end().to_ascii_lowercase();
    NAMES.iter().find(|(end, ..)| name.ends_with(end)).map(|(_, kind, smime_type)| (*kind, smime_type.clone()))
}

/// What a part announces; `None` when it is not S/MIME.
///
/// Both spellings of every media type count, in any mixture; so does an
/// `application/octet-stream` whose file name ends in `.p7m`, `.p7s`, `.p7c` or
/// `.p7z` (RFC 8551 section 3.10). micalg is compared with the signer later.
#[must_use]
pub fn classify(part: &Part) -> Option<SmimePart<'_>> {
    if part.content_type.media_type == "multipart/signed" {
        return classify_signed(part);
    }
    let mut deviations = Vec::new();
    let named = by_name(part);
    let role = match by_type(&part.content_type.media_type) {
        Some((kind, old)) => {
            if old {
                deviations.push(Deviation::XPkcs7Name);
            }
            let declared = part.content_type.get("smime-type").map(SmimeType::parse);
            match kind {
                Kind::Signature => Role::DetachedSignature,
                Kind::Mime => {
                    if declared.is_none() {
                        deviations.push(Deviation::SmimeTypeMissing);
                    }
                    role_of(declared.or(named.and_then(|(_, smime_type)| smime_type)))
                }
            }
        }
        None => {
            let (kind, smime_type) = named?;
            deviations.push(Deviation::OctetStreamName);
            match kind {
                Kind::Signature => Role::DetachedSignature,
                Kind::Mime => role_of(smime_type),
            }
        }
    };
    if part.repeats() {
        deviations.push(Deviation::RepeatedHeader);
    }
    Some(SmimePart { part, role, deviations })
}

fn role_of(smime_type: Option<SmimeType>) -> Role<'static> {
    match smime_type {
        Some(SmimeType::CertsOnly) => Role::CertsOnly,
        smime_type => Role::Pkcs7Mime { smime_type },
    }
}

/// A `multipart/signed` is S/MIME if its protocol says so, or else the part
/// after the content: a list can lose the one, a gateway the other.
fn classify_signed(part: &Part) -> Option<SmimePart<'_>> {
    let protocol = part.content_type.get("protocol").map(|protocol| protocol.trim().to_ascii_lowercase());
    let declared = protocol.as_deref().and_then(by_type);
    let is_signature = |child: &&Part| {
        by_type(&child.content_type.media_type).is_some_and(|(kind, _)| kind == Kind::Signature)
            || by_name(child).is_some_and(|(kind, _)| kind == Kind::Signature)
    };
    let after_content = part.children.get(1..).unwrap_or_default();
    let named = after_content.iter().find(is_signature);
    if declared.is_none() && named.is_none() {
        return None;
    }
    // With a protocol of ours the second part is the signature, whatever it is
    // called; but not if it is of a type that readers show.
    let signature = named.or_else(|| {
        after_content.first().filter(|child| {
            let media_type = child.content_type.media_type.as_str();
            media_type == OCTETS || by_type(media_type).is_some()
        })
    });
    let mut deviations = Vec::new();
    if !part.walk().all(|part| part.closed) {
        deviations.push(Deviation::MultipartUnclosed);
    }
    if part.repeats() || signature.is_some_and(Part::repeats) {
        deviations.push(Deviation::RepeatedHeader);
    }
    let (Some(content), Some(signature)) = (part.children.first(), signature) else {
        let why = if part.content_type.get("boundary").is_none_or(|boundary| boundary.trim_end().is_empty()) {
            "multipart/signed without a boundary parameter"
        } else if part.is_leaf() {
            "multipart/signed without any part: no line is its delimiter"
        } else {
            "multipart/signed without a signature part"
        };
        return Some(SmimePart { part, role: Role::Broken { why }, deviations });
    };
    if content.line_ends == LineEnds::Lf {
        deviations.push(Deviation::LfLineEnds);
    }
    let signature_type = by_type(&signature.content_type.media_type);
    if protocol.as_deref() != Some(signature.content_type.media_type.as_str()) {
        deviations.push(Deviation::ProtocolTypeDiffers);
    }
    if signature_type.is_none() {
        deviations.push(Deviation::OctetStreamName);
    }
    if [declared, signature_type].into_iter().flatten().any(|(_, old)| old) {
        deviations.push(Deviation::XPkcs7Name);
    }
    let micalg = micalg::parse(part.content_type.get("micalg"), &mut deviations);
    let extra = after_content.iter().filter(|child| !std::ptr::eq(*child, signature)).collect();
    Some(SmimePart { part, role: Role::Signed { content, signature, extra, micalg }, deviations })
}

#[cfg(test)]
mod tests;
