//! `holdpoint policy`: what is wrong with a policy file, and what a policy lets in.

use std::{fmt::Write, path::PathBuf};

use refresh_core::facts::{policy::Registration, subject::Kind};
use serde_json::{Value, json};
use sources::{
    native::{
        NamedBinding,
        binding::{BoundChange, EvidenceBinding, Proof, Says},
    },
    policy::PolicyFile,
};

use super::{
    Common, Failed,
    home::{self, Found, Place},
    policy, print, say,
};

#[derive(clap::Subcommand, Clone, Debug)]
pub enum Command {
    /// List every fault of a policy file: where it is, what was expected, what was found.
    Check {
        /// Check the policy in this file.
        file: PathBuf,
    },
    /// Explain which source may say what, which binding makes what, who may be asked, and what is promised.
    Explain {
        /// Explain the policy in this file; without it, the one that the store accepted.
        file: Option<PathBuf>,
    },
}

/// Checks or explains.
///
/// # Errors
/// Every fault of the policy, as malformed input; a file or a store that cannot be read.
pub fn run(common: &Common, command: &Command) -> Result<(), Failed> {
    match command {
        Command::Check { file } => check(common, file),
        Command::Explain { file } => {
            let (text, from) = match file {
                Some(file) => (policy::read(file)?, file.display().to_string()),
                None => accepted(common)?,
            };
            let read = sources::policy::read_file(&text);
            let read = read.map_err(|faults| Failed::input(listed(&from, &faults)))?;
            let explained = explained(&read, &from);
            if common.json { print(explained) } else { print(in_words(&explained).trim_end()) }
        }
    }
}

fn check(common: &Common, file: &std::path::Path) -> Result<(), Failed> {
    let (text, name) = (super::read(file)?, file.display().to_string());
    let faults = sources::policy::read_file(&text).err().unwrap_or_default();
    if common.json {
        let list: Vec<Value> = faults
            .iter()
            .map(|fault| json!({ "path": fault.path, "expected": fault.expected, "found": fault.found }))
            .collect();
        print(json!({ "file": name, "good": faults.is_empty(), "faults": list }))?;
    } else if faults.is_empty() {
        print(format!("{name}: good"))?;
    } else {
        print(listed(&name, &faults))?;
    }
    match faults.len() {
        0 => Ok(()),
        count => Err(Failed::input(format!("{name}: faults: {count}; an engine refuses to start under it"))),
    }
}

fn listed(name: &str, faults: &[sources::Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| format!("{name}: {fault}")).collect();
    lines.join("\n")
}

/// The policy that the store of this machine runs under; an engine may be running on it.
fn accepted(common: &Common) -> Result<(String, String), Failed> {
    let place = Place::to_ask(common.data.as_deref())?;
    let file = match home::find(&place)? {
        Found::Running(_) => place.directory.join(home::POLICY),
        Found::Ours(home) => home.policy_file(),
    };
    say(common, format!("the policy that the store accepted: {}", file.display()));
    Ok((policy::read(&file)?, file.display().to_string()))
}

/// The event types that a source of a kind may send.
const fn types(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Review => &["dev.holdpoint.review.issued.v1", "dev.holdpoint.review.closed.v1"],
        Kind::Change => &["dev.holdpoint.change.updated.v1"],
        Kind::Delegation => &["dev.holdpoint.delegation.updated.v1"],
        Kind::Availability => &["dev.holdpoint.availability.updated.v1"],
        Kind::Evidence => &["dev.holdpoint.evidence.updated.v1"],
        Kind::Freeze => &["dev.holdpoint.freeze.updated.v1"],
        Kind::Person => &["dev.holdpoint.person.updated.v1"],
        Kind::Reply => &["dev.holdpoint.reply.received.v1"],
        Kind::Operator => &[
            "dev.holdpoint.review.closed.v1",
            "dev.holdpoint.subject.reset.v1",
            "dev.holdpoint.proposal.decided.v1",
            "dev.holdpoint.resend.requested.v1",
        ],
    }
}

fn explained(policy: &PolicyFile, from: &str) -> Value {
    let bindings = &policy.bindings.0;
    let of_source = |registration: &Registration| {
        let fed = bindings.iter().filter(|bound| {
            let of = &bound.binding;
            registration.covers(of.format.kind(), &of.source)
        });
        json!({
            "source": registration.source, "kind": registration.kind, "types": types(registration.kind),
            "governed_by": registration.governed_by, "max_age_minutes": registration.max_age_minutes,
            "sender": registration.sender, "takes_over": registration.takes_over,
            "bindings": fed.map(title).collect::<Vec<_>>(),
        })
    };
    let rules = &policy.deployment.defaults;
    json!({
        "policy": from,
        "sources": policy.deployment.sources.iter().map(of_source).collect::<Vec<_>>(),
        "bindings": bindings.iter().map(binding).collect::<Vec<_>>(),
        "asked": {
            "alternate_owner": rules.alternate_owner,
            "escalation_contacts": rules.escalation_contacts,
        },
    })
}

/// What a binding is called: its name, else the format and what tells it apart.
fn title(bound: &NamedBinding) -> String {
    bound.name.clone().unwrap_or_else(|| bound.binding.format.word().to_owned())
}

fn binding(bound: &NamedBinding) -> Value {
    let of = &bound.binding;
    let hook = bound.hook.as_ref().map(|hook| {
        let proof = Proof::WORDS.iter().find(|(_, proof)| *proof == hook.proof).map(|(word, _)| *word);
        let path = format!("/hooks/{}", bound.name.as_deref().unwrap_or_default());
        json!({ "path": path, "secret": hook.secret, "proof": proof })
    });
    let poll = bound
        .poll
        .as_ref()
        .map(|poll| json!({ "urls": poll.urls.values().collect::<Vec<_>>(), "credential": poll.credential, "every_minutes": poll.every_minutes }));
    json!({
        "name": bound.name, "format": of.format.word(), "source": of.source, "kind": of.format.kind(),
        "makes": makes(&of.says), "people": people(&of.says), "hook": hook, "poll": poll,
    })
}

fn evidence(of: &EvidenceBinding) -> String {
    let change = match &of.change {
        BoundChange::Named(change) => format!("change {change}"),
        BoundChange::Starred => "the change that the star stands for".to_owned(),
    };
    let expected = of.expected_minutes.map_or(String::new(), |minutes| format!("; a run takes {minutes} minutes"));
    format!("evidence for checkpoint {} of {change}{expected}", of.checkpoint)
}

/// What facts come of a payload, and of which payloads.
fn makes(says: &Says) -> String {
    let joined = |list: Vec<String>| list.join(", ");
    match says {
        Says::CdEvents(of) => format!("{}, from runs of {}", evidence(&of.evidence), of.name),
        Says::Run(of) => {
            let identity = joined(of.identity.iter().map(ToString::to_string).collect());
            let branch = of.branch.as_ref().map_or(String::new(), |branch| format!(", branch {branch}"));
            let commit = of.head_sha.as_ref().map_or(String::new(), |sha| format!(", commit {sha}"));
            let ready = joined(of.ready_on.iter().map(|word| (*word).to_owned()).collect());
            format!("{}, from runs of {identity}{branch}{commit}; ready on {ready}", evidence(&of.evidence))
        }
        Says::Servicenow(of) => {
            let approved = joined(of.approved_on.iter().map(|word| (*word).to_owned()).collect());
            format!("change records; approved on {approved}; owner in {}", of.columns.owner)
        }
        Says::Jira(of) => {
            let kind = of.issue_type.as_ref().map_or(String::new(), |kind| format!(" of type {kind}"));
            format!("change records, from issues of project {}{kind}; owner in {}", of.project, of.columns.owner)
        }
        Says::Calendar(of) => {
            let calendar = of.calendar.as_ref().map_or(String::new(), |name| format!(" {name}"));
            let tentative = if of.tentative_is_busy { "busy" } else { "free" };
            format!("availability, calendar{calendar}; tentative time is {tentative}")
        }
        Says::Oncall(of) => {
            let schedules = joined(of.schedules.iter().cloned().collect());
            let whole = if schedules.is_empty() { schedules } else { format!(", whole with schedules {schedules}") };
            let calendar = of.poll.calendar.as_ref().map_or(String::new(), |name| format!(" {name}"));
            format!("availability, on call{calendar}{whole}")
        }
        Says::Roster(of) => {
            let services = joined(of.services.iter().map(ToString::to_string).collect());
            let roles = joined(of.roles.iter().map(ToString::to_string).collect());
            format!("delegation of services {services}, roles {roles}: who is not in the roster is no delegate")
        }
        Says::Delegates(of) => {
            let roles = joined(of.roles.iter().map(|role| format!("{} {}", role.service, role.role)).collect());
            format!("delegation of {roles}; delegations for {}", of.purpose)
        }
        Says::Freezes(of) => {
            let calendars = of.schedules.values().map(|schedule| {
                let sort = if schedule.protected { "protected" } else { "advisory" };
                format!("{} ({sort})", schedule.calendar)
            });
            format!("freeze calendars {}", joined(calendars.collect()))
        }
        Says::Reply(of) => match &of.authserv {
            Some(server) => format!("answers and comments by mail; {} proves a sender", server.id),
            None => "answers and comments by mail; without `authserv_id` no header proves a sender".to_owned(),
        },
        Says::Hint(source) => format!("nothing by itself: {source} is asked before its turn"),
    }
}

/// The people whom the system's own names stand for.
fn people(says: &Says) -> Vec<String> {
    let known = match says {
        Says::Servicenow(of) => &of.people,
        Says::Jira(of) => &of.people,
        Says::Calendar(of) => &of.people,
        Says::Oncall(of) => &of.poll.people,
        Says::Delegates(of) => &of.people,
        _ => return Vec::new(),
    };
    known.everybody().into_iter().map(|person| person.as_str().to_owned()).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn text_of<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

fn in_words(explained: &Value) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "sources: who may say what");
    for source in explained["sources"].as_array().into_iter().flatten() {
        source_in_words(&mut text, source);
    }
    let _ = writeln!(text, "bindings: what is made of native payloads");
    let bindings = explained["bindings"].as_array().map_or(&[][..], Vec::as_slice);
    for bound in bindings {
        binding_in_words(&mut text, bound);
    }
    if bindings.is_empty() {
        let _ = writeln!(text, "  none: CloudEvents of the contract alone are read");
    }
    let _ = writeln!(text, "people who may be asked to decide, unless a review says otherwise");
    let _ = writeln!(text, "  the release owner of the change record");
    if let Some(alternate) = explained["asked"]["alternate_owner"].as_str() {
        let _ = writeln!(text, "  {alternate}, in place of an owner who is themselves substituted");
    }
    for contact in texts(&explained["asked"]["escalation_contacts"]) {
        let _ = writeln!(text, "  {contact}, when something escalates");
    }
    text
}

fn source_in_words(text: &mut String, source: &Value) {
    let (name, kind) = (text_of(source, "source"), text_of(source, "kind"));
    let _ = writeln!(text, "  {name} may say {kind}: {}", texts(&source["types"]).join(", "));
    let _ = writeln!(text, "    governed by {}", text_of(source, "governed_by"));
    match source["max_age_minutes"].as_i64() {
        Some(minutes) => writeln!(text, "    promises to speak of each subject again within {minutes} minutes"),
        None => writeln!(text, "    promises nothing: however old, its newest word counts"),
    }
    .ok();
    if let Some(sender) = source["sender"].as_str() {
        let _ = writeln!(text, "    only the sender {sender} may speak for it on the queue");
    }
    let taken = texts(&source["takes_over"]);
    if !taken.is_empty() {
        let _ = writeln!(text, "    may take over subjects of {}", taken.join(", "));
    }
    let fed = texts(&source["bindings"]);
    if source["sender"].is_string() && !fed.is_empty() {
        let _ = writeln!(text, "    webhooks come from the role of `ingest`, polled answers from that of `poll`");
    }
    if !fed.is_empty() {
        let _ = writeln!(text, "    fed by the bindings {}", fed.join(", "));
    }
}

fn binding_in_words(text: &mut String, bound: &Value) {
    let name = bound["name"].as_str().map_or(String::new(), |name| format!("{name}: "));
    let _ = writeln!(text, "  {name}{} for {}", text_of(bound, "format"), text_of(bound, "source"));
    let _ = writeln!(text, "    makes {}", text_of(bound, "makes"));
    let people = texts(&bound["people"]);
    if !people.is_empty() {
        let _ = writeln!(text, "    knows {}", people.join(", "));
    }
    let (hook, poll) = (&bound["hook"], &bound["poll"]);
    if !hook.is_null() {
        let (path, proof, secret) = (text_of(hook, "path"), text_of(hook, "proof"), text_of(hook, "secret"));
        let _ = writeln!(text, "    posted to {path}, proven by {proof} with the secret {secret}");
    }
    if !poll.is_null() {
        let credential = poll["credential"].as_str().map_or(String::new(), |name| format!(", credential {name}"));
        let (urls, minutes) = (texts(&poll["urls"]).join(" and "), &poll["every_minutes"]);
        let _ = writeln!(text, "    asked at {urls} every {minutes} minutes{credential}");
    }
    if hook.is_null() && poll.is_null() {
        let _ = writeln!(text, "    neither posted nor asked: somebody puts it on the queue");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Value {
        explained(&sources::policy::read_file(text).unwrap(), "policy.json")
    }

    /// Every type of the contract may be sent by a source of some kind.
    #[test]
    fn each_event_type_belongs_to_a_kind() {
        let mut known: Vec<&str> = Kind::ALL.into_iter().flat_map(types).copied().collect();
        let mut told: Vec<&str> = sources::contract::event_types().collect();
        known.sort_unstable();
        // A review is closed by its source, or by an operator.
        known.dedup();
        told.sort_unstable();
        assert_eq!(known, told);
    }

    #[test]
    fn the_shipped_policy_is_explained_whole() {
        let explained = of(policy::EXAMPLE);
        crate::operator::published::fits("policy.explain", &explained);
        let words = in_words(&explained);
        let file: Value = serde_json::from_str(policy::EXAMPLE).unwrap();
        let mut formats: Vec<&str> =
            file["native"].as_array().unwrap().iter().map(|bound| bound["format"].as_str().unwrap()).collect();
        formats.dedup();
        for format in formats {
            assert!(words.contains(&format!("{format} for //")), "{format}: {words}");
        }
        for source in file["sources"].as_array().unwrap() {
            let line = format!("{} may say {}: ", source["source"].as_str().unwrap(), source["kind"].as_str().unwrap());
            assert!(words.contains(&line), "{line}: {words}");
        }
        assert_eq!(explained["bindings"].as_array().unwrap().len(), file["native"].as_array().unwrap().len());
    }

    #[test]
    fn an_operator_may_close_a_review_and_so_it_is_explained() {
        let words = in_words(&of(
            r#"{"sources": [{"kind": "operator", "source": "//ops.test", "governed_by": "o@t.example"}]}"#,
        ));
        assert!(words.contains("//ops.test may say operator: dev.holdpoint.review.closed.v1, "), "{words}");
    }

    #[test]
    fn promises_doors_and_those_who_may_be_asked_are_named() {
        let words = in_words(&of(r#"{
            "sources": [
                {"kind": "evidence", "source": "//ci.test", "governed_by": "ci@test.example", "sender": "111122223333"},
                {"kind": "availability", "source": "//cal.test", "governed_by": "it@test.example", "max_age_minutes": 90,
                 "takes_over": ["//old.test"]}
            ],
            "defaults": {"alternate_owner": "deputy@test.example", "escalation_contacts": ["office@test.example"]},
            "native": [
                {"name": "ci", "format": "github.workflow_run", "source": "//ci.test", "repository": "acme/pay",
                 "workflow": ".github/workflows/it.yml", "branch": "release/*", "change_id": "*", "checkpoint": "it",
                 "hook": {"secret": "github"}},
                {"name": "cal", "format": "google.free_busy", "source": "//cal.test", "people": {"team": "a@test.example"},
                 "poll": {"url": "https://cal.test/x", "credential": "google", "every_minutes": 15}}
            ]}"#));
        for line in [
            "  //ci.test may say evidence: dev.holdpoint.evidence.updated.v1\n",
            "    promises nothing: however old, its newest word counts\n",
            "    only the sender 111122223333 may speak for it on the queue\n",
            "    webhooks come from the role of `ingest`, polled answers from that of `poll`\n",
            "    fed by the bindings ci\n",
            "    promises to speak of each subject again within 90 minutes\n",
            "    may take over subjects of //old.test\n",
            "  ci: github.workflow_run for //ci.test\n",
            "    makes evidence for checkpoint it of the change that the star stands for, from runs of acme/pay, .github/workflows/it.yml, branch release/*; ready on success\n",
            "    posted to /hooks/ci, proven by hub_signature with the secret github\n",
            "    knows a@test.example\n",
            "    asked at https://cal.test/x every 15 minutes, credential google\n",
            "  deputy@test.example, in place of an owner who is themselves substituted\n",
            "  office@test.example, when something escalates\n",
        ] {
            assert!(words.contains(line), "{line}: {words}");
        }
    }
}
