//! Every page in every state: as a reviewed file, and by the rules that hold for all.

mod common;
#[path = "common/pages.rs"]
mod pages;

use base64::{Engine, engine::general_purpose::STANDARD};
use presentation::{
    page::{ChosenButton, Hint, Page, RESULT_HEADER, Returned, failure},
    text::Href,
};
use sha2::{Digest, Sha256};

fn header<'a>(page: &'a Page, name: &str) -> Option<&'a str> {
    let mut all = page.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let first = all.next();
    assert!(all.next().is_none(), "{name} stands there twice");
    first
}

fn style(page: &Page) -> &str {
    let start = page.body.find("<style>").expect("a style") + "<style>".len();
    let end = page.body.find("</style>").expect("its end");
    &page.body[start..end]
}

/// The page without its style sheet, which is reviewed as the file it is.
fn shown(page: &Page) -> String {
    let headers: String = page
        .headers
        .iter()
        .map(|(name, value)| {
            let value = if name == "content-security-policy" {
                value.split("'sha256-").next().unwrap_or_default().to_owned() + "…"
            } else {
                value.clone()
            };
            format!("{name}: {value}\n")
        })
        .collect();
    let body = if page.body.contains("<main>") { page.body.replace(style(page), "…") } else { page.body.clone() };
    format!("{}\n{headers}\n{body}", page.status)
}

#[test]
fn every_page_as_it_is_read() {
    for (name, page) in pages::all() {
        insta::assert_snapshot!(format!("page_{name}"), shown(&page));
    }
}

#[test]
fn every_response_is_private() {
    for (name, page) in pages::all() {
        let is = |header_name: &str, value: &str| assert_eq!(header(&page, header_name), Some(value), "{name}");
        is("cache-control", "no-store");
        is("referrer-policy", "same-origin");
        is("x-content-type-options", "nosniff");
        is("x-robots-tag", "noindex, nofollow");
        is("content-type", "text/html; charset=utf-8");
        let policy = header(&page, "content-security-policy").expect(name);
        assert!(policy.starts_with("default-src 'none'; "), "{name}: {policy}");
        assert!(!policy.contains("script-src") && !policy.contains("http"), "{name}: {policy}");
        if name == "mailbox_frame" {
            assert!(policy.contains("frame-ancestors 'self'") && policy.contains("sandbox"), "{name}: {policy}");
            continue;
        }
        is("x-frame-options", "DENY");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{name}: {policy}");
        assert!(policy.contains("form-action 'self'") && !policy.contains("unsafe"), "{name}: {policy}");
        let hash = STANDARD.encode(Sha256::digest(style(&page)));
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{name}: the style's own hash");
    }
}

#[test]
fn no_page_runs_or_loads_anything() {
    for (name, page) in pages::all().into_iter().filter(|(name, _)| *name != "mailbox_frame") {
        let body = page.body.replace(style(&page), "").to_lowercase();
        for active in ["<script", "javascript:", "<img", "<link", "<object", "<embed", " style=", "<base", "http-equiv"]
        {
            assert!(!body.contains(active), "{name}: {active}");
        }
        for tag in body.split('<').filter_map(|tag| tag.split('>').next()) {
            assert!(!tag.contains(" on"), "{name}: an event attribute in <{tag}>");
        }
        assert!(!style(&page).contains("@import") && !style(&page).contains("url(h"), "{name}");
    }
}

#[test]
fn every_page_behind_a_link_says_its_result() {
    for (name, page) in pages::adoptions().into_iter().chain(pages::acknowledgements()) {
        let result = header(&page, RESULT_HEADER).expect(name);
        let expected = match name {
            "adopt_open" | "adopt_open_nothing_chosen" | "acknowledge_open" | "acknowledge_tentative" => "shown",
            "adopt_superseded" | "adopt_withdrawn" | "adopt_closed" | "adopt_former_owner" => "superseded",
            "adopt_facts_changed" => "facts_changed",
            "adopt_expired" | "adopt_expired_for_another" | "adopt_expired_and_over" => "expired",
            "adopt_already_decided" => "already_decided",
            "adopt_not_the_owner" => "not_the_owner",
            "adopt_separation_of_duty" => "separation_of_duty",
            "adopt_receipt" => "adopted",
            "adopt_receipt_declined" => "declined",
            "adopt_asked_again" | "adopt_asked_again_in_a_pause" => "asked_again",
            "acknowledge_stale" => "stale",
            "acknowledge_receipt" | "acknowledge_receipt_conflict" => "recorded",
            other => panic!("a page without its row: {other}"),
        };
        assert_eq!(result, expected, "{name}");
    }
}

/// Whoever decides or answers has no use for it; whoever audits copies it.
#[test]
fn the_record_alone_shows_traces() {
    let world = pages::traced();
    for (name, page) in pages::of_participants(&world) {
        assert!(!page.body.contains(pages::GIVEN) && !page.body.contains("Trace"), "{name}");
    }
    let record = pages::workspaces().into_iter().find(|(name, _)| *name == "review_traced").expect("it").1;
    // The event's own and that of the bounce; the decision says nothing that its newest event says.
    assert_eq!(record.body.matches(pages::GIVEN).count(), 2, "{}", record.body);
}

/// Whoever decides learns which review somebody sits in; a proposal that is over holds nobody.
#[test]
fn the_owners_page_names_the_other_reviews() {
    let page = pages::seated_elsewhere();
    assert!(page.body.contains("(in RR-2000, RR-3000)"), "{}", page.body);
    assert!(!page.body.contains("RR-4000"));
}

#[test]
fn nothing_is_chosen_for_anybody() {
    for (name, page) in pages::all() {
        assert!(!page.body.contains(" checked"), "{name}");
        let radios = page.body.matches("type=\"radio\"").count();
        let required = page.body.matches(" required>").count();
        assert_eq!(radios, required, "{name}: every choice must be made by hand");
    }
    let (_, open) = pages::adoptions().remove(0);
    for choice in [ChosenButton::Adopt, ChosenButton::DeclineOtherSlot, ChosenButton::DeclineStand] {
        assert!(open.body.contains(&format!("name=\"choice\" id=\"choice-{0}\" value=\"{0}\"", choice.word())));
        assert_eq!(ChosenButton::parse(choice.word()), Some(choice));
    }
    assert!(!open.body.contains("type=\"submit\" name="), "no button decides by itself");
    assert_eq!(ChosenButton::parse("yes"), None);
}

/// Who may not decide learns nothing of the proposal; who only attends learns nothing of the others.
#[test]
fn pages_show_no_more_than_their_reader_may_know() {
    for (name, page) in pages::adoptions() {
        let proposal = page.body.contains("What would change");
        let decider = ["adopt_open", "adopt_superseded", "adopt_facts_changed", "adopt_asked_again"];
        let pending = name != "adopt_asked_again_in_a_pause";
        assert_eq!(proposal, pending && decider.iter().any(|decider| name.starts_with(decider)), "{name}");
        let stranger = matches!(name, "adopt_not_the_owner" | "adopt_expired_for_another" | "adopt_former_owner");
        assert!(!stranger || !page.body.contains("Tanaka") && !page.body.contains("16:00"), "{name}");
    }
    for (name, page) in pages::acknowledgements() {
        for other in ["Tanaka", "Briain", "Marques", "Müller", "sec-a", "rm-a", "dbm-a"] {
            assert!(!page.body.contains(other), "{name}: {other}");
        }
    }
    let failure = failure::no_link();
    assert_eq!(failure, failure::no_link());
    assert_eq!(failure.status, 404);
    assert!(!failure.body.contains("RR-"));
}

/// Pages lead on by path: no function knows its own host. What names another host that way leads nowhere.
#[test]
fn pages_lead_on_by_path_and_to_no_other_host() {
    let stale =
        pages::all().into_iter().find(|(known, _)| *known == "acknowledge_stale").expect("a page of that name").1;
    assert!(stale.body.contains("<a class=\"button\" href=\"/acknowledge/FRESH\">"), "{}", stale.body);
    for link in ["/reviews/a", "/a?b=c&d", "https://holdpoint.example.com/reviews/a"] {
        assert_eq!(Href::parse(link).map(|href| href.to_string()).as_deref(), Ok(link));
    }
    for link in
        ["//evil.example", "/\\evil.example", "javascript:alert(1)", "reviews/a", "", "/a b", "/a\"b", "/ü", "https://"]
    {
        assert!(Href::parse(link).is_err(), "{link:?}");
    }
}

/// A link decides its own proposal and no other: whatever a page is given, it leads to no page that decides.
#[test]
fn no_page_leads_to_one_that_decides() {
    for (name, page) in pages::all().into_iter().filter(|(name, _)| !name.starts_with("mailbox")) {
        assert!(!page.body.contains("href=\"/adopt/"), "{name}: {}", page.body);
    }
    for (name, page) in pages::led_on() {
        let leads = page.body.contains("href=\"/reviews/WHOLE\"");
        assert_eq!(leads, !name.contains("expired"), "{name}: {}", page.body);
    }
}

/// Every reason why a form is not taken has its own words, and each page says them where it offers a form again.
#[test]
fn every_hint_has_words_of_its_own() {
    let words: std::collections::BTreeSet<&str> =
        Hint::ALL.into_iter().flat_map(|hint| [hint.text(), hint.word()]).collect();
    assert_eq!(words.len(), Hint::ALL.len() * 2);
    for hint in Hint::ALL {
        let nothing = hint.text().starts_with("Nothing was changed: ") || hint == Hint::NothingChosen;
        assert!(nothing, "{hint:?}: whether anything was changed is what its reader asks first");
        for page in pages::returned(&Returned { hint, written: String::new() }) {
            let said = page.body.find("role=\"alert\"").filter(|at| page.body[*at..].contains(hint.text()));
            assert!(
                said < page.body.find("<h2"),
                "{hint:?}: whoever sent the form sees at once that it came back: {}",
                page.body
            );
            assert!(said.is_some(), "{hint:?}: {}", page.body);
        }
    }
}

/// Whoever has to send a form again does not write the text again, and the text is nothing but text.
#[test]
fn what_was_written_stands_in_the_form_that_comes_back() {
    let written = "Agreed with <ops> & \"us\".\nSecond line</textarea><script>\u{202e}\u{0}".to_owned();
    for page in pages::returned(&Returned { hint: Hint::OpenTooLong, written }) {
        let field = page.body.split("<textarea").nth(1).and_then(|field| field.split_once('>'));
        let (text, _) = field.and_then(|(_, rest)| rest.split_once("</textarea>")).expect("a field for text");
        let shown = "Agreed with &#60;ops&#62; &#38; &#34;us&#34;.\nSecond line&#60;/textarea&#62;&#60;script&#62;";
        assert_eq!(text, shown);
    }
}

/// Labels, heading, language, landmarks, unique ids, described controls: what a screen reader goes by.
#[test]
fn every_page_can_be_read_without_eyes() {
    for (name, page) in pages::all().into_iter().filter(|(name, _)| *name != "mailbox_frame") {
        let body = &page.body;
        assert!(body.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
        assert_eq!(body.matches("<h1").count(), 1, "{name}");
        assert_eq!(body.matches("<main>").count(), 1, "{name}");
        let values = |attribute: &str| -> Vec<String> {
            let head = format!(" {attribute}=\"");
            let parts = body.split(&head).skip(1);
            parts.filter_map(|part| part.split('"').next()).map(str::to_owned).collect()
        };
        let mut ids = values("id");
        ids.sort();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id twice");
        for reference in ["for", "aria-describedby", "aria-labelledby"] {
            for id in values(reference).iter().flat_map(|ids| ids.split(' ').map(str::to_owned).collect::<Vec<_>>()) {
                assert!(ids.contains(&id), "{name}: {reference} names {id}, which is not there");
            }
        }
        let controls = body.matches("<input type=\"radio\"").count()
            + body.matches("<textarea").count()
            + body.matches("<select").count();
        assert_eq!(controls, values("for").len(), "{name}: a label for each control");
        let title = body.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        assert!(!title.is_empty(), "{name}");
    }
}

/// WCAG 2.2, 1.4.3 and 1.4.11: 4.5 for text, 3 for what must be seen to be used; light and dark.
#[test]
fn colours_stand_out_enough() {
    let css = include_str!("../templates/style.css");
    let (light, rest) = css.split_once("@media").expect("a light and a dark part");
    for (name, part) in [("light", light), ("dark", rest.split("} }").next().unwrap_or_default())] {
        let colour = |variable: &str| {
            let at = part.find(&format!("--{variable}: #")).unwrap_or_else(|| panic!("{name}: --{variable}"));
            let hex = &part[at + variable.len() + 5..][..6];
            luminance(u32::from_str_radix(hex, 16).expect("a colour"))
        };
        let ratio = |a: &str, b: &str| {
            let (a, b) = (colour(a), colour(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        let text = [
            ("ink", "page"),
            ("ink", "card"),
            ("quiet", "page"),
            ("quiet", "card"),
            ("link", "page"),
            ("link", "card"),
            ("on-link", "link"),
            ("now-ink", "now-back"),
            ("was", "card"),
            ("good", "good-back"),
            ("bad", "bad-back"),
            ("ink", "good-back"),
            ("ink", "bad-back"),
            ("mark", "mark-back"),
            ("ink", "mark-back"),
            ("ink", "now-back"),
            ("link", "bad-back"),
            ("slot-new", "card"),
            ("slot-now", "card"),
            ("bad", "card"),
            ("good", "card"),
        ];
        for (front, back) in text {
            assert!(ratio(front, back) >= 4.5, "{name}: {front} on {back} is {:.2}", ratio(front, back));
        }
        for (front, back) in [
            ("edge", "card"),
            ("edge", "page"),
            ("busy", "card"),
            ("busy", "free"),
            ("unknown-line", "card"),
            ("slot-new", "card"),
        ] {
            assert!(ratio(front, back) >= 3.0, "{name}: {front} on {back} is {:.2}", ratio(front, back));
        }
    }
}

fn luminance(colour: u32) -> f64 {
    let channel = |shift: u32| {
        let value = f64::from(colour >> shift & 0xff) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
}

/// Not knowing is never good news, and no bad news either: the choice takes a silent calendar for unknown, and so does the
/// picture of it.
#[test]
fn the_time_of_a_silent_calendar_is_drawn_as_unknown() {
    let owner = common::person("rm-a");
    let drawn = |world: &common::World| {
        let body = pages::to_decide(world, &owner).body;
        ["<title>Busy, ", "<title>Free, ", "<title>Unknown, "].map(|span| body.contains(span))
    };
    let world = common::World::proposed();
    assert_eq!(drawn(&world), [true, true, true]);
    assert_eq!(drawn(&world.without_calendars()), [false, false, true]);
}

/// A source of people's time that is silent past its promise is named where the owner decides and where the review is shown.
#[test]
fn a_silent_source_is_named_on_the_owners_page() {
    let owner = common::person("rm-a");
    let mut world = common::World::proposed();
    let named = |world: &common::World| {
        let told = "//calendar.example.com has been silent for longer than it promised.";
        pages::to_decide(world, &owner).body.contains(told)
    };
    assert!(!named(&world));
    world.review.head.today.silent = vec![refresh_core::Source::parse("//calendar.example.com").expect("a source")];
    assert!(named(&world));
}
