//! The reader of the `native` list. Unknown members are faults, and so are bindings that cannot be told apart.

use std::{cell::RefCell, collections::BTreeSet};

use refresh_core::Source;
use serde_json::Value;

use super::{
    apart,
    door::{Hook, NamedBinding, Proof},
    feeds,
    format::Format,
    list::Bindings,
    member::{MOST_BINDINGS, only, secret_name},
    poll, runs,
    says::{Binding, Says},
    subjects,
};
use crate::reader::{Node, Object};

/// Reads the list.
pub fn read(node: &Node<'_>) -> Option<Bindings> {
    let (single, names) = (RefCell::new(BTreeSet::new()), RefCell::new(BTreeSet::new()));
    let words = Format::ALL.map(|format| (format.word(), format));
    let bindings = node.list(MOST_BINDINGS, |item| {
        let object = item.object()?;
        let own_name = object.peek("format").and_then(Value::as_str) != Some("cdevents") || object.has("run");
        // Without `run`, the `name` of a CDEvents binding is the run's, as it was before bindings had names.
        let own = |node: &Node<'_>| {
            let name = binding_name(node)?;
            if names.borrow_mut().insert(name.clone()) {
                Some(name)
            } else {
                node.wrong("a name that no other binding has")
            }
        };
        let name = if own_name { object.may("name", own) } else { Some(None) };
        let named = matches!(name, Some(Some(_)));
        let format = object.must("format", |node| {
            let format = node.word(&words)?;
            // A body of these says nothing of where it is from: without a name, a second binding could never be told from the
            // first.
            if format.tells_its_origin() || named || single.borrow_mut().insert(format) {
                Some(format)
            } else {
                node.wrong("one binding of this format without a `name`")
            }
        });
        let hook = object.may("hook", |node| hook(node, named, format));
        let binding = format.and_then(|format| binding(&object, format));
        let poll = object.may("poll", |node| poll::target(node, named, format, binding.as_ref()));
        Some(NamedBinding { name: name?, binding: binding?, hook: hook?, poll: poll? })
    })?;
    let (comparable, once) = (apart::comparable(node, &bindings), subjects::told_once(node, &bindings));
    comparable.and(once)?;
    Some(Bindings(bindings))
}

fn binding(object: &Object<'_>, format: Format) -> Option<Binding> {
    let source = object.must("source", |node| node.parsed(Source::parse));
    let says = says(object, format, source.clone());
    Some(Binding { format, source: source?, says: says? })
}

fn says(object: &Object<'_>, format: Format, source: Option<Source>) -> Option<Says> {
    match format {
        Format::CdEvents => runs::cdevents(object, source).map(Says::CdEvents),
        Format::GithubWorkflowRun
        | Format::GithubCheckSuite
        | Format::GitlabPipeline
        | Format::JenkinsNotification
        | Format::AzureBuildComplete
        | Format::AwsCodepipeline
        | Format::AwsCodebuild => runs::run(object, format, source).map(Says::Run),
        Format::ServicenowChangeRequest => feeds::servicenow(object, source).map(Says::Servicenow),
        Format::ServicenowDelegates => feeds::delegates(object, source).map(Says::Delegates),
        Format::ServicenowSchedules => feeds::freezes(object, source).map(Says::Freezes),
        Format::JiraChange => feeds::jira(object, source).map(Says::Jira),
        Format::RosterCsv | Format::RosterJson => feeds::roster(object, source).map(Says::Roster),
        Format::GraphGetSchedule
        | Format::GraphCalendarView
        | Format::GoogleFreeBusy
        | Format::GoogleEventsList
        | Format::IcalVfreebusy
        | Format::IcalVevent => feeds::calendar(object, format, source).map(Says::Calendar),
        Format::PagerdutyOncalls
        | Format::PagerdutySchedule
        | Format::OpsgenieTimeline
        | Format::GrafanaFinalShifts
        | Format::IncidentIoScheduleEntries => feeds::oncall(object, format, source).map(Says::Oncall),
        Format::GraphChangeNotification | Format::PagerdutyWebhook => {
            only(object, &[]);
            source.map(Says::Hint)
        }
        Format::SesReceived | Format::MailReceived => feeds::reply(object, format, source).map(Says::Reply),
    }
}

/// What stands in the address of a hook: no escape is needed there, and none is taken for another.
fn binding_name(node: &Node<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    match node.value().as_str() {
        Some(name) if (1..=60).contains(&name.len()) && name.chars().all(plain) => Some(name.to_owned()),
        _ => node.wrong("a name of 1 to 60 lower-case letters, digits, `-`, `_` and `.`"),
    }
}

fn hook(node: &Node<'_>, named: bool, format: Option<Format>) -> Option<Hook> {
    let object = node.object()?;
    object.only(&["secret", "proof"]);
    let secret = object.must("secret", secret_name);
    let proof = object.may("proof", |node| node.word(&Proof::WORDS));
    if !named {
        return node.wrong_as("a `name` beside it, for the address of the hook", "none");
    }
    let usual = Proof::of_format(format?.word());
    Some(Hook { secret: secret?, proof: proof?.unwrap_or(usual) })
}
