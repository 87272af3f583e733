//! TimeStampResp (RFC 3161 section 2.4.2): a token, or why there is none.

use waxseal_verdict::Reason;

use super::whole;
use crate::ber::writer::{self, ValueError};
use crate::ber::{Cursor, Form, Tag};
use crate::cms::CmsError;
use crate::cms::error::Within as _;
use crate::cms::read::version;

/// The answer of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeStampResp {
    /// Whether there is a token.
    pub status: PkiStatus,
    /// What the authority says to a person.
    pub text: Vec<String>,
    /// Why there is no token.
    pub failures: Vec<Failure>,
    /// The ContentInfo of the token, as it stands.
    pub token: Option<Vec<u8>>,
}

/// PKIStatus: what became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PkiStatus {
    /// There is a token as asked for.
    Granted,
    /// There is a token that differs from what was asked for.
    GrantedWithMods,
    /// There is none.
    Rejection,
    /// There is none yet.
    Waiting,
    /// There is none: a revocation is imminent.
    RevocationWarning,
    /// There is none: a revocation has occurred.
    RevocationNotification,
    /// A number that RFC 3161 does not know.
    Other(u64),
}

/// PKIFailureInfo: why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The digest is unknown or not good enough.
    BadAlg,
    /// The request is not permitted or not supported.
    BadRequest,
    /// The data has the wrong form.
    BadDataFormat,
    /// The clock of the authority is not available.
    TimeNotAvailable,
    /// The policy that was asked for is not one of the authority.
    UnacceptedPolicy,
    /// An extension that was asked for is not one of the authority.
    UnacceptedExtension,
    /// Additional information that was asked for is not to be had.
    AddInfoNotAvailable,
    /// Something failed in the authority.
    SystemFailure,
    /// A bit that RFC 3161 does not name.
    Other(u8),
}

const STATUS: [(PkiStatus, &str); 6] = [
    (PkiStatus::Granted, "granted"),
    (PkiStatus::GrantedWithMods, "grantedWithMods"),
    (PkiStatus::Rejection, "rejection"),
    (PkiStatus::Waiting, "waiting"),
    (PkiStatus::RevocationWarning, "revocationWarning"),
    (PkiStatus::RevocationNotification, "revocationNotification"),
];

const FAILURES: [(Failure, u8, &str); 8] = [
    (Failure::BadAlg, 0, "badAlg"),
    (Failure::BadRequest, 2, "badRequest"),
    (Failure::BadDataFormat, 5, "badDataFormat"),
    (Failure::TimeNotAvailable, 14, "timeNotAvailable"),
    (Failure::UnacceptedPolicy, 15, "unacceptedPolicy"),
    (Failure::UnacceptedExtension, 16, "unacceptedExtension"),
    (Failure::AddInfoNotAvailable, 17, "addInfoNotAvailable"),
    (Failure::SystemFailure, 25, "systemFailure"),
];

impl PkiStatus {
    fn of(number: u64) -> Self {
        let known = usize::try_from(number).ok().and_then(|index| STATUS.get(index));
        known.map_or(Self::Other(number), |(status, _)| *status)
    }

    fn number(self) -> u64 {
        match self {
            Self::Other(number) => number,
            known => STATUS.iter().position(|(status, _)| *status == known).unwrap_or_default() as u64,
        }
    }

    /// Whether a token has to be there (section 2.4.2).
    #[must_use]
    pub const fn is_granted(self) -> bool {
        matches!(self, Self::Granted | Self::GrantedWithMods)
    }
}

impl std::fmt::Display for PkiStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match STATUS.iter().find(|(status, _)| status == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "status {}", self.number()),
        }
    }
}

impl Failure {
    fn of(bit: u8) -> Self {
        FAILURES.iter().find(|(_, known, _)| *known == bit).map_or(Self::Other(bit), |(failure, ..)| *failure)
    }

    fn bit(self) -> u8 {
        match self {
            Self::Other(bit) => bit,
            known => FAILURES.iter().find(|(failure, ..)| *failure == known).map_or(0, |(_, bit, _)| *bit),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match FAILURES.iter().find(|(failure, ..)| failure == self) {
            Some((.., name)) => f.write_str(name),
            None => write!(f, "failure {}", self.bit()),
        }
    }
}

impl TimeStampResp {
    /// A token that was granted.
    #[must_use]
    pub const fn granted(token: Vec<u8>) -> Self {
        Self { status: PkiStatus::Granted, text: Vec::new(), failures: Vec::new(), token: Some(token) }
    }

    /// A request that was refused.
    #[must_use]
    pub fn refused(failure: Failure, text: String) -> Self {
        Self { status: PkiStatus::Rejection, text: vec![text], failures: vec![failure], token: None }
    }

    /// Reads a TimeStampResp. Its token is read by [`super::Token::parse`].
    ///
    /// # Errors
    /// It is malformed, or has a token just where it must not (section 2.4.2).
    pub fn parse(octets: &[u8]) -> Result<Self, CmsError> {
        const PLACE: &str = "TimeStampResp";
        const STATUS: &str = "TimeStampResp.status";
        let mut outer = Cursor::new(whole(octets, PLACE)?.whole, 0);
        let mut fields = outer.expect(Tag::SEQUENCE, "TimeStampResp (SEQUENCE)").within(PLACE)?.inside();
        let mut info = fields.expect(Tag::SEQUENCE, "status (SEQUENCE)").within(STATUS)?.inside();
        let status = PkiStatus::of(version(&info.expect(Tag::INTEGER, "status (INTEGER)").within(STATUS)?, STATUS)?);
        let mut text = Vec::new();
        if let Some(list) = info.take_if(Tag::SEQUENCE, Form::Constructed).within(STATUS)? {
            let mut list = list.inside();
            while !list.is_empty() {
                let line = list.expect(Tag::UTF8_STRING, "statusString (UTF8String)").within(STATUS)?;
                text.push(String::from_utf8_lossy(line.content).into_owned());
            }
        }
        let failures = info.take_if(Tag::BIT_STRING, Form::Primitive).within(STATUS)?;
        let failures = failures.and_then(|element| element.bits()).map(set_bits).unwrap_or_default();
        info.end().within(STATUS)?;
        let token = fields.take_if(Tag::SEQUENCE, Form::Constructed).within(PLACE)?;
        fields.end().within(PLACE)?;
        let token = token.map(|element| element.whole.to_vec());
        match (status.is_granted(), &token) {
            (true, None) => Err(CmsError::new(Reason::ContentMissing, PLACE, format!("{status}, and no token"))),
            (false, Some(_)) => Err(CmsError::new(Reason::TypeMismatch, PLACE, format!("{status}, and yet a token"))),
            _ => Ok(Self { status, text, failures: failures.into_iter().map(Failure::of).collect(), token }),
        }
    }

    /// The DER, as far as the token is DER.
    ///
    /// # Errors
    /// Never today; values that have no encoding may be added.
    pub fn to_der(&self) -> Result<Vec<u8>, ValueError> {
        let mut info = vec![writer::integer(self.status.number())];
        if !self.text.is_empty() {
            info.push(writer::sequence(self.text.iter().map(|line| writer::utf8_string(line))));
        }
        if let Some(last) = self.failures.iter().map(|failure| failure.bit()).max() {
            let mut octets = vec![0_u8; usize::from(last / 8) + 1];
            for bit in self.failures.iter().map(|failure| failure.bit()) {
                octets[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
            }
            // A named bit list has no zeros at its end (X.690 section 11.2.2).
            let content = [&[7 - last % 8], octets.as_slice()].concat();
            info.push(writer::element(writer::tag::BIT_STRING, &content));
        }
        let mut fields = vec![writer::sequence(info)];
        fields.extend(self.token.clone());
        Ok(writer::sequence(fields))
    }

    /// Why there is no token, for a person.
    #[must_use]
    pub fn refusal(&self) -> String {
        let failures = self.failures.iter().map(ToString::to_string);
        let said = std::iter::once(self.status.to_string()).chain(failures).chain(self.text.iter().cloned());
        said.collect::<Vec<_>>().join(", ")
    }
}

/// The numbers of the bits that are set, as far as a failure may have one.
fn set_bits(octets: &[u8]) -> Vec<u8> {
    let is_set = |bit: &u8| octets.get(usize::from(bit / 8)).is_some_and(|octet| octet & (0x80 >> (bit % 8)) != 0);
    (0..=63).filter(is_set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let token = writer::sequence([writer::oid("1.2.3").unwrap()]);
        for response in [
            TimeStampResp::granted(token.clone()),
            TimeStampResp::refused(Failure::BadAlg, "no MD5 here".to_owned()),
            TimeStampResp::refused(Failure::SystemFailure, String::new()),
            TimeStampResp {
                failures: vec![Failure::BadRequest, Failure::Other(40)],
                ..TimeStampResp::refused(Failure::BadAlg, "two".to_owned())
            },
        ] {
            assert_eq!(TimeStampResp::parse(&response.to_der().unwrap()).unwrap(), response);
        }
        // RFC 3161 section 2.4.2: badAlg is bit 0, systemFailure bit 25.
        let refused = TimeStampResp { text: Vec::new(), ..TimeStampResp::refused(Failure::BadAlg, String::new()) };
        assert_eq!(refused.to_der().unwrap(), [0x30, 9, 0x30, 7, 2, 1, 2, 3, 2, 7, 0x80]);
    }

    #[test]
    fn a_token_is_there_exactly_if_it_was_granted() {
        let token = writer::sequence([writer::oid("1.2.3").unwrap()]);
        let reason = |response: TimeStampResp| TimeStampResp::parse(&response.to_der().unwrap()).unwrap_err().reason;
        assert_eq!(
            reason(TimeStampResp { token: None, ..TimeStampResp::granted(token.clone()) }),
            Reason::ContentMissing
        );
        let refused = TimeStampResp::refused(Failure::BadAlg, "x".to_owned());
        assert_eq!(reason(TimeStampResp { token: Some(token), ..refused.clone() }), Reason::TypeMismatch);
        assert_eq!(refused.refusal(), "rejection, badAlg, x");
        assert_eq!(PkiStatus::of(9).to_string(), "status 9");
    }
}
