//! Pictures of every page that people meet, light, dark and narrow, to be looked at:
//!
//! ```sh
//! cargo run -p holdpoint-tests --example screenshots -- target/screenshots
//! ```
//!
//! With `--readme` the two pictures of the README are made anew, under `infra/local/pictures`. They are kept with 256
//! colours or fewer, which halves them and takes nothing from a page.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

use std::{
    fs,
    path::{Path, PathBuf},
};

use holdpoint_tests::{
    browser::{
        driver::{Browser, Look},
        gallery, with_room,
    },
    repository,
};

/// A page of the tour, and the file it is in the README's pictures.
const README: [(&str, &str); 2] = [("adoption", "adoption.png"), ("mail-adoption_request", "mail.png")];

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let readme = arguments.iter().any(|argument| argument == "--readme");
    let given = arguments.iter().find(|argument| !argument.starts_with("--"));
    let folder = given.map_or_else(|| repository().join("target/screenshots"), PathBuf::from);
    let folder = if readme { repository().join("infra/local/pictures") } else { folder };
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    with_room(|runtime| {
        runtime.block_on(async {
            let browser = Browser::start().await?;
            let taken = take(&browser, &folder, readme).await;
            browser.close().await?;
            taken
        })
    })
}

async fn take(browser: &Browser, folder: &Path, readme: bool) -> Result<(), String> {
    let looks = [("light", Look::LIGHT), ("dark", Look::DARK), ("narrow", Look::NARROW)];
    gallery::tour(browser, async |name| {
        if let Some((_, file)) = README.iter().find(|(page, _)| readme && *page == name) {
            browser.look(Look { width: 860, dark: false }).await?;
            return keep(browser, &folder.join(file)).await;
        }
        if readme {
            return Ok(());
        }
        for (word, look) in looks {
            browser.look(look).await?;
            keep(browser, &folder.join(format!("{name}-{word}.png"))).await?;
        }
        Ok(())
    })
    .await
}

async fn keep(browser: &Browser, file: &Path) -> Result<(), String> {
    let picture = browser.picture().await?;
    fs::write(file, picture).map_err(|error| format!("{}: {error}", file.display()))
}
