//! The policy's optional `native` list: what native payloads cannot say themselves. Here what it can say; [`read`](self::read())
//! reads it, once, at start, strictly.

mod door;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use refresh_core::{ChangeId, Checkpoint, Person, Source, facts::fact::ChangeState};

pub use door::{Hook, NamedBinding, PollTarget, Proof};
pub use read::read;

/// A kind of native payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Format {
    /// CDEvents, of a test suite's run or a pipeline's.
    CdEvents,
    /// GitHub's `workflow_run`.
    GithubWorkflowRun,
    /// GitHub's `check_suite`.
    GithubCheckSuite,
    /// A change request of ServiceNow's table API.
    ServicenowChangeRequest,
    /// Microsoft Graph's answer to `getSchedule`.
    GraphGetSchedule,
    /// Google Calendar's answer to `freeBusy`.
    GoogleFreeBusy,
    /// An iCalendar `VFREEBUSY` (RFC 5545).
    IcalVfreebusy,
    /// PagerDuty's list of on-calls.
    PagerdutyOncalls,
}

impl Format {
    /// Every format, once.
    pub const ALL: [Self; 8] = [
        Self::CdEvents,
        Self::GithubWorkflowRun,
        Self::GithubCheckSuite,
        Self::ServicenowChangeRequest,
        Self::GraphGetSchedule,
        Self::GoogleFreeBusy,
        Self::IcalVfreebusy,
        Self::PagerdutyOncalls,
    ];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CdEvents => "cdevents",
            Self::GithubWorkflowRun => "github.workflow_run",
            Self::GithubCheckSuite => "github.check_suite",
            Self::ServicenowChangeRequest => "servicenow.change_request",
            Self::GraphGetSchedule => "graph.get_schedule",
            Self::GoogleFreeBusy => "google.free_busy",
            Self::IcalVfreebusy => "ical.vfreebusy",
            Self::PagerdutyOncalls => "pagerduty.oncalls",
        }
    }

    /// The format of a word; `None` where no format has that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }

    /// Whether the payload is JSON; if not, it is text of its own kind.
    pub const fn is_json(self) -> bool {
        !matches!(self, Self::IcalVfreebusy)
    }

    /// Whether a payload says by itself which of several bindings it is for.
    pub const fn tells_its_origin(self) -> bool {
        matches!(self, Self::CdEvents | Self::GithubWorkflowRun | Self::GithubCheckSuite)
    }
}

/// Every binding of a deployment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Bindings(pub Vec<NamedBinding>);

impl Bindings {
    /// The binding of that name.
    pub fn named(&self, name: &str) -> Option<&NamedBinding> {
        self.0.iter().find(|bound| bound.name.as_deref() == Some(name))
    }
}

/// What a payload of one format cannot say itself.
#[derive(Clone, PartialEq, Debug)]
pub enum Binding {
    /// A run of tests or of a pipeline as CDEvents tell it.
    CdEvents(CdEvents),
    /// A GitHub workflow, or the check suite of a GitHub app.
    Github(Github),
    /// Change requests of ServiceNow.
    Servicenow(Servicenow),
    /// Graph, Google, iCalendar: calendars.
    Calendar(Format, Poll),
    /// On-calls of PagerDuty.
    Oncall(Oncall),
}

impl Binding {
    /// The format of the payloads.
    pub const fn format(&self) -> Format {
        match self {
            Self::CdEvents(_) => Format::CdEvents,
            Self::Github(github) => match github.of {
                GithubEvidence::Workflow(_) => Format::GithubWorkflowRun,
                GithubEvidence::App(_) => Format::GithubCheckSuite,
            },
            Self::Servicenow(_) => Format::ServicenowChangeRequest,
            Self::Calendar(format, _) => *format,
            Self::Oncall(_) => Format::PagerdutyOncalls,
        }
    }
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
    before: String,
    starred: bool,
}

impl Pattern {
    /// What the star stands for: empty where there is none. `None`: no match.
    pub fn matched<'t>(&self, text: &'t str) -> Option<&'t str> {
        if self.starred {
            text.strip_prefix(self.before.as_str()).filter(|rest| !rest.is_empty())
        } else {
            (text == self.before).then_some("")
        }
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

/// Evidence that GitHub tells of.
#[derive(Clone, PartialEq, Debug)]
pub struct Github {
    /// What a run is evidence for.
    pub evidence: EvidenceBinding,
    /// `owner/name`, in lower case.
    pub repository: String,
    /// Which runs count.
    pub of: GithubEvidence,
    /// The branch that a run must be of; `None`: any.
    pub branch: Option<Pattern>,
    /// The commit that a run must be of; `None`: any.
    pub head_sha: Option<String>,
    /// Conclusions that count as ready: `success`, unless the deployment says otherwise.
    pub ready_on: BTreeSet<&'static str>,
}

/// What a run on GitHub is a run of.
#[derive(Clone, PartialEq, Debug)]
pub enum GithubEvidence {
    /// The workflow file's path.
    Workflow(String),
    /// The app's slug.
    App(String),
}

/// Which columns of a change request say what.
#[derive(Clone, PartialEq, Debug)]
pub struct Servicenow {
    /// The contract's `source`, which the deployment registers for `change`.
    pub source: Source,
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
    /// The column that says whether the owner confirmed; `None`: no column does.
    pub owner_confirmed: Option<String>,
    /// Of the instance's own states, where they are not the base system's.
    pub states: BTreeMap<String, ChangeState>,
    /// The instance's own names of people.
    pub people: BTreeMap<String, Person>,
}

/// How a system that is asked at intervals is read.
#[derive(Clone, PartialEq, Debug)]
pub struct Poll {
    /// The contract's `source`, which the deployment registers for `availability`.
    pub source: Source,
    /// The source's own names of people. One who is bound counts only so; an address needs no binding.
    pub people: BTreeMap<String, Person>,
    /// Whether tentative entries are busy time. They are, unless the deployment says otherwise.
    pub tentative_is_busy: bool,
    /// Which header numbers the answers, in lower case.
    pub revision_header: String,
}

/// On-calls as PagerDuty answers.
#[derive(Clone, PartialEq, Debug)]
pub struct Oncall {
    /// How the answers are read.
    pub poll: Poll,
    /// Which escalation levels engage a person. The first alone, unless the deployment says otherwise.
    pub levels: BTreeSet<i64>,
    /// Where set, only these escalation policies count.
    pub escalation_policies: Option<BTreeSet<String>>,
}
