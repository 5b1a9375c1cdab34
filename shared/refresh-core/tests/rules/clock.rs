//! Instants as the tables write them: `15:30`, `15:30:01`, `+1/08:00` (a day later), all UTC on the day of the row.

use refresh_core::{
    Instant, Interval,
    base::instant::{DAY, HOUR, MINUTE, SECOND},
};

/// The day of a row.
#[derive(Clone, Copy, Debug)]
pub struct Day(Instant);

impl Day {
    pub fn parse(text: &str) -> Result<Self, String> {
        Instant::parse(&format!("{text}T00:00:00Z")).map(Self)
    }

    pub fn instant(self, text: &str) -> Result<Instant, String> {
        let wrong = || format!("a time like 15:30, 15:30:01 or +1/08:00; found {text:?}");
        let (days, time) = match text.split_once('/') {
            Some((days, time)) => (days.parse::<i64>().map_err(|_| wrong())?, time),
            None => (0, text),
        };
        let parts: Vec<i64> =
            time.split(':').map(str::parse).collect::<Result<_, std::num::ParseIntError>>().map_err(|_| wrong())?;
        let millis = match parts[..] {
            [hours, minutes] => hours * HOUR + minutes * MINUTE,
            [hours, minutes, seconds] => hours * HOUR + minutes * MINUTE + seconds * SECOND,
            _ => return Err(wrong()),
        };
        Ok(self.0.plus_millis(days * DAY + millis))
    }

    /// `13:00-21:00`. The dash after a digit divides; the one before a day does not.
    pub fn interval(self, text: &str) -> Result<Interval, String> {
        let dash = text
            .char_indices()
            .zip(text.chars().skip(1))
            .find(|((_, before), dash)| before.is_ascii_digit() && *dash == '-')
            .map(|((at, _), _)| at + 1);
        let dash = dash.ok_or_else(|| format!("an interval like 13:00-21:00; found {text:?}"))?;
        let (start, end) = (self.instant(&text[..dash])?, self.instant(&text[dash + 1..])?);
        Interval::new(start, end).ok_or_else(|| format!("an interval that ends after it starts; found {text:?}"))
    }

    pub fn is_interval(self, text: &str) -> bool {
        self.interval(text).is_ok()
    }

    pub fn show(self, instant: Instant) -> String {
        let since = instant.since(self.0);
        let (days, rest) = (since.div_euclid(DAY), since.rem_euclid(DAY));
        let day = if days == 0 { String::new() } else { format!("{days:+}/") };
        let (hours, minutes, seconds) = (rest / HOUR, rest % HOUR / MINUTE, rest % MINUTE / SECOND);
        let seconds = if seconds == 0 { String::new() } else { format!(":{seconds:02}") };
        format!("{day}{hours:02}:{minutes:02}{seconds}")
    }

    pub fn show_interval(self, interval: &Interval) -> String {
        format!("{}-{}", self.show(interval.start), self.show(interval.end))
    }
}
