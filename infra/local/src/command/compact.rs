//! `holdpoint compact`: what is past its time goes.

use clap::Args;
use refresh_core::Person;
use serde_json::Value;

use super::{Common, Deployment, Failed, act, ask};
use crate::operator::{Compacting, Request};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Keep the person of this address as who lets reviews go. Without it: the variable HOLDPOINT_OPERATOR, or the login.
    #[arg(long = "as", value_name = "ADDRESS")]
    by: Option<Person>,
    /// Keep these words as the reason.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Remove without asking. A script that has no terminal is not asked.
    #[arg(long)]
    yes: bool,
}

/// # Errors
/// What the store said, or that whoever was asked did not agree.
pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let here = Deployment { stack: None };
    let by = options.by.as_ref().map(|person| person.as_str().to_owned()).or_else(act::login);
    let request = Request::Compact(Compacting { by, reason: options.reason.clone() });
    if act::is_asked(options.yes) {
        let kept = ask::answered(common, &here, &Request::Kept).await?;
        act::asks_first(common, options.yes, &will(&kept))?;
        // Which engine is asked was said once.
        let quiet = Common { json: true, ..common.clone() };
        return ask::printed(common, &request, &ask::answered(&quiet, &here, &request).await?);
    }
    ask::ask(common, &here, request).await
}

/// What will happen, a line each.
fn will(kept: &Value) -> Vec<String> {
    let days = |name: &str| kept[name].as_i64().unwrap_or(0);
    let first = match kept["archive"].as_str() {
        Some(folder) => format!("each is written into {folder} first"),
        None => "none is written anywhere first: `[keep] archive` of the settings names no folder".to_owned(),
    };
    vec![
        format!("records of events older than {} days go for good", days("events_days")),
        format!("mails older than {} days go, but those that wait for the mail server", days("mails_days")),
        format!("dead letters older than {} days go", days("letters_days")),
        format!("reviews that ended more than {} days ago go with their lineage; {first}", days("reviews_days")),
        "`holdpoint removed` keeps who let each of them go, when and why".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_goes_is_said_with_its_time_and_where_reviews_are_written_first() {
        let kept =
            json!({ "events_days": 35, "mails_days": 7, "letters_days": 14, "reviews_days": 60, "archive": null });
        let said = will(&kept).join("\n");
        for wanted in ["35 days", "7 days", "14 days", "60 days ago", "names no folder"] {
            assert!(said.contains(wanted), "{wanted}: {said}");
        }
        let kept = json!({ "reviews_days": 60, "archive": "/srv/ended" });
        assert!(will(&kept).join("\n").contains("each is written into /srv/ended first"));
    }
}
