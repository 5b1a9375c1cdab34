//! `holdpoint redrive`: what is dead and why, and all of it sent again. Who does so and why stands in `holdpoint events`.

use clap::Args;
use refresh_core::Person;
use serde_json::Value;

use super::{Common, Deployment, Failed, act, ask, print};
use crate::operator::{Redrive, Request};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// List only, and send nothing again.
    #[arg(long)]
    list: bool,
    /// Keep the person of this address as who sends again. Without it: the variable HOLDPOINT_OPERATOR, or the login.
    #[arg(long = "as", value_name = "ADDRESS")]
    by: Option<Person>,
    /// Keep these words as the reason.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Send again without asking. A script that has no terminal is not asked.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    deployment: Deployment,
}

/// # Errors
/// What the queues or the store said, or that whoever was asked did not agree.
pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let Options { list, by, reason, yes, deployment } = options;
    if *list {
        return ask::ask(common, deployment, Request::DeadLetters).await;
    }
    let by = by.as_ref().map(|person| person.as_str().to_owned()).or_else(act::login);
    let request = Request::Redrive(Redrive { by, reason: reason.clone() });
    if act::is_asked(*yes) {
        let listed = ask::answered(common, deployment, &Request::DeadLetters).await?;
        let will = will(&listed);
        if will.is_empty() {
            return print(if common.json { listed.to_string() } else { "no letter is dead".to_owned() });
        }
        act::asks_first(common, *yes, &will)?;
        // Which engine is asked was said once.
        let quiet = Common { json: true, ..common.clone() };
        return ask::printed(common, &request, &ask::answered(&quiet, deployment, &request).await?);
    }
    ask::ask(common, deployment, request).await
}

/// What will happen, a queue a line.
fn will(listed: &Value) -> Vec<String> {
    let queues = listed["queues"].as_object().into_iter().flatten();
    let counted = queues.filter_map(|(queue, letters)| {
        let more =
            listed["not_shown"].get(queue).map(|more| more.as_u64().map_or("some".to_owned(), |more| more.to_string()));
        let more = more.map_or(String::new(), |more| format!(" and {more} that it does not show"));
        let shown = letters.as_array().map_or(0, Vec::len);
        (shown > 0).then(|| format!("{shown} letters{more} leave {queue} and are handled once more"))
    });
    counted.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_queue_with_letters_is_a_line_and_no_letter_is_no_question() {
        let listed = json!({
            "queues": { "a-dlq": [], "b-dlq": [{}, {}], "c-dlq.fifo": [{}] },
            "not_shown": { "c-dlq.fifo": 3 },
        });
        assert_eq!(
            will(&listed),
            [
                "2 letters leave b-dlq and are handled once more",
                "1 letters and 3 that it does not show leave c-dlq.fifo and are handled once more",
            ]
        );
        assert!(will(&json!({ "queues": { "a-dlq": [] }, "not_shown": {} })).is_empty());
    }
}
