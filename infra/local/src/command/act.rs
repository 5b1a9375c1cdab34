//! `close`, `reset`, `decide`, `resend` and `discard`: what an operator does in person. Each says exactly what will happen and asks first; each
//! but `discard` is an event with who and why, on the queue of every other. Here, too, is how every other command asks first.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;
use refresh_core::{
    Person, ReviewId, Source,
    facts::{operator::OperatorChoice, subject::Kind},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Common, Deployment, Failed, ask, print, say, show};
use crate::operator::{Act, Discard, Planned, Request};

/// The variable that says who the operator is.
const OPERATOR: &str = "HOLDPOINT_OPERATOR";

/// Who acts, and why.
#[derive(Args, Clone, Debug)]
pub struct Who {
    /// Act as the person of this address. Without it: the variable HOLDPOINT_OPERATOR, or the login where that is an address.
    #[arg(long = "as", value_name = "ADDRESS")]
    by: Option<Person>,
    /// Record these words as the reason.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do so without asking, as a script must.
    #[arg(long)]
    yes: bool,
}

/// Who acts, why, and as which source.
#[derive(Args, Clone, Debug)]
pub struct Acting {
    #[command(flatten)]
    who: Who,
    /// Send the event from this source, which the policy registers as `operator`. A deployment needs it; here the only one
    /// that is registered is taken.
    #[arg(long, value_name = "SOURCE")]
    source: Option<Source>,
    #[command(flatten)]
    deployment: Deployment,
}

/// A word of the contract, read as the contract reads it.
fn word<T: DeserializeOwned>(text: &str, expected: &str) -> Result<T, String> {
    serde_json::from_value(json!(text)).map_err(|_| format!("expected {expected}; found {text:?}"))
}

/// A kind of facts.
pub fn kind(text: &str) -> Result<Kind, String> {
    let expected = format!("one of {}", Kind::OF_FACTS.map(Kind::word).join(", "));
    word(text, &expected).and_then(|kind: Kind| if Kind::OF_FACTS.contains(&kind) { Ok(kind) } else { Err(expected) })
}

/// What can be decided.
pub fn choice(text: &str) -> Result<OperatorChoice, String> {
    word(text, "adopt, decline_other_slot or decline_stand")
}

/// Plans, asks, sends, and says what came of it.
///
/// # Errors
/// Nobody named as operator, no terminal to ask at: malformed input. What cannot be done; what came to something else.
pub(super) async fn run(common: &Common, act: Act, acting: &Acting) -> Result<(), Failed> {
    let by = acting.who.is_ready()?;
    let (reason, source) = (acting.who.reason.clone(), acting.source.clone());
    let planned = Planned { act: act.clone(), by, reason, source };
    let plan = ask::answered(common, &acting.deployment, &Request::Plan(Box::new(planned))).await?;
    let will: Vec<&str> = plan["will"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    acting.who.agrees(common, &will)?;
    // Which engine is asked was said once.
    let quiet = Common { json: true, ..common.clone() };
    let sent = ask::sent(&quiet, &acting.deployment, &ask::Waiting::for_all(), vec![plan["event"].to_string()]).await?;
    let result = match act.review().filter(|_| sent["waited"] == true) {
        Some(review) => result(&quiet, &acting.deployment, review, &plan["event"]).await?,
        None => Value::Null,
    };
    if common.json {
        print(outcome(&plan, &sent, &result))?;
    } else {
        let event = &sent["events"][0];
        let became = event["disposition"].as_str().unwrap_or("waits on the queue");
        let result = result.as_str().map_or(String::new(), |word| format!("; {word}"));
        print(format!("event {}: {became}{result}", plan["event"]["id"].as_str().unwrap_or_default()))?;
    }
    judged(&sent, &result)?;
    acting.who.says_done(common, &will, sent["waited"] == true);
    Ok(())
}

impl Who {
    /// Who acts, where they can be asked or need not be.
    fn is_ready(&self) -> Result<Person, Failed> {
        let by = operator(self.by.as_ref())?;
        if !self.yes && !std::io::stdin().is_terminal() {
            let expected = "expected a terminal to ask at, or --yes to do so without asking; nothing was done";
            return Err(Failed::input(expected));
        }
        Ok(by)
    }

    /// Says what will happen, and asks. Whoever is not asked hears of it when it is so ([`Self::says_done`]).
    fn agrees(&self, common: &Common, will: &[&str]) -> Result<(), Failed> {
        if self.yes {
            return Ok(());
        }
        for line in will {
            say(common, format!("  {line}"));
        }
        if !agreed(&mut std::io::stdin().lock(), &mut std::io::stderr(), will, common.json)? {
            return Err(Failed::new("nothing was done"));
        }
        Ok(())
    }

    /// Says to whoever was not asked what has come of it. `is_done`: an engine has worked it off.
    fn says_done(&self, common: &Common, will: &[&str], is_done: bool) {
        if !self.yes {
            return;
        }
        if !is_done {
            say(common, "once an engine works it off:");
        }
        will.iter().for_each(|line| say(common, format!("  {line}")));
    }
}

/// Takes one dead letter away, once the operator has seen it and agreed.
///
/// # Errors
/// Nobody named as operator, no terminal to ask at, no reason: malformed input. No such letter, or what the queues said.
pub(super) async fn discard(common: &Common, deployment: &Deployment, letter: &str, who: &Who) -> Result<(), Failed> {
    let by = who.is_ready()?;
    if who.reason.trim().is_empty() {
        return Err(Failed::input("--reason: expected why the letter goes; found nothing"));
    }
    let listed = ask::answered(common, deployment, &Request::DeadLetters).await?;
    let queues = listed["queues"].as_object().into_iter().flatten();
    let mut letters = queues.flat_map(|(queue, all)| all.as_array().into_iter().flatten().map(move |one| (queue, one)));
    let Some((queue, known)) = letters.find(|(_, one)| one["message_id"] == letter) else {
        return Err(Failed::new(format!(
            "{letter}: no dead letter has this message id; `holdpoint redrive --list` lists them"
        )));
    };
    let sent = known["sent_at"].as_str().unwrap_or("an unknown instant");
    let will = [
        format!("the letter {letter} of {sent} leaves {queue} for good, and is not handled again"),
        format!("it is dead, since: {}", known["why"].as_str().unwrap_or("no reason was kept")),
        format!("`holdpoint events` keeps for 35 days that {by} did so, because: {}", who.reason),
    ];
    let will = will.each_ref().map(String::as_str);
    who.agrees(common, &will)?;
    let quiet = Common { json: true, ..common.clone() };
    let asked = Request::Discard(Discard { letter: letter.to_owned(), by, reason: who.reason.clone() });
    let done = ask::answered(&quiet, deployment, &asked).await?;
    who.says_done(common, &will, true);
    if common.json { print(done) } else { print(show::in_words(&asked, &done).trim_end()) }
}

/// What `--json` prints.
pub fn outcome(plan: &Value, sent: &Value, result: &Value) -> Value {
    json!({ "event": plan["event"], "will": plan["will"], "sent": sent, "result": result })
}

/// The command did its work; what came of it is the failure.
fn judged(sent: &Value, result: &Value) -> Result<(), Failed> {
    let event = &sent["events"][0];
    match event["disposition"].as_str() {
        Some("applied") => {}
        Some(word) => {
            let reason = event["reason"].as_str().unwrap_or_default();
            return Err(Failed::new(format!("nothing was done: the event is {word}: {reason}")));
        }
        None if sent["waited"] == true => {
            return Err(Failed::new("what became of it is not known yet; `holdpoint events` says later"));
        }
        // No engine runs: it says so itself.
        None => {}
    }
    match result.as_str() {
        None | Some("adopted" | "declined" | "recorded" | "resent") => Ok(()),
        Some(word) => Err(Failed::new(format!("nothing was done: {}", word.replace('_', " ")))),
    }
}

/// What the lineage says that came of the operator's event.
async fn result(common: &Common, deployment: &Deployment, review: &ReviewId, event: &Value) -> Result<Value, Failed> {
    let shown = ask::answered(common, deployment, &Request::Show(review.clone())).await?;
    let is_answer = |one: &&Value| one["record"] == "answer" && one["as_operator"] == true;
    let mut carried_out = Value::Null;
    for entry in shown["lineage"].as_array().into_iter().flatten().rev() {
        let all = entry["happenings"].as_array().map_or(&[][..], Vec::as_slice);
        let answer = all.iter().find(is_answer);
        if all.iter().any(|one| one["record"] == "trigger" && one["id"] == event["id"]) {
            // A decision that another event asked for may have read this one already, and done what it says.
            return Ok(answer.map_or(carried_out, |answer| answer["result"].clone()));
        }
        let is_own = |one: &&Value| one["by"] == event["data"]["by"] && one["note"] == event["data"]["reason"];
        if let Some(own) = answer.filter(is_own).filter(|_| carried_out.is_null()) {
            carried_out = own["result"].clone();
        }
    }
    Ok(carried_out)
}

/// Whether somebody is there to be asked, and wants to be.
pub(super) fn is_asked(yes: bool) -> bool {
    !yes && std::io::stdin().is_terminal()
}

/// Who works at this shell: the variable, or else the login. It need not be an address.
pub(super) fn login() -> Option<String> {
    let of = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    of(OPERATOR).or_else(|| of("USER")).or_else(|| of("LOGNAME"))
}

/// Asks a person at the terminal whether that may be done. A script has no terminal and is not asked: what it does so can be
/// repeated, or the engine does the same by itself; what is done once and in person needs `--yes` ([`Who`]).
///
/// # Errors
/// Whoever was asked did not say yes.
pub(super) fn asks_first(common: &Common, yes: bool, will: &[String]) -> Result<(), Failed> {
    if !is_asked(yes) {
        return Ok(());
    }
    will.iter().for_each(|line| say(common, format!("  {line}")));
    let will: Vec<&str> = will.iter().map(String::as_str).collect();
    match agreed(&mut std::io::stdin().lock(), &mut std::io::stderr(), &will, common.json)? {
        true => Ok(()),
        false => Err(Failed::new("nothing was done")),
    }
}

/// Who acts: who is named, otherwise who logged in. A login that is no address names nobody whom the rules know.
fn operator(named: Option<&Person>) -> Result<Person, Failed> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    let of = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let login = of(OPERATOR).or_else(|| of("USER").filter(|login| login.contains('@')));
    match login.as_deref().map(Person::parse) {
        Some(Ok(person)) => Ok(person),
        Some(Err(expected)) => Err(Failed::input(format!("{OPERATOR}: {expected}"))),
        None => Err(Failed::input(format!("expected who acts: --as ADDRESS, or the variable {OPERATOR}"))),
    }
}

/// Whether the operator says yes. With JSON asked for, what will happen is said here, since nothing else says so.
fn agreed(input: &mut impl BufRead, out: &mut impl Write, will: &[&str], say_all: bool) -> Result<bool, Failed> {
    let failed = |error: std::io::Error| Failed::new(format!("asking at the terminal: {error}"));
    for line in will.iter().filter(|_| say_all) {
        writeln!(out, "  {line}").map_err(failed)?;
    }
    write!(out, "Do so? Type yes: ").and_then(|()| out.flush()).map_err(failed)?;
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes_and_what_will_happen_is_said_before() {
        for (typed, expected) in
            [("yes\n", true), ("YES\n", true), ("y\n", false), ("\n", false), ("", false), ("no\n", false)]
        {
            let mut said = Vec::new();
            assert_eq!(agreed(&mut typed.as_bytes(), &mut said, &["it closes"], true).unwrap(), expected, "{typed:?}");
            assert_eq!(String::from_utf8(said).unwrap(), "  it closes\nDo so? Type yes: ");
        }
    }

    #[test]
    fn what_came_to_something_else_is_a_failure() {
        let sent =
            |word: Value| json!({ "waited": true, "events": [{ "disposition": word, "reason": "stale_revision" }] });
        assert!(judged(&sent(json!("applied")), &json!("adopted")).is_ok());
        assert!(judged(&sent(json!("applied")), &Value::Null).is_ok());
        for (word, result) in
            [(json!("ignored"), Value::Null), (Value::Null, Value::Null), (json!("applied"), json!("facts_changed"))]
        {
            assert!(judged(&sent(word.clone()), &result).is_err(), "{word} {result}");
        }
    }
}
