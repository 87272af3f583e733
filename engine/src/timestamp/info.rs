//! TSTInfo (RFC 3161 section 2.4.2): what a token says.

use time::{OffsetDateTime, UtcOffset};
use waxseal_verdict::Reason;

use super::MessageImprint;
use super::whole;
use crate::ber::writer::{self, ValueError, tag};
use crate::ber::{Cursor, Element, Form, Tag, TimeType, TimeValue};
use crate::certificate::read_general_names;
use crate::cms::CmsError;
use crate::cms::error::Within as _;
use crate::cms::read::{object_identifier, version};

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TstInfo {
    /// The policy under which the authority works, dotted.
    pub policy: String,
    /// What was stamped.
    pub imprint: MessageImprint,
    /// Content octets of the serial number, which may have 160 bits and more.
    pub serial: Vec<u8>,
    /// When.
    pub gen_time: GenTime,
    /// How far the time may be off; nothing is said without.
    pub accuracy: Option<Accuracy>,
    /// Whether tokens of this authority are in the order of their times,
    /// whatever the accuracy.
    pub ordering: bool,
    /// Content octets of the request's nonce.
    pub nonce: Option<Vec<u8>>,
    /// The DER of the GeneralName by which the authority calls itself.
    pub authority: Option<Vec<u8>>,
    /// Object identifiers of the extensions, dotted, with whether they are critical.
    pub extensions: Vec<(String, bool)>,
}

/// A time with the fraction of its second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenTime {
    /// When, in UTC; what is below a nanosecond is dropped.
    pub at: OffsetDateTime,
    /// Whether it is written as section 2.4.2 demands: seconds, `Z`, and no
    /// zeros at the end of a fraction.
    pub as_profiled: bool,
}

/// How far a time may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accuracy {
    /// Whole seconds.
    pub seconds: u64,
    /// Thousandths, 1 to 999; 0 is left out.
    pub millis: u16,
    /// Millionths, 1 to 999; 0 is left out.
    pub micros: u16,
}

impl TstInfo {
    /// Reads the DER of a TSTInfo.
    ///
    /// # Errors
    /// It is malformed, of another version than 1, or not in DER where section
    /// 2.4.2 names the form.
    pub fn parse(octets: &[u8]) -> Result<Self, CmsError> {
        const PLACE: &str = "TSTInfo";
        let mut outer = Cursor::new(whole(octets, PLACE)?.whole, 0);
        let mut fields = outer.expect(Tag::SEQUENCE, "TSTInfo (SEQUENCE)").within(PLACE)?.inside();
        match version(&fields.expect(Tag::INTEGER, "version").within(PLACE)?, PLACE)? {
            1 => {}
            other => {
                return Err(CmsError::new(Reason::VersionMismatch, PLACE, format!("version {other}, only 1 is known")));
            }
        }
        let policy = object_identifier(&fields.expect(Tag::OBJECT_IDENTIFIER, "policy").within(PLACE)?, PLACE)?;
        let imprint = MessageImprint::read(&mut fields, PLACE)?;
        if !imprint.fits() {
            let detail = format!("a hash of {} octets is none of {}", imprint.hash.len(), imprint.algorithm.name());
            return Err(CmsError::new(Reason::BadParameters, "TSTInfo.messageImprint", detail));
        }
        let serial = fields.expect(Tag::INTEGER, "serialNumber").within(PLACE)?.content.to_vec();
        let gen_time = GenTime::read(&fields.expect(Tag::GENERALIZED_TIME, "genTime").within(PLACE)?)?;
        let accuracy = fields.take_if(Tag::SEQUENCE, Form::Constructed).within(PLACE)?;
        let accuracy = accuracy.map(|element| Accuracy::read(&element)).transpose()?;
        let ordering = fields.take_if(Tag::BOOLEAN, Form::Primitive).within(PLACE)?;
        let nonce = fields.take_if(Tag::INTEGER, Form::Primitive).within(PLACE)?;
        let authority = fields.take_if(Tag::context(0), Form::Constructed).within(PLACE)?;
        let extensions = fields.take_if(Tag::context(1), Form::Constructed).within(PLACE)?;
        fields.end().within(PLACE)?;
        Ok(Self {
            policy,
            imprint,
            serial,
            gen_time,
            accuracy,
            ordering: ordering.is_some_and(|element| element.content != [0]),
            nonce: nonce.map(|element| element.content.to_vec()),
            authority: authority.map(|element| element.content.to_vec()),
            extensions: extensions.map(|list| read_extensions(&list, PLACE)).transpose()?.unwrap_or_default(),
        })
    }

    /// The DER. Extensions are not written: none is in use.
    ///
    /// # Errors
    /// A value has no encoding.
    pub fn to_der(&self) -> Result<Vec<u8>, ValueError> {
        let mut fields = vec![
            writer::integer(1),
            writer::oid(&self.policy)?,
            self.imprint.to_der()?,
            writer::integer_octets(&self.serial),
            self.gen_time.to_der()?,
        ];
        fields.extend(self.accuracy.map(Accuracy::to_der));
        fields.extend(self.ordering.then(|| writer::boolean(true)));
        fields.extend(self.nonce.as_deref().map(writer::integer_octets));
        fields.extend(self.authority.as_deref().map(|name| writer::context(0, name)));
        Ok(writer::sequence(fields))
    }

    /// The name by which the authority calls itself, for a person.
    #[must_use]
    pub fn authority_name(&self) -> Option<String> {
        let names = read_general_names(Cursor::new(self.authority.as_deref()?, 0)).ok()?;
        names.first().map(ToString::to_string)
    }

    /// The earliest time at which it may have been stamped.
    #[must_use]
    pub fn earliest(&self) -> OffsetDateTime {
        let off = self.accuracy.map_or(time::Duration::ZERO, Accuracy::duration);
        self.gen_time.at.checked_sub(off).unwrap_or(self.gen_time.at)
    }

    /// The latest time at which it may have been stamped.
    #[must_use]
    pub fn latest(&self) -> OffsetDateTime {
        let off = self.accuracy.map_or(time::Duration::ZERO, Accuracy::duration);
        self.gen_time.at.checked_add(off).unwrap_or(self.gen_time.at)
    }
}

impl GenTime {
    /// A time, in its written form.
    #[must_use]
    pub const fn new(at: OffsetDateTime) -> Self {
        Self { at, as_profiled: true }
    }

    fn read(element: &Element<'_>) -> Result<Self, CmsError> {
        const PLACE: &str = "TSTInfo.genTime";
        let no_time = || CmsError::new(Reason::BadBer, PLACE, format!("no time at offset {}", element.offset));
        let found = TimeValue::parse(TimeType::Generalized, element.content).ok_or_else(no_time)?;
        let text = std::str::from_utf8(element.content).map_err(|_| no_time())?;
        // TimeValue has the seconds; the fraction stands between them and the zone.
        let fraction: String = match text.split_once(['.', ',']) {
            Some((_, rest)) => rest.chars().take_while(char::is_ascii_digit).collect(),
            None => String::new(),
        };
        let plain = text.strip_suffix('Z').is_some_and(|text| match text.split_once('.') {
            Some((whole, digits)) => is_whole(whole) && !digits.ends_with('0') && digits.bytes().all(is_digit),
            None => is_whole(text),
        });
        let nanos = format!("{fraction:0<9}").get(..9).and_then(|digits| digits.parse().ok()).unwrap_or_default();
        Ok(Self { at: found.at.replace_nanosecond(nanos).unwrap_or(found.at), as_profiled: plain })
    }

    fn to_der(self) -> Result<Vec<u8>, ValueError> {
        let utc = self.at.to_offset(UtcOffset::UTC);
        let whole = writer::generalized_time(utc)?;
        let nanos = format!("{:09}", utc.nanosecond());
        let fraction = nanos.trim_end_matches('0');
        if fraction.is_empty() {
            return Ok(whole);
        }
        let seconds = whole.get(2..).and_then(|text| text.strip_suffix(b"Z")).unwrap_or_default();
        Ok(writer::element(tag::GENERALIZED_TIME, &[seconds, b".", fraction.as_bytes(), b"Z"].concat()))
    }
}

fn is_digit(octet: u8) -> bool {
    octet.is_ascii_digit()
}

/// Year to second.
fn is_whole(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(is_digit)
}

impl Accuracy {
    /// The most by which the time may be off; one beyond all bounds is the
    /// longest that there is.
    #[must_use]
    pub fn duration(self) -> time::Duration {
        let seconds = i64::try_from(self.seconds).unwrap_or(i64::MAX);
        let below = i32::from(self.millis) * 1_000_000 + i32::from(self.micros) * 1000;
        time::Duration::new(seconds, below)
    }

    fn read(element: &Element<'_>) -> Result<Self, CmsError> {
        const PLACE: &str = "TSTInfo.accuracy";
        let mut fields = element.inside();
        let seconds = fields.take_if(Tag::INTEGER, Form::Primitive).within(PLACE)?;
        let millis = fields.take_if(Tag::context(0), Form::Primitive).within(PLACE)?;
        let micros = fields.take_if(Tag::context(1), Form::Primitive).within(PLACE)?;
        fields.end().within(PLACE)?;
        let seconds = seconds.map(|element| version(&element, PLACE)).transpose()?.unwrap_or_default();
        let below = |element: Option<Element<'_>>| -> Result<u16, CmsError> {
            let Some(element) = element else { return Ok(0) };
            match version(&element, PLACE)? {
                value @ 1..=999 => Ok(value as u16),
                other => {
                    let detail = format!("{other} at offset {} is not between 1 and 999", element.offset);
                    Err(CmsError::new(Reason::BadParameters, PLACE, detail))
                }
            }
        };
        Ok(Self { seconds, millis: below(millis)?, micros: below(micros)? })
    }

    fn to_der(self) -> Vec<u8> {
        let mut fields = Vec::new();
        if self.seconds > 0 {
            fields.push(writer::integer(self.seconds));
        }
        for (number, value) in [(0, self.millis), (1, self.micros)] {
            if value > 0 {
                let mut field = writer::integer(value.into());
                field[0] = tag::context_primitive(number);
                fields.push(field);
            }
        }
        writer::sequence(fields)
    }
}

/// The object identifiers of Extensions (RFC 5280 section 4.2), and whether
/// they are critical; of none the meaning is known.
pub(super) fn read_extensions(list: &Element<'_>, place: &str) -> Result<Vec<(String, bool)>, CmsError> {
    let place = &format!("{place}.extensions");
    let mut found = Vec::new();
    let mut inside = list.inside();
    while !inside.is_empty() {
        let mut fields = inside.expect(Tag::SEQUENCE, "an extension").within(place)?.inside();
        let oid = object_identifier(&fields.expect(Tag::OBJECT_IDENTIFIER, "extnID").within(place)?, place)?;
        let critical = fields.take_if(Tag::BOOLEAN, Form::Primitive).within(place)?;
        fields.expect(Tag::OCTET_STRING, "extnValue").within(place)?;
        found.push((oid, critical.is_some_and(|element| element.content != [0])));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use waxseal_key::DigestAlgorithm;

    use super::*;
    use crate::cms::testing::{Tree, check_fields};

    /// RFC 3161 section 2.4.2, with every optional field.
    fn full() -> TstInfo {
        TstInfo {
            policy: "1.2.3.4".to_owned(),
            imprint: MessageImprint::new(DigestAlgorithm::Sha256, vec![7; 32]),
            serial: vec![1; 20],
            gen_time: GenTime::new(datetime!(2025-06-15 12:00:00.5 UTC)),
            accuracy: Some(Accuracy { seconds: 1, millis: 500, micros: 999 }),
            ordering: true,
            nonce: Some(vec![9; 8]),
            authority: Some(vec![0x86, 1, b'x']),
            extensions: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let info = full();
        assert_eq!(TstInfo::parse(&info.to_der().unwrap()).unwrap(), info);
        assert_eq!(info.authority_name().as_deref(), Some("x"));
        assert_eq!(info.latest() - info.earliest(), time::Duration::microseconds(3_001_998));
        let least = TstInfo { accuracy: None, ordering: false, nonce: None, authority: None, ..info };
        assert_eq!(TstInfo::parse(&least.to_der().unwrap()).unwrap(), least);
    }

    #[test]
    fn damage_names_the_field() {
        let der = full().to_der().unwrap();
        check_fields(
            &Tree::parse(&der),
            TstInfo::parse,
            &[
                (&[0], "TSTInfo", "expected version"),
                (&[1], "TSTInfo", "expected policy"),
                (&[2], "TSTInfo.messageImprint", "expected messageImprint"),
                (&[2, 0], "TSTInfo.messageImprint", "expected hashAlgorithm"),
                (&[2, 1], "TSTInfo.messageImprint", "expected hashedMessage"),
                (&[4], "TSTInfo", "expected genTime"),
            ],
            &[
                (&[3], "TSTInfo", "expected serialNumber"),
                (&[5], "TSTInfo", "octets after the last element"),
                (&[5, 0], "TSTInfo.accuracy", "octets after the last element"),
                (&[8], "TSTInfo", "octets after the last element"),
            ],
            &[(&[], "TSTInfo"), (&[2], "TSTInfo.messageImprint"), (&[5], "TSTInfo.accuracy")],
        );
    }

    #[test]
    fn the_length_of_an_imprint_is_that_of_its_hash() {
        let short = TstInfo { imprint: MessageImprint::new(DigestAlgorithm::Sha256, vec![7; 20]), ..full() };
        let error = TstInfo::parse(&short.to_der().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "TSTInfo.messageImprint: a hash of 20 octets is none of sha-256");
    }

    #[test]
    fn forms_of_the_time() {
        let read = |text: &[u8]| {
            let der = writer::element(tag::GENERALIZED_TIME, text);
            GenTime::read(&Cursor::new(&der, 0).take().unwrap().unwrap()).ok().map(|time| (time.at, time.as_profiled))
        };
        let noon = datetime!(2025-06-15 12:00:00 UTC);
        assert_eq!(read(b"20250615120000Z"), Some((noon, true)));
        assert_eq!(read(b"20250615120000.34352Z"), Some((noon + time::Duration::microseconds(343_520), true)));
        for odd in [&b"20250615120000.0Z"[..], b"20250615120000,5Z", b"202506151200Z", b"20250615140000+0200"] {
            assert_eq!(read(odd).map(|(_, profiled)| profiled), Some(false), "{}", String::from_utf8_lossy(odd));
        }
        assert_eq!(read(b"20250615120000"), None);
        assert_eq!(read(b"20250615250000Z"), None);
    }

    #[test]
    fn an_accuracy_beyond_all_bounds_is_no_panic() {
        let mut info = full();
        info.accuracy = Some(Accuracy { seconds: u64::MAX, millis: 999, micros: 999 });
        let info = TstInfo::parse(&info.to_der().unwrap()).unwrap();
        assert_eq!((info.earliest(), info.latest()), (info.gen_time.at, info.gen_time.at));
        for (value, good) in [(0, false), (1, true), (999, true), (1000, false)] {
            let mut millis = writer::integer(value);
            millis[0] = tag::context_primitive(0);
            let der = writer::sequence([millis]);
            let element = Cursor::new(&der, 0).take().unwrap().unwrap();
            assert_eq!(Accuracy::read(&element).is_ok(), good, "{value}");
        }
    }
}
