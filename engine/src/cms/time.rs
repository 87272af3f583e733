//! Times in CMS and X.509 (RFC 5652 section 11.3, RFC 5280 section 4.1.2.5).

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};
use waxseal_verdict::Deviation;

use crate::ber::{Element, Tag};

/// Reads a UTCTime or GeneralizedTime, and says whether its form is not the one
/// that RFC 5652 section 11.3 asks for: seconds and `Z`, no fraction, UTCTime
/// from 1950 to 2049. `None` if it is no time at all.
#[must_use]
pub fn read(element: &Element<'_>) -> Option<(OffsetDateTime, Option<Deviation>)> {
    let text = std::str::from_utf8(element.content).ok()?;
    let generalized = match element.tag {
        Tag::UTC_TIME => false,
        Tag::GENERALIZED_TIME => true,
        _ => return None,
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let year_digits = if generalized { 4 } else { 2 };
    let (number, rest) = text.split_at(digits);
    let seconds_given = match digits.checked_sub(year_digits)? {
        8 => false,
        10 => true,
        _ => return None,
    };
    let field = |from: usize, to: usize| number.get(from..to)?.parse::<u16>().ok();
    let year = match field(0, year_digits)? {
        year if generalized => year,
        year if year >= 50 => 1900 + year,
        year => 2000 + year,
    };
    let at = |index: usize| -> Option<u8> {
        u8::try_from(field(year_digits + 2 * index, year_digits + 2 * index + 2)?).ok()
    };
    let date = Date::from_calendar_date(i32::from(year), Month::try_from(at(0)?).ok()?, at(1)?).ok()?;
    let clock = Time::from_hms(at(2)?, at(3)?, if seconds_given { at(4)? } else { 0 }).ok()?;
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => {
            let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == rest.len() {
                return None;
            }
            (true, zone)
        }
        None => (false, rest),
    };
    let time = PrimitiveDateTime::new(date, clock).assume_offset(offset(zone)?).to_offset(UtcOffset::UTC);
    let due = !fraction && seconds_given && zone == "Z" && generalized != (1950..2050).contains(&year);
    Some((time, (!due).then_some(Deviation::SigningTimeForm)))
}

fn offset(zone: &str) -> Option<UtcOffset> {
    if zone == "Z" {
        return Some(UtcOffset::UTC);
    }
    let sign: i8 = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = zone.get(1..).filter(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))?;
    let (hours, minutes): (i8, i8) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::Cursor;
    use time::macros::datetime;

    fn parse(tag: u8, text: &str) -> Option<(OffsetDateTime, bool)> {
        let encoding = [&[tag, text.len() as u8], text.as_bytes()].concat();
        let element = Cursor::new(&encoding, 0).take().unwrap().unwrap();
        read(&element).map(|(time, deviation)| (time, deviation.is_some()))
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
        for (tag, text) in
            [(23, ""), (23, "20011Z"), (23, "209901000000Z"), (24, "20200101000000"), (22, "200101000000Z")]
        {
            assert_eq!(parse(tag, text), None, "{text}");
        }
    }
}
