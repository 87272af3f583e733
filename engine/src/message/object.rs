//! Where a CMS object is in a message, and what was announced about it.

use std::io::Read;
use std::ops::Range;

use waxseal_verdict::{Deviation, Kind, Layer};

use crate::ber::Reader;
use crate::cms::{CmsError, ContentInfo};
use crate::io::Source;
use crate::mime::smime::SmimeType;
use crate::mime::{self, Body, MimeError, Part, TransferEncoding};

/// A CMS object that is still to be read.
pub(super) struct Object<'a> {
    /// Path of the layer without the kind.
    pub(super) path: String,
    pub(super) place: Place<'a>,
    /// The content type, where it was told outside: then no ContentInfo is around.
    pub(super) content_type: Option<String>,
    pub(super) announced: Announced,
    pub(super) deviations: Vec<Deviation>,
}

/// What was announced about an object before it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Announced {
    /// Nothing: a bare object.
    Nothing,
    /// An S/MIME media type, with its smime-type if it has one.
    Mime(Option<SmimeType>),
    /// A detached signature that stands alone.
    Signature,
}

impl Announced {
    /// Whether `found` contradicts the smime-type.
    pub(super) fn contradicts(&self, found: &SmimeType) -> bool {
        matches!(self, Self::Mime(Some(announced)) if announced != found)
    }

    /// What the media type says where the object cannot be read.
    pub(super) const fn kind(&self) -> (Kind, &'static str) {
        match self {
            Self::Mime(Some(SmimeType::EnvelopedData)) => (Kind::Encrypted, "enveloped-data"),
            Self::Mime(Some(SmimeType::SignedData)) | Self::Signature => (Kind::Signed, "signed-data"),
            Self::Mime(Some(SmimeType::AuthEnvelopedData)) => (Kind::AuthEnveloped, "authenveloped-data"),
            Self::Mime(Some(SmimeType::CompressedData)) => (Kind::Compressed, "compressed-data"),
            Self::Mime(Some(SmimeType::CertsOnly)) => (Kind::CertsOnly, "signed-data"),
            _ => (Kind::Unknown, "unknown"),
        }
    }
}

pub(super) enum Place<'a> {
    /// The whole source, in DER or BER.
    Whole,
    /// base64 text of a PEM object.
    Text(Range<u64>),
    /// The body of a part.
    Part(&'a Part),
}

impl<'a> Object<'a> {
    /// An object of which nothing was announced.
    const fn at(path: String, place: Place<'a>) -> Self {
        Self { path, place, content_type: None, announced: Announced::Nothing, deviations: Vec::new() }
    }

    /// The object that a part holds.
    pub(super) const fn part(path: String, part: &'a Part, announced: Announced, deviations: Vec<Deviation>) -> Self {
        Self { path, place: Place::Part(part), content_type: None, announced, deviations }
    }

    /// A bare object that is the whole source.
    pub(super) const fn bare() -> Self {
        Self::at(String::new(), Place::Whole)
    }

    /// The content of a layer, which is of a type other than id-data.
    pub(super) fn inside(path: String, content_type: String) -> Self {
        Self { content_type: Some(content_type), ..Self::at(path, Place::Whole) }
    }

    /// A bare object in base64.
    pub(super) const fn pem(range: Range<u64>) -> Self {
        Self::at(String::new(), Place::Text(range))
    }

    /// Reads up to the content of the object, and returns its type.
    pub(super) fn begin<R: Read>(&self, reader: &mut Reader<R>) -> Result<String, CmsError> {
        match &self.content_type {
            Some(content_type) => Ok(content_type.clone()),
            None => ContentInfo::begin(reader).map(|info| info.content_type),
        }
    }

    /// The octets of the object.
    pub(super) fn body<'s>(&self, source: &'s mut dyn Source) -> Result<Body<'s>, MimeError> {
        match &self.place {
            Place::Whole => Body::new(source, 0..u64::MAX, TransferEncoding::Binary),
            Place::Text(range) => Body::new(source, range.clone(), TransferEncoding::Base64),
            Place::Part(part) => mime::decode_body(source, part),
        }
    }

    pub(super) fn layer(&self, kind: Kind, word: &str) -> Layer {
        let mut layer =
            Layer::new(if self.path.is_empty() { word.to_owned() } else { format!("{}/{word}", self.path) }, kind);
        for deviation in &self.deviations {
            layer.deviate(*deviation);
        }
        layer
    }
}
