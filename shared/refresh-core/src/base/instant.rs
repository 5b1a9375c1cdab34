//! Instants and half-open intervals. Everything inside is UTC; zones appear only at the edges.

use std::fmt;

use chrono::{DateTime, Datelike, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time in whole milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A second, in milliseconds.
pub const SECOND: i64 = 1_000;
/// A minute, in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// An hour, in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// A day of 24 hours, in milliseconds.
pub const DAY: i64 = 24 * HOUR;

impl Instant {
    /// The instant so many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with an offset. Finer digits than milliseconds are cut off.
    ///
    /// # Errors
    ///
    /// What was expected and what was found: no RFC 3339, or a year before 1970 or after 9999.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed = DateTime::parse_from_rfc3339(text)
            .map_err(|_| format!("an RFC 3339 instant with an offset, like 2026-11-03T15:30:00Z; found {text:?}"))?;
        // Leap years and offsets are chrono's; years beyond four digits would not print back as RFC 3339.
        let utc = parsed.with_timezone(&Utc);
        if !(1970..=9999).contains(&utc.year()) {
            return Err(format!("an instant between the years 1970 and 9999; found {text:?}"));
        }
        Ok(Self(utc.timestamp_millis()))
    }

    /// The instant as chrono's type, for calendars and for printing.
    pub fn to_utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// So many milliseconds later; earlier where `millis` is negative.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// So many seconds later; earlier where `seconds` is negative.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_millis(seconds * SECOND)
    }

    /// The start of the instant's minute.
    pub const fn minute(self) -> Self {
        Self::from_millis(self.millis() - self.millis().rem_euclid(MINUTE))
    }

    /// So many minutes later; earlier where `minutes` is negative.
    pub const fn plus_minutes(self, minutes: i64) -> Self {
        self.plus_millis(minutes * MINUTE)
    }

    /// `self - earlier` in milliseconds; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

/// Whole minutes, rounded up: how misses are told to people.
pub const fn minutes_up(millis: i64) -> i64 {
    if millis <= 0 { 0 } else { (millis + MINUTE - 1) / MINUTE }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written())
    }
}

impl Instant {
    /// RFC 3339 in UTC, with the milliseconds where there are any. Each stored item and each hash holds dozens
    /// of instants. So the digits are written here, without chrono's general formatting.
    fn written(self) -> String {
        let (date, of_day) = (self.to_utc().date_naive(), self.0.rem_euclid(DAY));
        let mut text = String::with_capacity("2026-11-03T15:30:00.250Z".len());
        let year = date.year();
        if !(0..=9_999).contains(&year) {
            return self.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true);
        }
        push_digits(&mut text, year.unsigned_abs(), 4);
        for (before, number) in [('-', date.month()), ('-', date.day())] {
            text.push(before);
            push_digits(&mut text, number, 2);
        }
        let parts = [of_day / HOUR, of_day % HOUR / MINUTE, of_day % MINUTE / SECOND];
        for (before, number) in ['T', ':', ':'].into_iter().zip(parts) {
            text.push(before);
            push_digits(&mut text, number as u32, 2);
        }
        if of_day % SECOND != 0 {
            text.push('.');
            push_digits(&mut text, (of_day % SECOND) as u32, 3);
        }
        text.push('Z');
        text
    }
}

/// The last `count` decimal digits of a number, with leading zeros.
fn push_digits(text: &mut String, number: u32, count: u32) {
    for place in (0..count).rev() {
        text.push(char::from(b'0' + (number / 10_u32.pow(place) % 10) as u8));
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written())
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(|expected| de::Error::custom(format!("expected {expected}")))
    }
}

/// Half-open `[start, end)`, never empty. Two intervals that touch do not overlap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// The first instant inside.
    pub start: Instant,
    /// The first instant after.
    pub end: Instant,
}

/// The time of a meeting or a hold.
pub type Slot = Interval;

impl Interval {
    /// `None` where the end does not come after the start.
    pub fn new(start: Instant, end: Instant) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The length in milliseconds.
    pub const fn length(&self) -> i64 {
        self.end.0 - self.start.0
    }

    /// Whether the intervals share an instant. Intervals that touch do not overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// `other` lies wholly inside.
    pub fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The common part's length in milliseconds, zero where they only touch.
    pub fn overlap(&self, other: &Self) -> i64 {
        (self.end.0.min(other.end.0) - self.start.0.max(other.start.0)).max(0)
    }

    /// The gap between them in milliseconds: zero where they touch, negative where they overlap.
    pub fn gap(&self, other: &Self) -> i64 {
        (other.start.0 - self.end.0).max(self.start.0 - other.end.0)
    }

    /// The same length, starting elsewhere.
    pub fn starting(&self, start: Instant) -> Self {
        Self { start, end: start.plus_millis(self.length()) }
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_chrono_writes_it() {
        let days = [0, 58, 59, 60, 364, 365, 789, 11_016, 20_760, 47_540, 2_932_896];
        let of_day = [0, 1, 10, 250, 999, 1_000, 59_999, 60_000, 3_599_000, 45_296_007, 86_399_999];
        let both = days.iter().flat_map(|day| of_day.map(|of_day| day * DAY + of_day));
        for millis in both.chain([-1, -1_000, -86_400_000, i64::MIN, i64::MAX]) {
            let instant = Instant::from_millis(millis);
            assert_eq!(instant.to_string(), instant.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true), "{millis}");
        }
    }
}
