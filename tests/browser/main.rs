//! Does a browser agree? Headless Chromium before the running local engine: people decide and answer, scanners and
//! robots change nothing, and every page reads without a script, on 320 pixels, in the dark, by keyboard, and to axe.
//!
//! One browser for all, so the trials run one after another. What is missing of it fails them, with how to install it.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

mod pages;
mod people;
mod scanners;
mod workspace;

use std::{pin::Pin, sync::Arc};

use holdpoint_tests::browser::{
    driver::{Browser, Look},
    with_room,
};
use libtest_mimic::{Arguments, Trial};

/// What holds or does not, in the browser that all share.
type Holds = for<'a> fn(&'a Browser) -> Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// Lists trials under the names of their functions.
#[macro_export]
macro_rules! trials {
    ($($name:ident),+ $(,)?) => {
        pub const ALL: &[(&str, $crate::Holds)] = &[$((stringify!($name), |browser| Box::pin($name(browser)))),+];
    };
}

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let conclusion = with_room(|runtime| {
        let browser = match arguments.list {
            true => Err("no browser in a listing".to_owned()),
            false => runtime.block_on(Browser::start()),
        };
        let browser = Arc::new(browser);
        let all = [people::ALL, workspace::ALL, scanners::ALL, pages::ALL].concat();
        let trials = all.into_iter().map(|(name, holds)| {
            let (runtime, browser) = (runtime.handle().clone(), browser.clone());
            Trial::test(name, move || Ok(runtime.block_on(trial(&browser, holds))?))
        });
        let conclusion = libtest_mimic::run(&arguments, trials.collect());
        if let Ok(browser) = &*browser
            && let Err(why) = runtime.block_on(browser.close())
        {
            eprintln!("the browser did not close: {why}");
        }
        // Its processes end with its value, which an exit would skip.
        drop(browser);
        conclusion
    });
    conclusion.exit();
}

async fn trial(browser: &Result<Browser, String>, holds: Holds) -> Result<(), String> {
    let browser = browser.as_ref().map_err(Clone::clone)?;
    browser.scripts(true).await?;
    browser.look(Look::LIGHT).await?;
    browser.open("about:blank").await?;
    browser.complaints().await?;
    holds(browser).await?;
    no_complaints(browser).await
}

/// No failed load, no breach of the content policy, no script error.
pub async fn no_complaints(browser: &Browser) -> Result<(), String> {
    let complaints = browser.complaints().await?;
    // A refused POST is a page with its own status, which the browser logs as a failed load.
    let own = |line: &&String| !line.contains("the server responded with a status of 4");
    let foreign: Vec<&String> = complaints.iter().filter(own).collect();
    expect(foreign.is_empty(), || format!("the browser complains: {foreign:#?}"))
}

/// A reason, unless it holds.
pub fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
