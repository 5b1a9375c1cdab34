//! The deployment's policy file, and what a review overrides of it. Here an unknown member is a fault: a mistyped rule
//! that passes silently is a rule that does not hold.

mod workable;

use std::{collections::BTreeSet, ops::RangeInclusive};

use refresh_core::{
    Person, Source,
    facts::{
        policy::{Deployment, Overrides, Registration},
        subject::Kind,
    },
};

pub use crate::rules::{overrides, standard};
use crate::{
    fault::{Fault, Refused},
    json,
    native::{Bindings, binding},
    read::ReadBody,
    reader::{Faults, Node, Object},
};
pub use workable::issued as check_issued;

/// Registrations are read once, at start; a thousand is a generous company.
const MOST_REGISTRATIONS: usize = 1_000;
/// SQS gives an account of 12 digits, or the id of a user or a role, of a role with the session's name.
const SENDER_LENGTHS: RangeInclusive<usize> = 8..=128;
const LONGEST_SESSION: usize = 64;

/// The whole of `infra/policy.json`: what the domain needs, and what the translation of native payloads needs.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyFile {
    /// What the domain needs.
    pub deployment: Deployment,
    /// What the translation of native payloads needs.
    pub bindings: Bindings,
}

impl PolicyFile {
    /// What a body came to, held against the deployment's own rules: see [`check_issued`].
    ///
    /// # Errors
    /// Every fault of the first event that is refused.
    pub fn check(&self, read: &ReadBody) -> Result<(), Refused> {
        read.events.iter().try_for_each(|event| check_issued(event, &self.deployment.defaults))
    }
}

/// The domain's part of the file. The bindings are left unread: whoever translates reads them by [`read_file`] and refuses
/// their faults, and at the cold start of everybody else they would be a quarter of the work.
///
/// # Errors
/// Every fault in the domain's part of the file.
pub fn read(text: &str) -> Result<Deployment, Vec<Fault>> {
    whole(text, |_, _| Some(())).map(|(deployment, _)| deployment)
}

/// The whole file.
///
/// # Errors
/// Every fault in the file.
pub fn read_file(text: &str) -> Result<PolicyFile, Vec<Fault>> {
    let (deployment, bindings) = whole(text, bindings)?;
    Ok(PolicyFile { deployment, bindings })
}

fn whole<T>(
    text: &str,
    native: impl FnOnce(&Object<'_>, Option<&[Registration]>) -> Option<T>,
) -> Result<(Deployment, T), Vec<Fault>> {
    let value = json::parse(text, "$").map_err(|fault| vec![fault])?;
    let faults = Faults::default();
    let file = file(&Node::root(&value, "$", &faults), &faults, native);
    match file {
        Some(file) if faults.is_empty() => Ok(file),
        _ => Err(faults.into_vec()),
    }
}

fn file<T>(
    node: &Node<'_>,
    faults: &Faults,
    native: impl FnOnce(&Object<'_>, Option<&[Registration]>) -> Option<T>,
) -> Option<(Deployment, T)> {
    let object = node.object()?;
    object.only(&["sources", "defaults", "native"]);
    let sources = object.must("sources", sources);
    let defaults = object.may("defaults", overrides);
    // Each part that is good by itself is held against what it must work together with, whatever is wrong elsewhere.
    if let Some(sources) = &sources {
        workable::sources(sources, faults);
    }
    let native = native(&object, sources.as_deref());
    // What the file leaves out is as the contract says; what it mistypes never gets here.
    let set = defaults?.unwrap_or_else(Overrides::default);
    let defaults = standard().with(&set);
    workable::rules(&defaults, &set, "$.defaults", faults);
    Some((Deployment { sources: sources?, defaults }, native?))
}

fn bindings(file: &Object<'_>, sources: Option<&[Registration]>) -> Option<Bindings> {
    let bindings = file.may("native", binding::read);
    if let Some(sources) = sources {
        file.may("native", |node| {
            binding::registered(node, sources);
            bindings.as_ref()?.as_ref().and_then(|bindings| binding::heard(node, &bindings.0, sources))
        });
    }
    Some(bindings?.unwrap_or_default())
}

fn sources(node: &Node<'_>) -> Option<Vec<Registration>> {
    let words = Kind::ALL.map(|kind| (kind.word(), kind));
    let seen = std::cell::RefCell::new(BTreeSet::new());
    node.list(MOST_REGISTRATIONS, |item| {
        let object = item.object()?;
        object.only(&["kind", "source", "governed_by", "takes_over", "max_age_minutes", "sender"]);
        let kind = object.must("kind", |node| node.word(&words));
        let source = object.must("source", source_pattern);
        let governed_by = object.must("governed_by", |node| node.parsed(Person::parse));
        let takes_over = object.may("takes_over", |node| node.list(MOST_REGISTRATIONS, source_pattern));
        let max_age = object.may("max_age_minutes", |node| node.whole(1..=crate::rules::MOST_MINUTES));
        let sender = object.may("sender", sender);
        let (kind, source) = (kind?, source?);
        if !seen.borrow_mut().insert((kind, source.clone())) {
            return item.wrong_as("each source once a kind", format!("{} for {} again", source, kind.word()));
        }
        Some(Registration {
            kind,
            source,
            governed_by: governed_by?,
            takes_over: takes_over?.unwrap_or_default(),
            max_age_minutes: max_age?,
            sender: sender?,
        })
    })
}

/// What SQS calls a sender. An ARN or a name would never be one, and the source could never speak.
fn sender(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    let (id, session) = text.split_once(':').map_or((text, None), |(id, session)| (id, Some(session)));
    let good = SENDER_LENGTHS.contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric());
    let lawful = |session: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        (1..=LONGEST_SESSION).contains(&session.len()) && session.chars().all(known)
    };
    if good && session.is_none_or(lawful) {
        return Some(text.to_owned());
    }
    node.wrong("an SQS SenderId: an account's 12 digits, or the id of a user or a role (AROA...), of a role with `:SESSION` or any session; no ARN")
}

/// Exact, or a prefix that ends in `/*`. A star anywhere else would be taken literally and never match.
fn source_pattern(node: &Node<'_>) -> Option<Source> {
    let source = node.parsed(Source::parse)?;
    let exact = source.as_str().strip_suffix("/*").unwrap_or(source.as_str());
    if exact.contains('*') || exact.is_empty() {
        return node.wrong("a CloudEvents source, or a prefix of one that ends in /*");
    }
    Some(source)
}
