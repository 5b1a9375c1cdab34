//! What source systems send by themselves, translated at the door into events of the contract.
//!
//! One file per source system. What a payload cannot say itself (which change and checkpoint a workflow is evidence
//! for, which person a user id is) comes from the deployment's [`Bindings`]. A payload, or a part of one, that no
//! binding speaks of is *skipped* with its reason, which is no fault: a repository has many workflows.
//!
//! Authenticity is proven before this, where the request comes in: a signature is over bytes, and here are values.

pub mod binding;
mod cdevents;
mod github;
mod google;
mod graph;
mod ical;
mod input;
mod pagerduty;
mod servicenow;
mod zone;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    fault::{Fault, Refused, describe},
    json,
    reader::{Faults, Node},
};
pub use binding::{Bindings, Format, NamedBinding};
use input::Input;

/// What a native payload came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Translation {
    /// Structured CloudEvents of the contract.
    pub events: Vec<Value>,
    /// Why parts of the payload became no event, one line each.
    pub skipped: Vec<String>,
}

/// Translates one payload. `body` is the payload's JSON; a string is taken as its text (JSON or iCalendar). `binding`: the
/// name of the binding that the payload is for, where its door knows.
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
    let bindings = candidates(format, binding, bindings)?;
    let parsed = match body {
        Value::String(text) if format.is_json() => Some(json::parse(text, "$")?),
        _ => None,
    };
    let faults = Faults::default();
    let payload = Node::root(parsed.as_ref().unwrap_or(body), "$", &faults);
    let mut input = Input::new(format, headers, payload, bindings, &faults);
    let read = match format {
        Format::CdEvents => cdevents::translate(&mut input),
        Format::GithubWorkflowRun => github::workflow_run(&mut input),
        Format::GithubCheckSuite => github::check_suite(&mut input),
        Format::ServicenowChangeRequest => servicenow::translate(&mut input),
        Format::GraphGetSchedule => graph::translate(&mut input),
        Format::GoogleFreeBusy => google::translate(&mut input),
        Format::IcalVfreebusy => ical::translate(&mut input),
        Format::PagerdutyOncalls => pagerduty::translate(&mut input),
    };
    let translation = input.done();
    if read.is_some() && faults.is_empty() {
        Ok(translation)
    } else {
        Err(Refused {
            identity: None,
            event_type: Some(format.word().to_owned()),
            trace: None,
            faults: faults.into_vec(),
        })
    }
}

/// The bindings that may speak of a payload: the one that is named, else all.
fn candidates<'b>(format: Format, name: Option<&str>, bindings: &'b Bindings) -> Result<&'b [NamedBinding], Fault> {
    let of_format = || bindings.0.iter().filter(|bound| bound.binding.format() == format);
    let known = || of_format().filter_map(|bound| bound.name.as_deref()).collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => match bindings.named(name) {
            Some(bound) if bound.binding.format() == format => Ok(std::slice::from_ref(bound)),
            _ => {
                let expected = format!("the name of a binding for {} (known: {})", format.word(), known());
                Err(Fault::new("$.binding", expected, describe(&Value::from(name))))
            }
        },
        // Nothing in such a payload says which of several it is for: a guess could take one system's word for another's.
        None if !format.tells_its_origin() && of_format().nth(1).is_some() => {
            Err(Fault::new("$.binding", format!("the name of one of the bindings: {}", known()), "nothing"))
        }
        None => Ok(&bindings.0),
    }
}
