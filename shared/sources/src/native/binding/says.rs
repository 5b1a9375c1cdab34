//! What a binding says of the payloads of its format. Readers fill these types; none of them is read here.

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{
    Calendar, ChangeId, Checkpoint, DiaryName, Person, Role, Service, Source, Zone,
    base::{digest::Digest, hex},
    facts::fact::ChangeState,
};

use super::{
    format::Format,
    people::{People, folded},
};

/// What native payloads of one format cannot say themselves.
#[derive(Clone, PartialEq, Debug)]
pub struct Binding {
    /// The format of the payloads.
    pub format: Format,
    /// The contract's `source`, which the deployment registers for the kind of facts that come of the payloads.
    pub source: Source,
    /// What the binding says of them.
    pub says: Says,
}

impl Binding {
    /// The format of the payloads.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The source's own names of the people whom a binding asks for, those of one person together.
    pub fn names(&self) -> Vec<Vec<&str>> {
        match &self.says {
            Says::Calendar(poll) => poll.people.names(),
            _ => Vec::new(),
        }
    }

    /// The header that numbers polled answers, in lower case; `None` where payloads number themselves.
    pub fn revision_header(&self) -> Option<&str> {
        match &self.says {
            Says::Calendar(poll) => Some(&poll.revision_header),
            Says::Oncall(oncall) => Some(&oncall.poll.revision_header),
            Says::Roster(roster) => Some(&roster.revision_header),
            Says::Delegates(delegates) => Some(&delegates.revision_header),
            Says::Freezes(schedules) => Some(&schedules.revision_header),
            Says::CdEvents(_) | Says::Run(_) | Says::Servicenow(_) | Says::Jira(_) | Says::Hint(_) | Says::Reply(_) => {
                None
            }
        }
    }
}

/// What a binding says of its payloads.
#[derive(Clone, PartialEq, Debug)]
pub enum Says {
    /// A run of tests or of a pipeline as CDEvents tell it.
    CdEvents(CdEvents),
    /// A run of a CI system.
    Run(RunBinding),
    /// Change requests of ServiceNow.
    Servicenow(Servicenow),
    /// Change issues of Jira Service Management.
    Jira(Jira),
    /// Free and busy time of people.
    Calendar(Poll),
    /// On-call time of people.
    Oncall(Oncall),
    /// Delegates, as a roster lists them.
    Roster(Roster),
    /// Delegates, as ServiceNow keeps them.
    Delegates(ServicenowDelegates),
    /// Freezes, as ServiceNow schedules them.
    Freezes(ServicenowSchedules),
    /// A payload that says that something changed, and not what.
    Hint(Source),
    /// Mails that people send back.
    Reply(ReplyBinding),
}

/// Mails that people send back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplyBinding {
    /// The contract's `source`, which the deployment registers for `reply`.
    pub source: Source,
    /// Whose `Authentication-Results` count. `None`: no header proves a sender.
    pub authserv: Option<Authserv>,
}

/// The mail server of the deployment that says whether a sender is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authserv {
    /// Its authserv-id (RFC 8601).
    pub id: String,
    /// How many servers behind it put a `Received` of theirs on top.
    pub relays: usize,
}

/// Which checkpoint of which change something is evidence for.
#[derive(Clone, PartialEq, Debug)]
pub struct EvidenceBinding {
    /// The contract's `source`, which the deployment registers for `evidence`.
    pub source: Source,
    /// The change.
    pub change: BoundChange,
    /// The checkpoint of the change.
    pub checkpoint: Checkpoint,
    /// How long a run usually takes. Without it a running run has no ready time.
    pub expected_minutes: Option<i64>,
}

/// The change that something is evidence for.
#[derive(Clone, PartialEq, Debug)]
pub enum BoundChange {
    /// This change.
    Named(ChangeId),
    /// What the star of the binding's pattern stands for.
    Starred,
}

/// Exact, or anything that begins so where it ends in a star.
#[derive(Clone, PartialEq, Debug)]
pub struct Pattern {
    pub(super) before: String,
    pub(super) starred: bool,
}

impl Pattern {
    /// A name without a star.
    pub fn exact(name: String) -> Self {
        Self { before: name, starred: false }
    }

    /// What the star stands for: empty where there is none. `None`: no match.
    pub fn matched<'t>(&self, text: &'t str) -> Option<&'t str> {
        if self.starred {
            text.strip_prefix(self.before.as_str()).filter(|rest| !rest.is_empty())
        } else {
            (text == self.before).then_some("")
        }
    }

    /// Whether one name can match both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self.starred, other.starred) {
            (false, false) => self.before == other.before,
            (true, false) => self.matched(&other.before).is_some(),
            (false, true) => other.matched(&self.before).is_some(),
            (true, true) => self.before.starts_with(&other.before) || other.before.starts_with(&self.before),
        }
    }
}

/// As the policy writes it.
impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.before)?;
        f.write_str(if self.starred { "*" } else { "" })
    }
}

/// Evidence that CDEvents tell of.
#[derive(Clone, PartialEq, Debug)]
pub struct CdEvents {
    /// What a run is evidence for.
    pub evidence: EvidenceBinding,
    /// Which runs count.
    pub run: CdRun,
    /// The test suite's id, or the pipeline's name.
    pub name: Pattern,
}

/// What a CDEvent's run is a run of.
#[derive(Clone, PartialEq, Debug)]
pub enum CdRun {
    /// With the environment it must have run in: a success in staging is none of production's evidence.
    TestSuite {
        /// The environment's id.
        environment: String,
    },
    /// A run of a pipeline.
    Pipeline,
}

/// Which runs of a CI system are evidence.
#[derive(Clone, PartialEq, Debug)]
pub struct RunBinding {
    /// What a run is evidence for.
    pub evidence: EvidenceBinding,
    /// What the system calls the thing that numbers its runs: repository and workflow, project, job, pipeline.
    pub identity: Vec<Pattern>,
    /// The branch that a run must be of; `None`: any.
    pub branch: Option<Pattern>,
    /// The commit that a run must be of; `None`: any.
    pub head_sha: Option<String>,
    /// Words of success that count as ready: the system's first, unless the deployment says otherwise.
    pub ready_on: BTreeSet<&'static str>,
}

/// Which columns of a change request say what.
#[derive(Clone, PartialEq, Debug)]
pub struct Servicenow {
    /// The contract's `source`.
    pub source: Source,
    /// Which column is which.
    pub columns: ChangeColumns,
    /// The column that says whether the owner confirmed; `None`: no column does.
    pub owner_confirmed: Option<String>,
    /// Of the instance's own states, where they are not the base system's.
    pub states: BTreeMap<String, ChangeState>,
    /// Words of the column `approval` that count as approved: `approved`, unless the deployment says otherwise.
    pub approved_on: BTreeSet<&'static str>,
    /// The instance's own names of people.
    pub people: People,
}

/// Where a change record keeps what the contract asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangeColumns {
    /// The column of the review window's opening.
    pub review_opens: String,
    /// The column of the review window's closing.
    pub review_closes: String,
    /// The column of the cutover's start.
    pub cutover_starts: String,
    /// The column of the cutover's end.
    pub cutover_ends: String,
    /// The column of the release owner.
    pub owner: String,
}

/// Change issues of a Jira Service Management project.
#[derive(Clone, PartialEq, Debug)]
pub struct Jira {
    /// The contract's `source`.
    pub source: Source,
    /// The project's key.
    pub project: String,
    /// The id or the name of the issue type.
    pub issue_type: Option<String>,
    /// Which field is which.
    pub columns: ChangeColumns,
    /// The field with the approvals, where the status alone does not say that a change is approved.
    pub approvals: Option<String>,
    /// By the status's id or its name. A status that is not listed is a fault: names are the site's own.
    pub states: BTreeMap<String, ChangeState>,
    /// The site's own names of people.
    pub people: People,
}

/// How a system that is asked at intervals is read.
#[derive(Clone, PartialEq, Debug)]
pub struct Poll {
    /// The contract's `source`, which the deployment registers for `availability`.
    pub source: Source,
    /// The source's own names of people. One who is bound counts only so; an address needs no binding.
    pub people: People,
    /// Whether tentative entries are busy time. They are, unless the deployment says otherwise.
    pub tentative_is_busy: bool,
    /// Which header numbers the answers, in lower case.
    pub revision_header: String,
    /// Which of a person's calendars, or of their on-call systems, these are, where a person has several.
    pub calendar: Option<DiaryName>,
    /// The zone of entries that name none.
    pub time_zone: Option<Zone>,
    /// Whose calendar a feed is.
    pub person: Option<Person>,
    /// How far ahead of its answer a feed is taken as whole.
    pub horizon_days: i64,
}

impl Poll {
    /// The calendar that a name stands for, where a person has several names and an answer speaks of some of them. The
    /// person's own address, or else the first name, stands for the binding's own calendar. Each other name stands for a
    /// calendar of that name. So an answer about one calendar erases nothing of another.
    pub fn calendar_of(&self, person: &Person, name: &str) -> Option<DiaryName> {
        let name = folded(name);
        let first = self.people.bound(person.as_str()).filter(|bound| *bound == person).map(Person::as_str);
        if first.or_else(|| self.people.names_of(person).next()).is_none_or(|first| first == name) {
            return self.calendar.clone();
        }
        let named = self.calendar.as_ref().map_or_else(|| name.clone(), |calendar| format!("{calendar}:{name}"));
        let digest = || hex::written(&Digest::of("holdpoint.native.calendar.v1", &named).first_half());
        DiaryName::parse(&named).or_else(|_| DiaryName::parse(&digest())).ok()
    }
}

/// On-call time as systems answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Oncall {
    /// How the answers are read.
    pub poll: Poll,
    /// Which escalation levels engage a person. The first alone, unless the deployment says otherwise.
    pub levels: BTreeSet<i64>,
    /// Where set, only these escalation policies count.
    pub escalation_policies: Option<BTreeSet<String>>,
    /// The schedules that together say who is on call.
    pub schedules: BTreeSet<String>,
}

/// Which service and role a roster, or a table of delegates, is whole for.
#[derive(Clone, PartialEq, Debug)]
pub struct Roster {
    /// The contract's `source`.
    pub source: Source,
    /// The services that the roster is whole for.
    pub services: BTreeSet<Service>,
    /// The roles that the roster is whole for.
    pub roles: BTreeSet<Role>,
    /// The zone of dates without a time.
    pub time_zone: Option<Zone>,
    /// Which header numbers the rosters, in lower case.
    pub revision_header: String,
}

/// Which group of ServiceNow fills which role.
#[derive(Clone, PartialEq, Debug)]
pub struct ServicenowDelegates {
    /// The contract's `source`.
    pub source: Source,
    /// Which group fills which role.
    pub roles: Vec<GroupRole>,
    /// The flag of `sys_user_delegate` that a delegation must carry to count.
    pub purpose: &'static str,
    /// The instance's own names of people.
    pub people: People,
    /// Which header numbers the answers, in lower case.
    pub revision_header: String,
}

/// A role that a group's members fill.
#[derive(Clone, PartialEq, Debug)]
pub struct GroupRole {
    /// The group's `sys_id`.
    pub group: String,
    /// The service.
    pub service: Service,
    /// The role.
    pub role: Role,
    /// The member whom delegates stand in for. Without it the group has one member.
    pub holder: Option<String>,
}

/// Which schedule of ServiceNow is which freeze calendar.
#[derive(Clone, PartialEq, Debug)]
pub struct ServicenowSchedules {
    /// The contract's `source`.
    pub source: Source,
    /// By `sys_id`.
    pub schedules: BTreeMap<String, FreezeSchedule>,
    /// How far ahead of its answer repetitions are expanded.
    pub horizon_days: i64,
    /// Which header numbers the answers, in lower case.
    pub revision_header: String,
}

/// A freeze calendar that a schedule is.
#[derive(Clone, PartialEq, Debug)]
pub struct FreezeSchedule {
    /// The freeze calendar.
    pub calendar: Calendar,
    /// Whether a slot must not overlap its freezes.
    pub protected: bool,
    /// The zone of times without one.
    pub time_zone: Option<Zone>,
}
