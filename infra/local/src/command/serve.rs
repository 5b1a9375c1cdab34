//! `holdpoint serve`: the durable one-machine engine.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use lambda_shell::clock::Clock;
use tokio::{net::TcpListener, sync::oneshot};

use super::{Common, Failed, home::Home, print, replay, say};
use crate::{
    engine::{Engine, live::Live},
    server,
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The port of pages, mailbox and `POST /events`, on loopback.
    #[arg(long, default_value_t = 8420)]
    port: u16,
    /// The deployment's policy; the bundle's own by default.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let policy = match &options.policy {
        Some(file) => replay::read(file)?,
        None => replay::POLICY.to_owned(),
    };
    let home = Home::take(&common.data)?;
    let listener = server::bind(options.port).await.map_err(Failed::new)?;
    let address = listener.local_addr().map_err(Failed::new)?;
    let settings = home.settings(home.store(), policy, address.port())?;
    home.announce(&settings, Some(address.to_string()))?;
    say(common, format!("opening {}", home.store().display()));
    let engine = Engine::open(settings, Clock::system()).await.map_err(Failed::new)?;
    let pages = Pages::of(&engine, address);
    say(common, format!("holdpoint is up at http://{address}"));
    say(common, format!("  reviews     {}", pages.reviews));
    say(common, format!("  mailbox     {}", pages.mailbox));
    say(common, format!("  events to   http://{address}/events"));
    if common.json {
        let Pages { reviews, mailbox } = pages;
        print(serde_json::json!({ "address": format!("http://{address}"), "reviews": reviews, "mailbox": mailbox }))?;
    }
    stay(common, listener, engine).await
}

/// The operator's pages: addresses that let a browser in.
pub struct Pages {
    pub reviews: String,
    pub mailbox: String,
}

impl Pages {
    pub fn of(engine: &Engine, address: SocketAddr) -> Self {
        let token = &engine.settings().operator_token;
        let opening = |path: &str| server::opening(&address.to_string(), path, token);
        Self { reviews: opening("/reviews"), mailbox: opening("/mailbox") }
    }
}

/// Live until somebody says stop. Said twice, the process ends where it is, which loses nothing that was accepted.
pub async fn stay(common: &Common, listener: TcpListener, engine: Engine) -> Result<(), Failed> {
    let live = Live::start(&engine);
    let (once, twice) = signals();
    let json = common.json;
    let stop = async move {
        let _ = once.await;
        if !json {
            eprintln!("stopping: what is being handled comes to its end; say it again to stop at once");
        }
    };
    let ended = async {
        let served = server::serve(listener, engine, stop).await.map_err(Failed::new);
        live.stop().await;
        served
    };
    tokio::select! {
        ended = ended => ended,
        Ok(()) = twice => {
            say(common, "stopped at once; what was being handled comes again at the next start");
            // Not by returning: the runtime would wait for what is under way.
            std::process::exit(STOPPED_AT_ONCE)
        }
    }
}

/// As a shell says it of a program that an interrupt ended.
const STOPPED_AT_ONCE: i32 = 130;

/// Ready when the process is asked to end for the first time, and for the second.
fn signals() -> (oneshot::Receiver<()>, oneshot::Receiver<()>) {
    let ((first, once), (second, twice)) = (oneshot::channel(), oneshot::channel());
    // Listening from now on: a signal that nobody listens for ends the process.
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        signals.next().await;
        let _ = first.send(());
        signals.next().await;
        let _ = second.send(());
    });
    (once, twice)
}

struct Signals {
    #[cfg(unix)]
    terminated: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self { terminated: signal(SignalKind::terminate()).ok() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(terminated) = &mut self.terminated {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
