//! The page for whoever has no link that opens: one page, whatever is wrong, saying nothing about any review.

use askama::Template;
use refresh_core::record::lineage::AnswerResult;

use super::{Page, render};

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    title: &'static str,
    text: &'static str,
}

/// Forged, foreign, unreadable, unknown, past its time: alike to the byte.
pub fn no_link() -> Page {
    let page = FailurePage {
        title: "This link does not open anything",
        text: "It may be incomplete, too old, or made for somebody else. Please open it from the mail it came in, as it is, or the link of a newer mail. If that does not help, ask the people who sent you the mail.",
    };
    render(404, Some(AnswerResult::NoLink), &page)
}

/// Something of ours failed; nothing was changed.
pub fn unavailable() -> Page {
    let page = FailurePage {
        title: "This did not work",
        text: "Something on our side failed, and nothing was changed. Please try again in a minute.",
    };
    render(503, None, &page)
}

/// A path or method that is not there.
pub fn not_found() -> Page {
    let page = FailurePage { title: "There is no such page", text: "The address is not one of ours." };
    render(404, None, &page)
}

/// For the operator, who may know which reviews there are.
pub fn no_review() -> Page {
    let page = FailurePage {
        title: "There is no such review",
        text: "No review of this name was issued here, or it was removed when its time was over: `holdpoint removed` lists those. The list of reviews has all that there are.",
    };
    render(404, None, &page)
}

/// The operator's page, and whoever asks is not known to be the operator. Says nothing of what is behind it.
pub fn closed() -> Page {
    let page = FailurePage {
        title: "This page is the operator's",
        text: "Open the address that holdpoint printed when it started: it holds this store's token, and lets this browser in until it is closed. The token stands in the file operator-token of the store's folder.",
    };
    render(401, None, &page)
}
