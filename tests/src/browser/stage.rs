//! A bundle with its pages on a port of its own, a story played up to the moment somebody opens one. Its clock stands
//! still while people read, so that whatever changes in the store, a request changed it.

use std::fs;

use holdpoint::{
    embedded::TABLE,
    engine::{Engine, Settings, virtual_time::VirtualTime},
    replay::{Player, Scenario, scenario::Line},
    server,
};
use refresh_core::Instant;
use tokio::task::JoinHandle;

use super::driver::Browser;
use crate::repository;

/// The operator's; a stage lasts as long as a test, and its port is another each time.
const TOKEN: &str = "the-operator-of-this-stage";

pub struct Stage {
    player: Player,
    /// What is not played yet, the next line last.
    ahead: Vec<Line>,
    /// `http://127.0.0.1:port`
    pub base: String,
    server: JoinHandle<Result<(), String>>,
}

impl Stage {
    /// The scenario of that name, told up to `at` without what its people do: that is for the browser to do.
    pub async fn at(name: &str, at: &str) -> Result<Self, String> {
        let folder = repository().join("events/scenarios");
        let read = |file: String| fs::read_to_string(folder.join(&file)).map_err(|error| format!("{file}: {error}"));
        let scenario =
            Scenario::parse(&read(format!("{name}.jsonl"))?).map_err(|malformed| format!("{malformed:?}"))?;
        let policy = read(format!("{name}.policy.json"))?;
        let listener = server::bind(([127, 0, 0, 1], 0).into()).await?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let base = format!("http://{address}");
        let operator_token = TOKEN.to_owned();
        let settings = Settings { link_base: base.clone(), operator_token, ..Settings::in_memory(policy) };
        let mut ahead = scenario.lines;
        ahead.reverse();
        let first = ahead.last().ok_or_else(|| format!("{name} is empty"))?.at;
        let time = VirtualTime::open(settings, first).await?;
        let server = tokio::spawn(server::serve(listener, time.engine().clone(), std::future::pending()));
        let mut stage = Self { player: Player::of(time), ahead, base, server };
        stage.until(at).await?;
        Ok(stage)
    }

    /// Time goes on, and the sources with it; notices go out.
    pub async fn until(&mut self, at: &str) -> Result<(), String> {
        use holdpoint::replay::scenario::Action;
        let at = Instant::parse(at).map_err(|error| format!("{at}: {error:?}"))?;
        while self.ahead.last().is_some_and(|line| line.at <= at) {
            let Some(line) = self.ahead.pop() else { break };
            self.player.until(line.at).await?;
            if matches!(line.action, Some(Action::Send(_) | Action::SendNative(_))) {
                self.player.act(&line).await?;
            }
        }
        self.player.until(at).await.map(drop)
    }

    /// What follows at once from what was done in the browser.
    pub async fn settle(&mut self) -> Result<(), String> {
        let now = self.engine().now();
        self.player.until(now).await.map(drop)
    }

    pub fn engine(&self) -> &Engine {
        self.player.time().engine()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A page of the operator's, by an address that lets the browser in. `path` may have a query.
    pub fn operators(&self, path: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let more = if query.is_empty() { String::new() } else { format!("&{query}") };
        format!("{}{more}", server::opening(self.base.trim_start_matches("http://"), path, TOKEN))
    }

    /// Opens the newest link of that kind (`adopt`, `acknowledge`) in somebody's mail, as they would: mailbox, mail, link.
    pub async fn follow(&self, browser: &Browser, person: &str, kind: &str) -> Result<String, String> {
        let query = form_urlencoded::byte_serialize(person.as_bytes()).collect::<String>();
        browser.open(&self.operators(&format!("/mailbox?to={query}"))).await?;
        let mut mails = Vec::new();
        for link in browser.all("table.mails th a").await? {
            mails.push(browser.attribute(&link, "href").await?);
        }
        for mail in mails {
            browser.open(&self.url(&mail)).await?;
            let selector = format!("a[href*=\"/{kind}/\"]");
            if let Some(link) = browser.all(&selector).await?.into_iter().next() {
                let address = browser.attribute(&link, "href").await?;
                browser.leave_by(&selector).await?;
                return Ok(address);
            }
        }
        Err(format!("{person} has no mail with a link to {kind}"))
    }

    /// Everything that is stored, queued or mailed, to the byte.
    pub async fn everything(&self) -> Result<String, String> {
        let engine = self.engine();
        let mut items: Vec<String> = engine.embedded().scan(TABLE).await?.iter().map(ToString::to_string).collect();
        items.sort();
        for name in engine.queues().names() {
            let counts = engine.queues().counts(&name).map_err(|error| error.to_string())?;
            items.push(format!("{name}: {} {} {}", counts.visible, counts.in_flight, counts.delayed));
        }
        items.push(format!("{} mails", engine.mailbox().len()));
        Ok(items.join("\n"))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.abort();
    }
}
