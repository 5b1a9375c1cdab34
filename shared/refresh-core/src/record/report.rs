//! Why this slot and not another, as a version keeps it: packed, and spelled out only where somebody reads the report.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{Instant, Person, Role, record::rule::SlotRule};

/// How many runs are kept with a version; beyond, the farthest from the authoritative start are left out.
pub const MOST_RUNS: usize = 64;

/// A role with its candidates: the holder, then the delegates.
pub type Team = (Role, Vec<Person>);

/// Each candidate start considered, with every reason against it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub enum Report {
    /// With people named once, and runs as bytes.
    Packed(Packed),
    /// As older versions and lineage entries have it: what was stored and hashed stays as it is.
    Spelled(Spelled),
}

/// A report in plain words.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Spelled {
    /// In order of time.
    pub runs: Vec<Run>,
    /// Starts considered in all.
    pub considered: u32,
    /// Runs left out for size.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
}

/// A report whose people are named once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packed {
    considered: u32,
    left_out: u32,
    /// Shared by the copies of a report.
    teams: Arc<[Team]>,
    /// The runs as bytes; [`Writer`] says how.
    bytes: Vec<u8>,
}

/// Either form as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Empty beside a packed report. So a function that is older than packed reports reads a report without runs, and
    /// no error.
    runs: Vec<Run>,
    considered: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    left_out: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    teams: Option<Arc<[Team]>>,
    /// In base64, without padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    packed: Option<String>,
}

impl From<Report> for Stored {
    fn from(report: Report) -> Self {
        match report {
            Report::Spelled(Spelled { runs, considered, left_out }) => {
                Self { runs, considered, left_out, teams: None, packed: None }
            }
            Report::Packed(Packed { considered, left_out, teams, bytes }) => {
                let packed = Some(STANDARD_NO_PAD.encode(bytes));
                Self { runs: Vec::new(), considered, left_out, teams: Some(teams), packed }
            }
        }
    }
}

impl TryFrom<Stored> for Report {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let Stored { runs, considered, left_out, teams, packed } = stored;
        let Some(packed) = packed else { return Ok(Self::Spelled(Spelled { runs, considered, left_out })) };
        let bytes = STANDARD_NO_PAD.decode(packed).map_err(|error| format!("expected base64: {error}"))?;
        let packed = Packed { considered, left_out, teams: teams.unwrap_or_default(), bytes };
        packed.runs().ok_or("expected the runs of a report, whole")?;
        Ok(Self::Packed(packed))
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Neighbouring starts with the same reasons share a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// First and last start of the run, both included.
    pub first: Instant,
    /// The last start of the run.
    pub last: Instant,
    /// Empty: viable.
    pub against: Vec<Against>,
}

/// One reason against a start.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The evidence is ready later.
    #[serde(rename = "before_evidence")]
    Evidence,
    /// Evidence has no ready time.
    #[serde(rename = "no_evidence")]
    Unready,
    /// The slot lies outside the review window.
    #[serde(rename = "outside_window")]
    Window,
    /// The slot ends too close to the cutover.
    #[serde(rename = "cutover_lead")]
    Cutover,
    /// The slot starts too soon.
    #[serde(rename = "short_notice")]
    Notice,
    /// The slot overlaps a protected freeze.
    Freeze,
    /// The owner declined the slot.
    Declined,
    /// Nobody eligible is free for the role; who is busy, unknown or out of hours follows.
    Role {
        /// The role that nobody fills.
        role: Role,
        /// Who might fill the role, and why each does not.
        people: Vec<PassedOver>,
    },
    /// Each role could be filled, but not by distinct people.
    Shared,
}

/// A candidate for a role who may not fill it, and why not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct PassedOver {
    /// The person.
    pub person: Person,
    /// Why the person does not.
    pub because: Because,
}

/// Why somebody does not fill a role.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The person is busy.
    Busy,
    /// The person's time is not known.
    Unknown,
    /// The slot lies outside the person's working hours.
    Hours,
    /// The delegation does not cover the slot.
    NotValid,
}

/// The rules against a start that name nobody, in the order of telling. The first list is told before the roles that
/// lack people, the second after. A rule's place is its bit in a packed run.
const TOLD: [&[(SlotRule, Against)]; 2] = [
    &[
        (SlotRule::Unready, Against::Unready),
        (SlotRule::Evidence, Against::Evidence),
        (SlotRule::Window, Against::Window),
        (SlotRule::Cutover, Against::Cutover),
        (SlotRule::Notice, Against::Notice),
        (SlotRule::Freeze, Against::Freeze),
    ],
    &[(SlotRule::Shared, Against::Shared), (SlotRule::Declined, Against::Declined)],
];

/// The bit of a rule in a packed run; zero for a rule that a report does not name.
fn bit(rule: SlotRule) -> u8 {
    TOLD.iter().copied().flatten().position(|(told, _)| *told == rule).map_or(0, |place| 1 << place)
}

impl Default for Report {
    fn default() -> Self {
        Self::Spelled(Spelled::default())
    }
}

impl Report {
    /// Starts considered in all.
    pub const fn considered(&self) -> u32 {
        match self {
            Self::Packed(packed) => packed.considered,
            Self::Spelled(spelled) => spelled.considered,
        }
    }

    /// Runs left out for size.
    pub const fn left_out(&self) -> u32 {
        match self {
            Self::Packed(packed) => packed.left_out,
            Self::Spelled(spelled) => spelled.left_out,
        }
    }

    /// In order of time.
    pub fn runs(&self) -> Cow<'_, [Run]> {
        match self {
            Self::Packed(packed) => Cow::Owned(packed.runs().unwrap_or_default()),
            Self::Spelled(spelled) => Cow::Borrowed(&spelled.runs),
        }
    }

    /// In plain words, for whoever reads it.
    pub fn spelled(&self) -> Spelled {
        Spelled { runs: self.runs().into_owned(), considered: self.considered(), left_out: self.left_out() }
    }
}

impl Packed {
    /// `None` where the bytes are not what a [`Writer`] wrote for these teams; what is read is checked for it.
    fn runs(&self) -> Option<Vec<Run>> {
        let mut reader = Reader { bytes: &self.bytes };
        let mut runs = Vec::new();
        let mut before = 0;
        while !reader.bytes.is_empty() {
            let first = reader.number()?.checked_add(before)?;
            let last = reader.number()?.checked_add(first)?;
            before = last;
            let at = |millis: u64| i64::try_from(millis).ok().map(Instant::from_millis);
            runs.push(Run { first: at(first)?, last: at(last)?, against: self.against(&mut reader)? });
        }
        Some(runs)
    }

    fn against(&self, reader: &mut Reader<'_>) -> Option<Vec<Against>> {
        let rules = reader.byte()?;
        let told = |part: usize| {
            let broken = |(rule, _): &&(SlotRule, Against)| rules & bit(*rule) != 0;
            TOLD[part].iter().filter(broken).map(|(_, against)| against.clone())
        };
        let mut against: Vec<Against> = told(0).collect();
        let lacking = reader.bits(self.teams.len())?;
        for (role, people) in self.teams.iter().zip(lacking).filter_map(|(team, lacks)| lacks.then_some(team)) {
            let bits = reader.bits(people.len() * 2)?;
            let candidate = |(person, bits): (&Person, &[bool])| PassedOver {
                person: person.clone(),
                because: Because::of_bits(bits[0], bits[1]),
            };
            let people = people.iter().zip(bits.chunks_exact(2)).map(candidate).collect();
            against.push(Against::Role { role: role.clone(), people });
        }
        against.extend(told(1));
        Some(against)
    }
}

impl Because {
    const fn bits(self) -> u8 {
        match self {
            Self::Busy => 0,
            Self::Unknown => 1,
            Self::Hours => 2,
            Self::NotValid => 3,
        }
    }

    const fn of_bits(low: bool, high: bool) -> Self {
        match (low, high) {
            (false, false) => Self::Busy,
            (true, false) => Self::Unknown,
            (false, true) => Self::Hours,
            (true, true) => Self::NotValid,
        }
    }
}

/// Writes a report, run by run in order of time. A run has five parts. Its first start, counted in milliseconds from
/// the last of the run before. Its last start, counted from its first. A byte with a bit for each rule that names
/// nobody. A bit for each role, set where nobody may fill the role. And for each such role, two bits a candidate for
/// why not. A start is written with seven bits a byte, the lowest first, the high bit where more follow. Bits fill
/// bytes from the lowest.
#[derive(Debug)]
pub struct Writer {
    teams: Vec<Team>,
    bytes: Vec<u8>,
    /// The last start of the run before.
    last: i64,
    /// Where the roles' bits of the present run begin.
    roles_at: usize,
}

impl Writer {
    /// A writer of runs over these roles and their candidates.
    pub fn new(teams: Vec<Team>) -> Self {
        Self { teams, bytes: Vec::with_capacity(1024), last: 0, roles_at: 0 }
    }

    /// Begins a run.
    pub fn run(&mut self, first: Instant, last: Instant, rules: impl Iterator<Item = SlotRule>) {
        self.number(first.millis() - self.last);
        self.number(last.since(first));
        self.last = last.millis();
        self.bytes.push(rules.fold(0, |bits, rule| bits | bit(rule)));
        self.roles_at = self.bytes.len();
        self.bytes.resize(self.roles_at + self.teams.len().div_ceil(8), 0);
    }

    /// Nobody may fill this role, the roles in their order; why not, each of its candidates.
    pub fn nobody_for(&mut self, role: usize, because: impl Iterator<Item = Because>) {
        self.bytes[self.roles_at + role / 8] |= 1 << (role % 8);
        let mut filled = 8;
        for because in because {
            if filled == 8 {
                self.bytes.push(0);
                filled = 0;
            }
            if let Some(byte) = self.bytes.last_mut() {
                *byte |= because.bits() << filled;
            }
            filled += 2;
        }
    }

    /// The report of all runs written.
    pub fn finish(self, considered: u32, left_out: u32) -> Report {
        Report::Packed(Packed { considered, left_out, teams: self.teams.into(), bytes: self.bytes })
    }

    fn number(&mut self, number: i64) {
        let mut rest = number.max(0) as u64;
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bits(&mut self, count: usize) -> Option<Vec<bool>> {
        let (bytes, rest) = self.bytes.split_at_checked(count.div_ceil(8))?;
        self.bytes = rest;
        Some((0..count).map(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1).collect())
    }
}
