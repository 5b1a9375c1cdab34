//! What an operator asks, and how that travels to a running engine.

use refresh_core::{Person, ReviewId};
use serde_json::{Value, json};

use super::{Compacting, Discard, EventsAsked, MailsAsked, Planned, Redrive, RemovalsAsked, ReviewsAsked, StuckAsked};

/// One thing to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// What is open in each review, a page at a time.
    Reviews(ReviewsAsked),
    Show(ReviewId),
    Verify(Option<ReviewId>),
    /// What moved a review, by which event and rule, and what was considered.
    Why(ReviewId),
    /// Who must still answer or decide what; of one person alone where one is named.
    Waiting(Option<Person>),
    /// What a person was told, by which mail, and what became of that mail.
    Told(Person),
    /// What failed, is dead or about to be, is silent or overdue.
    Stuck(StuckAsked),
    /// What an act of an operator would do, and the event that does so.
    Plan(Box<Planned>),
    /// Events as JSON texts, to be put on the queue.
    Send(Vec<String>),
    /// What became of events that were sent: the answer to `Send`, with what is known of each event by now.
    Became(Value),
    /// What came in, and what became of it.
    Events(EventsAsked),
    /// What the dead-letter queues hold.
    DeadLetters,
    /// Every dead letter is sent again.
    Redrive(Redrive),
    /// One dead letter goes for good.
    Discard(Discard),
    /// The engine's time against the machine's; and, where `accept` says so, the machine's taken as right.
    Clock {
        accept: bool,
    },
    /// How long what has ended is kept.
    Kept,
    /// Removes what is past its time.
    Compact(Compacting),
    /// Which reviews were removed so.
    Removed(RemovalsAsked),
    /// What is in the mailbox, a page at a time.
    Mails(MailsAsked),
    /// One mail, whole.
    Mail(u64),
    Invoke {
        function: String,
        event: Value,
    },
}

impl Request {
    /// As it travels to a running engine: a word and its argument.
    pub fn to_wire(&self) -> (&'static str, Value) {
        match self {
            Self::Reviews(asked) => ("reviews", json!(asked)),
            Self::Show(review) => ("show", json!(review)),
            Self::Verify(review) => ("verify", json!(review)),
            Self::Why(review) => ("why", json!(review)),
            Self::Waiting(person) => ("waiting", json!(person)),
            Self::Told(person) => ("told", json!(person)),
            Self::Stuck(asked) => ("stuck", json!(asked)),
            Self::Plan(planned) => ("plan", json!(planned)),
            Self::Send(events) => ("send", json!(events)),
            Self::Became(sent) => ("became", sent.clone()),
            Self::Events(asked) => ("events", json!(asked)),
            Self::DeadLetters => ("dead_letters", Value::Null),
            Self::Redrive(asked) => ("redrive", json!(asked)),
            Self::Discard(asked) => ("discard", json!(asked)),
            Self::Clock { accept } => ("clock", json!({ "accept": accept })),
            Self::Kept => ("kept", Value::Null),
            Self::Compact(compacting) => ("compact", json!(compacting)),
            Self::Removed(asked) => ("removed", json!(asked)),
            Self::Mails(asked) => ("mails", json!(asked)),
            Self::Mail(number) => ("mail", json!(number)),
            Self::Invoke { function, event } => ("invoke", json!({ "function": function, "event": event })),
        }
    }

    pub fn from_wire(word: &str, argument: Value) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| format!("{word}: {error}");
        Ok(match word {
            // From a command of a release before this one.
            "reviews" if argument.is_null() => Self::Reviews(ReviewsAsked::default()),
            "reviews" => Self::Reviews(serde_json::from_value(argument).map_err(wrong)?),
            "show" => Self::Show(serde_json::from_value(argument).map_err(wrong)?),
            "verify" => Self::Verify(serde_json::from_value(argument).map_err(wrong)?),
            "why" => Self::Why(serde_json::from_value(argument).map_err(wrong)?),
            "waiting" => Self::Waiting(serde_json::from_value(argument).map_err(wrong)?),
            "told" => Self::Told(serde_json::from_value(argument).map_err(wrong)?),
            "stuck" => Self::Stuck(serde_json::from_value(argument).map_err(wrong)?),
            "plan" => Self::Plan(serde_json::from_value(argument).map_err(wrong)?),
            "send" => Self::Send(serde_json::from_value(argument).map_err(wrong)?),
            "became" => Self::Became(argument),
            "events" => Self::Events(serde_json::from_value(argument).map_err(wrong)?),
            "clock" => Self::Clock { accept: argument["accept"] == true },
            "kept" => Self::Kept,
            // A command of the release before this one says nobody and nothing.
            "compact" if argument.is_null() => Self::Compact(Compacting::default()),
            "compact" => Self::Compact(serde_json::from_value(argument).map_err(wrong)?),
            "removed" => Self::Removed(serde_json::from_value(argument).map_err(wrong)?),
            // From a command of a release before this one.
            "mails" if argument.is_null() => Self::Mails(MailsAsked::default()),
            "mails" => Self::Mails(serde_json::from_value(argument).map_err(wrong)?),
            "mail" => Self::Mail(serde_json::from_value(argument).map_err(wrong)?),
            "dead_letters" => Self::DeadLetters,
            // A command of the release before this one says nobody and nothing.
            "redrive" if argument.is_null() => Self::Redrive(Redrive::default()),
            "redrive" => Self::Redrive(serde_json::from_value(argument).map_err(wrong)?),
            "discard" => Self::Discard(serde_json::from_value(argument).map_err(wrong)?),
            "invoke" => {
                let function = argument["function"].as_str().ok_or("invoke.function: expected a name")?.to_owned();
                Self::Invoke { function, event: argument["event"].clone() }
            }
            other => return Err(format!("no command {other:?} here")),
        })
    }
}
