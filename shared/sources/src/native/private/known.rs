//! What a dead letter keeps of each format: the members that its translator reads, and those that lead back to the record.
//! All else is private.

use crate::{
    native::binding::{Binding, ChangeColumns, Format, Says},
    reader::parameter,
};

/// What stands in place of a private text.
pub const WITHHELD: &str = "withheld";

/// Around every answer: the question, the answer, several of them.
const AROUND: [&str; 3] = ["request", "response", "answers"];

/// The members of a format, by name: `over/name` is known inside of `over` alone, and `*` stands for every name of an object
/// there. `None`: the format's payloads have nothing of a calendar, of an on-call system or of an incident in them, and are
/// kept whole.
const fn members(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::GraphGetSchedule => {
            "schedules startTime endTime availabilityViewInterval value scheduleId availabilityView scheduleItems \
             status start end dateTime timeZone error error/responseCode"
        }
        Format::GraphCalendarView => {
            "user startDateTime endDateTime value id iCalUId seriesMasterId type showAs isCancelled isAllDay \
             responseStatus responseStatus/response start end dateTime timeZone recurrence pattern range interval \
             daysOfWeek dayOfMonth month index firstDayOfWeek startDate endDate recurrenceTimeZone \
             numberOfOccurrences"
        }
        Format::GraphChangeNotification => {
            "value subscriptionId changeType lifecycleEvent subscriptionExpirationDateTime"
        }
        Format::GoogleFreeBusy => {
            "timeMin timeMax timeZone items items/id calendars calendars/* busy start end errors errors/reason"
        }
        Format::GoogleEventsList => {
            "calendarId timeMin timeMax singleEvents fields accessRole timeZone items id iCalUID recurringEventId \
             status transparency eventType attendees self attendees/responseStatus start end date dateTime \
             endTimeUnspecified recurrence"
        }
        Format::IcalVfreebusy | Format::IcalVevent => "person start end",
        Format::PagerdutyOncalls => {
            "since until user_ids escalation_policy_ids schedule_ids earliest oncalls user escalation_level \
             escalation_policy schedule id start end"
        }
        Format::PagerdutySchedule => {
            "since until schedule id time_zone final_schedule rendered_schedule_entries \
             rendered_coverage_percentage user start end"
        }
        Format::PagerdutyWebhook => "event event/id event_type occurred_at",
        Format::OpsgenieTimeline => {
            "data _parent enabled finalTimeline rotations periods id type startDate endDate recipient \
             recipient/name flattenedRecipients flattenedRecipients/name"
        }
        Format::GrafanaFinalShifts => {
            "schedule start_date end_date results user_pk user_email user_username shift_start shift_end"
        }
        Format::IncidentIoScheduleEntries => {
            "schedule_id entry_window_start entry_window_end schedule_entries final user id email start_at end_at"
        }
        Format::ServicenowSchedules => {
            "schedules spans children result value sys_id time_zone parent schedule child_schedule type \
             start_date_time end_date_time all_day repeat_type repeat_count repeat_until days_of_week \
             monthly_type yearly_type"
        }
        Format::ServicenowDelegates => "members delegates result value sys_id group user delegate starts ends",
        Format::ServicenowChangeRequest => "result value sys_id number sys_mod_count approval state on_hold active",
        Format::JiraChange => {
            "webhookEvent timestamp issues issue id key fields project issuetype issuetype/name status \
             status/name updated accountId emailAddress finalDecision createdDate epochMillis"
        }
        Format::CdEvents
        | Format::GithubWorkflowRun
        | Format::GithubCheckSuite
        | Format::GitlabPipeline
        | Format::JenkinsNotification
        | Format::AzureBuildComplete
        | Format::AwsCodepipeline
        | Format::AwsCodebuild
        | Format::RosterCsv
        | Format::RosterJson
        | Format::SesReceived
        | Format::MailReceived => return None,
    })
}

/// The members that are kept.
pub struct KnownMembers(Vec<String>);

impl KnownMembers {
    /// Of no format: nothing is known.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Those of a format, and those that its bindings name. `None`: the payload is kept whole.
    pub fn of(format: Format, bindings: &[&Binding]) -> Option<Self> {
        let fixed = members(format)?.split(' ').chain(AROUND).map(parameter);
        let bound = bindings.iter().flat_map(|binding| bound(binding)).map(|name| parameter(&name));
        Some(Self(fixed.chain(bound).collect()))
    }

    /// Whether a member is known where it stands: inside of the member `over`.
    pub fn has(&self, over: &str, name: &str) -> bool {
        let (over, name) = (parameter(over), parameter(name));
        let known = |wanted: &str| self.0.iter().any(|known| known == wanted);
        known(&name) || known(&format!("{over}/{name}"))
    }

    /// Whether the names inside of the member `over` are the system's own for what stands there.
    pub fn lists(&self, over: &str) -> bool {
        let listed = format!("{}/*", parameter(over));
        self.0.contains(&listed)
    }
}

/// Columns that the deployment chose.
fn bound(binding: &Binding) -> Vec<String> {
    let columns = |of: &ChangeColumns| {
        [&of.review_opens, &of.review_closes, &of.cutover_starts, &of.cutover_ends, &of.owner].map(Clone::clone)
    };
    match &binding.says {
        Says::Servicenow(change) => {
            columns(&change.columns).into_iter().chain(change.owner_confirmed.clone()).collect()
        }
        Says::Jira(change) => {
            let name = format!("{}/name", change.columns.owner);
            columns(&change.columns).into_iter().chain(change.approvals.clone()).chain([name]).collect()
        }
        Says::Delegates(delegates) => vec![delegates.purpose.to_owned()],
        _ => Vec::new(),
    }
}
