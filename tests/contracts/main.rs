//! What the bundle relies on of DynamoDB, SQS and SES, as one suite against every place that plays them: the local
//! engine's embedded services, and ministack over real HTTP. The SDK clients are the ones production has.
//!
//! Codes and positions are compared, never messages: their wording is nobody's contract.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

mod groups;
mod indexes;
mod items;
mod mail;
mod pages;
mod place;
mod queues;
mod tokens;
mod transactions;

use std::{pin::Pin, sync::Arc};

use holdpoint_tests::cloud::ministack::{Ministack, Options};
use libtest_mimic::{Arguments, Failed, Trial};
use place::Place;

/// A contract's name and what must hold.
pub struct Contract {
    pub name: &'static str,
    pub holds: fn(Place) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Where a place is known to differ from AWS, and what it does instead. Such a contract must fail there: once it holds,
/// its line is to be struck out. None of these is anything that the bundle rests on alone.
const KNOWN_TO_DIFFER: [(&str, &str, &str); 3] = [
    ("ministack", "queues::deleting_again_is_no_error", "a receipt that was used is refused as invalid"),
    ("ministack", "queues::a_delay_beyond_a_quarter_of_an_hour_is_refused", "any delay is taken"),
    ("ministack", "queues::one_bad_entry_fails_alone", "any delay is taken"),
];

/// Lists contracts under the names of their functions.
#[macro_export]
macro_rules! contracts {
    ($($name:ident),+ $(,)?) => {
        pub const ALL: &[$crate::Contract] =
            &[$($crate::Contract { name: stringify!($name), holds: |place| Box::pin($name(place)) }),+];
    };
}

const SUBJECTS: [(&str, &[Contract]); 8] = [
    ("items", items::ALL),
    ("transactions", transactions::ALL),
    ("tokens", tokens::ALL),
    ("pages", pages::ALL),
    ("indexes", indexes::ALL),
    ("queues", queues::ALL),
    ("groups", groups::ALL),
    ("mail", mail::ALL),
];

fn main() {
    let arguments = Arguments::from_args();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let stack = match arguments.list {
        true => None,
        false => Some(Arc::new(runtime.block_on(Ministack::start(Options::default())).expect("ministack"))),
    };
    let handle = runtime.handle();
    let mut trials = Vec::new();
    for (subject, contract) in all() {
        let embedded = handle.clone();
        trials.push(Trial::test(format!("embedded::{subject}::{}", contract.name), move || {
            run(&embedded, contract, async { Place::embedded().await })
        }));
        let name = format!("{subject}::{}", contract.name);
        let differs = KNOWN_TO_DIFFER.iter().find(|(place, of, _)| *place == "ministack" && *of == name);
        let (over_http, stack) = (handle.clone(), stack.clone());
        trials.push(Trial::test(format!("ministack::{subject}::{}", contract.name), move || {
            let stack = stack.ok_or("no server in a listing")?;
            let held = run(&over_http, contract, Place::in_ministack(stack, contract.name));
            match differs {
                None => held,
                Some(_) if held.is_err() => Ok(()),
                Some((_, name, instead)) => Err(format!("{name} holds by now; strike out: {instead}").into()),
            }
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Its end is in its value's end, which an exit would skip.
    drop(stack);
    conclusion.exit();
}

fn all() -> impl Iterator<Item = (&'static str, &'static Contract)> {
    SUBJECTS.iter().flat_map(|(subject, contracts)| contracts.iter().map(move |one| (*subject, one)))
}

/// A contract panics where it does not hold.
fn run(
    handle: &tokio::runtime::Handle,
    contract: &'static Contract,
    place: impl Future<Output = Result<Place, String>> + Send + 'static,
) -> Result<(), Failed> {
    let held = handle.block_on(async move {
        let place = place.await?;
        tokio::spawn((contract.holds)(place)).await.map_err(|broken| match broken.try_into_panic() {
            Ok(panic) => words(&*panic),
            Err(cancelled) => cancelled.to_string(),
        })
    });
    held.map_err(Failed::from)
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_else(|| "a panic".to_owned())
}
