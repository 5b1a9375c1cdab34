//! `holdpoint serve`: the durable one-machine engine.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use refresh_core::{Instant, Person};
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    Common, Failed,
    home::{self, Home, Owner, Place, Rotated},
    log, policy, print, say,
    settings::{self, SettingsFile},
};
use crate::{
    doors::Public,
    engine::{Engine, Settings, live::Live},
    inbound::{MailDoors, MailIn, lmtp::LmtpAddress},
    server,
    timekeeper::Timekeeper,
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Listen on this port of loopback, for pages, mailbox and `POST /events`; without it, 8420 or what the settings say.
    #[arg(long)]
    port: Option<u16>,
    /// Read the settings from this file; without it, from holdpoint.toml where this folder has one.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Offer this policy to the store, which keeps it for every later start; without it, the accepted one counts.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Take replies by mail from this maildir: each mail is read from `new` and moved to `cur` once it is durable.
    #[arg(long, value_name = "DIR")]
    maildir: Option<PathBuf>,
    /// Take replies by mail over LMTP here: a loopback address with a port, or the path of a Unix socket.
    #[arg(long, value_name = "ADDR", value_parser = |text: &str| LmtpAddress::parse(text, Path::new("")))]
    lmtp: Option<LmtpAddress>,
    /// The address that the mail server delivers to these doors: mails and invitations are answered to it.
    #[arg(long, value_name = "ADDRESS", value_parser = |text: &str| Person::parse(text))]
    reply_address: Option<Person>,
}

/// What the settings say of the log. Faults in them are said by whoever reads them next.
pub fn log_of(options: &Options) -> settings::LogSettings {
    let chosen = settings::at_start(options.settings.as_deref()).ok().flatten();
    chosen.map(|chosen| chosen.settings.log).unwrap_or_default()
}

pub async fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let chosen = settings::at_start(options.settings.as_deref())?;
    let begun = match &chosen {
        Some(chosen) => chosen.settings.clone(),
        None => settings::SettingsFile::default(),
    };
    // A log of JSON holds nothing else: what is said to people is said there.
    let asked_for_json = common.json;
    let common = &Common { json: asked_for_json || begun.log.format == log::Format::Json, ..common.clone() };
    let file = chosen.as_ref().map(|chosen| &chosen.settings);
    server::Places::here(begun.limits.connections).map_err(Failed::new)?;
    let store = common.data.as_deref().or(file.and_then(|file| file.store.as_deref()));
    let home = Home::take(&Place::of(Owner::Service, store))?;
    let offered = options.policy.as_deref().or(file.and_then(|file| file.policy.as_deref()));
    let policy = policy::at_start(&home, offered)?;
    // Before anything is printed: whoever reads the address may ask for the end at once.
    let (ending, renewal) = (Ending::listen(), Renewal::listen());
    let port = options.port.unwrap_or(home::PORT);
    let wanted = file.filter(|_| options.port.is_none()).map_or(settings::loopback(port), |file| file.listen);
    let listener = server::bind(wanted).await.map_err(Failed::new)?;
    let address = listener.local_addr().map_err(Failed::new)?;
    let timekeeper = home.timekeeper()?;
    rotate_in_time(&home, &begun, &timekeeper);
    let mut settings = engine_settings(&home, options, &begun, policy.text, address.port())?;
    settings.certificates = begun.certificates()?.map(Arc::new);
    settings.timekeeper = Some(timekeeper.clone());
    home.announce(Some(address))?;
    home.remember_settings(chosen.as_ref().map(|chosen| chosen.file.as_path()))?;
    say(common, format!("opening {}", home.store().display()));
    let engine = Engine::open(settings, timekeeper.clock()).await.map_err(Failed::new)?;
    home.begun()?;
    let places = MailIn {
        maildir: options.maildir.clone().or(begun.mail.maildir.clone()),
        lmtp: options.lmtp.clone().or(begun.mail.lmtp.clone()),
    };
    let doors = MailDoors::open(&engine, &places).await.map_err(Failed::input)?;
    let pages = Pages::of(&engine, address);
    say(common, format!("holdpoint is up at http://{address}"));
    if let Some(chosen) = &chosen {
        say(common, format!("  settings    {}", chosen.file.display()));
    }
    if let Some(public) = &engine.settings().public {
        say(common, format!("  known as    {}", public.address));
    }
    say(common, format!("  policy      {}", policy.from));
    for line in pages.in_words(address, &home, std::env::var_os(JOURNAL).is_some()) {
        say(common, line);
    }
    say(common, format!("  mail        {}", leaves(&engine)));
    say(common, format!("  events to   http://{address}/events"));
    let no_proxy = engine.settings().public.as_ref().and_then(Public::wrong);
    for why in engine.obstacle().into_iter().chain(no_proxy) {
        say(common, format!("  in the way  {why}"));
    }
    if let Some(door) = &places.lmtp {
        say(common, format!("  mail in     by LMTP at {door}"));
    }
    tracing::info!(%address, "the engine is up");
    if asked_for_json {
        let Pages { reviews, mailbox } = pages;
        print(serde_json::json!({ "address": format!("http://{address}"), "reviews": reviews, "mailbox": mailbox }))?;
    }
    // Ended with the process, which loses no mail.
    tokio::spawn(doors.watch());
    let renewing = tokio::spawn(renew_when_asked(home, engine.clone(), options.clone(), begun, renewal));
    tell_the_supervisor();
    let stayed = stay(common, listener, engine, ending).await;
    renewing.abort();
    stayed
}

/// What the engine goes by: the store's keys and secrets, the settings file, and the options over both.
fn engine_settings(
    home: &Home,
    options: &Options,
    file: &SettingsFile,
    policy: String,
    port: u16,
) -> Result<Settings, Failed> {
    let mut settings = home.settings(policy, port, &file.keys)?;
    file.apply(&mut settings);
    if let Some(address) = &options.reply_address {
        address.as_str().clone_into(&mut settings.reply_address);
    }
    settings.keep.make_archive().map_err(Failed::input)?;
    Ok(settings)
}

/// A service manager that waits for it hears that the engine is up.
fn tell_the_supervisor() {
    #[cfg(unix)]
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::warn!(%error, "the service manager could not be told that the engine is up");
    }
}

/// How often a running engine looks whether its key is too old.
const LOOK_AT_KEYS: Duration = Duration::from_secs(3_600);

/// Makes a new key for links where `[keys] rotate_days` says so. Answers whether there is one. An engine whose key cannot be
/// made goes on with the one that it has, and says so.
fn rotate_in_time(home: &Home, file: &SettingsFile, timekeeper: &Timekeeper) -> bool {
    // By a clock that is wrong, each look would make a key, and the second lets every mailed link open nothing.
    if timekeeper.doubt().is_some() {
        return false;
    }
    let now = Instant::from_millis(timekeeper.clock().now_millis());
    match home.rotate_in_time(&file.keys, now) {
        Ok(Some(Rotated(ids))) => {
            tracing::warn!(signs = ids[0], opens = ids.join(" and "), "links are signed with a new key");
            true
        }
        Ok(None) => false,
        Err(failed) => {
            tracing::error!(why = failed.why, "the key of links is too old, and no new one could be made");
            false
        }
    }
}

/// At each SIGHUP: policy, keys, secrets, `[mail]`, `[limits]` and `[keep]` as their files say now. What is being handled comes to its
/// end with the former ones. A fault changes nothing and stands in the log, and so does what needs a start.
async fn renew_when_asked(home: Home, engine: Engine, options: Options, begun: SettingsFile, mut renewal: Renewal) {
    let json = begun.log.format == log::Format::Json;
    while renewal.asked(|| is_due(&home, &engine, &options)).await {
        match renew(&home, &engine, &options, &begun) {
            Ok(Renewed { policy, left }) if json => {
                tracing::warn!(policy, needs_a_start = left, "renewed");
            }
            Ok(Renewed { policy, left }) => {
                eprintln!(
                    "renewed: policy {policy}; keys and secrets of {}; [mail], [limits], [keep]",
                    home.place().directory.display()
                );
                if !left.is_empty() {
                    eprintln!("holdpoint: the settings differ in what counts from the next start on: {left}");
                }
            }
            Err(failed) if json => tracing::error!(why = failed.why, "not renewed; the engine goes on as before"),
            Err(failed) => eprintln!("holdpoint: not renewed, the engine goes on as before: {}", failed.why),
        }
    }
}

/// Whether a new key was made, which counts once the engine is renewed.
fn is_due(home: &Home, engine: &Engine, options: &Options) -> bool {
    let chosen = settings::at_start(options.settings.as_deref()).ok().flatten();
    match (chosen, &engine.settings().timekeeper) {
        (Some(chosen), Some(timekeeper)) => rotate_in_time(home, &chosen.settings, timekeeper),
        _ => false,
    }
}

struct Renewed {
    /// Where the policy is from.
    policy: String,
    /// What of the settings a running engine does not take, by name.
    left: String,
}

fn renew(home: &Home, engine: &Engine, options: &Options, begun: &SettingsFile) -> Result<Renewed, Failed> {
    let chosen = settings::at_start(options.settings.as_deref())?;
    let file = chosen.map(|chosen| chosen.settings).unwrap_or_default();
    let offered = options.policy.as_deref().or(file.policy.as_deref());
    let policy = policy::next(home, offered)?;
    let settings = engine_settings(home, options, &file, policy.text.clone(), 0)?;
    engine.renew(settings).map_err(Failed::new)?;
    let mut left: Vec<String> = settings::needs_a_start(begun, &file).into_iter().map(str::to_owned).collect();
    // Accepted last: a renewal that is refused accepts no policy. If the file cannot be written, the engine runs by the new
    // policy, and a later start that offers none would go back to the former one.
    if offered.is_some()
        && let Err(failed) = home.accept_policy(&policy.text)
    {
        left.push(format!("the policy, which could not be kept: {}", failed.why));
    }
    Ok(Renewed { policy: policy.from, left: left.join("; ") })
}

/// Asked by SIGHUP, where there is such a thing.
struct Renewal {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Renewal {
    fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self { signal: signal(SignalKind::hangup()).ok() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Until somebody asks, or `is_due` says so of itself. `false`: nobody will ask.
    async fn asked(&mut self, is_due: impl Fn() -> bool) -> bool {
        loop {
            #[cfg(unix)]
            let signalled = async {
                match &mut self.signal {
                    Some(signal) => signal.recv().await.is_some(),
                    None => std::future::pending().await,
                }
            };
            #[cfg(not(unix))]
            let signalled = std::future::pending();
            let asked = tokio::select! {
                asked = signalled => Some(asked),
                () = tokio::time::sleep(LOOK_AT_KEYS) => None,
            };
            let is_due = is_due();
            if let Some(asked) = asked.or_else(|| is_due.then_some(true)) {
                return asked;
            }
        }
    }
}

/// Where mail goes, for people.
fn leaves(engine: &Engine) -> String {
    match &engine.settings().relay {
        Some(smtp) => format!("leaves by {}:{}, from {}", smtp.host, smtp.port, engine.settings().mail_from),
        None => "stays in the mailbox; [mail.smtp] in the settings lets it leave".to_owned(),
    }
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

/// systemd sets it for a service whose output goes to the journal.
const JOURNAL: &str = "JOURNAL_STREAM";

impl Pages {
    /// A journal keeps what is said, and is read by others than the store's owner: there the token is not said.
    fn in_words(&self, address: SocketAddr, home: &Home, journaled: bool) -> Vec<String> {
        if !journaled {
            return vec![format!("  reviews     {}", self.reviews), format!("  mailbox     {}", self.mailbox)];
        }
        let token = home.place().directory.join("operator-token");
        vec![
            format!("  reviews     http://{address}/reviews, mailbox http://{address}/mailbox"),
            format!("  token       in {}; it opens both as ?token=...", token.display()),
        ]
    }
}

/// Live until somebody says stop. Said twice, the process ends where it is, which loses nothing that was accepted.
pub async fn stay(common: &Common, listener: TcpListener, engine: Engine, ending: Ending) -> Result<(), Failed> {
    let live = Live::start(&engine);
    let Ending { once, twice } = ending;
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
        // Whoever says it twice is heard first.
        biased;
        Ok(()) = twice => {
            say(common, "stopped at once; what was being handled comes again at the next start");
            // Not by returning: the runtime would wait for what is under way.
            std::process::exit(STOPPED_AT_ONCE)
        }
        ended = ended => ended,
    }
}

/// As a shell says it of a program that an interrupt ended.
const STOPPED_AT_ONCE: i32 = 130;

/// Ready when the process is asked to end for the first time, and for the second.
pub struct Ending {
    once: oneshot::Receiver<()>,
    twice: oneshot::Receiver<()>,
}

impl Ending {
    /// Listens from now on: a signal that nobody listens for ends the process.
    pub fn listen() -> Self {
        let ((first, once), (second, twice)) = (oneshot::channel(), oneshot::channel());
        let mut signals = Signals::listen();
        tokio::spawn(async move {
            signals.next().await;
            let _ = first.send(());
            signals.next().await;
            let _ = second.send(());
        });
        Self { once, twice }
    }
}

/// Each kind keeps its receiver: one made anew for each wait would miss what came in between.
struct Signals {
    #[cfg(unix)]
    asked: [Option<tokio::signal::unix::Signal>; 2],
}

impl Signals {
    fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self { asked: [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok()) }
        }
        #[cfg(not(unix))]
        Self {}
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let [Some(terminated), Some(interrupted)] = &mut self.asked {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
