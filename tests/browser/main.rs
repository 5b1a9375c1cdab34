//! Does a browser agree? Headless Chromium before the running local engine: people decide and answer, scanners and
//! robots change nothing, and every page reads without a script, on 320 pixels, in the dark, by keyboard, and to axe.
//!
//! A trial has a browser for itself, and a later trial takes the same browser. If Chromium or its driver is not installed, each
//! trial fails and says how to install them.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

mod pages;
mod people;
mod scanners;
mod workspace;

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use holdpoint_tests::browser::{
    driver::{Browser, Look},
    with_room,
};
use libtest_mimic::{Arguments, Trial};

/// A claim about the product. No other trial uses the browser meanwhile.
type Holds = for<'a> fn(&'a Browser) -> Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// Lists trials under the names of their functions.
#[macro_export]
macro_rules! trials {
    ($($name:ident),+ $(,)?) => {
        pub const ALL: &[(&str, $crate::Holds)] = &[$((stringify!($name), |browser| Box::pin($name(browser)))),+];
    };
}

/// Trials at one time. A trial's engine, chromedriver and Chromium work in turn, so two trials keep two cores busy. Three trials
/// take longer than two.
const AT_ONCE: usize = 2;

/// The browsers that no trial has at the moment.
#[derive(Default)]
struct Browsers(Mutex<Vec<Browser>>);

impl Browsers {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Browser>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A trial that panics takes its browser with it; another is started in its place.
    async fn trial(&self, holds: Holds) -> Result<(), String> {
        let idle = self.idle().pop();
        let browser = match idle {
            Some(browser) => browser,
            None => Browser::start().await?,
        };
        let held = trial(&browser, holds).await;
        self.idle().push(browser);
        held
    }

    async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        for browser in &idle {
            if let Err(why) = browser.close().await {
                eprintln!("a browser did not close: {why}");
            }
        }
    }
}

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let conclusion = with_room(|runtime| {
        let browsers = Arc::new(Browsers::default());
        // The longest first, so that none is left alone at the end.
        let all = [pages::ALL, people::ALL, workspace::ALL, scanners::ALL].concat();
        let trials = all.into_iter().map(|(name, holds)| {
            let (runtime, browsers) = (runtime.handle().clone(), browsers.clone());
            Trial::test(name, move || Ok(runtime.block_on(browsers.trial(holds))?))
        });
        let conclusion = libtest_mimic::run(&arguments, trials.collect());
        // Their processes end here, since an exit would skip that.
        runtime.block_on(browsers.close());
        conclusion
    });
    conclusion.exit();
}

async fn trial(browser: &Browser, holds: Holds) -> Result<(), String> {
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
