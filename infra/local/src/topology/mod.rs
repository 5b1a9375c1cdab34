//! What there is and how it is wired, read from `infra/template.yaml`. Nothing else states it, so nothing can drift:
//! the local engine makes the tables, queues, mappings and routes that the cloud would make.

mod cloudformation;
mod reader;
pub mod rights;
#[cfg(test)]
mod rights_tests;

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

/// The template this binary was built with.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The bundle, as far as an engine must know it.
#[derive(Clone, PartialEq, Debug)]
pub struct Topology {
    pub table: Table,
    /// Main queues and their dead-letter queues, by name.
    pub queues: BTreeMap<String, Queue>,
    /// By name: `ingest`, `refresh`, `notify`, `adopt`, `acknowledge`, `tick`, `poll`.
    pub functions: BTreeMap<String, Function>,
    /// What stands for the version of a function that is live.
    pub alias: String,
    pub routes: Vec<Route>,
}

/// DynamoDB's own description: the properties of the template are the members of the API's request.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// A `CreateTable` request without its `TableName`.
    pub definition: Value,
    pub partition_key: String,
    pub sort_key: String,
    /// The attribute with the epoch second after which an item is gone.
    pub expires: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// As in the template, without the stack's name before it.
    pub name: String,
    pub fifo: bool,
    /// Whether a deduplication id counts within its message group alone, or in the whole queue.
    pub deduplicates_by_group: bool,
    pub delay_seconds: u32,
    pub visibility_seconds: u32,
    pub retention_seconds: u32,
    pub redrive: Option<Redrive>,
}

/// What happens to a message that was received too often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redrive {
    /// The name of the dead-letter queue.
    pub to: String,
    pub after_receives: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    pub name: String,
    pub timeout_seconds: u32,
    pub memory_megabytes: u32,
    /// What each environment variable is bound to.
    pub environment: BTreeMap<String, Binding>,
    pub source: Option<Mapping>,
    pub schedule: Option<Schedule>,
}

/// Where an environment variable gets its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Binding {
    Table,
    /// The URL of the queue with this name.
    Queue(String),
    /// The deployment's parameter of this name.
    Parameter(String),
    Literal(String),
    /// Known to the deployment alone: a secret, a host, another resource.
    Deployment,
}

/// An event source mapping of a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapping {
    pub queue: String,
    pub batch_size: usize,
    /// The function's answer names the messages that failed; otherwise a batch stands or falls as a whole.
    pub reports_item_failures: bool,
    /// At most this many invocations at once.
    pub most_at_once: Option<usize>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    pub every_seconds: u32,
    /// The payload, with the scheduler's own placeholders in it.
    pub input: String,
}

/// One route of the pages: which function answers which method and path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Route {
    pub method: String,
    /// With path variables in braces, `/adopt/{token}`.
    pub path: String,
    pub function: String,
}

impl Topology {
    /// Of the template this binary was built with, read once a process. An error is a fault of this repository.
    pub fn of_the_bundle() -> Result<Self, String> {
        static READ: LazyLock<Result<Topology, String>> = LazyLock::new(|| Topology::read(TEMPLATE));
        READ.clone()
    }

    /// Every fault of the template that matters here is named, not the first alone.
    pub fn read(template: &str) -> Result<Self, String> {
        reader::read(&cloudformation::read(template)?).map_err(|faults| faults.join("\n"))
    }

    /// The dead-letter queues, each with the queue that sends to it.
    pub fn dead_letter_queues(&self) -> impl Iterator<Item = (&Queue, &Queue)> {
        self.queues.values().filter_map(|queue| {
            let redrive = queue.redrive.as_ref()?;
            Some((self.queues.get(&redrive.to)?, queue))
        })
    }
}

#[cfg(test)]
mod tests;
