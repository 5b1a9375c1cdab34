//! The deployment's policy and what a review overrides of it. Reading and checking the JSON is the `sources` crate's.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Calendar, Person, Role, Source, base::instant::MINUTE, facts::subject::Kind};

/// Nobody moves a meeting by less, and a year on this grid is the most starts that one decision looks through in a second.
pub const SHORTEST_GRID_MINUTES: i64 = 5;

/// `infra/policy.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deployment {
    pub sources: Vec<Registration>,
    pub defaults: Policy,
}

/// No registration, no authority.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    pub kind: Kind,
    /// A CloudEvents `source`, or a prefix where it ends in `/*`.
    pub source: Source,
    pub governed_by: Person,
}

impl Registration {
    pub fn covers(&self, kind: Kind, source: &Source) -> bool {
        let registered = self.source.as_str();
        self.kind == kind
            && match registered.strip_suffix("/*") {
                Some(prefix) => {
                    source.as_str().strip_prefix(prefix).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
                }
                None => registered == source.as_str(),
            }
    }
}

impl Deployment {
    pub fn registers(&self, kind: Kind, source: &Source) -> bool {
        self.sources.iter().any(|registration| registration.covers(kind, source))
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
                #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
                pub $name: Option<$type>,
            )*
        }

        impl Policy {
            pub fn with(&self, overrides: &Overrides) -> Self {
                Self { $($name: overrides.$name.clone().unwrap_or_else(|| self.$name.clone()),)* }
            }
        }
    };
}

/// A member that is there is an override, even where it says `null`: no working hours is not the same as no word of them.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

policy! {
    /// Starts are looked for at multiples of this from midnight UTC.
    grid_minutes: i64,
    min_notice_minutes: i64,
    evidence_buffer_minutes: i64,
    evidence_grace_minutes: i64,
    lead_before_cutover_minutes: i64,
    freeze_calendars: BTreeSet<Calendar>,
    /// A slot this near to a protected freeze is a freeze-edge case; touching counts at zero.
    freeze_edge_minutes: i64,
    working_hours: Option<WorkingHours>,
    prefer: Prefer,
    distinct_people: bool,
    exclusions: Vec<Exclusion>,
    tell_before_adoption: bool,
    quiet_seconds: i64,
    adoption_deadline_minutes: i64,
    alternate_owner: Option<Person>,
    acknowledge_within_minutes: i64,
    remind_every_minutes: i64,
    escalation_contacts: BTreeSet<Person>,
    churn: Churn,
}

impl Policy {
    pub fn excludes(&self, role: &Role, person: &Person) -> bool {
        self.exclusions.iter().any(|exclusion| exclusion.role == *role && exclusion.person == *person)
    }

    pub const fn grid(&self) -> i64 {
        self.grid_minutes * MINUTE
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    KeepTime,
    KeepPeople,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exclusion {
    pub role: Role,
    pub person: Person,
    pub reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Churn {
    pub proposals: u32,
    pub within_minutes: i64,
}

/// Local working hours: minutes after local midnight, and the days they hold on (0 = Monday).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WorkingHours {
    pub start: u32,
    pub end: u32,
    pub days: BTreeSet<u8>,
}

#[cfg(test)]
mod tests {
    use super::Overrides;

    #[test]
    fn an_override_with_nothing_survives_the_store() {
        let none = Overrides { working_hours: Some(None), alternate_owner: Some(None), ..Overrides::default() };
        let stored = serde_json::to_string(&none).expect("plain data");
        assert_eq!(serde_json::from_str::<Overrides>(&stored).expect("what was written"), none);
    }
}
