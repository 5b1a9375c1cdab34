//! One of every page that people meet, each opened the way they come to it.

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
    browser.run("document.querySelector('form[method=post]').submit()").await?;
    visit("adoption-nothing-chosen").await?;
    browser.click("label[for=choice-adopt]").await?;
    browser.click("form button").await?;
    visit("adopted").await?;
    stage.settle().await?;

    stage.follow(browser, DELEGATE, "acknowledge").await?;
    visit("acknowledgement").await?;
    browser.click("label[for=answer-conflict]").await?;
    browser.write("#note", "I am on a plane until 15:00.").await?;
    browser.click("form button").await?;
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
    let mails = stage.engine().mailbox().len();
    for number in 1..=mails {
        open(browser, &stage, &format!("/mailbox/{number}/html")).await?;
        visit(&format!("mail-{number:02}")).await?;
    }
    open(browser, &stage, "/adopt/not-a-link").await?;
    visit("no-link").await?;
    open(browser, &stage, "/nothing/here").await?;
    visit("not-found").await
}

async fn open(browser: &Browser, stage: &Stage, path: &str) -> Result<(), String> {
    browser.open(&stage.url(path)).await
}
