//! A moment, written as RFC 3339 with seconds and `Z`.

use serde::{Deserialize, Serialize};
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::{OffsetDateTime, UtcOffset};

/// A moment in a case or certificate: RFC 3339, UTC, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(OffsetDateTime);

impl Instant {
    /// This moment, without its fraction of a second.
    #[must_use]
    pub fn now() -> Self {
        Self::of(OffsetDateTime::now_utc())
    }

    /// A moment, without its fraction of a second.
    #[must_use]
    pub fn of(moment: OffsetDateTime) -> Self {
        Self(moment.replace_nanosecond(0).unwrap_or(moment).to_offset(UtcOffset::UTC))
    }

    /// The moment as a date and time in UTC.
    #[must_use]
    pub const fn date_time(self) -> OffsetDateTime {
        self.0
    }

    /// Seconds since 1970, as `openssl -attime` wants them.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// The value of a Date header field (RFC 5322 section 3.3), `+0000`.
    #[must_use]
    pub fn header(self) -> String {
        self.0.format(&Rfc2822).unwrap_or_default()
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0.format(&Rfc3339).unwrap_or_default())
    }
}

impl std::str::FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|error| format!("{text:?} is no RFC 3339 time such as 2025-06-15T12:00:00Z: {error}"))?;
        // Years that neither RFC 5322 nor UTCTime and GeneralizedTime write would fail later, far from here.
        if moment.nanosecond() != 0 || !(1950..=9999).contains(&moment.to_offset(UtcOffset::UTC).year()) {
            return Err(format!("{text:?} has fractions of a second or lies outside the years 1950 to 9999"));
        }
        Ok(Self(moment.to_offset(UtcOffset::UTC)))
    }
}

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Instant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_in_utc_whatever_the_zone() {
        let moment: Instant = "2025-06-15T14:00:00+02:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2025-06-15T12:00:00Z");
        assert_eq!(moment.header(), "Sun, 15 Jun 2025 12:00:00 +0000");
        assert_eq!(moment.unix(), 1_749_988_800);
    }

    #[test]
    fn refuses_what_it_could_not_write() {
        for bad in ["2025-06-15", "2025-06-15T12:00:00.5Z", "1900-01-01T00:00:00Z", "noon"] {
            assert!(bad.parse::<Instant>().is_err(), "{bad}");
        }
    }
}
