//! `holdpoint`: the story of the README, told by the real thing. Real queues, handlers, store, mail and pages; only the
//! clock is led through the story's day, and goes on from its last instant when the story is told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant as Stopwatch},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpListener;

use super::{
    Common, Failed,
    home::{self, Home, Owner, Place},
    print, say, serve, settings,
};
use crate::{
    engine::virtual_time::VirtualTime,
    replay::{Player, Records, Scenario, adoption_path, in_words, scenario::Action},
    server,
};

const STORY: &str = include_str!("../../../../events/scenarios/story.jsonl");
const POLICY: &str = include_str!("../../../../events/scenarios/story.policy.json");

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Stop when the story is told.
    #[arg(long)]
    exit: bool,
    /// Stop the story where the release owner must decide, and leave the decision to you.
    #[arg(long)]
    decide: bool,
    /// Listen on this port of loopback, for pages and mailbox.
    #[arg(long, default_value_t = home::PORT)]
    port: u16,
}

pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let story = Scenario::parse(STORY).map_err(Failed::new)?;
    let home = Home::take(&Place::of(Owner::Demo, common.data.as_deref()))?;
    let listener = listen(options).await?;
    let address = listener.local_addr().map_err(Failed::new)?;
    home.begin_anew()?;
    home.accept_policy(POLICY)?;
    say(common, format!("an empty store for the story: {}", home.store().display()));
    let settings = home.settings(POLICY.to_owned(), address.port(), &home::KeyFiles::default())?;
    home.announce(Some(address))?;
    let first = story.lines.first().ok_or_else(|| Failed::new("the story is empty"))?;
    let mut player = Player::of(VirtualTime::open(settings, first.at).await.map_err(Failed::new)?);
    tell(common, options, &story, &mut player).await?;

    let adoption = adoption_path(player.time().engine());
    let time = player.into_time();
    let (engine, hand) = (time.engine().clone(), time.hand());
    say(common, "");
    let pages = serve::Pages::of(&engine, address);
    say(common, format!("  mailbox         {}", pages.mailbox));
    if let Some(path) = adoption {
        let page = if options.decide { "adoption page " } else { "what was adopted" };
        say(common, format!("  {page:<15} http://{address}{path}"));
    }
    say(common, format!("  reviews         {}", pages.reviews));
    if !options.decide {
        say(
            common,
            "  the owner has decided already; `holdpoint --decide` stops before, and leaves the decision to you",
        );
    }
    if options.exit {
        say(common, "the story is told (--exit): `holdpoint` without it stays up for these pages");
        return Ok(());
    }
    // Not before: while the story is told, a Ctrl-C ends it.
    let ending = serve::Ending::listen();
    let now = engine.now();
    say(common, format!("the engine stays up, on the story's clock: it is {now} here, and goes on. Ctrl-C stops."));
    let clockwork = tokio::spawn(go_on(hand));
    let stayed = serve::stay(common, listener, engine, ending).await;
    clockwork.abort();
    stayed
}

/// With `--exit` nobody will follow a link, so any free port will do where the usual one is taken.
async fn listen(options: &Options) -> Result<TcpListener, Failed> {
    match server::bind(settings::loopback(options.port)).await {
        Err(_) if options.exit => server::bind(settings::loopback(0)).await.map_err(Failed::new),
        bound => bound.map_err(Failed::new),
    }
}

async fn tell(common: &Common, options: &Options, story: &Scenario, player: &mut Player) -> Result<(), Failed> {
    let bar = if common.json { ProgressBar::hidden() } else { ProgressBar::new(story.lines.len() as u64) };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}");
    bar.set_style(style.map_err(Failed::new)?);
    let mut mails = 0;
    for line in &story.lines {
        let decides = matches!(line.action, Some(Action::Adopt(_) | Action::Decline(..)));
        if options.decide && decides {
            bar.finish_and_clear();
            say(common, "here the release owner decides. It is your turn: open the adoption page below.");
            return Ok(());
        }
        bar.set_message(format!("{}", line.at));
        let records = player.until(line.at).await.map_err(Failed::new)?;
        show(common, &bar, &records)?;
        let records = player.act(line).await.map_err(Failed::new)?;
        show(common, &bar, &records)?;
        bar.inc(1);
        mails = player.time().engine().mailbox().len();
    }
    let state = player.state().await.map_err(Failed::new)?;
    show(common, &bar, &state)?;
    bar.finish_and_clear();
    say(common, format!("the story is told: {} lines, {mails} mails", story.lines.len()));
    Ok(())
}

fn show(common: &Common, bar: &ProgressBar, records: &Records) -> Result<(), Failed> {
    for record in records {
        let line = match common.json {
            true => serde_json::to_string(record).map_err(Failed::new)?,
            false => in_words(record),
        };
        bar.suspend(|| print(line))?;
    }
    Ok(())
}

/// The story's clock runs on at the pace of the day.
async fn go_on(hand: Arc<AtomicI64>) {
    let (from, since) = (hand.load(Ordering::SeqCst), Stopwatch::now());
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let passed = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
        hand.fetch_max(from.saturating_add(passed), Ordering::SeqCst);
    }
}
