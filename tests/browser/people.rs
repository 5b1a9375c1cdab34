//! What people do with their links.

use holdpoint_tests::browser::{driver::Browser, stage::Stage};

use crate::{expect, trials};

trials![
    the_owner_adopts,
    the_owner_declines_for_another_slot,
    the_owner_declines_and_stands_by_the_present_meeting,
    the_owner_asks_for_an_expired_proposal_again_and_adopts_it,
    a_superseded_page_shows_the_refreshed_proposal_which_its_own_link_adopts,
    a_participant_acknowledges,
    a_stale_link_leads_to_the_seat_its_reader_has_now,
    a_participant_reports_a_conflict_and_the_owner_reads_it,
    a_decision_by_keyboard_alone,
    a_decision_and_an_answer_without_scripts,
];

const STORY: &str = "story";
const REVIEW: &str = "RR-2026-1103";
const OWNER: &str = "release-owner@example.com";
const DELEGATE: &str = "security-delegate-2@example.com";

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// The story where its owner is asked.
pub async fn asked() -> Result<Stage, String> {
    Stage::at(STORY, "2026-11-03T11:50:00Z").await
}

async fn choose(browser: &Browser, choice: &str) -> Result<(), String> {
    browser.click(&format!("label[for={choice}]")).await?;
    browser.leave_by("form button").await
}

async fn heading(browser: &Browser, wanted: &str) -> Result<(), String> {
    let found = browser.text("h1").await?;
    expect(found == wanted, || format!("expected the page {wanted:?}, found {found:?}"))
}

pub async fn adopt(browser: &Browser, stage: &mut Stage) -> Result<(), String> {
    stage.follow(browser, OWNER, "adopt").await?;
    heading(browser, "Adopt this change?").await?;
    choose(browser, "choice-adopt").await?;
    heading(browser, "Adopted").await?;
    stage.settle().await
}

async fn authoritative(stage: &Stage, review: &str) -> Result<u32, String> {
    let id = refresh_core::ReviewId::parse(review).map_err(|error| format!("{review}: {error:?}"))?;
    let head = stage.engine().store().head(&id).await.map_err(|error| error.to_string())?;
    head.map(|head| head.authoritative).ok_or_else(|| format!("{review} is not there"))
}

async fn the_owner_adopts(browser: &Browser) -> Result<(), String> {
    let mut stage = asked().await?;
    let before = authoritative(&stage, REVIEW).await?;
    let link = stage.follow(browser, OWNER, "adopt").await?;
    heading(browser, "Adopt this change?").await?;
    let chosen = browser.all("input[type=radio]:checked").await?;
    expect(chosen.is_empty(), || "a choice was made for the reader".to_owned())?;
    browser.write("#reason", "Seen & agreed <b>in person</b>").await?;
    choose(browser, "choice-adopt").await?;
    heading(browser, "Adopted").await?;
    stage.settle().await?;
    let after = authoritative(&stage, REVIEW).await?;
    expect(after > before, || format!("version {before} still counts"))?;
    let owner = form_urlencoded::byte_serialize(OWNER.as_bytes()).collect::<String>();
    browser.open(&stage.operators(&format!("/mailbox?to={owner}"))).await?;
    let newest = browser.text("table.mails th a").await?;
    expect(newest.starts_with("For information: Tue 3 Nov, 16:00 CET"), || format!("their newest mail is {newest:?}"))?;
    // The same link shows what came of it, and has nothing more to press.
    browser.open(&link).await?;
    let forms = browser.all("form[method=post]").await?;
    expect(forms.is_empty(), || "a decided proposal can be decided again".to_owned())
}

async fn the_owner_declines_for_another_slot(browser: &Browser) -> Result<(), String> {
    const OWNER: &str = "rm-a@example.com";
    let mut stage = Stage::at("declined_for_another_slot", "2026-11-03T09:10:00Z").await?;
    let first = stage.follow(browser, OWNER, "adopt").await?;
    let offered = browser.text("table.delta td.now").await?;
    choose(browser, "choice-decline_other_slot").await?;
    heading(browser, "Declined").await?;
    stage.settle().await?;
    let second = stage.follow(browser, OWNER, "adopt").await?;
    expect(first != second, || "the next choice came with the declined one's link".to_owned())?;
    let next = browser.text("table.delta td.now").await?;
    expect(next != offered, || format!("{offered} was declined and is offered again"))
}

async fn the_owner_declines_and_stands_by_the_present_meeting(browser: &Browser) -> Result<(), String> {
    let mut stage = Stage::at("declined_to_stand", "2026-11-03T09:10:00Z").await?;
    let before = authoritative(&stage, "RR-1042").await?;
    stage.follow(browser, "rm-a@example.com", "adopt").await?;
    browser.write("#reason", "The window cannot move again.").await?;
    choose(browser, "choice-decline_stand").await?;
    heading(browser, "Declined").await?;
    stage.settle().await?;
    let now = authoritative(&stage, "RR-1042").await?;
    expect(now == before, || format!("version {now} was adopted by declining"))?;
    browser.open(&stage.operators("/reviews/RR-1042")).await?;
    let page = browser.text("main").await?;
    for part in ["The release owner stands by the present slot", "The window cannot move again."] {
        expect(page.contains(part), || format!("the workspace does not say {part:?}: {page}"))?;
    }
    Ok(())
}

async fn the_owner_asks_for_an_expired_proposal_again_and_adopts_it(browser: &Browser) -> Result<(), String> {
    const OWNER: &str = "rm-a@example.com";
    let mut stage = Stage::at("expired_undecided", "2026-11-03T10:35:00Z").await?;
    let before = authoritative(&stage, "RR-1042").await?;
    browser.open(&stage.operators("/reviews/RR-1042")).await?;
    let said = browser.text("section[aria-labelledby=exceptions]").await?;
    let undecided = "The deadline passed without a decision: Tue 3 Nov 2026, 16:30–17:30 CET";
    expect(said.contains(undecided), || format!("the exceptions do not say {undecided:?}: {said}"))?;
    stage.follow(browser, OWNER, "adopt").await?;
    heading(browser, "This proposal has expired").await?;
    choose(browser, "choice-ask_again").await?;
    heading(browser, "The proposal is open again").await?;
    stage.settle().await?;
    // Asking is not adopting.
    let now = authoritative(&stage, "RR-1042").await?;
    expect(now == before, || format!("version {now} was adopted by asking for it"))?;
    stage.follow(browser, OWNER, "adopt").await?;
    choose(browser, "choice-adopt").await?;
    heading(browser, "Adopted").await?;
    let now = authoritative(&stage, "RR-1042").await?;
    expect(now > before, || format!("version {before} still counts"))
}

async fn a_superseded_page_shows_the_refreshed_proposal_which_its_own_link_adopts(
    browser: &Browser,
) -> Result<(), String> {
    const OWNER: &str = "rm-a@example.com";
    let mut stage = Stage::at("superseded_while_the_page_is_open", "2026-11-03T09:11:00Z").await?;
    let before = authoritative(&stage, "RR-1042").await?;
    stage.follow(browser, OWNER, "adopt").await?;
    heading(browser, "Adopt this change?").await?;
    // While they read, the sources say otherwise.
    stage.until("2026-11-03T09:13:00Z").await?;
    choose(browser, "choice-adopt").await?;
    heading(browser, "This proposal is no longer open").await?;
    let now = authoritative(&stage, "RR-1042").await?;
    expect(now == before, || format!("version {now} was adopted from a page that was out of date"))?;
    // What is proposed now stands there, and is decided through its own mail alone.
    let shown = browser.text("#change").await?;
    expect(shown == "What would change", || format!("the page shows {shown:?}"))?;
    let deciding = browser.all("a[href*=\"/adopt/\"], #choice-adopt, #choice-other_slot, #choice-stand").await?;
    expect(deciding.is_empty(), || "the link of another proposal decides it".to_owned())?;
    // Past the quiet period, so that its mail is out.
    stage.until("2026-11-03T09:15:00Z").await?;
    stage.follow(browser, OWNER, "adopt").await?;
    heading(browser, "Adopt this change?").await?;
    choose(browser, "choice-adopt").await?;
    heading(browser, "Adopted").await?;
    let now = authoritative(&stage, "RR-1042").await?;
    expect(now > before, || format!("version {before} still counts"))
}

async fn a_participant_acknowledges(browser: &Browser) -> Result<(), String> {
    let mut stage = asked().await?;
    adopt(browser, &mut stage).await?;
    stage.follow(browser, DELEGATE, "acknowledge").await?;
    heading(browser, "Can you take your seat?").await?;
    choose(browser, "answer-acknowledged").await?;
    heading(browser, "Thank you, your answer is recorded").await
}

async fn a_stale_link_leads_to_the_seat_its_reader_has_now(browser: &Browser) -> Result<(), String> {
    let mut stage = Stage::at(STORY, "2026-11-03T11:10:00Z").await?;
    let early = stage.follow(browser, DELEGATE, "acknowledge").await?;
    heading(browser, "Can you take your seat?").await?;
    let was = browser.text("#seat + dl dd").await?;
    // The evidence slips, and the proposal moves to another time.
    stage.until("2026-11-03T11:50:00Z").await?;
    browser.open(&early).await?;
    heading(browser, "Your seat has changed").await?;
    let forms = browser.all("form").await?;
    expect(forms.is_empty(), || "a stale page takes answers".to_owned())?;
    browser.leave_by(".verdict a").await?;
    heading(browser, "Can you take your seat?").await?;
    let now = browser.text("#seat + dl dd").await?;
    expect(now != was, || format!("the fresh page still shows {was}"))?;
    choose(browser, "answer-acknowledged").await?;
    heading(browser, "Thank you, your answer is recorded").await?;
    // The owner reads what was said to the proposal before they decide it.
    stage.settle().await?;
    stage.follow(browser, OWNER, "adopt").await?;
    let answers = browser.text("table.answers").await?;
    expect(answers.contains("acknowledged"), || format!("the owner's page shows {answers:?}"))
}

async fn a_participant_reports_a_conflict_and_the_owner_reads_it(browser: &Browser) -> Result<(), String> {
    const NOTE: &str = "On leave: \"<script>alert(1)</script>\"";
    let mut stage = asked().await?;
    adopt(browser, &mut stage).await?;
    stage.follow(browser, DELEGATE, "acknowledge").await?;
    browser.write("#note", NOTE).await?;
    choose(browser, "answer-conflict").await?;
    heading(browser, "Thank you, your answer is recorded").await?;
    stage.settle().await?;
    browser.open(&stage.operators(&format!("/reviews/{REVIEW}"))).await?;
    let said = browser.text("tr.conflict").await?;
    expect(said.contains(NOTE), || format!("the workspace shows {said:?}"))?;
    let history = browser.text("ol.history").await?;
    let answered = format!("{DELEGATE} reported a conflict: recorded.");
    expect(history.contains(&answered), || format!("the lineage does not say {answered:?}: {history}"))?;
    let owner = form_urlencoded::byte_serialize(OWNER.as_bytes()).collect::<String>();
    browser.open(&stage.operators(&format!("/mailbox?to={owner}"))).await?;
    browser.leave_by("table.mails th a").await?;
    browser.leave_by("nav.tabs a[href$=text]").await?;
    let mail = browser.text("pre").await?;
    expect(mail.to_lowercase().contains("conflict"), || format!("the owner's newest mail says {mail:?}"))
}

/// Tab until the focus is there; a page has fewer stops than the limit.
async fn tab_to(browser: &Browser, wanted: &str) -> Result<(), String> {
    for _ in 0..60 {
        browser.key(TAB).await?;
        let script = format!("return document.activeElement.matches({wanted:?})");
        if browser.run(&script).await? == true {
            let seen = "const style = getComputedStyle(document.activeElement); return style.outlineStyle != 'none'";
            let seen = browser.run(seen).await?;
            return expect(seen == true, || format!("the focus on {wanted} cannot be seen"));
        }
    }
    Err(format!("no number of tabs leads to {wanted}"))
}

async fn a_decision_by_keyboard_alone(browser: &Browser) -> Result<(), String> {
    let stage = asked().await?;
    stage.follow(browser, OWNER, "adopt").await?;
    tab_to(browser, "input[type=radio]").await?;
    browser.key(" ").await?;
    let chosen = browser.all("#choice-adopt:checked").await?;
    expect(chosen.len() == 1, || "the space bar did not choose the first answer".to_owned())?;
    tab_to(browser, "form button").await?;
    let left = browser.one("html").await?;
    browser.key(ENTER).await?;
    browser.turned(&left).await?;
    heading(browser, "Adopted").await
}

async fn a_decision_and_an_answer_without_scripts(browser: &Browser) -> Result<(), String> {
    browser.scripts(false).await?;
    let mut stage = asked().await?;
    adopt(browser, &mut stage).await?;
    stage.follow(browser, DELEGATE, "acknowledge").await?;
    choose(browser, "answer-acknowledged").await?;
    heading(browser, "Thank you, your answer is recorded").await
}
