//! Commands that ask the engine: over loopback where one runs, in this process where none does.

use std::{io::Read, path::Path};

use lambda_shell::clock::Clock;
use serde_json::Value;

use super::{
    Common, Failed,
    home::{self, Found, Home},
    http, print,
    replay::POLICY,
    say, show,
};
use crate::{
    engine::Engine,
    operator::{self, Request, Stack},
};

pub async fn ask(common: &Common, request: Request) -> Result<(), Failed> {
    let answer = match &common.stack {
        Some(stack) => {
            say(common, format!("asking the stack {stack}"));
            Stack::connect(stack).await.map_err(Failed::new)?.perform(request.clone()).await.map_err(Failed::new)?
        }
        None => on_this_machine(common, &request).await?,
    };
    if common.json {
        print(&answer)?;
    } else {
        print(show::in_words(&request, &answer).trim_end())?;
    }
    // The command did its work; what it found is the failure.
    let broken = |line: &Value| line["verified"] == false;
    if matches!(request, Request::Verify(_)) && answer["reviews"].as_array().into_iter().flatten().any(broken) {
        return Err(Failed::new("the record of a review does not verify"));
    }
    if answer["unreadable"].as_array().is_some_and(|unreadable| !unreadable.is_empty()) {
        return Err(Failed::new("a review cannot be read"));
    }
    Ok(())
}

async fn on_this_machine(common: &Common, request: &Request) -> Result<Value, Failed> {
    match home::find(&common.data)? {
        Found::Running(running) => match &running.address {
            Some(address) => remote(common, address, request).await,
            None => Err(Failed::new("another holdpoint command is at work in this directory; try again")),
        },
        Found::Ours(home) => here(common, &home, request.clone()).await,
    }
}

async fn remote(common: &Common, address: &str, request: &Request) -> Result<Value, Failed> {
    say(common, format!("asking the engine at http://{address}"));
    let (word, argument) = request.to_wire();
    let token = home::operator_token(&common.data)?;
    let argument = argument.to_string();
    let (status, body) = http::post(address, &format!("/operator/{word}"), &token, argument.as_bytes()).await?;
    let answer: Value =
        serde_json::from_slice(&body).map_err(|error| Failed::new(format!("the engine's answer: {error}")))?;
    if status == 200 { Ok(answer) } else { Err(Failed::new(answer["title"].as_str().unwrap_or("refused"))) }
}

async fn here(common: &Common, home: &Home, request: Request) -> Result<Value, Failed> {
    let (store, policy) = home.newest()?.unwrap_or_else(|| (home.store(), POLICY.to_owned()));
    say(common, format!("no engine runs in {}; opening {}", common.data.display(), store.display()));
    let settings = home.settings(store, policy, 8420)?;
    home.announce(&settings, None)?;
    let engine = Engine::open(settings, Clock::system()).await.map_err(Failed::new)?;
    let sends = matches!(request, Request::Send(_) | Request::Redrive);
    let answer = operator::perform(&engine, request).await.map_err(Failed::new)?;
    if sends {
        say(common, "it waits in the queue; `holdpoint serve` works it off");
    }
    Ok(answer)
}

fn text(file: &Path) -> Result<String, Failed> {
    if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| text).map_err(|error| Failed::input(format!("reading standard input: {error}")));
    }
    super::replay::read(file)
}

/// One event, a list of them, or one a line.
pub fn events(file: &Path) -> Result<Vec<String>, Failed> {
    let text = text(file)?;
    let events = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Array(list)) => list.iter().map(Value::to_string).collect(),
        Ok(one) => vec![one.to_string()],
        Err(whole) => lines(&text).map_err(|_| Failed::input(format!("{}: expected JSON: {whole}", file.display())))?,
    };
    if events.is_empty() {
        return Err(Failed::input(format!("{}: expected events, found none", file.display())));
    }
    Ok(events)
}

fn lines(text: &str) -> Result<Vec<String>, serde_json::Error> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| serde_json::from_str::<Value>(line).map(|event| event.to_string())).collect()
}

pub fn event(file: &Path) -> Result<Value, Failed> {
    serde_json::from_str(&text(file)?)
        .map_err(|error| Failed::input(format!("{}: expected JSON: {error}", file.display())))
}
