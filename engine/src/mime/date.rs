//! Dates of header fields (RFC 5322 section 3.3, with the obsolete forms of 4.3).

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

const MONTHS: [(&str, Month); 12] = [
    ("jan", Month::January),
    ("feb", Month::February),
    ("mar", Month::March),
    ("apr", Month::April),
    ("may", Month::May),
    ("jun", Month::June),
    ("jul", Month::July),
    ("aug", Month::August),
    ("sep", Month::September),
    ("oct", Month::October),
    ("nov", Month::November),
    ("dec", Month::December),
];

/// Zones by name, in hours (RFC 5322 section 4.3). Any other name means that
/// nothing is known of the zone, and counts as UTC.
const ZONES: [(&str, i8); 11] = [
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
];

/// Reads `[day-name ,] day month year hour:minute[:second] [zone]`; comments
/// count nowhere. In UTC; `None` where it is no such date, or one that UTC cannot
/// say in four digits of a year.
pub(super) fn parse(value: &str) -> Option<OffsetDateTime> {
    let text = without_comments(value).replace(',', " ");
    let mut words = text.split_ascii_whitespace().peekable();
    words.next_if(|word| word.chars().all(|c| c.is_ascii_alphabetic() || c == '.'));
    // `3-Nov-2005` is how some old programs join the first three.
    let mut first = words.next()?.splitn(3, '-');
    let day = first.next()?.parse().ok()?;
    let month_name = first.next().or_else(|| words.next())?.to_ascii_lowercase();
    let year = first.next().or_else(|| words.next())?;
    let month = MONTHS.iter().find(|(name, _)| month_name.get(..3) == Some(name))?.1;
    let date = Date::from_calendar_date(full_year(year)?, month, day).ok()?;
    let time = clock(words.next()?)?;
    let offset = match words.next() {
        Some(zone) => offset(zone)?,
        None => UtcOffset::UTC,
    };
    date.with_time(time).assume_offset(offset).checked_to_offset(UtcOffset::UTC)
}

/// Two and three digits are the obsolete years of RFC 5322 section 4.3.
fn full_year(digits: &str) -> Option<i32> {
    let year: i32 = digits.parse().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    Some(match (digits.len(), year) {
        (2, ..50) => year + 2000,
        (2 | 3, _) => year + 1900,
        _ => year,
    })
}

fn clock(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    // A leap second is a legal value here; it counts as the second before it.
    let second = parts.next().map_or(Some(0), |second| second)?.min(59);
    if parts.next().is_some() { None } else { Time::from_hms(hour, minute, second).ok() }
}

fn offset(zone: &str) -> Option<UtcOffset> {
    let sign: i8 = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => {
            let name = zone.to_ascii_lowercase();
            let hours = ZONES.iter().find(|(known, _)| *known == name).map_or(0, |(_, hours)| *hours);
            return UtcOffset::from_hms(hours, 0, 0).ok();
        }
    };
    let digits = &zone[1..];
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i8, i8) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

/// The text without its comments, nested ones too.
fn without_comments(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' if depth > 0 => {
                    depth -= 1;
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn dates_of_real_mail_are_read() {
        for (written, meant) in [
            ("Wed, 22 Sep 2021 15:10:01 +0000", "2021-09-22T15:10:01Z"),
            ("Thu, 3 Nov 2005 09:09:31 -0130 (CEST)", "2005-11-03T10:39:31Z"),
            ("Tue,  3 Apr 2007 09:02:23 +0200 (Mitteleurop\u{e4}ische (Sommer)zeit)", "2007-04-03T07:02:23Z"),
            ("3 Apr 07 09:02 GMT", "2007-04-03T09:02:00Z"),
            ("03-Apr-2007 09:02:60 EST", "2007-04-03T14:02:59Z"),
            ("Fri, 1 January 1999 00:00:00", "1999-01-01T00:00:00Z"),
            ("Fri (day), 1 Jan 099 00:00:00 Z", "1999-01-01T00:00:00Z"),
        ] {
            let read = parse(written).unwrap_or_else(|| panic!("{written} is not read"));
            assert_eq!(read.format(&Rfc3339).unwrap(), meant, "{written}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "Wed, 31 Feb 2021 10:00:00 +0000",
            "1 Jan 2021",
            "1 Jan 2021 25:00:00 +0000",
            "1 Jan 2021 10:00:00 +00",
            "1 Jan 2021 10:00:00 +99é",
            "1 Jän 2021 10:00:00 +0000",
            "(((",
            "Fri, 31 Dec 9999 23:59:59 -0100",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
