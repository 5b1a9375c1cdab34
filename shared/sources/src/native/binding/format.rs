//! The kinds of native payloads: their words, and what comes of each.

use refresh_core::facts::subject::Kind;

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident $word:literal $kind:ident;)*) => {
        /// A kind of native payload.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Format { $($(#[$doc])* $variant,)* }

        impl Format {
            /// Every format, once.
            pub const ALL: [Self; [$($word,)*].len()] = [$(Self::$variant,)*];

            /// The word of the contract.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The kind of facts that come of such a payload.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }
        }
    };
}

formats! {
    /// A CDEvent.
    CdEvents "cdevents" Evidence;
    /// GitHub's `workflow_run`.
    GithubWorkflowRun "github.workflow_run" Evidence;
    /// GitHub's `check_suite`.
    GithubCheckSuite "github.check_suite" Evidence;
    /// GitLab's pipeline hook.
    GitlabPipeline "gitlab.pipeline" Evidence;
    /// A payload of Jenkins's notification plugin.
    JenkinsNotification "jenkins.notification" Evidence;
    /// Azure DevOps's `build.complete`.
    AzureBuildComplete "azure_devops.build_complete" Evidence;
    /// A state change of an AWS CodePipeline execution.
    AwsCodepipeline "aws.codepipeline" Evidence;
    /// A state change of an AWS CodeBuild build.
    AwsCodebuild "aws.codebuild" Evidence;
    /// ServiceNow's change requests.
    ServicenowChangeRequest "servicenow.change_request" Change;
    /// ServiceNow's delegates and group members.
    ServicenowDelegates "servicenow.delegates" Delegation;
    /// ServiceNow's schedules and their spans.
    ServicenowSchedules "servicenow.schedules" Freeze;
    /// Change issues of Jira Service Management.
    JiraChange "jira.change" Change;
    /// A roster as CSV.
    RosterCsv "roster.csv" Delegation;
    /// A roster as JSON.
    RosterJson "roster.json" Delegation;
    /// Microsoft Graph's answer to `getSchedule`.
    GraphGetSchedule "graph.get_schedule" Availability;
    /// Microsoft Graph's answer to `calendarView`.
    GraphCalendarView "graph.calendar_view" Availability;
    /// Microsoft Graph's change notification.
    GraphChangeNotification "graph.change_notification" Availability;
    /// Google Calendar's answer to `freeBusy`.
    GoogleFreeBusy "google.free_busy" Availability;
    /// Google Calendar's answer to `events.list`.
    GoogleEventsList "google.events" Availability;
    /// An iCalendar `VFREEBUSY` (RFC 5545).
    IcalVfreebusy "ical.vfreebusy" Availability;
    /// An iCalendar calendar of `VEVENT` (RFC 5545).
    IcalVevent "ical.vevent" Availability;
    /// PagerDuty's list of on-calls.
    PagerdutyOncalls "pagerduty.oncalls" Availability;
    /// PagerDuty's schedule.
    PagerdutySchedule "pagerduty.schedule" Availability;
    /// PagerDuty's webhook of version 3.
    PagerdutyWebhook "pagerduty.webhook" Availability;
    /// Opsgenie's timeline of a schedule.
    OpsgenieTimeline "opsgenie.timeline" Availability;
    /// Grafana OnCall's final shifts.
    GrafanaFinalShifts "grafana.final_shifts" Availability;
    /// incident.io's entries of a schedule.
    IncidentIoScheduleEntries "incidentio.schedule_entries" Availability;
    /// A mail that Amazon SES received.
    SesReceived "ses.received" Reply;
    /// A mail that a door of this machine received.
    MailReceived "mail.received" Reply;
}

impl Format {
    /// The format of a word; `None` where no format has that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }

    /// Whether a payload says by itself which of several bindings it is for.
    pub fn tells_its_origin(self) -> bool {
        matches!(self.kind(), Kind::Evidence)
    }

    /// Whether the payload is JSON; if not, it is text of its own kind.
    pub const fn is_json(self) -> bool {
        !matches!(self, Self::IcalVfreebusy | Self::IcalVevent | Self::RosterCsv)
    }
}
