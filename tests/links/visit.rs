//! Somebody with a link, before a bundle that has come as far as a scenario's instant.

use std::{collections::BTreeSet, fs};

use holdpoint::replay::Scenario;
use holdpoint_tests::{
    repository,
    world::{World, drive, with_room},
};
use lambda_shell::web::{Request, Response};
use mail_parser::MessageParser;
use refresh_core::{Instant, base::instant::MINUTE};

const HOST: &str = "holdpoint.example.com";
const FORM: &str = "application/x-www-form-urlencoded";

/// Drives a visit to its end, where it has room.
pub fn run<F: Future<Output = ()>>(work: impl FnOnce() -> F + Send) {
    with_room(|| drive(work()));
}

/// A page as its reader sees it.
pub struct Seen {
    pub response: Response,
    /// The word of the result header.
    pub says: String,
    /// What its form can be sent with.
    pub offers: Vec<String>,
    /// The purposes of the links on it.
    pub leads_to: BTreeSet<String>,
    pub seal: Option<String>,
}

impl Seen {
    fn of(response: Response) -> Self {
        let body = String::from_utf8_lossy(&response.body).into_owned();
        let after = |start: &str| -> Vec<String> {
            let parts = body.split(start).skip(1);
            parts.filter_map(|part| part.split('"').next()).map(str::to_owned).collect()
        };
        let mut offers = Vec::new();
        for input in body.split("<input type=\"radio\"").skip(1) {
            let tag = input.split('>').next().unwrap_or_default();
            offers.extend(tag.split(" value=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned));
        }
        let hrefs = after(" href=\"");
        let leads_to = hrefs.iter().filter_map(|href| href.strip_prefix('/')?.split('/').next().map(str::to_owned));
        let mut seen = Self {
            says: String::new(),
            offers,
            leads_to: leads_to.collect(),
            seal: after("name=\"seal\" value=\"").into_iter().next(),
            response,
        };
        seen.says = seen.header("holdpoint-result").unwrap_or_default();
        seen
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    pub const fn status(&self) -> u16 {
        self.response.status
    }

    pub fn body(&self) -> String {
        String::from_utf8_lossy(&self.response.body).into_owned()
    }
}

pub struct Visitor {
    world: World,
    scenario: Scenario,
    next: usize,
}

fn instant(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

impl Visitor {
    pub async fn at(scenario: &str, at: &str) -> Self {
        let read = |end: &str| {
            let path = repository().join(format!("events/scenarios/{scenario}{end}"));
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let parsed = Scenario::parse(&read(".jsonl")).unwrap_or_else(|malformed| panic!("{scenario}: {malformed:?}"));
        let world = World::open(&read(".policy.json"), parsed.lines[0].at).await.expect("a world");
        let mut visitor = Self { world, scenario: parsed, next: 0 };
        visitor.until(at).await;
        visitor
    }

    /// What the scenario does by then, and time.
    pub async fn until(&mut self, at: &str) {
        let at = instant(at);
        while let Some(line) = self.scenario.lines.get(self.next).filter(|line| line.at <= at) {
            self.world.until(line.at).await.expect("time");
            self.world.act(line).await.expect("a line");
            self.next += 1;
        }
        self.world.until(at).await.expect("time");
    }

    pub async fn minutes(&mut self, minutes: i64) {
        let at = self.world.time().now().plus_millis(minutes * MINUTE);
        self.world.until(at).await.expect("time");
    }

    /// The token of a link in somebody's mails, the newest first, each proposal and row once; of a workspace, the one that
    /// their newest adoption page leads to.
    pub async fn token(&self, whose: &str, purpose: &str, which: usize) -> String {
        if purpose == "reviews" {
            let token = Box::pin(self.token(whose, "adopt", which)).await;
            let page = self.get(&format!("/adopt/{token}")).await.body();
            let link = page.split("href=\"/reviews/").nth(1).and_then(|rest| rest.split('"').next());
            return link.expect("a link to the whole review").to_owned();
        }
        let mut things = Vec::new();
        for mail in self.world.engine().mailbox().to(&format!("{whose}@example.com")) {
            let text =
                MessageParser::default().parse(&mail.raw).expect("a mail").body_text(0).expect("text").into_owned();
            let start = format!("https://{HOST}/{purpose}/");
            let token = text.split(&start).nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
            // The first 51 bytes are purpose, review, person and thing; behind them stand expiry and nonce.
            if let Some(token) = token
                && !things.iter().any(|known: &String| known[..68] == token[..68])
            {
                things.push(token);
            }
        }
        things.get(which).unwrap_or_else(|| panic!("{whose} was mailed {} links to {purpose}", things.len())).clone()
    }

    /// How many mails somebody got so far.
    pub fn mails(&self, whose: &str) -> usize {
        self.world.engine().mailbox().to(&format!("{whose}@example.com")).len()
    }

    /// The token of the link in somebody's newest mail that carries one.
    pub fn newest_link(&self, whose: &str, purpose: &str) -> String {
        let start = format!("https://{HOST}/{purpose}/");
        let links = self.world.engine().mailbox().to(&format!("{whose}@example.com")).into_iter().filter_map(|mail| {
            let text = MessageParser::default().parse(&mail.raw)?.body_text(0)?.into_owned();
            text.split(&start).nth(1)?.split_whitespace().next().map(str::to_owned)
        });
        links.into_iter().next().expect("a link")
    }

    pub async fn get(&self, path: &str) -> Seen {
        Seen::of(self.ask("GET", path, &[], "").await)
    }

    /// The page's own form, with these fields beside its seal.
    pub async fn send(&self, path: &str, fields: &str) -> Seen {
        let seal = self.get(path).await.seal.expect("a form");
        self.send_with(path, &format!("seal={seal}&{fields}")).await
    }

    pub async fn send_with(&self, path: &str, form: &str) -> Seen {
        Seen::of(self.ask("POST", path, &[("sec-fetch-site", "same-origin")], form).await)
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut all = vec![("host".to_owned(), HOST.to_owned())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type".to_owned(), FORM.to_owned()));
        }
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: all,
            body: body.as_bytes().to_vec(),
            domain_name: Some(HOST.to_owned()),
            ..Request::default()
        };
        self.world.engine().request(&request).await.expect("an answer").expect("some function answers")
    }
}
