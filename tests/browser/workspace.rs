//! The owner's own signed link to their review: who it opens for, and what it shows.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use holdpoint_tests::{
    browser::{driver::Browser, stage::Stage},
    cloud::http::{Http, text},
};
use http::Response;

use crate::{
    expect,
    people::{adopt, asked},
    trials,
};

trials![
    the_owner_opens_the_workspace_from_their_page,
    the_workspace_compares_any_two_versions,
    the_decided_page_leads_to_the_workspace_as_well,
    an_exception_stands_with_its_reasons_and_nearest_slots,
    a_former_owner_and_a_stranger_see_the_same_page,
    an_expired_workspace_link_says_no_more_than_a_forged_one,
];

const OWNER: &str = "release-owner@example.com";
const LINK: &str = "a[href*=\"/reviews/\"]";

/// The link as the open page carries it, whole: a page leads on by path.
pub async fn carried(browser: &Browser, stage: &Stage) -> Result<String, String> {
    Ok(stage.url(&browser.attribute(&browser.one(LINK).await?, "href").await?))
}

async fn the_owner_opens_the_workspace_from_their_page(browser: &Browser) -> Result<(), String> {
    let stage = asked().await?;
    let before = stage.everything().await?;
    stage.follow(browser, OWNER, "adopt").await?;
    browser.leave_by(LINK).await?;
    let page = browser.text("main").await?;
    for part in [
        "Release readiness: identity-service 4.2",
        "Version 6 is pending until",
        "The packet: version 3",
        "Who is busy when",
        "Answers",
        "What differs between two versions",
        "the chain verifies",
        "Delegate mapping of the security reviewer, revision 2 from //delegation.example.com (event e21): applied.",
    ] {
        expect(page.contains(part), || format!("the workspace does not say {part:?}: {page}"))?;
    }
    // Behind somebody's link there is one review: no list of the others, and nothing to decide.
    let list = browser.all("a[href=\"/reviews\"]").await?;
    expect(list.is_empty(), || "one review's link leads to the list of all".to_owned())?;
    let forms = browser.all("form[method=post]").await?;
    expect(forms.is_empty(), || "the workspace has something to press".to_owned())?;
    let after = stage.everything().await?;
    expect(before == after, || "looking changed what is stored".to_owned())
}

async fn the_workspace_compares_any_two_versions(browser: &Browser) -> Result<(), String> {
    let stage = asked().await?;
    stage.follow(browser, OWNER, "adopt").await?;
    browser.leave_by(LINK).await?;
    let page = browser.url().await?;
    // What each version of the story changed, forwards and back.
    for (from, to, changed) in [
        ("3", "4", vec!["Security reviewer"]),
        ("4", "5", vec!["Database migration owner"]),
        ("5", "6", vec!["Time", "Database migration owner", "Evidence integration-tests"]),
        ("6", "3", vec!["Time", "Security reviewer", "Evidence integration-tests"]),
        ("5", "5", vec![]),
    ] {
        browser
            .run(&format!("document.querySelector('#from').value = {from}; document.querySelector('#to').value = {to}"))
            .await?;
        browser.leave_by("form[method=get] button").await?;
        let at = browser.url().await?;
        expect(at.starts_with(&page), || format!("comparing left the link: {at}"))?;
        let mut rows = Vec::new();
        for head in browser.all("table.delta tbody th").await? {
            rows.push(browser.text_of(&head).await?);
        }
        expect(rows == changed, || format!("from {from} to {to}: expected {changed:?}, found {rows:?}"))?;
    }
    // A version that is not there is no comparison, and no error.
    browser.open(&format!("{page}?from=1&to=999999999999")).await?;
    let chosen =
        browser.run("return document.querySelector('#from').value + ' ' + document.querySelector('#to').value").await?;
    expect(chosen == "3 6", || format!("without such versions the page compares {chosen}"))
}

async fn the_decided_page_leads_to_the_workspace_as_well(browser: &Browser) -> Result<(), String> {
    let mut stage = asked().await?;
    adopt(browser, &mut stage).await?;
    browser.leave_by(LINK).await?;
    let page = browser.text("main").await?;
    expect(page.contains("The packet: version 6"), || format!("after the adoption the workspace says {page}"))
}

async fn an_exception_stands_with_its_reasons_and_nearest_slots(browser: &Browser) -> Result<(), String> {
    let stage = Stage::at("only_slot_crosses_the_freeze", "2026-11-03T09:10:00Z").await?;
    browser.open(&stage.operators("/reviews")).await?;
    browser.leave_by("article h2 a").await?;
    let said = browser.text("section[aria-labelledby=exceptions]").await?;
    for part in ["No viable slot", "Crossing a protected freeze would allow Tue 3 Nov 2026,", "it misses by "] {
        expect(said.contains(part), || format!("the exceptions do not say {part:?}: {said}"))?;
    }
    Ok(())
}

/// Everything of an answer that its reader could tell from another.
fn seen(response: &Response<Vec<u8>>) -> String {
    let headers = response.headers().iter().filter(|(name, _)| *name != "date");
    let headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    format!("{}\n{}\n\n{}", response.status(), headers.join("\n"), text(response))
}

fn token(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or_default()
}

/// The same link with one bit of its token another.
fn flipped(link: &str, bit: usize) -> Result<String, String> {
    let mut bytes = URL_SAFE_NO_PAD.decode(token(link)).map_err(|error| error.to_string())?;
    bytes[bit / 8] ^= 1 << (bit % 8);
    Ok(link.replace(token(link), &URL_SAFE_NO_PAD.encode(bytes)))
}

async fn a_former_owner_and_a_stranger_see_the_same_page(browser: &Browser) -> Result<(), String> {
    let http = Http::default();
    let mut stage = Stage::at("a_new_owner", "2026-11-03T09:10:00Z").await?;
    let adopt = stage.follow(browser, "old@example.com", "adopt").await?;
    let workspace = carried(browser, &stage).await?;
    let opened = http.get(&workspace).await?;
    expect(opened.status() == 200, || format!("the owner's link is answered with {}", opened.status()))?;
    // The change record names another owner.
    stage.until("2026-11-03T09:35:00Z").await?;
    let stranger = http.get(&stage.url(&format!("/reviews/{}", "A".repeat(120)))).await?;
    expect(stranger.status() == 404, || format!("a stranger is answered with {}", stranger.status()))?;
    let stranger = seen(&stranger);
    for secret in ["RR-1042", "identity-service", "example.com"] {
        expect(!stranger.contains(secret), || format!("a stranger is told {secret:?}: {stranger}"))?;
    }
    let alike = async |what: &str, link: &str| {
        let found = seen(&http.get(link).await?);
        expect(found == stranger, || format!("{what} can be told from a stranger's: {found}"))
    };
    alike("the former owner's page", &workspace).await?;
    alike("an adoption link in a workspace's place", &stage.url(&format!("/reviews/{}", token(&adopt)))).await?;
    alike("a workspace link in an adoption's place", &stage.url(&format!("/adopt/{}", token(&workspace)))).await?;
    let theirs = stage.follow(browser, "new@example.com", "adopt").await?;
    let theirs = (theirs, carried(browser, &stage).await?);
    let opened = http.get(&theirs.1).await?;
    expect(opened.status() == 200, || format!("the new owner's link is answered with {}", opened.status()))?;
    let bits = URL_SAFE_NO_PAD.decode(token(&theirs.1)).map_err(|error| error.to_string())?.len() * 8;
    for bit in 0..bits {
        alike(&format!("a link with bit {bit} another"), &flipped(&theirs.1, bit)?).await?;
    }
    // Whoever was the owner is told so on their old adoption page, and sees nothing of the proposal.
    browser.open(&adopt).await?;
    let page = browser.text("main").await?;
    let refused = page.contains("This is not yours to decide") && !page.contains("What would change");
    expect(refused, || format!("the former owner's adoption page says {page}"))?;
    let left = browser.all(LINK).await?;
    expect(left.is_empty(), || "the former owner's page still leads to the workspace".to_owned())
}

async fn an_expired_workspace_link_says_no_more_than_a_forged_one(browser: &Browser) -> Result<(), String> {
    let http = Http::default();
    let mut stage = asked().await?;
    stage.follow(browser, OWNER, "adopt").await?;
    let link = carried(browser, &stage).await?;
    // It is good for a week after the start, so that the record can be read when the meeting is over.
    stage.until("2026-11-10T13:59:59Z").await?;
    let last = http.get(&link).await?;
    expect(last.status() == 200, || format!("within its time the link is answered with {}", last.status()))?;
    stage.until("2026-11-10T14:00:00Z").await?;
    let (expired, forged) = (http.get(&link).await?, http.get(&flipped(&link, 400)?).await?);
    expect(expired.status() == 404, || format!("expired, the link is answered with {}", expired.status()))?;
    expect(seen(&expired) == seen(&forged), || format!("{} is not {}", seen(&expired), seen(&forged)))
}
