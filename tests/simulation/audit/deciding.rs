//! Time to decide: a proposal leaves its owner enough of that time, expires while they work, and they are reminded of the
//! proposal once before it lapses.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use serde_json::Value;

use super::{Audit, ensure, millis, steps::happenings};
use crate::scene::{MINUTE, ZONES};

/// No worker's clock is farther from the right time.
const SKEW: i64 = 2_000;

impl Audit {
    fn minutes(&self, name: &str) -> i64 {
        self.policy[name].as_i64().unwrap_or(0) * MINUTE
    }

    /// A proposal that was made just now leaves time to decide, unless the present meeting starts before that, and its
    /// deadline is in nobody's night.
    pub(super) fn leaves_time(&self, before: Option<&Value>, after: &Value) -> Result<(), String> {
        let pending = &after["pending"];
        let same = |head: &Value| {
            ["digest", "first_version", "made_at"].iter().all(|name| head["pending"][name] == pending[name])
        };
        let (Some(made), Some(expires), Some(start)) =
            (millis(&pending["made_at"]), millis(&pending["expires_at"]), millis(&after["starts_at"]))
        else {
            return Ok(());
        };
        if before.is_some_and(same) {
            return Ok(());
        }
        let least = (made + self.minutes("min_decision_minutes")).min(start);
        ensure(expires >= least, || {
            format!(
                "made at {} and over at {}: leaves too little time to decide",
                pending["made_at"], pending["expires_at"]
            )
        })?;
        let slot = &self.packet(&pending["version"])["slot"];
        let own = millis(&slot["start"]).map(|start| start - self.minutes("min_notice_minutes"));
        let by_day = expires == start || Some(expires) == own || self.works_somewhere(expires - MINUTE);
        ensure(by_day, || format!("it expires at {}, when nobody works", pending["expires_at"]))
    }

    pub(super) fn said_where_people_live(&self) -> bool {
        self.said.iter().any(|said| said.subject["person"].is_string())
    }

    /// When the adopter of a pending proposal is next to be reminded for the last time.
    pub(super) fn reminder_due(&self) -> Option<i64> {
        self.head().and_then(|head| self.last_reminder(&head["pending"])).filter(|due| *due > self.now)
    }

    /// Whether the minute that begins then is one of work in any zone that people here live in.
    fn works_somewhere(&self, at: i64) -> bool {
        let hours = &self.policy["working_hours"];
        let (Some(opens), Some(closes)) = (hours["start"].as_str(), hours["end"].as_str()) else { return true };
        let at = DateTime::from_timestamp_millis(at).unwrap_or_default();
        let review = self.fact(&format!("review#{}", self.id)).map(|fact| &fact["body"]["review"]["time_zone"]);
        let homes = if self.said_where_people_live() { &ZONES[..] } else { &[] };
        let zones = homes.iter().copied().chain(review.and_then(Value::as_str));
        let mut zones = zones.filter_map(|zone| zone.parse::<Tz>().ok());
        zones.any(|zone| {
            let local = at.with_timezone(&zone);
            let shown = format!("{:02}:{:02}", local.hour(), local.minute());
            // Monday to Friday is all that is ever drawn.
            local.weekday().num_days_from_monday() < 5 && *opens <= *shown && *shown < *closes
        })
    }

    /// When the last reminder of a proposal is due: `None` where the adopter was asked so late that less than half of
    /// their time would have passed by then.
    fn last_reminder(&self, pending: &Value) -> Option<i64> {
        let (asked, expires) = (millis(&pending["asked"]["at"])?, millis(&pending["expires_at"])?);
        let at = expires - self.minutes("remind_before_expiry_minutes");
        (at > asked && at - asked >= expires - at).then_some(at)
    }

    /// One reminder in the last while, and one more for each that the schedule has then.
    pub(super) fn reminded_once(&mut self, before: Option<&Value>, after: &Value, entry: &Value) -> Result<(), String> {
        let Some(pending) = before.map(|head| &head["pending"]).filter(|pending| pending.is_object()) else {
            return Ok(());
        };
        let (Some(asked), Some(expires)) = (millis(&pending["asked"]["at"]), millis(&pending["expires_at"])) else {
            return Ok(());
        };
        let from = expires - self.minutes("remind_before_expiry_minutes");
        let late = millis(&after["at"]).is_some_and(|at| at >= from);
        for notice in happenings(entry, "notice").filter(|notice| notice["kind"] == "reminder" && late) {
            // A reminder to answer is about the authoritative version.
            if notice["to"] != pending["adopter"] || notice["version"] != pending["version"] {
                continue;
            }
            let (every, within) = (self.minutes("remind_every_minutes"), self.minutes("acknowledge_within_minutes"));
            let scheduled =
                (1..).map(|number| asked + number * every).take_while(|at| *at < expires.min(asked + within));
            let most = 1 + scheduled.filter(|at| *at >= from - every).count();
            let key = format!("{} {} {}", notice["to"], pending["first_version"], pending["asked"]["at"]);
            let count = self.last_reminders.entry(key).or_default();
            *count += 1;
            let count = *count;
            ensure(count <= most, || format!("{} was reminded again before the proposal lapses", notice["to"]))?;
            self.met.insert("last reminder".to_owned());
        }
        Ok(())
    }

    /// Once all is quiet: who still decides, and was asked long before, has heard of it since the last reminder was due.
    pub(super) fn reminded_in_time(&self, head: &Value, now: i64) -> Result<(), String> {
        let pending = &head["pending"];
        let Some(adopter) = pending["adopter"].as_str().filter(|person| !self.withheld(person)) else { return Ok(()) };
        let Some(due) = self.last_reminder(pending).filter(|due| due + SKEW < now) else { return Ok(()) };
        let own = format!("REVIEW#{}", self.id);
        let entries = self.items.iter().filter(|((pk, sk), _)| *pk == own && sk.starts_with("LINEAGE#"));
        let since = entries.filter(|(_, item)| millis(&item.body["at"]).is_some_and(|at| at + SKEW >= due));
        let heard = since.flat_map(|(_, item)| happenings(&item.body, "notice")).any(|notice| notice["to"] == adopter);
        ensure(heard, || format!("{adopter} was never reminded; the proposal lapses at {}", pending["expires_at"]))
    }
}
