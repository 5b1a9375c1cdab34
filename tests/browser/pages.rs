//! Every page, as it is looked at: narrow, in the dark, by axe.

use holdpoint_tests::browser::{axe, driver::Browser, driver::Look, gallery};

use crate::{expect, no_complaints, people::asked, trials};

trials![
    every_page_fits_320_pixels,
    axe_finds_nothing_in_any_page,
    axe_finds_what_is_broken_in_a_page,
    every_page_has_its_own_dark_colours,
    paper_shows_what_is_folded_and_nothing_to_press,
];

async fn every_page_fits_320_pixels(browser: &Browser) -> Result<(), String> {
    let mut wide = Vec::new();
    browser.look(Look::NARROW).await?;
    gallery::tour(browser, async |name| {
        let width = browser.run("return document.documentElement.scrollWidth").await?;
        if width != Look::NARROW.width {
            wide.push(format!("{name}: {width} pixels"));
        }
        Ok(())
    })
    .await?;
    expect(wide.is_empty(), || wide.join("\n"))
}

async fn axe_finds_nothing_in_any_page(browser: &Browser) -> Result<(), String> {
    let script = axe::script()?;
    let mut found = Vec::new();
    gallery::tour(browser, async |name| {
        // The checker's own doings are not the page's: what the page did is looked at first.
        no_complaints(browser).await.map_err(|why| format!("{name}: {why}"))?;
        axe::ready(browser).await?;
        for look in Look::ALL {
            browser.look(look).await?;
            let findings = axe::findings(browser, &script).await.map_err(|why| format!("{name}, {look:?}: {why}"))?;
            found.extend(findings.into_iter().map(|line| format!("{name}, {look:?}: {line}")));
        }
        browser.complaints().await?;
        Ok(())
    })
    .await?;
    expect(found.is_empty(), || found.join("\n"))
}

/// What is broken in a page by hand, the looks it can be seen in, and the checker's word for it.
const BREAKS: [(&str, &[Look], &str); 5] = [
    ("document.documentElement.removeAttribute('lang')", &Look::ALL, "html-has-lang"),
    ("document.querySelector('label[for=reason]').remove()", &Look::ALL, "label"),
    ("document.querySelector('h1').style.color = '#e6e9ee'", &[Look::LIGHT, Look::NARROW], "color-contrast"),
    ("document.querySelector('h1').style.color = '#1a2029'", &[Look::DARK, Look::NARROW_DARK], "color-contrast"),
    // It scrolls where it is narrow alone, and then somebody without a mouse has to get there.
    (
        "document.querySelector('.scroll').removeAttribute('tabindex')",
        &[Look::NARROW, Look::NARROW_DARK],
        "scrollable-region-focusable",
    ),
];

async fn axe_finds_what_is_broken_in_a_page(browser: &Browser) -> Result<(), String> {
    let script = axe::script()?;
    let stage = asked().await?;
    let link = stage.follow(browser, "release-owner@example.com", "adopt").await?;
    for (broken, seen, word) in BREAKS {
        browser.open(&link).await?;
        browser.run(broken).await?;
        axe::ready(browser).await?;
        found(browser, &script, word, seen).await.map_err(|why| format!("{broken}: {why}"))?;
    }
    // A mail as well, though it is looked at outside its sandbox.
    let mail = stage.engine().mailbox().all().pop().ok_or("no mail")?;
    browser.open(&stage.operators(&format!("/mailbox/{}/html", mail.number))).await?;
    browser.run("document.querySelector('h1').style.color = '#e6e9ee'").await?;
    axe::ready(browser).await?;
    found(browser, &script, "color-contrast", &[Look::LIGHT, Look::NARROW]).await?;
    browser.complaints().await.map(drop)
}

/// The checker finds exactly that, in exactly those looks.
async fn found(browser: &Browser, script: &str, word: &str, seen: &[Look]) -> Result<(), String> {
    for look in Look::ALL {
        browser.look(look).await?;
        let found = axe::findings(browser, script).await?;
        let right = match seen.contains(&look) {
            true => !found.is_empty() && found.iter().all(|line| line.starts_with(&format!("{word} ("))),
            false => found.is_empty(),
        };
        expect(right, || format!("{look:?}: expected {word} in {seen:?}; axe found {found:#?}"))?;
    }
    Ok(())
}

async fn every_page_has_its_own_dark_colours(browser: &Browser) -> Result<(), String> {
    let mut same = Vec::new();
    let colours = "const style = getComputedStyle(document.body); return style.color + ' on ' + style.backgroundColor";
    gallery::tour(browser, async |name| {
        browser.look(Look::LIGHT).await?;
        let light = browser.run(colours).await?;
        browser.look(Look::DARK).await?;
        if light == browser.run(colours).await? {
            same.push(format!("{name}: {light}"));
        }
        Ok(())
    })
    .await?;
    expect(same.is_empty(), || same.join("\n"))
}

async fn paper_shows_what_is_folded_and_nothing_to_press(browser: &Browser) -> Result<(), String> {
    let stage = asked().await?;
    stage.follow(browser, "release-owner@example.com", "adopt").await?;
    let seen = "return ['details dl', 'details table', 'button'].map(selector => \
        document.querySelector(selector).checkVisibility({ contentVisibilityAuto: true })).join()";
    let ink = "return getComputedStyle(document.querySelector('.about')).color";
    browser.look(Look::LIGHT).await?;
    let (screen, quiet) = (browser.run(seen).await?, browser.run(ink).await?);
    expect(screen == "false,false,true", || format!("on a screen, seen are {screen}"))?;
    // From a dark screen too it is dark on light.
    browser.paper(true).await?;
    // What was skipped while folded is seen from the next frame on.
    let mut paper = browser.run(seen).await?;
    for _ in 0..60 {
        if paper == "true,true,false" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        paper = browser.run(seen).await?;
    }
    let printed = browser.run(ink).await?;
    expect(paper == "true,true,false", || format!("on paper, seen are {paper}"))?;
    expect(printed == quiet, || format!("from a dark screen {printed} is printed, from a light one {quiet}"))
}
