//! Where a CMS object is in a message, and what was announced about it.

use std::ops::Range;

use waxseal_verdict::{Deviation, Kind, Layer};

use crate::io::Source;
use crate::mime::smime::SmimeType;
use crate::mime::{self, Body, MimeError, Part, TransferEncoding};

/// A CMS object that is still to be read.
pub(super) struct Object<'a> {
    /// Path of the layer without the kind.
    pub(super) path: String,
    pub(super) place: Place<'a>,
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

impl Object<'_> {
    /// A bare object that is the whole source.
    pub(super) const fn bare() -> Self {
        Self { path: String::new(), place: Place::Whole, announced: Announced::Nothing, deviations: Vec::new() }
    }

    /// A bare object in base64.
    pub(super) const fn pem(range: Range<u64>) -> Self {
        Self { path: String::new(), place: Place::Text(range), announced: Announced::Nothing, deviations: Vec::new() }
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
