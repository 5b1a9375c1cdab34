//! Mail scanners follow links, some with a browser, and some press what they find. None of it is a decision.

use holdpoint_tests::{
    browser::{driver::Browser, stage::Stage},
    cloud::http::Http,
};
use http::{Method, Request};

use crate::{
    expect,
    people::{adopt, asked},
    trials,
    workspace::carried,
};

trials![
    a_scanner_at_the_owners_link_changes_nothing,
    a_scanner_at_a_participants_link_changes_nothing,
    a_scanner_at_an_expired_link_asks_for_nothing,
    a_robot_in_the_workspace_and_the_mailbox_changes_nothing,
];

async fn a_scanner_at_the_owners_link_changes_nothing(browser: &Browser) -> Result<(), String> {
    let stage = asked().await?;
    let link = stage.follow(browser, "release-owner@example.com", "adopt").await?;
    scanned(browser, &stage, &link, 422).await
}

async fn a_scanner_at_a_participants_link_changes_nothing(browser: &Browser) -> Result<(), String> {
    let mut stage = asked().await?;
    adopt(browser, &mut stage).await?;
    let link = stage.follow(browser, "security-delegate-2@example.com", "acknowledge").await?;
    scanned(browser, &stage, &link, 422).await
}

/// Its form has a single choice, and that too is only somebody's to make.
async fn a_scanner_at_an_expired_link_asks_for_nothing(browser: &Browser) -> Result<(), String> {
    let stage = Stage::at("expired_undecided", "2026-11-03T10:35:00Z").await?;
    let link = stage.follow(browser, "rm-a@example.com", "adopt").await?;
    scanned(browser, &stage, &link, 410).await
}

/// Whatever there is to press, on every page of the local engine and behind the owner's link.
async fn a_robot_in_the_workspace_and_the_mailbox_changes_nothing(browser: &Browser) -> Result<(), String> {
    let stage = asked().await?;
    stage.follow(browser, "release-owner@example.com", "adopt").await?;
    let theirs = carried(browser, &stage).await?;
    let before = stage.everything().await?;
    let mut pages = vec![theirs];
    pages.extend(
        ["/reviews", "/reviews/RR-2026-1103", "/mailbox", "/mailbox/1", "/mailbox/1/html"]
            .map(|path| stage.operators(path)),
    );
    let mut pressed = 0;
    for page in pages {
        browser.open(&page).await?;
        for form in 0..browser.all("form").await?.len() {
            browser.open(&page).await?;
            browser.run(&format!("document.forms[{form}].querySelector('button').id = 'pressed'")).await?;
            browser.leave_by("#pressed").await?;
            pressed += 1;
        }
        let after = stage.everything().await?;
        expect(before == after, || format!("pressing what is on {page} changed what is stored"))?;
    }
    expect(pressed == 2, || format!("expected the two forms that compare versions, found {pressed} to press"))
}

/// Each visitor in turn; everything stored is compared after each. `refusal`: the status of a form that is not ours.
async fn scanned(browser: &Browser, stage: &Stage, link: &str, refusal: u16) -> Result<(), String> {
    let before = stage.everything().await?;
    let unchanged = async |who: &str| {
        let after = stage.everything().await?;
        expect(after == before, || format!("{who} changed what is stored"))
    };
    let http = Http::default();
    for method in [Method::HEAD, Method::GET] {
        let request = Request::builder().method(&method).uri(link).body(Vec::new());
        let response = http.send(request.map_err(|error| error.to_string())?).await?;
        expect(response.status() == 200, || format!("{method} is answered with {}", response.status()))?;
        let empty = response.body().is_empty();
        expect(empty == (method == Method::HEAD), || format!("{method} is answered with the wrong body"))?;
        unchanged(method.as_str()).await?;
    }
    browser.open(link).await?;
    unchanged("a browser with scripts").await?;
    let forms = browser.all("form[method=post]").await?;
    expect(forms.len() == 1, || format!("{} forms where one was expected", forms.len()))?;
    browser.click("form[method=post] button").await?;
    unchanged("a robot that presses the first button").await?;
    // Past the browser's own check that something is chosen.
    browser.open(link).await?;
    browser.send_form().await?;
    let hint = browser.text("[role=alert]").await?;
    expect(hint.contains("choose"), || format!("a form without a choice is answered with {hint:?}"))?;
    unchanged("a robot that sends the form as it is").await?;
    // A form of somebody else's making, with a choice and no seal.
    let choice = if refusal == 410 { "ask_again" } else { "adopt" };
    let body = format!("choice={choice}&answer=acknowledged").into_bytes();
    let request = Request::post(link).header("content-type", "application/x-www-form-urlencoded").body(body);
    let response = http.send(request.map_err(|error| error.to_string())?).await?;
    expect(response.status() == refusal, || format!("a form without its seal is answered with {}", response.status()))?;
    unchanged("a robot that makes up a form").await
}
