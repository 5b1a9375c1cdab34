//! Does the bundle tell this story? One test a scenario of `events/scenarios`: replayed through the handlers, compared
//! line by line with the stored output beside it. `UPDATE_EXPECTED=1` writes what is found; read it before you commit it.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

use std::{
    fs,
    path::{Path, PathBuf},
};

use holdpoint::{
    engine::{Settings, virtual_time::VirtualTime},
    operator::{Request, ReviewsAsked, perform},
    replay::{Player, Records, Scenario},
};
use holdpoint_tests::repository;
use libtest_mimic::{Arguments, Failed, Trial};
use refresh_core::ReviewId;
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let trials = scenarios().into_iter().flat_map(|path| {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let again = path.clone();
        [
            Trial::test(format!("{name} is told as stored"), move || as_stored(&path)),
            Trial::test(format!("{name} delivered twice mails nobody twice"), move || twice(&again)),
        ]
    });
    let trials: Vec<Trial> = trials.collect();
    assert!(!trials.is_empty(), "events/scenarios holds no scenario");
    libtest_mimic::run(&arguments, trials).exit();
}

fn scenarios() -> Vec<PathBuf> {
    let folder = repository().join("events/scenarios");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.to_string_lossy().ends_with(".jsonl") && !path.to_string_lossy().ends_with(".expected.jsonl")
        })
        .collect();
    found.sort();
    found
}

fn read(path: &Path) -> Result<String, Failed> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// What a scenario comes to, a record a line; and what the operator's commands say of its end, each with the name of its schema.
struct Told {
    lines: Vec<String>,
    asked: Vec<(&'static str, Value)>,
}

async fn told(scenario: &Scenario, policy: &str) -> Result<(Records, Vec<(&'static str, Value)>), String> {
    let first = scenario.lines.first().ok_or("the scenario is empty")?;
    let mut player = Player::of(VirtualTime::open(Settings::in_memory(policy), first.at).await?);
    let mut records = Records::new();
    for line in &scenario.lines {
        records.extend(player.until(line.at).await?);
        records.extend(player.act(line).await?);
    }
    records.extend(player.state().await?);
    let engine = player.time().engine();
    let ask = async |request| perform(engine, request).await.map_err(|why| why.to_string());
    let mut asked = vec![
        ("reviews", ask(Request::Reviews(ReviewsAsked::default())).await?),
        ("verify", ask(Request::Verify(None)).await?),
    ];
    for review in asked[0].1["reviews"].as_array().cloned().unwrap_or_default() {
        let review = ReviewId::parse(review["review_id"].as_str().unwrap_or_default())?;
        asked.push(("show", ask(Request::Show(review)).await?));
    }
    Ok((records, asked))
}

fn play(scenario: &str, policy: &str) -> Result<Told, Failed> {
    let scenario = Scenario::parse(scenario).map_err(|malformed| format!("{malformed:?}"))?;
    let policy = policy.to_owned();
    let played = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(told(&scenario, &policy))
    })?;
    let (records, asked) = played.join().map_err(|_| "the replay panicked")??;
    let lines = records.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(Told { lines, asked })
}

/// Unoptimised, the SDK's nested polls need more than the two megabytes of a test's thread.
const STACK: usize = 32 << 20;

/// An answer held against the schema that is published for its command.
fn fits(schema: &str, answer: &Value) -> Result<(), Failed> {
    let text = read(&repository().join(format!("events/schemas/commands/{schema}.json")))?;
    let validator = jsonschema::validator_for(&serde_json::from_str(&text)?).map_err(|error| error.to_string())?;
    let against: Vec<String> =
        validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if against.is_empty() { Ok(()) } else { Err(format!("{schema}: {}", against.join("\n")).into()) }
}

fn as_stored(path: &Path) -> Result<(), Failed> {
    let Told { lines: found, asked } = play(&read(path)?, &read(&path.with_extension("policy.json"))?)?;
    for (schema, answer) in &asked {
        fits(schema, answer)?;
    }
    let stored = path.with_extension("expected.jsonl");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&stored, found.join("\n") + "\n")?;
        return Ok(());
    }
    let expected = read(&stored)?;
    let expected: Vec<&str> = expected.lines().collect();
    for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
        if found != expected {
            return Err(format!("line {}:\n  expected {expected}\n  found    {found}", number + 1).into());
        }
    }
    match found.len() == expected.len() {
        true => Ok(()),
        false => Err(format!("expected {} lines, found {}", expected.len(), found.len()).into()),
    }
}

/// Every event is sent a second time right after the first: the same decisions, the same notices, nobody mailed twice.
fn twice(path: &Path) -> Result<(), Failed> {
    let (scenario, policy) = (read(path)?, read(&path.with_extension("policy.json"))?);
    let doubled: Vec<&str> = scenario
        .lines()
        .flat_map(|line| std::iter::repeat_n(line, if line.contains("\"send\"") { 2 } else { 1 }))
        .collect();
    let told = |lines: &[String]| -> Vec<String> {
        let kept = |line: &&String| {
            line.contains("\"record\":\"notice\"")
                || line.contains("\"record\":\"answer\"")
                || line.contains("\"record\":\"decision\"")
        };
        lines.iter().filter(kept).cloned().collect()
    };
    let once = told(&play(&scenario, &policy)?.lines);
    let again = told(&play(&doubled.join("\n"), &policy)?.lines);
    match once.iter().zip(&again).find(|(once, again)| once != again) {
        Some((once, again)) => Err(format!("delivered once  {once}\ndelivered twice {again}").into()),
        None if once.len() != again.len() => Err(format!("{} lines once, {} twice", once.len(), again.len()).into()),
        None => Ok(()),
    }
}
