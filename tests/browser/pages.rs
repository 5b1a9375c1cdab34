//! Every page, as it is looked at: narrow, in the dark, by axe.

use holdpoint_tests::browser::{axe, driver::Browser, driver::Look, gallery};

use crate::{expect, no_complaints, trials};

trials![every_page_fits_320_pixels, axe_finds_nothing_in_any_page, every_page_has_its_own_dark_colours];

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
        for look in [Look::LIGHT, Look::DARK, Look::NARROW] {
            browser.look(look).await?;
            let findings = axe::findings(browser, &script).await?;
            found.extend(findings.into_iter().map(|line| format!("{name}, {look:?}: {line}")));
        }
        browser.complaints().await?;
        Ok(())
    })
    .await?;
    expect(found.is_empty(), || found.join("\n"))
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
