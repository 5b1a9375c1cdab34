//! `holdpoint serve`: the durable one-machine engine.

use std::path::PathBuf;

use clap::Args;
use lambda_shell::clock::Clock;
use tokio::net::TcpListener;

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
    say(common, format!("holdpoint is up at http://{address}"));
    say(common, format!("  reviews     http://{address}/reviews"));
    say(common, format!("  mailbox     http://{address}/mailbox"));
    say(common, format!("  events to   http://{address}/events"));
    if common.json {
        print(serde_json::json!({ "address": format!("http://{address}") }))?;
    }
    stay(common, listener, engine).await
}

/// Live until somebody says stop.
pub async fn stay(common: &Common, listener: TcpListener, engine: Engine) -> Result<(), Failed> {
    let live = Live::start(&engine);
    server::serve(listener, engine, told_to_stop()).await.map_err(Failed::new)?;
    say(common, "stopping: what is being handled comes to its end");
    live.stop().await;
    Ok(())
}

async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
