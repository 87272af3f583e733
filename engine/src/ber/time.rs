//! UTCTime and GeneralizedTime values (X.690 sections 8.25, 8.26, 11.7, 11.8).

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use crate::ber::cursor::Element;
use crate::ber::tag::Tag;

/// The two types of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeType {
    /// UTCTime: two digits of the year, 1950 to 2049 (RFC 5280 section 4.1.2.5.1).
    Utc,
    /// GeneralizedTime: four digits of the year.
    Generalized,
}

/// A time that was read, and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeValue {
    /// When, in UTC. Fractions of a second are dropped; a leap second counts as
    /// the one before it.
    pub at: OffsetDateTime,
    /// The type it was written in.
    pub kind: TimeType,
    /// Whether it has seconds and `Z`, and no fraction.
    pub plain: bool,
}

impl TimeValue {
    /// Reads the time that an element holds; `None` if it is none.
    #[must_use]
    pub fn of(element: &Element<'_>) -> Option<Self> {
        if element.constructed {
            return None;
        }
        let kind = match element.tag {
            Tag::UTC_TIME => TimeType::Utc,
            Tag::GENERALIZED_TIME => TimeType::Generalized,
            _ => return None,
        };
        Self::parse(kind, element.content)
    }

    /// Reads the content octets of a time; seconds may be missing and an offset
    /// from UTC may stand for `Z`, as BER allows. `None` if it is no time, or
    /// one that UTC has no four-digit year for.
    #[must_use]
    pub fn parse(kind: TimeType, content: &[u8]) -> Option<Self> {
        let year_digits = match kind {
            TimeType::Utc => 2,
            TimeType::Generalized => 4,
        };
        let text = std::str::from_utf8(content).ok()?;
        let (number, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
        let (year, clock) = number.split_at_checked(year_digits)?;
        let year = match year.parse::<i32>().ok()? {
            year if kind == TimeType::Generalized => year,
            year if year >= 50 => 1900 + year,
            year => 2000 + year,
        };
        let with_seconds = match clock.len() {
            8 => false,
            10 => true,
            _ => return None,
        };
        let pair = |index: usize| clock.get(2 * index..2 * index + 2)?.parse::<u8>().ok();
        let second = match if with_seconds { pair(4)? } else { 0 } {
            60 => 59,
            second => second,
        };
        let date = Date::from_calendar_date(year, Month::try_from(pair(0)?).ok()?, pair(1)?).ok()?;
        let clock = Time::from_hms(pair(2)?, pair(3)?, second).ok()?;
        let (fraction, zone) = without_fraction(rest)?;
        let at = PrimitiveDateTime::new(date, clock).assume_offset(offset(zone)?).checked_to_offset(UtcOffset::UTC)?;
        Some(Self { at, kind, plain: with_seconds && !fraction && zone == "Z" })
    }

    /// Whether this is the form that RFC 5280 section 4.1.2.5 and RFC 5652
    /// section 11.3 ask for: plain, UTCTime from 1950 through 2049 and
    /// GeneralizedTime before and after.
    #[must_use]
    pub fn is_as_profiled(&self) -> bool {
        let due = if (1950..2050).contains(&self.at.year()) { TimeType::Utc } else { TimeType::Generalized };
        self.plain && self.kind == due
    }
}

/// Whether a fraction of a second stands first, and what follows it.
fn without_fraction(text: &str) -> Option<(bool, &str)> {
    let Some(fraction) = text.strip_prefix(['.', ',']) else { return Some((false, text)) };
    let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (zone.len() < fraction.len()).then_some((true, zone))
}

fn offset(zone: &str) -> Option<UtcOffset> {
    if zone == "Z" {
        return Some(UtcOffset::UTC);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    UtcOffset::from_hms(sign * hours.parse::<i8>().ok()?, sign * minutes.parse::<i8>().ok()?, 0).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::ber::Cursor;

    /// The time of an element, and whether its form is not the profiled one.
    fn parse(tag: u8, text: &str) -> Option<(OffsetDateTime, bool)> {
        let encoding = [&[tag, text.len() as u8], text.as_bytes()].concat();
        let element = Cursor::new(&encoding, 0).take().unwrap().unwrap();
        TimeValue::of(&element).map(|time| (time.at, !time.is_as_profiled()))
    }

    #[test]
    fn forms_of_rfc_5652() {
        assert_eq!(parse(23, "491231235959Z"), Some((datetime!(2049-12-31 23:59:59 UTC), false)));
        assert_eq!(parse(23, "500101000000Z"), Some((datetime!(1950-01-01 0:00 UTC), false)));
        assert_eq!(parse(24, "20500101000000Z"), Some((datetime!(2050-01-01 0:00 UTC), false)));
    }

    #[test]
    fn other_forms_are_deviations() {
        assert_eq!(parse(23, "2001010000Z"), Some((datetime!(2020-01-01 0:00 UTC), true)));
        assert_eq!(parse(23, "200101020000+0200"), Some((datetime!(2020-01-01 0:00 UTC), true)));
        assert_eq!(parse(24, "20200101000000Z"), Some((datetime!(2020-01-01 0:00 UTC), true)));
        assert_eq!(parse(24, "20510101000000.5Z"), Some((datetime!(2051-01-01 0:00 UTC), true)));
    }

    #[test]
    fn what_is_no_time() {
        for (tag, text) in [
            (23, ""),
            (23, "20011Z"),
            (23, "209901000000Z"),
            (23, "200101000061Z"),
            (24, "20200101000000"),
            (24, "20200101000000.Z"),
            (24, "20200101000000+99"),
            (22, "200101000000Z"),
        ] {
            assert_eq!(parse(tag, text), None, "{text}");
        }
    }

    #[test]
    fn times_of_both_types() {
        for (text, kind, expected) in [
            ("491231235959Z", TimeType::Utc, Some(datetime!(2049-12-31 23:59:59 UTC))),
            ("500101000000Z", TimeType::Utc, Some(datetime!(1950-01-01 00:00:00 UTC))),
            ("9912312359Z", TimeType::Utc, Some(datetime!(1999-12-31 23:59:00 UTC))),
            ("990101010000+0200", TimeType::Utc, Some(datetime!(1998-12-31 23:00:00 UTC))),
            ("161231235960Z", TimeType::Utc, Some(datetime!(2016-12-31 23:59:59 UTC))),
            ("99991231235959Z", TimeType::Generalized, Some(datetime!(9999-12-31 23:59:59 UTC))),
            ("20300101000000.5Z", TimeType::Generalized, Some(datetime!(2030-01-01 00:00:00 UTC))),
            // In UTC this is in the year 10000.
            ("99991231235959-0100", TimeType::Generalized, None),
            ("20300230000000Z", TimeType::Generalized, None),
            ("300101000000", TimeType::Utc, None),
            ("30010100000", TimeType::Utc, None),
            ("", TimeType::Utc, None),
        ] {
            assert_eq!(TimeValue::parse(kind, text.as_bytes()).map(|time| time.at), expected, "{text}");
        }
    }
}
