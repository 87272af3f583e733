//! TimeStampReq (RFC 3161 section 2.4.1): what is asked of an authority.

use waxseal_key::{Arithmetic, DigestAlgorithm};
use waxseal_verdict::Reason;

use super::info::read_extensions;
use super::{MessageImprint, TstInfo, whole};
use crate::ber::writer::{self, ValueError};
use crate::ber::{Cursor, Form, Tag};
use crate::cms::CmsError;
use crate::cms::error::Within as _;
use crate::cms::read::{object_identifier, version};

/// A request for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeStampReq {
    /// The version; only 1 is known.
    pub version: u64,
    /// What is to be stamped.
    pub imprint: MessageImprint,
    /// The policy under which it is to be done, dotted; the authority's choice
    /// without.
    pub policy: Option<String>,
    /// Content octets of a number that the token has to repeat, so that it
    /// cannot be an old one.
    pub nonce: Option<Vec<u8>>,
    /// Whether the certificates of the authority are wanted in the token.
    pub certificates: bool,
    /// Object identifiers of extensions, dotted, with whether they are critical.
    pub extensions: Vec<(String, bool)>,
}

/// Something that a token does not repeat of the request it answers (RFC 3161
/// section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Difference {
    /// Another digest, or another algorithm.
    Imprint,
    /// Another nonce, or none.
    Nonce,
    /// Another policy than the one that was asked for.
    Policy,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Imprint => "the token is for another imprint than the request",
            Self::Nonce => "the token has not the nonce of the request",
            Self::Policy => "the token is under another policy than the request asks for",
        })
    }
}

impl TimeStampReq {
    /// A request without policy and nonce, for a token with certificates.
    #[must_use]
    pub const fn new(imprint: MessageImprint) -> Self {
        Self { version: 1, imprint, policy: None, nonce: None, certificates: true, extensions: Vec::new() }
    }

    /// A request for octets that are held in memory, such as a signature value.
    ///
    /// # Errors
    /// The arithmetic does not provide the digest.
    pub fn of(octets: &[u8], digest: DigestAlgorithm, arithmetic: &Arithmetic) -> Result<Self, waxseal_key::KeyError> {
        MessageImprint::of(octets, digest, arithmetic).map(Self::new)
    }

    /// The request with a nonce, from octets that should be random: they become
    /// a number that is not negative and has no octet too many.
    #[must_use]
    pub fn with_nonce(mut self, octets: &[u8]) -> Self {
        let number = writer::unsigned(octets);
        // Tag and length are not part of it; a nonce has few octets.
        self.nonce = Cursor::new(&number, 0).take().ok().flatten().map(|element| element.content.to_vec());
        self
    }

    /// Reads the DER of a TimeStampReq. Version, digest and the length of the
    /// hash are not judged: an authority answers what is wrong with them.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(octets: &[u8]) -> Result<Self, CmsError> {
        const PLACE: &str = "TimeStampReq";
        let mut outer = Cursor::new(whole(octets, PLACE)?.whole, 0);
        let mut fields = outer.expect(Tag::SEQUENCE, "TimeStampReq (SEQUENCE)").within(PLACE)?.inside();
        let version = version(&fields.expect(Tag::INTEGER, "version").within(PLACE)?, PLACE)?;
        let imprint = MessageImprint::read(&mut fields, PLACE)?;
        let policy = fields.take_if(Tag::OBJECT_IDENTIFIER, Form::Primitive).within(PLACE)?;
        let nonce = fields.take_if(Tag::INTEGER, Form::Primitive).within(PLACE)?;
        let certificates = fields.take_if(Tag::BOOLEAN, Form::Primitive).within(PLACE)?;
        let extensions = fields.take_if(Tag::context(0), Form::Constructed).within(PLACE)?;
        fields.end().within(PLACE)?;
        if imprint.hash.is_empty() {
            return Err(CmsError::new(Reason::BadParameters, "TimeStampReq.messageImprint", "a hash of 0 octets"));
        }
        Ok(Self {
            version,
            imprint,
            policy: policy.map(|element| object_identifier(&element, PLACE)).transpose()?,
            nonce: nonce.map(|element| element.content.to_vec()),
            certificates: certificates.is_some_and(|element| element.content != [0]),
            extensions: extensions.map(|list| read_extensions(&list, PLACE)).transpose()?.unwrap_or_default(),
        })
    }

    /// The DER. Extensions are not written: none is in use.
    ///
    /// # Errors
    /// The policy is no object identifier.
    pub fn to_der(&self) -> Result<Vec<u8>, ValueError> {
        let mut fields = vec![writer::integer(self.version), self.imprint.to_der()?];
        fields.extend(self.policy.as_deref().map(writer::oid).transpose()?);
        fields.extend(self.nonce.as_deref().map(writer::integer_octets));
        fields.extend(self.certificates.then(|| writer::boolean(true)));
        Ok(writer::sequence(fields))
    }

    /// What a token does not repeat of this request.
    #[must_use]
    pub fn differences(&self, info: &TstInfo) -> Vec<Difference> {
        let policy_kept = self.policy.as_ref().is_none_or(|policy| *policy == info.policy);
        let nonce_kept = self.nonce.is_none() || self.nonce == info.nonce;
        let kept = [
            (self.imprint.agrees(&info.imprint), Difference::Imprint),
            (nonce_kept, Difference::Nonce),
            (policy_kept, Difference::Policy),
        ];
        kept.into_iter().filter(|(kept, _)| !kept).map(|(_, difference)| difference).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cms::testing::{Tree, check_fields};

    fn full() -> TimeStampReq {
        let imprint = MessageImprint::new(DigestAlgorithm::Sha256, vec![7; 32]);
        TimeStampReq { policy: Some("1.2.3".to_owned()), ..TimeStampReq::new(imprint) }.with_nonce(&[0, 0x80, 1])
    }

    #[test]
    fn what_is_written_reads_back() {
        let request = full();
        assert_eq!(request.nonce.as_deref(), Some(&[0, 0x80, 1][..]));
        assert_eq!(TimeStampReq::parse(&request.to_der().unwrap()).unwrap(), request);
        let least = TimeStampReq { policy: None, nonce: None, certificates: false, ..request };
        assert_eq!(TimeStampReq::parse(&least.to_der().unwrap()).unwrap(), least);
    }

    #[test]
    fn damage_names_the_field() {
        let extension = writer::sequence([writer::oid("1.2.4").unwrap(), writer::octet_string(&[])]);
        let mut fields = full().to_der().unwrap()[2..].to_vec();
        fields.extend(writer::context(0, &extension));
        let der = writer::sequence([fields]);
        assert_eq!(TimeStampReq::parse(&der).unwrap().extensions, [("1.2.4".to_owned(), false)]);
        check_fields(
            &Tree::parse(&der),
            TimeStampReq::parse,
            &[
                (&[0], "TimeStampReq", "expected version"),
                (&[1], "TimeStampReq.messageImprint", "expected messageImprint"),
                (&[1, 0], "TimeStampReq.messageImprint", "expected hashAlgorithm"),
                (&[1, 1], "TimeStampReq.messageImprint", "expected hashedMessage"),
                (&[5, 0, 0], "TimeStampReq.extensions", "expected extnID"),
                (&[5, 0, 1], "TimeStampReq.extensions", "expected extnValue"),
            ],
            &[
                (&[2], "TimeStampReq", "octets after the last element"),
                (&[5, 0], "TimeStampReq.extensions", "expected"),
            ],
            &[(&[], "TimeStampReq"), (&[1], "TimeStampReq.messageImprint")],
        );
    }
}
