//! Commands that ask the engine: over loopback where one runs, in this process where none does.

use std::{io::Read, path::Path, time::Duration};

use clap::Args;
use serde_json::Value;

use super::{
    Common, Deployment, Failed,
    home::{self, Found, Home, Owner, Place},
    http, policy, print, say, settings, show,
};
use crate::{
    engine::Engine,
    operator::{self, Request, Stack},
};

/// Asks a deployment where one is named, else this machine, and prints the answer.
pub async fn ask(common: &Common, deployment: &Deployment, request: Request) -> Result<(), Failed> {
    let answer = answered(common, deployment, &request).await?;
    printed(common, &request, &answer)
}

/// Prints an answer, as JSON or in words.
///
/// # Errors
/// What was found is the failure: a record that does not verify, or something that cannot be read.
pub fn printed(common: &Common, request: &Request, answer: &Value) -> Result<(), Failed> {
    if common.json {
        print(answer)?;
    } else {
        print(show::in_words(request, answer).trim_end())?;
    }
    // The command did its work; what it found is the failure.
    let broken = |line: &Value| line["verified"] == false;
    if matches!(request, Request::Verify(_)) && answer["reviews"].as_array().into_iter().flatten().any(broken) {
        return Err(Failed::new("the record of a review does not verify"));
    }
    match answer["unreadable"].as_array().and_then(|items| cannot_be_read(items)) {
        Some(why) => Err(Failed::new(why)),
        None => Ok(()),
    }
}

/// How many items cannot be read, and the first of them: its review, or why it cannot be read.
fn cannot_be_read(items: &[Value]) -> Option<String> {
    let first = items.first()?;
    let name = [&first["review_id"], &first["because"], first].into_iter().find_map(Value::as_str);
    Some(format!("cannot be read: {}; the first is {}", items.len(), name.unwrap_or("without a name")))
}

/// The answer of the deployment that is named, else of this machine.
pub async fn answered(common: &Common, deployment: &Deployment, request: &Request) -> Result<Value, Failed> {
    let Some(stack) = &deployment.stack else { return on_this_machine(common, request).await };
    say(common, format!("asking the stack {stack}"));
    Stack::connect(stack).await.map_err(Failed::new)?.perform(request.clone()).await.map_err(Failed::from)
}

/// At which pace is asked what became of what was sent: on this machine, and on a deployment.
const PACE: Duration = Duration::from_millis(50);
const PACE_OF_A_STACK: Duration = Duration::from_secs(1);

/// The status by which an engine says that what it was given is malformed.
const MALFORMED: u16 = 422;
/// And by which it says that this was more than it reads.
const TOO_LARGE: u16 = 413;

/// How long `send` waits.
#[derive(Args, Clone, Debug)]
pub struct Waiting {
    /// Wait until it is known what became of each event, and which reviews were refreshed. Without a deployment this is so
    /// by itself, as long as an engine runs.
    #[arg(long)]
    wait: bool,
    /// Do not wait: say what was sent, and end.
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
    /// Wait no longer than this many seconds, then say what is still open.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

impl Waiting {
    /// Until all is known, as long as `send` waits by itself; on a deployment too.
    pub const fn for_all() -> Self {
        Self { wait: true, no_wait: false, timeout: 30 }
    }
}

/// Sends events. A running engine takes them up at once, so the command waits and says what became of each.
pub async fn send(
    common: &Common,
    deployment: &Deployment,
    waiting: &Waiting,
    events: Vec<String>,
) -> Result<(), Failed> {
    let request = Request::Send(events.clone());
    let answer = sent(common, deployment, waiting, events).await?;
    if common.json {
        print(&answer)?
    } else {
        print(show::in_words(&request, &answer).trim_end())?
    }
    judge_sent(waiting, &answer)
}

/// Sends events, and answers with what became of each as far as that was waited for.
///
/// # Errors
/// Nothing was sent, or what became of it could not be asked.
pub async fn sent(
    common: &Common,
    deployment: &Deployment,
    waiting: &Waiting,
    events: Vec<String>,
) -> Result<Value, Failed> {
    let request = Request::Send(events);
    let mut answer = match &deployment.stack {
        Some(_) => answered(common, deployment, &request).await?,
        None => on_this_machine(common, &request).await?,
    };
    let taken_up = answer["taken_up"] == true;
    let waits = !waiting.no_wait && (waiting.wait || taken_up);
    answer["waited"] = (waits && (taken_up || deployment.stack.is_some())).into();
    if answer["waited"] == true {
        answer = became(common, deployment, waiting, answer).await?;
    }
    Ok(answer)
}

/// The command did its work; what it found is the failure.
fn judge_sent(waiting: &Waiting, answer: &Value) -> Result<(), Failed> {
    let of = |member: &'static str| answer[member].as_array().into_iter().flatten();
    let refused = of("events").chain(of("apart")).filter(|one| one["disposition"] == "refused").count();
    let open = answer["open"].as_u64().unwrap_or(0);
    if refused > 0 {
        return Err(Failed::input(format!("refused: {refused}; `holdpoint events --disposition refused` lists them")));
    }
    if open > 0 {
        let why = "not known of all; `holdpoint events` and `holdpoint show REVIEW` say what became of them later";
        return Err(Failed::new(format!("after {} seconds: {why}", waiting.timeout)));
    }
    if waiting.wait && answer["waited"] != true {
        return Err(Failed::new("no engine runs here, so nothing was judged yet: `holdpoint serve` works it off"));
    }
    Ok(())
}

/// The answer with what became of each event, asked again until all is known or the time is over.
async fn became(
    common: &Common,
    deployment: &Deployment,
    waiting: &Waiting,
    mut answer: Value,
) -> Result<Value, Failed> {
    // Which engine is asked was said once.
    let quiet = Common { json: true, ..common.clone() };
    let stack = match &deployment.stack {
        Some(stack) => Some(Stack::connect(stack).await.map_err(Failed::new)?),
        None => None,
    };
    let until = std::time::Instant::now() + Duration::from_secs(waiting.timeout);
    loop {
        let request = Request::Became(answer);
        answer = match &stack {
            Some(stack) => stack.perform(request).await?,
            None => on_this_machine(&quiet, &request).await?,
        };
        if answer["open"] == 0 || std::time::Instant::now() >= until {
            return Ok(answer);
        }
        tokio::time::sleep(if stack.is_some() { PACE_OF_A_STACK } else { PACE }).await;
    }
}

/// The answer of the engine of this machine. It names the store it is about, unless it is a function's own.
pub async fn on_this_machine(common: &Common, request: &Request) -> Result<Value, Failed> {
    let place = Place::to_ask(common.data.as_deref())?;
    let mut answer = match home::find(&place)? {
        Found::Running(running) => match &running.address {
            Some(address) => {
                let mut answer = remote(common, &place, address, request).await?;
                if matches!(request, Request::Send(_)) {
                    answer["taken_up"] = true.into();
                }
                answer
            }
            None => {
                let directory = place.directory.display();
                return Err(Failed::new(format!("{directory}: another holdpoint command is at work here; try again")));
            }
        },
        Found::Ours(home) => here(common, &home, request.clone()).await?,
    };
    if let (Value::Object(members), false) = (&mut answer, matches!(request, Request::Invoke { .. })) {
        members.insert("store".to_owned(), place.store().display().to_string().into());
    }
    Ok(answer)
}

async fn remote(common: &Common, place: &Place, address: &str, request: &Request) -> Result<Value, Failed> {
    let (owner, store) = (place.owner, place.store());
    say(common, format!("asking the engine at http://{address}; its store is {owner}, {}", store.display()));
    let (word, argument) = request.to_wire();
    let token = home::operator_token(&place.directory)?;
    let argument = argument.to_string();
    let (status, body) = http::post(address, &format!("/operator/{word}"), &token, argument.as_bytes()).await?;
    let answer: Value =
        serde_json::from_slice(&body).map_err(|error| Failed::new(format!("the engine's answer: {error}")))?;
    let why = answer["title"].as_str().unwrap_or("refused");
    match status {
        200 => Ok(answer),
        MALFORMED | TOO_LARGE => Err(Failed::input(why)),
        _ => Err(Failed::new(why)),
    }
}

async fn here(common: &Common, home: &Home, request: Request) -> Result<Value, Failed> {
    let Place { owner, .. } = home.place();
    let (directory, store) = (home.place().directory.display(), home.store());
    say(common, format!("no engine runs in {directory}; opening its store, {owner}, {}", store.display()));
    let sends = matches!(request, Request::Send(_) | Request::Redrive(_));
    if sends && *owner == Owner::Demo {
        return Err(Failed::new(format!(
            "{}: nothing was sent: the demo is not running and its next run empties this store; start `holdpoint serve` and send again",
            store.display()
        )));
    }
    let engine = match request {
        Request::Verify(_) => opened_to_read(home).await?,
        Request::Invoke { .. } => opened_under(home, policy::accepted(home)?, OpenedFor::Functions).await?,
        _ => opened(home).await?,
    };
    if let (Request::Invoke { .. }, Some(why)) = (&request, engine.obstacle()) {
        return Err(Failed::new(why));
    }
    let accepts = request == Request::Clock { accept: true };
    let answer = operator::perform(&engine, request).await?;
    if accepts {
        engine.keep_mark().map_err(Failed::new)?;
    }
    if sends {
        say(common, format!("it waits in {}; `holdpoint serve --data {directory}` works it off", store.display()));
    }
    Ok(answer)
}

/// What an engine is opened for.
#[derive(Clone, Copy)]
enum OpenedFor {
    /// Its functions run.
    Functions,
    /// It answers an operator.
    Answers,
}

/// The engine of a folder in this process, as `serve` would open the engine, and not live: it answers and runs no function.
///
/// # Errors
/// The store, its policy, its settings or its keys cannot be read.
pub async fn opened(home: &Home) -> Result<Engine, Failed> {
    opened_under(home, policy::accepted(home)?, OpenedFor::Answers).await
}

/// As [`opened`], for work that no policy decides on: verifying and copying lineages. A store that was imported has accepted
/// no policy before its first start.
///
/// # Errors
/// As [`opened`], but for a missing policy.
pub async fn opened_to_read(home: &Home) -> Result<Engine, Failed> {
    match home.accepted_policy()? {
        Some(_) => opened(home).await,
        None => opened_under(home, policy::EXAMPLE.to_owned(), OpenedFor::Answers).await,
    }
}

async fn opened_under(home: &Home, policy: String, of: OpenedFor) -> Result<Engine, Failed> {
    // Links and meetings are named as the engine names them, and mail waits for its relay.
    let file = home.remembered_settings()?.map(|file| settings::read(&file)).transpose()?.unwrap_or_default();
    let port = home.last_port()?;
    let mut settings = match of {
        OpenedFor::Functions => home.settings(policy, port, &file.keys)?,
        OpenedFor::Answers => home.settings_to_answer(policy, port, &file.keys)?,
    };
    file.apply(&mut settings);
    home.announce(None)?;
    let timekeeper = home.timekeeper()?;
    settings.timekeeper = Some(timekeeper.clone());
    let engine = Engine::open(settings, timekeeper.clock()).await.map_err(Failed::new)?;
    home.begun()?;
    Ok(engine)
}

fn text(file: &Path) -> Result<String, Failed> {
    if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        let read = read.map_err(|error| Failed::input(format!("reading standard input: {error}")));
        return read.map(|_| super::without_mark(text));
    }
    super::read(file)
}

/// One event, a list of them, or one a line.
pub fn events(file: &Path) -> Result<Vec<String>, Failed> {
    events_of(&text(file)?).map_err(|why| Failed::input(format!("{}: {why}", file.display())))
}

fn events_of(text: &str) -> Result<Vec<String>, String> {
    let events = match value(text) {
        Ok(Value::Array(list)) => list.iter().map(Value::to_string).collect(),
        Ok(one) => vec![one.to_string()],
        Err(whole) => lines(text).unwrap_or_else(|| Err(format!("expected JSON; found {whole}")))?,
    };
    if events.is_empty() {
        return Err("expected events, found none".to_owned());
    }
    Ok(events)
}

/// As strict as the doors are: what is sent on is what was read, so a member given twice would be gone by then.
fn value(text: &str) -> Result<Value, String> {
    sources::json::parse(text, "$").map_err(|fault| fault.found)
}

/// One event a line. The fault is named by its line. `None`: the text is no such list, but one value over several lines.
fn lines(text: &str) -> Option<Result<Vec<String>, String>> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let read: Vec<(usize, Result<Value, String>)> = lines.map(|(number, line)| (number, value(line))).collect();
    // Of a list that is written over several lines, a line may well be an object.
    let is_event = |(_, line): &(usize, Result<Value, _>)| line.as_ref().is_ok_and(Value::is_object);
    if !read.is_empty() && (text.trim_start().starts_with('[') || !read.iter().any(is_event)) {
        return None;
    }
    let event = |(number, line): (usize, Result<Value, String>)| match line {
        Ok(event) => Ok(event.to_string()),
        Err(found) => {
            // The parser saw this line alone.
            let found = found.trim_start_matches("line 1, ");
            Err(format!("line {number}: expected one event a line, JSON; found {found}"))
        }
    };
    Some(read.into_iter().map(event).collect())
}

pub fn event(file: &Path) -> Result<Value, Failed> {
    value(&text(file)?).map_err(|found| Failed::input(format!("{}: expected JSON; found {found}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "{\"id\": 1}";

    #[test]
    fn events_come_one_or_several_or_one_a_line() {
        for (text, count) in [
            (GOOD.to_owned(), 1),
            (format!("[{GOOD},\n {GOOD}]"), 2),
            (format!("# two\n{GOOD}\n\n  {GOOD}\n"), 2),
            ("{\n  \"id\": 1\n}".to_owned(), 1),
        ] {
            assert_eq!(events_of(&text).unwrap().len(), count, "{text}");
        }
        assert_eq!(super::super::without_mark(format!("\u{feff}{GOOD}")), GOOD);
    }

    /// The line as an editor counts it, whichever of them it is.
    #[test]
    fn a_fault_is_named_by_its_line() {
        let bad = "{\"id\": 1";
        for (text, expected) in [
            ([GOOD, GOOD, GOOD, GOOD, bad, GOOD].join("\n"), "line 5: expected one event a line"),
            ([bad, GOOD].join("\n"), "line 1: expected one event a line"),
            (format!("# note\n\n{GOOD}\n{bad}"), "line 4: expected one event a line"),
            (format!("{GOOD}\n{bad}"), "line 2: expected one event a line, JSON; found column 8: EOF"),
            (format!("[\n{GOOD},\n{GOOD}\n{GOOD}]"), "line 4, column 1: "),
            ("{\n \"id\": 1,\n}".to_owned(), "line 3, column 1: "),
            ("{\"id\": 1, \"id\": 2}".to_owned(), "column 18: the member \"id\" a second time"),
            (format!("{GOOD}\n{{\"id\": 1, \"id\": 2}}"), "line 2: expected one event a line, JSON; found column 18: "),
            (String::new(), "found none"),
            ("nonsense".to_owned(), "line 1, column 2: "),
        ] {
            let why = events_of(&text).unwrap_err();
            assert!(why.contains(expected), "{text}: {why}");
        }
    }
}
