//! The deployment's policy and what a review overrides of it. Reading and checking the JSON is the `sources` crate's.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Calendar, Person, Role, Source, base::instant::MINUTE, facts::subject::Kind};

/// Nobody moves a meeting by less. And a year on this grid has as many starts as one decision can look through in a
/// second.
pub const SHORTEST_GRID_MINUTES: i64 = 5;

/// `infra/policy.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deployment {
    /// Who may say what.
    pub sources: Vec<Registration>,
    /// The policy of reviews that set nothing otherwise.
    pub defaults: Policy,
}

/// No registration, no authority.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// The kind of subject that the source is authoritative for.
    pub kind: Kind,
    /// A CloudEvents `source`, or a prefix where it ends in `/*`.
    pub source: Source,
    /// Who answers for the source. Shown, never consulted.
    pub governed_by: Person,
    /// The sources, written as `source` is, whose subjects this source may take over.
    pub takes_over: Vec<Source>,
    /// Minutes within which the source promises to speak of each of its subjects again; `None`: no promise.
    pub max_age_minutes: Option<i64>,
    /// The SQS `SenderId` (an account or a role) that alone may speak for the source; `None`: any sender.
    pub sender: Option<String>,
}

/// Whether a registered `source`, exact or a prefix that ends in `/*`, covers this source.
fn matches(registered: &Source, source: &Source) -> bool {
    let registered = registered.as_str();
    match registered.strip_suffix("/*") {
        Some(prefix) => {
            source.as_str().strip_prefix(prefix).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
        }
        None => registered == source.as_str(),
    }
}

impl Registration {
    /// Whether the registration covers this source for this kind of subject.
    pub fn covers(&self, kind: Kind, source: &Source) -> bool {
        self.kind == kind && matches(&self.source, source)
    }

    /// Whether the registration covers this source and lets this sender speak for it. Bound to an account or a role, it
    /// lets in that one alone, of a role any session. Where the queue does not say who sent, its own access policy is all
    /// there is.
    pub fn lets_in(&self, kind: Kind, source: &Source, sender: Option<&str>) -> bool {
        let lets_in = match (&self.sender, sender) {
            (Some(bound), Some(sender)) => sender
                .strip_prefix(bound.as_str())
                .is_some_and(|session| session.is_empty() || session.starts_with(':')),
            _ => true,
        };
        lets_in && self.covers(kind, source)
    }
}

impl Registration {
    /// Whether the registration covers this source and lets it take over what that other source holds.
    pub fn may_take_over(&self, kind: Kind, source: &Source, holder: &Source) -> bool {
        self.covers(kind, source) && self.takes_over.iter().any(|former| matches(former, holder))
    }
}

impl Deployment {
    /// Minutes within which a source promised to speak again of each of its subjects; `None` where no registration that
    /// covers the source promises anything. Of several promises the shortest.
    pub fn promise(&self, kind: Kind, source: &Source) -> Option<i64> {
        let covering = self.sources.iter().filter(|registration| registration.covers(kind, source));
        covering.filter_map(|registration| registration.max_age_minutes).min()
    }

    /// Whether any registration covers this source for this kind of subject.
    pub fn registers(&self, kind: Kind, source: &Source) -> bool {
        self.sources.iter().any(|registration| registration.covers(kind, source))
    }

    /// Whether any registration covers this source and lets this sender speak for it.
    pub fn lets_in(&self, kind: Kind, source: &Source, sender: Option<&str>) -> bool {
        self.sources.iter().any(|registration| registration.lets_in(kind, source, sender))
    }

    /// The sender's account or role, without its session, where the source is registered and no registration lets this
    /// sender speak for it. `None`: the sender may, the queue names none, or nobody at all may speak for the source.
    pub fn barred<'s>(&self, kind: Kind, source: &Source, sender: Option<&'s str>) -> Option<&'s str> {
        let sender = sender.filter(|_| self.registers(kind, source) && !self.lets_in(kind, source, sender))?;
        Some(sender.split(':').next().unwrap_or(sender))
    }

    /// Whether a registered source may speak of a subject whose fact is `holder`'s: as that very source; because its
    /// registration takes over from the holder; or because the holder's own registration is gone.
    pub fn may_speak_after(&self, kind: Kind, holder: &Source, source: &Source) -> bool {
        let takes_over = |registration: &Registration| registration.may_take_over(kind, source, holder);
        source == holder || !self.registers(kind, holder) || self.sources.iter().any(takes_over)
    }
}

macro_rules! policy {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// The rules one review is coordinated under.
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub struct Policy { $($(#[$doc])* pub $name: $type,)* }

        /// What `review.issued` may set otherwise than the deployment.
        #[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        pub struct Overrides {
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
                pub $name: Option<$type>,
            )*
        }

        impl Policy {
            /// The policy with what a review sets otherwise.
            pub fn with(&self, overrides: &Overrides) -> Self {
                Self { $($name: overrides.$name.clone().unwrap_or_else(|| self.$name.clone()),)* }
            }
        }
    };
}

/// A member is an override even where it says `null`: no working hours is not the same as no word of working hours.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

policy! {
    /// Starts are looked for at multiples of this from midnight UTC.
    grid_minutes: i64,
    /// Minutes between now and the start of a slot that is proposed.
    min_notice_minutes: i64,
    /// Minutes that the owner must at least have between a new proposal and its expiry.
    min_decision_minutes: i64,
    /// Minutes between the readiness of evidence and the start of a slot.
    evidence_buffer_minutes: i64,
    /// Minutes for which evidence that was expected still counts as ready at its expected time.
    evidence_grace_minutes: i64,
    /// Minutes from now before which no slot starts while evidence is overdue; `None`: no slot at all.
    overdue_lead_minutes: Option<i64>,
    /// Minutes between the end of a slot and the cutover.
    lead_before_cutover_minutes: i64,
    /// The calendars whose protected freezes count.
    freeze_calendars: BTreeSet<Calendar>,
    /// A slot this near to a protected freeze is a freeze-edge case; touching counts at zero.
    freeze_edge_minutes: i64,
    /// The local working hours that a slot must lie in; `None`: any hour.
    working_hours: Option<WorkingHours>,
    /// What a choice keeps first.
    prefer: Prefer,
    /// Whether nobody may fill two roles.
    distinct_people: bool,
    /// What seats in other reviews are to this one.
    other_reviews: OtherReviews,
    /// Who must not fill which role.
    exclusions: Vec<Exclusion>,
    /// Whether people other than the owner hear of a proposal before the owner adopts the proposal.
    tell_before_adoption: bool,
    /// Whether a proposal comes with a calendar object of its own.
    hold_invites: bool,
    /// Seconds between the first change of a view and the mail that tells of the change.
    quiet_seconds: i64,
    /// Minutes that the owner has to decide on a proposal.
    adoption_deadline_minutes: i64,
    /// Minutes before its expiry at which the adopter is reminded of a proposal, if half of their time has passed by then.
    remind_before_expiry_minutes: i64,
    /// Who decides where a proposal gives or takes the owner's own seat.
    alternate_owner: Option<Person>,
    /// Minutes that a required attendee has to answer.
    acknowledge_within_minutes: i64,
    /// Minutes between reminders, at least one.
    remind_every_minutes: i64,
    /// What a change of evidence times, window or cutover alone is to a reader.
    metadata_alone: MetadataAlone,
    /// Minutes that `no_viable_slot` stands before people are told of the exception.
    escalate_after_minutes: i64,
    /// Who hears of every exception.
    escalation_contacts: BTreeSet<Person>,
    /// When proposals pause.
    churn: Churn,
}

impl Policy {
    /// Whether the policy excludes the person from the role.
    pub fn excludes(&self, role: &Role, person: &Person) -> bool {
        self.exclusions.iter().any(|exclusion| exclusion.role == *role && exclusion.person == *person)
    }

    /// The distance of two starts, in milliseconds.
    pub const fn grid(&self) -> i64 {
        self.grid_minutes * MINUTE
    }
}

/// What seats in other reviews are to a review.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherReviews {
    /// Somebody seated in another review is busy there.
    Busy,
    /// Seats in other reviews are no matter: a board reviews several changes in one hour.
    Ignored,
}

/// What a change of evidence times, window or cutover alone is to a reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataAlone {
    /// The next notice carries the change; the change alone owes none.
    Carried,
    /// The change owes a notice.
    Told,
}

/// What a choice keeps first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    /// The start, as near as possible.
    KeepTime,
    /// The people, as many as possible.
    KeepPeople,
}

/// Somebody who must not fill a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exclusion {
    /// The role.
    pub role: Role,
    /// Who must not fill the role.
    pub person: Person,
    /// Why, as the operator wrote.
    pub reason: String,
}

/// How many proposals people are told of before proposals pause.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Churn {
    /// The most proposals told within the time.
    pub proposals: u32,
    /// The time, in minutes.
    pub within_minutes: i64,
}

/// Local working hours: minutes after local midnight, and the days they hold on (0 = Monday).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WorkingHours {
    /// Minutes after local midnight at which work starts.
    pub start: u32,
    /// Minutes after local midnight at which work ends.
    pub end: u32,
    /// The days of work; 0 is Monday.
    pub days: BTreeSet<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_source_lets_its_sender_in_alone() {
        let source = |text: &str| Source::parse(text).expect("a source");
        let registered = |bound: Option<&str>| Registration {
            kind: Kind::Evidence,
            source: source("//ci/*"),
            governed_by: Person::parse("re@example.com").expect("an address"),
            takes_over: Vec::new(),
            max_age_minutes: None,
            sender: bound.map(str::to_owned),
        };
        for (bound, sender, lets_in) in [
            (None, Some("111111111111"), true),
            (Some("111111111111"), Some("111111111111"), true),
            (Some("111111111111"), Some("222222222222"), false),
            (Some("AROAEXAMPLE"), Some("AROAEXAMPLE:runner-7"), true),
            (Some("AROAEXAMPLE:runner-7"), Some("AROAEXAMPLE:runner-8"), false),
            (Some("AROAEXAMPLE"), Some("AROAEXAMPLE2:runner-7"), false),
            (Some("111111111111"), None, true),
        ] {
            let found = registered(bound).lets_in(Kind::Evidence, &source("//ci/a"), sender);
            assert_eq!(found, lets_in, "{bound:?} {sender:?}");
        }
    }

    #[test]
    fn an_override_with_nothing_survives_the_store() {
        let none = Overrides { working_hours: Some(None), alternate_owner: Some(None), ..Overrides::default() };
        let stored = serde_json::to_string(&none).expect("plain data");
        assert_eq!(serde_json::from_str::<Overrides>(&stored).expect("what was written"), none);
    }
}
