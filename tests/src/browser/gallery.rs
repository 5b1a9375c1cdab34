//! One of every page that people meet, each opened the way they come to it.

use std::collections::BTreeSet;

use super::{driver::Browser, stage::Stage};

const OWNER: &str = "release-owner@example.com";
const DELEGATE: &str = "security-delegate-2@example.com";
const REVIEW: &str = "/reviews/RR-2026-1103";

/// Hands over each page's name while it is open.
pub async fn tour(browser: &Browser, mut visit: impl AsyncFnMut(&str) -> Result<(), String>) -> Result<(), String> {
    // One of each kind of mail is enough to look at.
    let mut kinds = BTreeSet::new();
    let stage = story(browser, &mut visit).await?;
    mailbox(browser, &stage, &mut visit).await?;
    mails(browser, &stage, &mut kinds, &mut visit).await?;
    open(browser, &stage, "/adopt/not-a-link").await?;
    visit("no-link").await?;
    open(browser, &stage, "/nothing/here").await?;
    visit("not-found").await?;

    refused(browser, &mut visit).await?;
    let stage = expired(browser, &mut visit).await?;
    mails(browser, &stage, &mut kinds, &mut visit).await?;
    let stage = escalated(browser, &mut visit).await?;
    mails(browser, &stage, &mut kinds, &mut visit).await
}

/// Asked, adopted, answered.
async fn story(browser: &Browser, visit: &mut impl AsyncFnMut(&str) -> Result<(), String>) -> Result<Stage, String> {
    let mut stage = Stage::at("story", "2026-11-03T11:10:00Z").await?;
    let early = stage.follow(browser, DELEGATE, "acknowledge").await?;
    visit("acknowledgement-tentative").await?;
    stage.until("2026-11-03T11:50:00Z").await?;
    browser.open(&early).await?;
    visit("acknowledgement-stale").await?;
    let owners = stage.follow(browser, OWNER, "adopt").await?;
    visit("adoption").await?;
    browser.leave_by("a[href*=\"/reviews/\"]").await?;
    visit("review-by-the-owners-link").await?;
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
    Ok(stage)
}

async fn mailbox(
    browser: &Browser,
    stage: &Stage,
    visit: &mut impl AsyncFnMut(&str) -> Result<(), String>,
) -> Result<(), String> {
    let owner = form_urlencoded::byte_serialize(OWNER.as_bytes()).collect::<String>();
    open(browser, stage, &format!("/mailbox?to={owner}")).await?;
    visit("mailbox-of-one").await?;
    open(browser, stage, "/mailbox").await?;
    visit("mailbox").await?;
    for view in ["html", "text", "calendar", "headers", "raw"] {
        open(browser, stage, &format!("/mailbox/1?view={view}")).await?;
        visit(&format!("mail-{view}")).await?;
    }
    Ok(())
}

/// One of each kind that has not been looked at.
async fn mails(
    browser: &Browser,
    stage: &Stage,
    seen: &mut BTreeSet<String>,
    visit: &mut impl AsyncFnMut(&str) -> Result<(), String>,
) -> Result<(), String> {
    for mail in stage.engine().mailbox().all() {
        let raw = String::from_utf8_lossy(&mail.raw);
        let kind = raw.lines().find_map(|line| line.strip_prefix("X-Holdpoint-Kind: "));
        let kind = kind.ok_or_else(|| format!("mail {} does not say of which kind it is", mail.number))?.trim();
        if seen.insert(kind.to_owned()) {
            open(browser, stage, &format!("/mailbox/{}/html", mail.number)).await?;
            visit(&format!("mail-{kind}")).await?;
        }
    }
    Ok(())
}

/// What an owner is told who is too late, not the owner any more, or substituted themselves.
async fn refused(browser: &Browser, visit: &mut impl AsyncFnMut(&str) -> Result<(), String>) -> Result<(), String> {
    let mut stage = Stage::at("superseded_while_the_page_is_open", "2026-11-03T09:11:00Z").await?;
    stage.follow(browser, "rm-a@example.com", "adopt").await?;
    stage.until("2026-11-03T09:13:00Z").await?;
    browser.click("label[for=choice-adopt]").await?;
    browser.leave_by("form button").await?;
    visit("superseded").await?;
    // What is proposed instead has a mail of its own, out once the quiet period is over.
    stage.until("2026-11-03T09:15:00Z").await?;
    stage.follow(browser, "rm-a@example.com", "adopt").await?;
    browser.click("label[for=choice-decline_stand]").await?;
    browser.leave_by("form button").await?;
    visit("declined").await?;

    let mut stage = Stage::at("a_new_owner", "2026-11-03T09:10:00Z").await?;
    let link = stage.follow(browser, "old@example.com", "adopt").await?;
    stage.until("2026-11-03T09:35:00Z").await?;
    browser.open(&link).await?;
    visit("not-the-owner").await?;

    let stage = Stage::at("the_change_is_cancelled", "2026-11-03T09:10:00Z").await?;
    stage.follow(browser, "rm-a@example.com", "adopt").await?;
    visit("adoption-cancellation").await
}

/// Nobody decided; the owner may ask for the proposal again.
async fn expired(browser: &Browser, visit: &mut impl AsyncFnMut(&str) -> Result<(), String>) -> Result<Stage, String> {
    let mut stage = Stage::at("expired_undecided", "2026-11-03T10:35:00Z").await?;
    stage.follow(browser, "rm-a@example.com", "adopt").await?;
    visit("expired").await?;
    browser.click("label[for=choice-ask_again]").await?;
    browser.leave_by("form button").await?;
    visit("asked-again").await?;
    stage.settle().await?;
    Ok(stage)
}

/// No slot without a waiver: the exception with its reasons and nearest slots.
async fn escalated(
    browser: &Browser,
    visit: &mut impl AsyncFnMut(&str) -> Result<(), String>,
) -> Result<Stage, String> {
    let stage = Stage::at("only_slot_crosses_the_freeze", "2026-11-03T09:10:00Z").await?;
    open(browser, &stage, "/reviews").await?;
    visit("workspace-escalated").await?;
    open(browser, &stage, "/reviews/RR-1042").await?;
    visit("review-escalated").await?;
    Ok(stage)
}

async fn open(browser: &Browser, stage: &Stage, path: &str) -> Result<(), String> {
    let operators = ["/reviews", "/mailbox"].iter().any(|own| path.starts_with(own));
    browser.open(&if operators { stage.operators(path) } else { stage.url(path) }).await
}
