//! What source systems send by themselves, translated at the door into events of the contract.
//!
//! One file per subject. What a payload cannot say itself (which change and checkpoint a workflow is evidence for, which
//! person a user id is) comes from the deployment's [`Bindings`]. A payload, or a part of one, that no binding speaks of
//! is *skipped* with its reason, which is no fault: a repository has many workflows.
//!
//! Not knowing is never good news. What each way of not knowing becomes, translator by translator, is the table in
//! `DESIGN.md`; `tests/never_better.rs` holds the table.
//!
//! Authenticity is proven before this, where the request comes in: a signature is over bytes, and here are values.

mod aws;
mod azure;
pub mod binding;
mod cdevents;
mod github;
mod gitlab;
mod google;
mod google_events;
mod grafana;
mod graph;
mod graph_view;
mod hint;
pub(crate) mod ical;
mod incident_io;
mod input;
mod jenkins;
mod jira;
mod lasting;
mod oncall;
mod opsgenie;
mod pagerduty;
mod pagerduty_schedule;
mod people;
mod private;
mod recurrence;
pub(crate) mod reply;
mod roster;
mod rule;
mod run;
mod servicenow;
mod translation;
mod unread;
mod whole;
mod windows_zones;
mod zone;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    envelope,
    fault::{Fault, PayloadOrigin, Refused, describe},
    json,
    reader::{Faults, Node},
};
use binding::Binding;
pub use binding::{Bindings, Format, NamedBinding};
use input::{Input, says_something};
pub use private::{WITHHELD, without_private};
pub use reply::LARGEST_MAIL;
pub use translation::{RefusedPart, SkippedPart, Translation};
pub(crate) use whole::only_pages;

/// Translates one payload. `body` is the payload's JSON; a string is taken as its text (JSON, iCalendar, CSV or XML).
/// `binding`: the name of the binding that the payload is for, where its door knows.
///
/// # Errors
/// [`Refused`] with every fault, by JSON path into the payload; nothing of a refused payload is translated.
pub fn translate(
    format: &str,
    headers: &BTreeMap<String, String>,
    body: &Value,
    binding: Option<&str>,
    bindings: &Bindings,
) -> Result<Translation, Refused> {
    let Some(format) = Format::of(format) else {
        let known: Vec<&str> = Format::ALL.iter().map(|known| known.word()).collect();
        let expected = format!("one of {}", known.join(", "));
        return Err(Fault::new("$.format", expected, describe(&Value::from(format))).into());
    };
    let mut origin = bindings.origin(format, binding);
    match translated(format, headers, body, bindings.candidates(format, binding)?) {
        Ok(translation) => Ok(Translation { origin, ..translation }),
        Err(mut refused) => {
            let record = refused.origin.take().and_then(|origin| origin.record);
            origin.record = record.or_else(|| record_of(body));
            refused.origin = Some(Box::new(origin));
            Err(refused)
        }
    }
}

/// What the system itself calls the one thing that a payload is about: whom its question names, or its only record.
pub fn record_of(payload: &Value) -> Option<String> {
    const PLACES: [&str; 7] = [
        "/request/user",
        "/request/calendarId",
        "/request/person",
        "/request/schedule",
        "/request/schedule_id",
        "/issue/key",
        "/result/number",
    ];
    const ALONE: [(&str, &str); 4] =
        [("/request/schedules", ""), ("/request/items", "/id"), ("/result", "/number"), ("/issues", "/key")];
    let alone = |(list, name): &(&str, &str)| match payload.pointer(list)?.as_array()?.as_slice() {
        [one] => one.pointer(name),
        _ => None,
    };
    let named = PLACES.iter().filter_map(|place| payload.pointer(place)).chain(ALONE.iter().filter_map(alone));
    // A column of ServiceNow is its value, or an object with it.
    let mut texts = named.filter_map(|name| name.get("value").unwrap_or(name).as_str());
    texts.next().map(str::to_owned)
}

fn translated(
    format: Format,
    headers: &BTreeMap<String, String>,
    body: &Value,
    bindings: Vec<&Binding>,
) -> Result<Translation, Refused> {
    let parsed = match body {
        Value::String(text) if format.is_json() => Some(json::parse(text, "$")?),
        _ => None,
    };
    let opened = match format {
        // EventBridge hands events to a topic, and the topic puts each into an envelope of its own.
        Format::AwsCodepipeline | Format::AwsCodebuild => {
            let opened = envelope::open(parsed.clone().unwrap_or_else(|| body.clone()))?;
            if let Some(misfit) = aws::misfit(&opened.value) {
                return Err(misfit.into());
            }
            Some(opened)
        }
        _ => None,
    };
    let (value, root) = match &opened {
        Some(opened) => (&opened.value, opened.root.as_str()),
        None => (parsed.as_ref().unwrap_or(body), "$"),
    };
    let faults = Faults::default();
    let payload = Node::root(value, root, &faults);
    no_error_beside(&payload);
    whole::is_whole(&payload, format);
    let mut input = Input::new(format, headers, payload, bindings, &faults);
    let read = translator(format)(&mut input);
    let mut translation = input.done();
    translation.say_once();
    let event_type = Some(format.word().into());
    let refused = |faults| Refused { event_type, ..Refused::unidentified(faults) };
    if read.is_none() || !faults.is_empty() {
        return Err(refused(faults.into_vec()));
    }
    let nothing = translation.events.is_empty() && translation.skipped.is_empty() && translation.hints.is_empty();
    if nothing && !translation.refused.is_empty() {
        // Every record is bad: then the payload is, and goes where bad events go.
        let record = if let [one] = &translation.refused[..] { one.record.clone() } else { None };
        let faults = translation.refused.into_iter().flat_map(|part| part.faults).collect();
        let origin = Some(Box::new(PayloadOrigin { record, ..PayloadOrigin::default() }));
        return Err(Refused { origin, ..refused(faults) });
    }
    if nothing {
        translation.skipped.push(SkippedPart::because("a payload without a record"));
    }
    Ok(translation)
}

/// Members by which the systems say that they could not answer, or not whole.
const ERRORS: [&str; 3] = ["error", "errors", "errorMessages"];

/// An answer that reports an error is not whole, whatever list stands beside the error.
fn no_error_beside(payload: &Node<'_>) {
    let Value::Object(members) = payload.value() else { return };
    let said = |answer: &Value| {
        let error = ERRORS.iter().copied().find(|name| answer.get(name).is_some_and(says_something));
        error.filter(|_| answer.is_object())
    };
    let several = members.get("answers").and_then(Value::as_array).into_iter().flatten();
    let several = several.map(|one| one.get("response").unwrap_or(one));
    let inner = whole::ANSWERS.iter().filter_map(|name| members.get(*name)).chain(several);
    for name in std::iter::once(payload.value()).chain(inner).filter_map(said) {
        payload.wrong_as::<()>("an answer without an error", format!("the member `{name}`"));
    }
}

/// The format of an event that AWS itself put on the bus.
pub fn format_on_the_bus(event: &Value) -> Option<Format> {
    aws::format_of(event)
}

/// What to say of a payload that a system sends, where something of it was taken away before it came here.
pub fn misfit(payload: &Value) -> Option<Fault> {
    aws::misfit(payload)
}

fn translator(format: Format) -> fn(&mut Input<'_>) -> Option<()> {
    match format {
        Format::CdEvents => cdevents::translate,
        Format::GithubWorkflowRun => github::workflow_run,
        Format::GithubCheckSuite => github::check_suite,
        Format::GitlabPipeline => gitlab::translate,
        Format::JenkinsNotification => jenkins::translate,
        Format::AzureBuildComplete => azure::translate,
        Format::AwsCodepipeline => aws::codepipeline,
        Format::AwsCodebuild => aws::codebuild,
        Format::ServicenowChangeRequest => servicenow::change::translate,
        Format::ServicenowDelegates => servicenow::delegates::translate,
        Format::ServicenowSchedules => servicenow::schedules::translate,
        Format::JiraChange => jira::translate,
        Format::RosterCsv | Format::RosterJson => roster::translate,
        Format::GraphGetSchedule => graph::translate,
        Format::GraphCalendarView => graph_view::translate,
        Format::GraphChangeNotification => hint::graph,
        Format::GoogleFreeBusy => google::translate,
        Format::GoogleEventsList => google_events::translate,
        Format::IcalVfreebusy => ical::freebusy::translate,
        Format::IcalVevent => ical::events::translate,
        Format::PagerdutyOncalls => pagerduty::translate,
        Format::PagerdutySchedule => pagerduty_schedule::translate,
        Format::PagerdutyWebhook => hint::pagerduty,
        Format::OpsgenieTimeline => opsgenie::translate,
        Format::GrafanaFinalShifts => grafana::translate,
        Format::IncidentIoScheduleEntries => incident_io::translate,
        Format::SesReceived => reply::ses,
        Format::MailReceived => reply::received,
    }
}
