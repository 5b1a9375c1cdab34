//! axe-core, the accessibility checker, at a pinned version: from the wheel that carries it, into `target/tools`.

use std::{fs, process::Command};

use serde_json::Value;

use super::driver::Browser;
use crate::cloud::tools::{self, Set};

/// axe-core 4.12.1. Only its file is taken: what the package is for is not installed.
const WHEEL: &str = "axe-playwright-python==0.1.8";

/// The checker's script; installed where it is missing.
pub fn script() -> Result<String, String> {
    let programs = tools::installed(Set::Test)?;
    let folder = programs.parent().ok_or("target/tools")?.join("axe");
    let file = folder.join("axe_playwright_python/axe.min.js");
    if !file.exists() {
        let mut pip = Command::new(programs.join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"]);
        let done = pip.arg(&folder).arg(WHEEL).output().map_err(|error| format!("pip: {error}"))?;
        if !done.status.success() {
            return Err(format!("installing {WHEEL}: {}", String::from_utf8_lossy(&done.stderr)));
        }
    }
    fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
}

/// Makes the open page one that the checker can come to an end with. A mail's page is sandboxed and may not run scripts:
/// what the driver runs there begins, but no timer of it ever fires, and the checker waits on one. So the mail is looked
/// at outside its sandbox, as its reader's own client would show it.
pub async fn ready(browser: &Browser) -> Result<(), String> {
    let sandboxed = browser.run("return self.origin === 'null'").await?;
    if sandboxed == true {
        let html = browser.run("return '<!doctype html>' + document.documentElement.outerHTML").await?;
        browser.show(html.as_str().ok_or("the page has no text")?).await?;
    }
    Ok(())
}

/// What the open page does wrong, a line each: WCAG 2.2 to level AA, and what is good practice besides. The page is
/// [`ready`].
pub async fn findings(browser: &Browser, script: &str) -> Result<Vec<String>, String> {
    let run = "const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];\n\
        return axe.run(document, { runOnly: tags, iframes: false, preload: false }).then(found => found.violations);";
    let found = browser.run(&format!("{script};\n{run}")).await?;
    let found = found.as_array().ok_or("axe answered with no list")?;
    let wrong = |finding: &&Value| matches!(finding["impact"].as_str(), Some("serious" | "critical" | "moderate"));
    let line = |finding: &Value| {
        let word = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        let nodes = finding["nodes"].as_array().into_iter().flatten();
        let nodes: Vec<&str> = nodes.filter_map(|node| node["html"].as_str()).collect();
        format!("{} ({}): {}: {}", word("id"), word("impact"), word("help"), nodes.join(" | "))
    };
    Ok(found.iter().filter(wrong).map(line).collect())
}
