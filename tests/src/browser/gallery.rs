//! One of every page that people meet, each opened the way they come to it.

use std::collections::BTreeSet;

use super::{driver::Browser, stage::Stage};

const OWNER: &str = "release-owner@example.com";
const DELEGATE: &str = "security-delegate-2@example.com";
const REVIEW: &str = "/reviews/RR-2026-1103";

/// Hands over each page's name while it is open.
pub async fn tour(browser: &Browser, mut visit: impl AsyncFnMut(&str) -> Result<(), String>) -> Result<(), String> {
    let mut stage = Stage::at("story", "2026-11-03T11:50:00Z").await?;
    let owners = stage.follow(browser, OWNER, "adopt").await?;
    visit("adoption").await?;
    open(browser, &stage, "/reviews").await?;
    visit("workspace").await?;
    open(browser, &stage, REVIEW).await?;
    visit("review-pending").await?;
    browser.open(&owners).await?;
    browser.send_form().await?;
    visit("adoption-nothing-chosen").await?;
    browser.click("label[for=choice-adopt]").await?;
    browser.leave_by("form button").await?;
    visit("adopted").await?;
    stage.settle().await?;

    stage.follow(browser, DELEGATE, "acknowledge").await?;
    visit("acknowledgement").await?;
    browser.click("label[for=answer-conflict]").await?;
    browser.write("#note", "I am on a plane until 15:00.").await?;
    browser.leave_by("form button").await?;
    visit("acknowledged").await?;
    stage.settle().await?;
    open(browser, &stage, REVIEW).await?;
    visit("review-adopted").await?;

    let owner = form_urlencoded::byte_serialize(OWNER.as_bytes()).collect::<String>();
    open(browser, &stage, &format!("/mailbox?to={owner}")).await?;
    visit("mailbox-of-one").await?;
    open(browser, &stage, "/mailbox").await?;
    visit("mailbox").await?;
    for view in ["html", "text", "calendar", "headers", "raw"] {
        open(browser, &stage, &format!("/mailbox/1?view={view}")).await?;
        visit(&format!("mail-{view}")).await?;
    }
    // One of each kind is enough to look at.
    let mut kinds = BTreeSet::new();
    for mail in stage.engine().mailbox().all() {
        let raw = String::from_utf8_lossy(&mail.raw);
        let kind = raw.lines().find_map(|line| line.strip_prefix("X-Holdpoint-Kind: "));
        let kind = kind.ok_or_else(|| format!("mail {} does not say of which kind it is", mail.number))?.trim();
        if kinds.insert(kind.to_owned()) {
            open(browser, &stage, &format!("/mailbox/{}/html", mail.number)).await?;
            visit(&format!("mail-{kind}")).await?;
        }
    }
    open(browser, &stage, "/adopt/not-a-link").await?;
    visit("no-link").await?;
    open(browser, &stage, "/nothing/here").await?;
    visit("not-found").await
}

async fn open(browser: &Browser, stage: &Stage, path: &str) -> Result<(), String> {
    browser.open(&stage.url(path)).await
}
