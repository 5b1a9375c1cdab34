//! What a link opens: every state of a link, at every page, for every purpose; and what a form is told that is not taken.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

mod visit;

use std::collections::BTreeSet;

use visit::{Seen, Visitor};

const PAGES: [&str; 3] = ["adopt", "acknowledge", "reviews"];
const DECIDE: &[&str] = &["adopt", "decline_other_slot", "decline_stand"];
const ANSWER: &[&str] = &["acknowledged", "conflict"];
const ASK: &[&str] = &["ask_again"];
const MAIL: &[&str] = &["send_link"];

/// A link in one state: where and when it is, whose, which of theirs of that purpose (the newest is 0), and what its own
/// page says, offers and leads to.
struct Row {
    state: &'static str,
    scenario: &'static str,
    at: &'static str,
    whose: &'static str,
    purpose: &'static str,
    which: usize,
    says: &'static str,
    offers: &'static [&'static str],
    leads_to: &'static [&'static str],
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { state: "to be decided", scenario: "story", at: "2026-11-03T11:50:00Z", whose: "release-owner", purpose: "adopt", which: 0, says: "shown", offers: DECIDE, leads_to: &["reviews"] },
    Row { state: "superseded, while another waits for its reader", scenario: "story", at: "2026-11-03T11:50:00Z", whose: "release-owner", purpose: "adopt", which: 1, says: "superseded", offers: MAIL, leads_to: &["reviews"] },
    Row { state: "superseded, after the other was adopted", scenario: "story", at: "2026-11-03T12:10:00Z", whose: "release-owner", purpose: "adopt", which: 1, says: "superseded", offers: &[], leads_to: &["reviews"] },
    Row { state: "adopted by its reader", scenario: "story", at: "2026-11-03T12:10:00Z", whose: "release-owner", purpose: "adopt", which: 0, says: "adopted", offers: &[], leads_to: &["reviews"] },
    Row { state: "declined by its reader", scenario: "declined_to_stand", at: "2026-11-03T09:20:00Z", whose: "rm-a", purpose: "adopt", which: 0, says: "declined", offers: &[], leads_to: &["reviews"] },
    Row { state: "expired undecided", scenario: "expired_undecided", at: "2026-11-03T10:35:00Z", whose: "rm-a", purpose: "adopt", which: 0, says: "expired", offers: ASK, leads_to: &[] },
    Row { state: "expired, and something else is proposed", scenario: "expired_undecided", at: "2026-11-03T11:00:00Z", whose: "rm-a", purpose: "adopt", which: 1, says: "expired", offers: &[], leads_to: &[] },
    Row { state: "of a former owner", scenario: "a_new_owner", at: "2026-11-03T09:39:00Z", whose: "old", purpose: "adopt", which: 0, says: "not_the_owner", offers: &[], leads_to: &[] },
    Row { state: "a row to be answered", scenario: "unanswered_and_answered", at: "2026-11-03T09:30:00Z", whose: "sre-a", purpose: "acknowledge", which: 0, says: "shown", offers: ANSWER, leads_to: &[] },
    Row { state: "a row that was answered", scenario: "unanswered_and_answered", at: "2026-11-03T12:00:00Z", whose: "sre-a", purpose: "acknowledge", which: 0, says: "shown", offers: ANSWER, leads_to: &[] },
    Row { state: "a row of an earlier proposal", scenario: "story", at: "2026-11-03T11:50:00Z", whose: "security-delegate-2", purpose: "acknowledge", which: 1, says: "stale", offers: &[], leads_to: &["acknowledge"] },
    Row { state: "the whole review", scenario: "story", at: "2026-11-03T11:50:00Z", whose: "release-owner", purpose: "reviews", which: 0, says: "", offers: &[], leads_to: &[] },
];

/// Past this instant every link of every scenario is past its own expiry.
const LONG_AFTER: &str = "2026-11-12T00:00:00Z";

fn choices(seen: &Seen) -> Vec<&str> {
    seen.offers.iter().map(String::as_str).collect()
}

#[test]
fn every_state_of_a_link_at_every_page() {
    visit::run(|| async {
        for row in ROWS {
            let mut visitor = Visitor::at(row.scenario, row.at).await;
            let token = visitor.token(row.whose, row.purpose, row.which).await;
            let nothing = visitor.get("/adopt/nothing-like-a-link").await;
            for page in PAGES {
                let what = format!("{}, at /{page}", row.state);
                let seen = visitor.get(&format!("/{page}/{token}")).await;
                if page != row.purpose {
                    assert_eq!(seen.response, nothing.response, "{what}: purposes never stand in for each other");
                    continue;
                }
                assert_eq!((seen.status(), seen.says.as_str()), (200, row.says), "{what}: {}", seen.body());
                assert_eq!(choices(&seen), row.offers, "{what}");
                let leads_to: Vec<&str> = seen.leads_to.iter().map(String::as_str).collect();
                assert_eq!(leads_to, row.leads_to, "{what}");
            }
            visitor.until(LONG_AFTER).await;
            for page in PAGES {
                let seen = visitor.get(&format!("/{page}/{token}")).await;
                assert_eq!(seen.response, nothing.response, "{}, long after, at /{page}", row.state);
            }
        }
    });
}

/// The page in words: what its tags hold, one blank between them.
fn words(seen: &Seen) -> String {
    let body = seen.body();
    let text = body.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    text.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// The owner reads in which reviews the shared people sit, or are proposed to sit, and when.
#[test]
fn the_owners_page_names_the_other_review() {
    visit::run(|| async {
        let scenario = "two_reviews_that_share_people";
        let mut visitor = Visitor::at(scenario, "2026-11-03T09:05:00Z").await;
        let mut pages = Vec::new();
        for which in 0..2 {
            let token = visitor.token("rm-a", "adopt", which).await;
            pages.push(words(&visitor.get(&format!("/adopt/{token}")).await));
        }
        let of = |review: &str| {
            let about = format!("review {review} ");
            pages.iter().find(|page| page.contains(&about)).unwrap_or_else(|| panic!("{review}: {pages:#?}")).clone()
        };
        // In the reader's zone. The hour that the other review has, and the one that it has asked for, may be one run.
        for (own, said) in [
            ("RR-2000", &["16:00–17:30 (in RR-1042)"][..]),
            ("RR-1042", &["15:00–16:00 (in RR-2000)", "17:30–18:30 (in RR-2000)"]),
        ] {
            let page = of(own);
            let table = page.split("The timeline in words").nth(1).unwrap_or_default();
            assert!(said.iter().all(|seat| table.contains(seat)), "{own}: {table}");
            assert!(!table.contains(&format!("(in {own}")), "{own} is no other review: {table}");
        }
        visitor.until("2026-11-03T09:35:00Z").await;
        let third = visitor.newest_link("rm-a", "adopt");
        let page = words(&visitor.get(&format!("/adopt/{third}")).await);
        let seats = "16:30–18:30 (in RR-1042, RR-2000)";
        assert!(page.contains("review RR-3000 ") && page.contains(seats), "{seats}: {page}");
    });
}

/// Whoever passes a HEAD on measures a body that is not there.
#[test]
fn head_has_the_headers_of_get_and_no_body() {
    visit::run(|| async {
        for row in ROWS {
            let visitor = Visitor::at(row.scenario, row.at).await;
            let token = visitor.token(row.whose, row.purpose, row.which).await;
            for path in [format!("/{}/{token}", row.purpose), format!("/{}/x{token}", row.purpose)] {
                let (get, head) = (visitor.ask("GET", &path, &[], "").await, visitor.ask("HEAD", &path, &[], "").await);
                assert_eq!(head.status, get.status, "{}", row.state);
                assert!(head.body.is_empty() && !get.body.is_empty(), "{}", row.state);
                let mut expected: BTreeSet<(String, String)> = get.headers.into_iter().collect();
                expected.insert(("content-length".to_owned(), get.body.len().to_string()));
                let found: BTreeSet<(String, String)> = head.headers.into_iter().collect();
                assert_eq!(found, expected, "{}", row.state);
            }
        }
    });
}

/// The expired page of one proposal cannot reopen another, though both may say the same.
#[test]
fn ask_again_is_for_the_proposal_of_its_own_link() {
    visit::run(|| async {
        let mut visitor = Visitor::at("expired_undecided", "2026-11-03T10:35:00Z").await;
        let first = format!("/adopt/{}", visitor.token("rm-a", "adopt", 0).await);
        let asked = visitor.send(&first, "choice=ask_again").await;
        assert_eq!(asked.says, "asked_again", "{}", asked.body());
        assert!(asked.offers.is_empty() && !asked.leads_to.contains("adopt"), "a second step, by another mail's link");
        let again = visitor.get(&first).await;
        assert_eq!((again.says.as_str(), choices(&again)), ("expired", vec![]), "its own proposal is over");
        // The new one is decided through its own mail, which goes out at once.
        visitor.minutes(1).await;
        let second = format!("/adopt/{}", visitor.token("rm-a", "adopt", 0).await);
        assert_ne!(first, second);
        let offered = visitor.get(&second).await;
        assert_eq!(choices(&offered), DECIDE);
        // A form that is kept from the first page reopens nothing, and decides nothing.
        for choice in ["ask_again", "adopt"] {
            let kept = visitor.send_with(&first, &asked_form(&offered, choice)).await;
            assert_eq!(kept.says, "expired", "{choice}");
        }
        let open = visitor.send(&second, "choice=ask_again").await;
        assert_eq!(open.status(), 422);
        assert!(open.body().contains("still open"), "{}", open.body());
    });
}

/// The page of a superseded proposal has the present link mailed, and neither shows nor signs it itself.
#[test]
fn a_superseded_page_mails_the_present_link() {
    visit::run(|| async {
        let mut visitor = Visitor::at("story", "2026-11-03T11:50:00Z").await;
        let present = visitor.token("release-owner", "adopt", 0).await;
        let superseded = format!("/adopt/{}", visitor.token("release-owner", "adopt", 1).await);
        let mails = visitor.mails("release-owner");
        let asked = visitor.send(&superseded, "choice=send_link").await;
        assert_eq!((asked.status(), asked.says.as_str()), (200, "link_sent"), "{}", asked.body());
        assert!(asked.offers.is_empty() && !asked.leads_to.contains("adopt"), "it holds no link itself");
        visitor.minutes(1).await;
        assert_eq!(visitor.mails("release-owner"), mails + 1, "mailed at once");
        let newest = visitor.newest_link("release-owner", "adopt");
        let page = visitor.get(&format!("/adopt/{newest}")).await;
        assert_eq!(
            (page.says.as_str(), choices(&page)),
            ("shown", DECIDE.to_vec()),
            "the link of what is proposed now"
        );
        // Pressed again within ten minutes, the one that is on its way is meant.
        let again = visitor.send(&superseded, "choice=send_link").await;
        assert_eq!(again.says, "link_sent");
        visitor.minutes(5).await;
        assert_eq!(visitor.mails("release-owner"), mails + 1, "no second mail");
        // Where the link is for the present proposal there is nothing to mail, and the page stays what it is.
        let open = visitor.send(&format!("/adopt/{present}"), "choice=send_link").await;
        assert_eq!(open.status(), 422, "{}", open.body());
        visitor.minutes(5).await;
        assert_eq!(visitor.send(&superseded, "choice=send_link").await.says, "link_sent");
        visitor.minutes(1).await;
        assert_eq!(visitor.mails("release-owner"), mails + 2, "ten minutes later it is mailed once more");
    });
}

/// A form with another page's seal, as somebody who tries would make it.
fn asked_form(page: &Seen, choice: &str) -> String {
    format!("seal={}&choice={choice}", page.seal.as_deref().unwrap_or_default())
}

/// Each reason why a form is not taken is told in words of its own, and changes nothing.
#[test]
fn a_form_that_is_not_taken_is_told_why() {
    visit::run(|| async {
        let mut visitor = Visitor::at("story", "2026-11-03T11:50:00Z").await;
        let path = format!("/adopt/{}", visitor.token("release-owner", "adopt", 0).await);
        let page = visitor.get(&path).await;
        let form = asked_form(&page, "adopt");
        let own = ("origin", "https://holdpoint.example.com");
        let long = format!("{form}&reason={}", "x".repeat(1_001));
        let mut told = BTreeSet::new();
        for (headers, form, words) in [
            (&[][..], form.as_str(), "did not say which page"),
            (&[("origin", "null")], &form, "did not say which page"),
            (&[("origin", "https://elsewhere.example")], &form, "from a page of another site"),
            (&[("sec-fetch-site", "cross-site"), own], &form, "from a page of another site"),
            (&[own], "choice=adopt", "was not made for this link"),
            (&[own], "seal=AAAA&choice=adopt", "was not made for this link"),
            (&[own, ("content-type", "text/plain")], &form, "is not the form of this page"),
            (&[own], &asked_form(&page, "perhaps"), "please choose one"),
            (&[own], &long, "longer than 1,000 characters"),
        ] {
            let refused = visitor.ask("POST", &path, headers, form).await;
            let body = String::from_utf8_lossy(&refused.body).into_owned();
            assert_eq!(refused.status, 422, "{headers:?}: {body}");
            assert!(body.contains(words), "{headers:?}: expected {words:?} in {body}");
            told.insert(words);
        }
        assert_eq!(told.len(), 6);
        visitor.until("2026-11-03T11:51:00Z").await;
        assert_eq!(visitor.get(&path).await.says, "shown", "nothing was decided");
        // A browser that says nothing but its origin is one of ours: the page's own policy keeps it.
        let policy = page.header("referrer-policy");
        assert_eq!(policy.as_deref(), Some("same-origin"));
        let taken = visitor.ask("POST", &path, &[own], &form).await;
        assert_eq!(taken.status, 200, "{}", String::from_utf8_lossy(&taken.body));
    });
}

/// A form that comes back has what was written in it, unless somebody else may have written it. A text is as long as its
/// reader's browser counts it: the end of a line is one character there, and is sent as two.
#[test]
fn what_was_written_comes_back_and_is_counted_as_browsers_count() {
    visit::run(|| async {
        let visitor = Visitor::at("story", "2026-11-03T11:50:00Z").await;
        let path = format!("/adopt/{}", visitor.token("release-owner", "adopt", 0).await);
        let page = visitor.get(&path).await;
        let own = ("origin", "https://holdpoint.example.com");
        let elsewhere = ("origin", "https://elsewhere.example");
        let written = |choice: &str, text: &str| format!("{}&reason={text}", asked_form(&page, choice));
        let unchosen = written("perhaps", "Agreed%0D%0Awith+ops");
        for (origin, field) in [(own, ">Agreed\nwith ops</textarea>"), (elsewhere, "></textarea>")] {
            let refused = visitor.ask("POST", &path, &[origin], &unchosen).await;
            let body = String::from_utf8_lossy(&refused.body).into_owned();
            assert_eq!(refused.status, 422, "{body}");
            assert!(body.contains(field), "{origin:?}: expected {field:?} in {body}");
        }
        let of_length = |length: usize| format!("{}%0D%0A{}", "x".repeat(length - 500), "y".repeat(499));
        let refused = visitor.ask("POST", &path, &[own], &written("adopt", &of_length(1_001))).await;
        assert_eq!(refused.status, 422, "{}", String::from_utf8_lossy(&refused.body));
        let taken = visitor.ask("POST", &path, &[own], &written("adopt", &of_length(1_000))).await;
        assert_eq!(taken.status, 200, "{}", String::from_utf8_lossy(&taken.body));
    });
}
