//! How the system of each format is asked, and how it pages.

use super::format::Format;

/// What may stand in an address in place of a value. `{credential}` is put in where the question is sent, and nowhere before.
pub const PLACEHOLDERS: [&str; 8] =
    ["{from}", "{to}", "{from_date}", "{to_date}", "{days}", "{person}", "{schedule}", CREDENTIAL];
/// Where the credential stands in an address that is one itself, as those of published calendars.
pub const CREDENTIAL: &str = "{credential}";

/// How a system is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct System {
    /// What one snapshot is made of.
    pub asked: AskedAs,
    /// How the system pages.
    pub pages: Pages,
    /// Where the list stands that pages continue, as a JSON pointer; empty where an answer has no list.
    pub list: &'static str,
    /// Parameters of the query without which no answer is understood.
    pub needs: &'static [&'static str],
    /// Whether records stand each for itself. Otherwise the answer is one snapshot, whole or nothing.
    pub independent: bool,
}

/// What one snapshot is made of, and who is named in the question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AskedAs {
    /// One question.
    Once {
        /// Whether the translator must be told what was asked.
        request: bool,
    },
    /// One question a person of the binding; each answer is a snapshot by itself. `member`: what the person is called in the
    /// request.
    EachPerson {
        /// The request's member with the person's name.
        member: &'static str,
        /// Whether the binding may name one person instead.
        or_once: bool,
    },
    /// People in batches, posted as a body; each answer is a snapshot by itself.
    Batches(BatchBody),
    /// One question a schedule of the binding; all answers together are one snapshot.
    EachSchedule {
        /// The request's member with the schedule, where no query parameter says it.
        member: Option<&'static str>,
    },
    /// Several tables, which are one snapshot together.
    Tables(&'static [&'static str]),
}

/// The body that asks for several people's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchBody {
    /// Microsoft Graph's `getSchedule`, at most 100 mailboxes.
    GetSchedule,
    /// Google Calendar's `freeBusy`, at most 50 calendars.
    FreeBusy,
}

impl BatchBody {
    /// The most people that one question may name.
    pub const fn most(self) -> usize {
        match self {
            Self::GetSchedule => 100,
            Self::FreeBusy => 50,
        }
    }
}

/// How a system pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pages {
    /// One answer, one page.
    One,
    /// `Link: <...>; rel="next"` (RFC 8288), as GitHub does.
    LinkHeader,
    /// The same, else `X-Total-Count` and `sysparm_offset`, as ServiceNow does.
    Servicenow,
    /// `more`, `offset`, as PagerDuty does.
    Offset,
    /// `nextPageToken`, or `total` and `startAt`, as Jira does in its two versions.
    Jira,
    /// `@odata.nextLink`, as Microsoft Graph does.
    NextLink,
    /// `nextPageToken` to `pageToken`, as Google does.
    PageToken,
    /// `next`, an address, as Grafana does.
    NextAddress,
    /// `pagination_meta.after`, as incident.io does.
    After,
}

/// Parameters of a question that leave something out of its answer, as [`parameter`](crate::reader::parameter) writes them. Time
/// that an answer leaves out is not free, and a failure that an answer leaves out leaves an older success.
pub const fn filters(format: Format) -> &'static [&'static str] {
    match format {
        Format::GraphGetSchedule | Format::GraphCalendarView => {
            &["filter", "search", "skip", "skiptoken", "deltatoken", "expand"]
        }
        Format::GoogleEventsList => &[
            "q",
            "eventtypes",
            "icaluid",
            "updatedmin",
            "privateextendedproperty",
            "sharedextendedproperty",
            "synctoken",
            "pagetoken",
        ],
        // Errors stand beside the busy times, and a calendar with an error has none.
        Format::GoogleFreeBusy => &["fields"],
        Format::PagerdutyOncalls => &["schedule_ids", "earliest"],
        Format::GrafanaFinalShifts => &["user", "user_pk", "team"],
        Format::IncidentIoScheduleEntries => &["user_id", "layer_id"],
        Format::GithubWorkflowRun | Format::GithubCheckSuite => &["status", "actor"],
        _ => &[],
    }
}

/// How the system of a format is asked. `None`: payloads of the format are posted or put on a bus, and nobody is asked.
pub const fn of(format: Format) -> Option<System> {
    let once = AskedAs::Once { request: false };
    let whole = System { asked: once, pages: Pages::One, list: "", needs: &[], independent: false };
    Some(match format {
        Format::GithubWorkflowRun => {
            System { pages: Pages::LinkHeader, list: "/workflow_runs", independent: true, ..whole }
        }
        Format::GithubCheckSuite => {
            System { pages: Pages::LinkHeader, list: "/check_suites", independent: true, ..whole }
        }
        Format::ServicenowChangeRequest => {
            System { pages: Pages::Servicenow, list: "/result", independent: true, ..whole }
        }
        Format::ServicenowDelegates => {
            let asked = AskedAs::Tables(&["delegates", "members"]);
            System { asked, pages: Pages::Servicenow, list: "/result", ..whole }
        }
        Format::ServicenowSchedules => {
            let asked = AskedAs::Tables(&["schedules", "spans", "children"]);
            System { asked, pages: Pages::Servicenow, list: "/result", ..whole }
        }
        Format::JiraChange => System { pages: Pages::Jira, list: "/issues", independent: true, ..whole },
        Format::RosterCsv | Format::RosterJson | Format::IcalVfreebusy => whole,
        Format::IcalVevent => System { asked: AskedAs::EachPerson { member: "person", or_once: true }, ..whole },
        Format::GraphGetSchedule => {
            System { asked: AskedAs::Batches(BatchBody::GetSchedule), pages: Pages::NextLink, list: "/value", ..whole }
        }
        Format::GraphCalendarView => {
            let asked = AskedAs::EachPerson { member: "user", or_once: false };
            let needs = &["startDateTime", "endDateTime"];
            System { asked, pages: Pages::NextLink, list: "/value", needs, ..whole }
        }
        Format::GoogleFreeBusy => System { asked: AskedAs::Batches(BatchBody::FreeBusy), ..whole },
        Format::GoogleEventsList => {
            let asked = AskedAs::EachPerson { member: "calendarId", or_once: false };
            let needs = &["timeMin", "timeMax", "singleEvents"];
            System { asked, pages: Pages::PageToken, list: "/items", needs, ..whole }
        }
        Format::PagerdutyOncalls => {
            let asked = AskedAs::Once { request: true };
            System { asked, pages: Pages::Offset, list: "/oncalls", needs: &["since", "until"], ..whole }
        }
        Format::PagerdutySchedule => {
            System { asked: AskedAs::EachSchedule { member: None }, needs: &["since", "until"], ..whole }
        }
        Format::OpsgenieTimeline => System { asked: AskedAs::EachSchedule { member: None }, ..whole },
        Format::GrafanaFinalShifts => {
            let asked = AskedAs::EachSchedule { member: Some("schedule") };
            let needs = &["start_date", "end_date"];
            System { asked, pages: Pages::NextAddress, list: "/results", needs, ..whole }
        }
        Format::IncidentIoScheduleEntries => {
            let asked = AskedAs::EachSchedule { member: None };
            let needs = &["schedule_id", "entry_window_start", "entry_window_end"];
            System { asked, pages: Pages::After, list: "/schedule_entries/final", needs, ..whole }
        }
        Format::CdEvents
        | Format::GitlabPipeline
        | Format::JenkinsNotification
        | Format::AzureBuildComplete
        | Format::AwsCodepipeline
        | Format::AwsCodebuild
        | Format::GraphChangeNotification
        | Format::SesReceived
        | Format::MailReceived
        | Format::PagerdutyWebhook => return None,
    })
}
