//! Everything of a store in one file, between one machine and AWS: every item of the table, as it is.
//!
//! JSON Lines: a first line that says what wrote the file, one line an item in DynamoDB's own JSON, and a last line with the
//! count, a SHA-256 of the items' lines and the end of each review's lineage. Both ends verify every lineage, and compare.

use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, Write},
};

use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use packet_store::Store;
use refresh_core::{Instant, ReviewId, record::review::Tip};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use crate::{headless::Lost, operator::with_causes, topology::Topology};

/// The version of the file's form.
const FORM: u32 = 1;
/// Items under way to the table at once.
const AT_ONCE: usize = 16;

type Item = HashMap<String, AttributeValue>;

/// The first line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct First {
    holdpoint_archive: u32,
    /// The release that wrote the file.
    holdpoint: String,
    /// The schema of the items.
    schema: u32,
    at: Instant,
}

/// The last line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Last {
    pub items: usize,
    sha256: String,
    /// The ends of the lineages.
    pub reviews: BTreeMap<ReviewId, Tip>,
}

/// The queue whose delayed messages an archive may leave behind: each asks for notices at a later instant. HEAD holds that
/// instant too, and the first tick after it asks for the same. A quarter of an hour before each reminder there is one, so a
/// store with many reviews is seldom without.
pub fn asked_again(topology: &Topology) -> Option<&str> {
    topology.functions.get("notify")?.source.as_ref().map(|source| source.queue.as_str())
}

/// The end of each lineage, every lineage verified. `leaving`: of which reviews something is left whose removal was begun.
///
/// # Errors
/// A review lost its HEAD or cannot be read, or its lineage does not verify.
async fn tips(store: &Store, leaving: &[Lost]) -> Result<BTreeMap<ReviewId, Tip>, String> {
    let is_lost = |lost: &&Lost| leaving.iter().all(|leaving| leaving.left.partition != lost.left.partition);
    if let Some(lost) = Lost::of_table(store).await?.iter().find(is_lost) {
        return Err(lost.because());
    }
    let heads = store.reviews().await.map_err(|error| error.to_string())?;
    if let Some(broken) = heads.unreadable.first() {
        return Err(format!("a review cannot be read: {}", broken.error));
    }
    let mut tips = BTreeMap::new();
    for head in heads.read {
        let record = store.record(&head).await.map_err(|error| error.to_string())?;
        if let Err(misfit) = record.verified {
            return Err(format!("{}: its lineage does not verify: {}", head.review, misfit.because));
        }
        tips.insert(head.review, head.lineage);
    }
    Ok(tips)
}

/// Writes every item of a table but those of `leaving`, the reviews whose removal was begun.
///
/// # Errors
/// The table cannot be read, a lineage does not verify, something was written meanwhile, or the file cannot be written.
pub async fn write(
    store: &Store,
    table: &str,
    at: Instant,
    leaving: &[Lost],
    out: &mut impl Write,
) -> Result<Last, String> {
    let told = |error: std::io::Error| format!("writing the archive: {error}");
    let reviews = tips(store, leaving).await?;
    let release = env!("CARGO_PKG_VERSION").to_owned();
    let first = First { holdpoint_archive: FORM, holdpoint: release, schema: packet_store::SCHEMA, at };
    writeln!(out, "{}", json!(first)).map_err(told)?;
    let (mut sum, mut items) = (Sha256::new(), 0);
    let mut pages = store.client().scan().table_name(table).consistent_read(true).into_paginator().items().send();
    while let Some(item) = pages.next().await {
        let item = item.map_err(|error| format!("reading the table: {}", with_causes(error)))?;
        let is_of = |lost: &Lost| item.get("pk") == Some(&AttributeValue::S(lost.left.partition.clone()));
        if leaving.iter().any(is_of) {
            continue;
        }
        let line = json!(written_item(&item)?).to_string();
        sum.update(line.as_bytes());
        sum.update(b"\n");
        writeln!(out, "{line}").map_err(told)?;
        items += 1;
    }
    if tips(store, leaving).await? != reviews {
        return Err("a review was written to meanwhile: let the queues run empty, and try again".to_owned());
    }
    let last = Last { items, sha256: hex(&sum.finalize()), reviews };
    writeln!(out, "{}", json!(last)).map_err(told)?;
    out.flush().map_err(told)?;
    Ok(last)
}

/// An archive that was read whole and is what was written.
pub struct Archive {
    items: Vec<Item>,
    last: Last,
}

/// Reads an archive and checks all of it, before anything is put anywhere.
///
/// # Errors
/// What was expected, and in which line.
pub fn read(from: impl BufRead) -> Result<Archive, String> {
    let mut lines = from.lines();
    let mut line = |what: &str| match lines.next() {
        Some(Ok(line)) => Ok(line),
        Some(Err(error)) => Err(format!("reading the archive: {error}")),
        None => Err(format!("expected {what}, found the end of the file")),
    };
    let first: First = serde_json::from_str(&line("the first line of an archive")?)
        .map_err(|_| "line 1: expected what `holdpoint archive` writes".to_owned())?;
    if first.holdpoint_archive > FORM || first.schema > packet_store::SCHEMA {
        let (schema, ours) = (first.schema, packet_store::SCHEMA);
        return Err(format!(
            "its schema is {schema}, and this release reads {ours} at most; import with holdpoint {} or newer",
            first.holdpoint
        ));
    }
    let (mut items, mut sum) = (Vec::new(), Sha256::new());
    let last = loop {
        let number = items.len() + 2;
        let line = line("a last line with the count of the items")?;
        let value: Value =
            serde_json::from_str(&line).map_err(|error| format!("line {number}: expected JSON, found {error}"))?;
        if value.get("sha256").is_some() {
            break serde_json::from_value::<Last>(value).map_err(|error| format!("line {number}: {error}"))?;
        }
        sum.update(line.as_bytes());
        sum.update(b"\n");
        items.push(read_item(&value).map_err(|why| format!("line {number}: {why}"))?);
    };
    let (count, digest) = (items.len(), hex(&sum.finalize()));
    if (count, &digest) != (last.items, &last.sha256) {
        let expected = format!("{} items with the digest {}", last.items, last.sha256);
        return Err(format!("damaged: expected {expected}, found {count} with {digest}"));
    }
    Ok(Archive { items, last })
}

/// Puts an archive into an empty table, verifies every lineage there, and compares the ends of the lineages.
///
/// # Errors
/// The table holds something, cannot be written, or is not what the archive says afterwards.
pub async fn import(archive: Archive, store: &Store, table: &str) -> Result<Last, String> {
    let told = |error: &dyn std::error::Error| format!("the table: {}", with_causes(error));
    let there = store.client().scan().table_name(table).limit(1).send().await.map_err(|error| told(&error))?;
    if there.items.is_some_and(|items| !items.is_empty()) {
        return Err(format!("the table {table} holds something already; nothing was imported"));
    }
    let mut under_way = JoinSet::new();
    for item in archive.items {
        if under_way.len() >= AT_ONCE {
            ended(under_way.join_next().await)?;
        }
        let (client, table): (Client, String) = (store.client().clone(), table.to_owned());
        under_way.spawn(async move {
            let put = client.put_item().table_name(table).set_item(Some(item));
            // Whoever writes beside us is not overwritten.
            let put = put.condition_expression("attribute_not_exists(pk)").send().await;
            put.map(drop).map_err(|error| format!("putting an item: {}", with_causes(error)))
        });
    }
    while let Some(done) = under_way.join_next().await {
        ended(Some(done))?;
    }
    let found = tips(store, &[]).await?;
    let expected = &archive.last.reviews;
    let differs = |review: &&ReviewId| found.get(*review) != expected.get(*review);
    if let Some(review) = found.keys().chain(expected.keys()).find(differs) {
        return Err(format!("what was imported is not what was archived: the lineage of {review} ends otherwise"));
    }
    Ok(archive.last)
}

fn ended(done: Option<Result<Result<(), String>, tokio::task::JoinError>>) -> Result<(), String> {
    done.map_or(Ok(()), |done| done.map_err(|error| error.to_string())?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In the order of names, so that one item is one line.
fn written_item(item: &Item) -> Result<BTreeMap<&str, Value>, String> {
    item.iter().map(|(name, value)| Ok((name.as_str(), written(value)?))).collect()
}

/// DynamoDB's JSON of a value.
fn written(value: &AttributeValue) -> Result<Value, String> {
    let binary = |blob: &Blob| STANDARD.encode(blob.as_ref());
    Ok(match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(blob) => json!({ "B": binary(blob) }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        AttributeValue::Null(is) => json!({ "NULL": is }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(blobs) => json!({ "BS": blobs.iter().map(binary).collect::<Vec<_>>() }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(written).collect::<Result<Vec<_>, _>>()? }),
        AttributeValue::M(map) => json!({ "M": written_item(map)? }),
        other => return Err(format!("a value of a type that this release does not know: {other:?}")),
    })
}

fn read_item(value: &Value) -> Result<Item, String> {
    let members = value.as_object().ok_or("expected an item, a JSON object")?;
    members.iter().map(|(name, value)| Ok((name.clone(), read_value(value)?))).collect()
}

fn read_value(value: &Value) -> Result<AttributeValue, String> {
    let expected = || format!("expected a value as DynamoDB writes it, found {value}");
    let members = value.as_object().filter(|members| members.len() == 1).ok_or_else(expected)?;
    let (kind, content) = members.iter().next().ok_or_else(expected)?;
    let text = |content: &Value| content.as_str().map(str::to_owned).ok_or_else(expected);
    let list = |content: &Value| content.as_array().cloned().ok_or_else(expected);
    let texts = |content: &Value| list(content)?.iter().map(text).collect::<Result<Vec<_>, _>>();
    let blob = |content: &Value| STANDARD.decode(text(content)?).map(Blob::new).map_err(|_| expected());
    let flag = |content: &Value| content.as_bool().ok_or_else(expected);
    Ok(match kind.as_str() {
        "S" => AttributeValue::S(text(content)?),
        "N" => AttributeValue::N(text(content)?),
        "B" => AttributeValue::B(blob(content)?),
        "BOOL" => AttributeValue::Bool(flag(content)?),
        "NULL" => AttributeValue::Null(flag(content)?),
        "SS" => AttributeValue::Ss(texts(content)?),
        "NS" => AttributeValue::Ns(texts(content)?),
        "BS" => AttributeValue::Bs(list(content)?.iter().map(blob).collect::<Result<_, _>>()?),
        "L" => AttributeValue::L(list(content)?.iter().map(read_value).collect::<Result<_, _>>()?),
        "M" => AttributeValue::M(read_item(content)?),
        _ => return Err(expected()),
    })
}

#[cfg(test)]
mod tests {
    use refresh_core::base::instant::HOUR;

    use super::*;
    use crate::{
        embedded::TABLE,
        engine::{Engine, Settings},
        operator,
        replay::{Player, Scenario},
    };

    const SCENARIO: &str = include_str!("../../../events/scenarios/story.jsonl");
    const POLICY: &str = include_str!("../../../events/scenarios/story.policy.json");

    async fn told() -> Player {
        played(&mut |_| false).await.0
    }

    /// Until the first proposal, whose owner is not mailed yet; and when that is.
    async fn told_until_quiet() -> (Player, Instant) {
        played(&mut |player| {
            let queues = player.time().engine().queues();
            queues.names().iter().any(|name| queues.counts(name).unwrap().delayed > 0)
        })
        .await
    }

    async fn played(is_enough: &mut dyn FnMut(&Player) -> bool) -> (Player, Instant) {
        let scenario = Scenario::parse(SCENARIO).unwrap();
        let time = crate::engine::virtual_time::VirtualTime::open(Settings::in_memory(POLICY), scenario.lines[0].at);
        let mut player = Player::of(time.await.unwrap());
        for line in &scenario.lines {
            player.until(line.at).await.unwrap();
            player.act(line).await.unwrap();
            player.until(line.at).await.unwrap();
            if is_enough(&player) {
                break;
            }
        }
        let now = player.time().now();
        (player, now)
    }

    async fn empty() -> Engine {
        Engine::open(Settings::in_memory(POLICY), lambda_shell::clock::Clock::system()).await.unwrap()
    }

    async fn archived(engine: &Engine) -> (Vec<u8>, Last) {
        let mut file = Vec::new();
        let last = write(engine.store(), TABLE, engine.now(), &[], &mut file).await.unwrap();
        (file, last)
    }

    async fn items(engine: &Engine) -> Vec<String> {
        let mut items: Vec<String> =
            engine.embedded().scan(TABLE).await.unwrap().iter().map(ToString::to_string).collect();
        items.sort();
        items
    }

    #[tokio::test]
    async fn what_comes_out_of_one_store_is_the_same_in_another_digest_for_digest() {
        let player = told().await;
        let engine = player.time().engine();
        let (file, last) = archived(engine).await;
        assert!(last.items > 10 && !last.reviews.is_empty());
        let other = empty().await;
        let imported = import(read(file.as_slice()).unwrap(), other.store(), TABLE).await.unwrap();
        assert_eq!(imported, last);
        assert_eq!(items(&other).await, items(engine).await);
        let (again, _) = archived(&other).await;
        let lines = |file: &[u8]| {
            let mut lines: Vec<String> = String::from_utf8_lossy(file).lines().skip(1).map(str::to_owned).collect();
            lines.pop();
            lines.sort();
            lines
        };
        assert_eq!(lines(&again), lines(&file), "and back");
        // Over something that is there, nothing is put.
        let refused = import(read(file.as_slice()).unwrap(), other.store(), TABLE).await.unwrap_err();
        assert!(refused.contains("holds something already"), "{refused}");
    }

    /// Who was mailed what until `until`, in order.
    async fn mailed(player: &mut Player, until: Instant) -> Vec<(Vec<String>, Instant, String)> {
        player.until(until).await.unwrap();
        let mails = player.time().engine().mailbox().all();
        let headline = |mail: crate::mailbox::Mail| {
            let message = mail_parser::MessageParser::default().parse(&mail.raw).unwrap().subject().map(str::to_owned);
            (mail.to, Instant::from_millis(mail.at), message.unwrap_or_default())
        };
        mails.into_iter().map(headline).collect()
    }

    /// Moved in the quiet period, when the message that asks for the notices waits on its queue and stays behind.
    #[tokio::test]
    async fn what_waits_for_a_later_instant_is_told_by_whoever_goes_on() {
        let (mut player, at) = told_until_quiet().await;
        let engine = player.time().engine();
        let counts = engine.queues().counts(asked_again(engine.topology()).unwrap()).unwrap();
        assert_eq!((counts.visible + counts.in_flight, counts.delayed), (0, 1));
        let (file, _) = archived(engine).await;
        let time = crate::engine::virtual_time::VirtualTime::open(Settings::in_memory(POLICY), at).await.unwrap();
        import(read(file.as_slice()).unwrap(), time.engine().store(), TABLE).await.unwrap();
        let mut other = Player::of(time);
        let later = at.plus_millis(HOUR);
        let (expected, found) = (mailed(&mut player, later).await, mailed(&mut other, later).await);
        assert!(!expected.is_empty());
        assert_eq!(found, expected);
    }

    /// A list of HEADs does not show such a review. Its pieces would be archived, and nothing of them verified.
    #[tokio::test]
    async fn a_review_that_lost_its_head_is_named_and_not_archived() {
        let player = told().await;
        let engine = player.time().engine();
        let (file, _) = archived(engine).await;
        let review = engine.store().reviews().await.unwrap().read.remove(0).review;
        let gone = |text: &str| text.contains(&format!("REVIEW#{review} / HEAD is gone"));
        let key = json!({ "pk": { "S": format!("REVIEW#{review}") }, "sk": { "S": "HEAD" } });
        engine.embedded().ask("DeleteItem", json!({ "TableName": TABLE, "Key": key })).await.unwrap();
        let refused = write(engine.store(), TABLE, engine.now(), &[], &mut Vec::new()).await.unwrap_err();
        assert!(gone(&refused), "{refused}");
        for only in [None, Some(review.clone())] {
            let answer = operator::perform(engine, operator::Request::Verify(only)).await.unwrap();
            let said = answer["reviews"][0]["misfit"]["because"].as_str().unwrap_or_default();
            assert!(answer["reviews"][0]["verified"] == false && gone(said), "{answer}");
        }
        // Written by a release that did not look: whoever imports it looks.
        let mut archive = read(file.as_slice()).unwrap();
        let is_head =
            |item: &Item| item["pk"].as_s() == Ok(&format!("REVIEW#{review}")) && item["sk"].as_s().unwrap() == "HEAD";
        archive.items.retain(|item| !is_head(item));
        archive.last.reviews.remove(&review);
        let refused = import(archive, empty().await.store(), TABLE).await.unwrap_err();
        assert!(gone(&refused), "{refused}");
    }

    #[tokio::test]
    async fn a_damaged_archive_is_refused_before_anything_is_put() {
        let player = told().await;
        let (file, _) = archived(player.time().engine()).await;
        let text = String::from_utf8(file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let joined = |lines: &[&str]| lines.join("\n");
        for (what, damaged, said) in [
            ("nothing", String::new(), "first line"),
            ("no archive", "{}".to_owned(), "line 1"),
            ("cut", joined(&lines[..lines.len() - 1]), "end of the file"),
            ("one line less", joined(&[&lines[..3], &lines[4..]].concat()), "damaged"),
            ("another order", joined(&[&lines[..1], &lines[2..3], &lines[1..2], &lines[3..]].concat()), "damaged"),
            ("another letter", text.replacen("\"S\":\"", "\"S\":\"x", 1), "damaged"),
            ("another type", text.replacen("{\"S\":", "{\"X\":", 1), "line 2"),
            ("a newer schema", text.replacen("\"schema\":", "\"schema\":9", 1), "or newer"),
        ] {
            let why = read(damaged.as_bytes()).err().unwrap_or_default();
            assert!(why.contains(said), "{what}: expected {said:?}, found {why:?}");
        }
    }

    /// Each kind of value, nested.
    #[test]
    fn every_value_is_read_back_as_it_was() {
        let blob = AttributeValue::B(Blob::new([0, 255, 7]));
        let list = AttributeValue::L(vec![blob.clone(), AttributeValue::Null(true), AttributeValue::Bool(false)]);
        let item: Item = [
            ("s", AttributeValue::S("ü\n".to_owned())),
            ("n", AttributeValue::N("1.50".to_owned())),
            ("b", blob.clone()),
            ("ss", AttributeValue::Ss(vec!["a".to_owned()])),
            ("ns", AttributeValue::Ns(vec!["1".to_owned()])),
            ("bs", AttributeValue::Bs(vec![Blob::new([1])])),
            ("m", AttributeValue::M([("l".to_owned(), list)].into())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let line = json!(written_item(&item).unwrap()).to_string();
        assert_eq!(read_item(&serde_json::from_str(&line).unwrap()), Ok(item));
    }
}
