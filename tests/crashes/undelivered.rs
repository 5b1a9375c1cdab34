//! Mail that does not arrive: its reports race with the settling of the very mail they are about, come again, and find
//! a review that moves. Whatever goes wrong on the way, the same people are unreachable for the same reasons, the same
//! is known of their mail, and who can be reached was told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use holdpoint::connector::Fault;
use holdpoint_tests::world::{ATTEMPTS, World, drive, with_room};
use serde_json::{Value, json};

use super::{AFTERWARDS, Journey};

/// Every how many calls one goes wrong; each way to go wrong begins at another call.
const STRIDE: usize = 6;

/// The short journey as far as its first mails: those to the stand-in bounce, those to whom they stand in for are refused.
fn journey() -> Journey {
    let mut journey = Journey::short();
    let renamed = |text: &str| {
        let text = text.replace("sec-a@example.com", "reject+a@simulator.amazonses.com");
        text.replace("sec-b@example.com", "bounce+b@simulator.amazonses.com")
    };
    let text = std::fs::read_to_string(holdpoint_tests::repository().join("tests/crashes/short.jsonl"));
    let text = text.expect("the short journey is in the tree");
    let before_adoption: Vec<&str> = text.lines().take_while(|line| !line.contains("\"adopt\"")).collect();
    let text = renamed(&before_adoption.join("\n"));
    journey.scenario = holdpoint::replay::Scenario::parse(&text).expect("a scenario");
    journey
}

/// How it was left: what must be the same.
async fn left(world: &World) -> Result<Value, String> {
    let engine = world.engine();
    let told_by = |error: packet_store::StoreError| error.to_string();
    let mut found = BTreeMap::new();
    for head in engine.store().reviews().await.and_then(packet_store::Several::whole).map_err(told_by)? {
        let unreachable: Vec<Value> =
            head.unreachable.iter().map(|known| json!([known.person, known.why, known.reach])).collect();
        let mut people = BTreeMap::new();
        for (person, record) in engine.store().told(&head.review).await.map_err(told_by)? {
            let known = record.delivery.map(|delivery| delivery.status.word());
            // Whether a mail that bounced was settled before is no matter: it told nothing.
            let told = (!head.withholds(&person)).then(|| record.told.map(|told| told.view));
            people.insert(person, json!([known, told]));
        }
        let exceptions: Vec<Value> = head.exceptions.iter().map(|open| json!([open.kind, open.reasons])).collect();
        found.insert(head.review.clone(), json!([unreachable, exceptions, people]));
    }
    let mut stuck = Vec::new();
    for name in engine.queues().names() {
        let waiting = engine.queues().look(&name).map_err(|refusal| refusal.to_string())?;
        stuck.extend(waiting.iter().map(|one| format!("on {name}: {} {:?}", one.body, one.failure)));
    }
    Ok(json!({ "reviews": found, "stuck": stuck }))
}

/// Plays it with call number `wrong` after the last event going wrong; how it was left, its calls, and mails taken for
/// the address that bounces.
fn play(journey: &Journey, wrong: Option<(usize, Fault)>) -> Result<(Value, usize, usize), String> {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    drive(async {
        let mut world = World::open(&journey.policy, journey.scenario.lines[0].at).await?;
        let (line, last) = (world.line(), journey.scenario.lines.len());
        let seen = Mutex::new(0);
        world.engine().faults().inject(move |_| {
            if line.load(Ordering::SeqCst) < last {
                return None;
            }
            let mut number = seen.lock().unwrap_or_else(PoisonError::into_inner);
            *number += 1;
            counted.store(*number, Ordering::SeqCst);
            let (first, fault) = wrong?;
            let attempts = if fault == Fault::Throttled { ATTEMPTS } else { 1 };
            (first..first + attempts).contains(&*number).then_some(fault)
        });
        world.play(&journey.scenario, 2 * AFTERWARDS).await?;
        let mails = world.engine().mailbox().to("bounce+b@simulator.amazonses.com").len();
        Ok((left(&world).await?, calls.load(Ordering::SeqCst), mails))
    })
}

fn survives(fault: Fault) {
    with_room(|| {
        let journey = journey();
        let (expected, calls, mails) = play(&journey, None).unwrap_or_else(|why| panic!("without a fault: {why}"));
        let said = expected.to_string();
        for word in ["rejected", "bounced", "withheld", "unreachable"] {
            assert!(said.contains(word), "without a fault nothing is {word}: {said}");
        }
        assert_eq!((&expected["stuck"], mails), (&json!([]), 1), "{said}");
        let mut failures = Vec::new();
        for call in (1 + fault as usize % STRIDE..=calls).step_by(STRIDE) {
            match play(&journey, Some((call, fault))) {
                Ok((found, ..)) if found != expected => {
                    failures.push(format!("call {call}:\n  expected {expected}\n  found    {found}"));
                }
                // One that was in doubt may have gone out twice before its first report came.
                Ok((_, _, mails)) if mails > 2 => failures.push(format!("call {call}: {mails} mails that bounce")),
                Ok(_) => {}
                Err(why) => failures.push(format!("call {call}: {why}")),
            }
        }
        assert!(failures.is_empty(), "{fault:?}: {} failures:\n{}", failures.len(), failures.join("\n"));
    });
}

#[test]
fn the_process_ends_before_a_call_while_mail_bounces() {
    survives(Fault::CrashBefore);
}

#[test]
fn the_process_ends_after_a_call_while_mail_bounces() {
    survives(Fault::CrashAfter);
}

#[test]
fn the_answer_to_a_call_is_lost_while_mail_bounces() {
    survives(Fault::LostResponse);
}

#[test]
fn a_call_is_throttled_while_mail_bounces() {
    survives(Fault::Throttled);
}

#[test]
fn a_call_meets_another_transaction_while_mail_bounces() {
    survives(Fault::Conflict);
}
