//! The settings file of the one-machine engine, `holdpoint.toml`. Every fault in it is said at once, by member.

mod limits;
mod mail;
mod members;
#[cfg(test)]
mod tests;

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use sources::{
    Fault,
    reader::{Faults, Node, Object},
};

pub use mail::MailSettings;
use members::{LONGEST_TEXT, path, secret};

use super::{
    Failed,
    home::{KeyFiles, PORT},
    log::{self, Format},
};
use crate::{
    doors::{Proxy, Public, PublicAddress, TlsBy, user_header},
    engine,
    limits::Limits,
    relay::Secret,
    retention::Keep,
    tls::{Certificates, TlsFiles},
};

/// Where `serve` looks for its settings unless it is told.
pub const FILE: &str = "holdpoint.toml";

const MOST_PROXIES: usize = 20;
/// A hundred years, in days.
const LONGEST_KEPT: i64 = 36_500;

/// What the file says; paths are those of the file's own folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingsFile {
    pub listen: SocketAddr,
    /// The folder of the store.
    pub store: Option<PathBuf>,
    pub policy: Option<PathBuf>,
    pub public: Option<Public>,
    pub mail: MailSettings,
    pub keys: KeyFiles,
    pub limits: Limits,
    pub keep: Keep,
    pub log: LogSettings,
}

impl Default for SettingsFile {
    /// What counts without a file.
    fn default() -> Self {
        Self {
            listen: loopback(PORT),
            store: None,
            policy: None,
            public: None,
            mail: MailSettings::default(),
            keys: KeyFiles::default(),
            limits: Limits::default(),
            keep: Keep::default(),
            log: LogSettings::default(),
        }
    }
}

/// What is logged, and how.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LogSettings {
    pub format: Format,
    /// A level, or levels of parts. `None`: `warn`.
    pub level: Option<String>,
}

/// Where the engine listens unless the file says otherwise.
pub const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

/// Reads the file and checks all of it.
///
/// # Errors
/// The file cannot be read (1), is no TOML, or has faults (2): each by its member, with what was expected and found.
pub fn read(file: &Path) -> Result<SettingsFile, Failed> {
    let text = super::read(file)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    parse(&text, folder).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("{}: {fault}", file.display())).collect();
        Failed::input(lines.join("\n"))
    })
}

/// `folder`: what paths in the file are relative to.
///
/// # Errors
/// Every fault.
pub fn parse(text: &str, folder: &Path) -> Result<SettingsFile, Vec<Fault>> {
    let no_toml = |error: String| vec![Fault::new("$", "TOML", error)];
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| no_toml(error.to_string()))?;
    let value = serde_json::to_value(table).map_err(|error| no_toml(error.to_string()))?;
    let faults = Faults::default();
    let read = whole(&Node::root(&value, "$", &faults), folder);
    match read {
        Some(settings) if faults.is_empty() => Ok(settings),
        _ => Err(faults.into_vec()),
    }
}

fn whole(node: &Node<'_>, folder: &Path) -> Option<SettingsFile> {
    let file = node.object()?;
    file.only(&["listen", "public_url", "store", "policy", "proxy", "tls", "mail", "keys", "limits", "keep", "log"]);
    let listen = file.may("listen", |node| {
        node.parsed(|text| {
            text.parse::<SocketAddr>().map_err(|_| "an address with a port, as 127.0.0.1:8420".to_owned())
        })
    });
    let address = file.may("public_url", |node| node.parsed(PublicAddress::parse));
    let store = file.may("store", |node| path(node, folder));
    let policy = file.may("policy", |node| path(node, folder));
    let proxy = file.may("proxy", |node| proxy(&node.object()?, folder));
    let tls = file.may("tls", |node| tls(&node.object()?, folder));
    let mail = file.may("mail", |node| mail::read(&node.object()?, folder));
    let keys = file.may("keys", |node| limits::keys(&node.object()?, folder));
    let limits = file.may("limits", |node| limits::limits(&node.object()?));
    let keep = file.may("keep", |node| keep(&node.object()?, folder));
    let log = file.may("log", |node| log(&node.object()?));
    let listen = listen.map(|listen| listen.unwrap_or(loopback(PORT)));
    together(&file, listen);
    let (listen, address, proxy, tls) = (listen?, address?, proxy?, tls?);
    let ended_by = proxy.map(TlsBy::Proxy).or(tls.map(TlsBy::Engine));
    let public = address.zip(ended_by).map(|(address, tls)| Public { address, tls });
    Some(SettingsFile {
        listen,
        store: store?,
        policy: policy?,
        public,
        mail: mail?.unwrap_or_default(),
        keys: keys?.unwrap_or_default(),
        limits: limits?.unwrap_or_default(),
        keep: keep?.unwrap_or_default(),
        log: log?.unwrap_or_default(),
    })
}

fn log(log: &Object<'_>) -> Option<LogSettings> {
    log.only(&["format", "level"]);
    let format = log.may("format", |node| node.word(&Format::WORDS));
    let level = log.may("level", |node| {
        let text = node.prose(LONGEST_TEXT)?;
        if log::are_levels(&text) { Some(text) } else { node.wrong(log::LEVELS) }
    });
    Some(LogSettings { format: format?.unwrap_or_default(), level: level? })
}

/// What a running engine does not take from its settings until it is started again, where both differ in it.
pub fn needs_a_start(before: &SettingsFile, now: &SettingsFile) -> Vec<&'static str> {
    let (mail, was) = (&now.mail, &before.mail);
    let differs = [
        ("listen", before.listen != now.listen),
        ("store", before.store != now.store),
        ("public_url, [proxy], [tls]", before.public != now.public),
        ("[log]", before.log != now.log),
        ("[limits] connections", before.limits.connections != now.limits.connections),
        ("[mail] domain", was.domain != mail.domain),
        ("[mail] bounce_address", was.bounce_address != mail.bounce_address),
        ("[mail] maildir", was.maildir != mail.maildir),
        ("[mail] lmtp", was.lmtp != mail.lmtp),
        ("[mail.smtp]", was.smtp.is_some() != mail.smtp.is_some()),
    ];
    differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

/// How long what has ended is kept. An event that a source repeats is known for as long as its record is.
fn keep(keep: &Object<'_>, folder: &Path) -> Option<Keep> {
    keep.only(&["events_days", "mails_days", "reviews_days", "archive"]);
    let otherwise = Keep::default();
    let events = keep.may("events_days", |node| node.whole(1..=packet_store::KEPT_DAYS));
    let mails = keep.may("mails_days", |node| node.whole(1..=LONGEST_KEPT));
    // Not before the last event about the review is forgotten, or its repetition would issue the review again.
    let reviews = keep.may("reviews_days", |node| node.whole(packet_store::KEPT_DAYS..=LONGEST_KEPT));
    let archive = keep.may("archive", |node| path(node, folder));
    Some(Keep {
        events: events?.unwrap_or(otherwise.events),
        mails: mails?.unwrap_or(otherwise.mails),
        reviews: reviews?.unwrap_or(otherwise.reviews),
        archive: archive?,
    })
}

impl SettingsFile {
    /// Lets the engine run as the file says.
    pub fn apply(&self, settings: &mut engine::Settings) {
        if let Some(public) = &self.public {
            public.address.url().clone_into(&mut settings.link_base);
        }
        settings.public.clone_from(&self.public);
        let MailSettings { from, domain, reply_address, bounce_address, maildir: _, lmtp: _, smtp } = &self.mail;
        if let Some(from) = from {
            settings.mail_from.clone_from(from);
        }
        if let Some(domain) = domain {
            settings.mail_domain.clone_from(domain);
        }
        if let Some(address) = reply_address {
            settings.reply_address.clone_from(address);
        }
        settings.bounce_address.clone_from(bounce_address);
        settings.relay.clone_from(smtp);
        settings.keep.clone_from(&self.keep);
        settings.limits.clone_from(&self.limits);
    }
}

/// A settings file that was read.
pub struct Chosen {
    pub file: PathBuf,
    pub settings: SettingsFile,
}

/// The named file, or [`FILE`] where this folder has one.
///
/// # Errors
/// As [`read`].
pub fn at_start(named: Option<&Path>) -> Result<Option<Chosen>, Failed> {
    let here = Some(Path::new(FILE)).filter(|file| file.exists());
    let Some(file) = named.or(here) else { return Ok(None) };
    Ok(Some(Chosen { file: file.to_owned(), settings: read(file)? }))
}

/// What is good by itself, and not together. A member with faults of its own counts as there.
fn together(file: &Object<'_>, listen: Option<SocketAddr>) {
    let [has_address, has_proxy, has_tls] = ["public_url", "proxy", "tls"].map(|name| file.has(name));
    let wrong = |member: &str, expected: &str| {
        file.may(member, |node| node.wrong::<()>(expected.to_owned()));
    };
    let reaches_out = listen.is_some_and(|listen| !listen.ip().is_loopback());
    if reaches_out && !(has_address && (has_proxy || has_tls)) {
        wrong(
            "listen",
            "a loopback address, or `public_url` and `[proxy]` or `[tls]` beside it: beyond this machine links need a name and TLS",
        );
    }
    if has_address && !(has_proxy || has_tls) {
        wrong("public_url", "`[proxy]` beside it, who ends TLS and passes requests on, or `[tls]`");
    }
    if has_proxy && has_tls {
        wrong("tls", "one of `[proxy]` and `[tls]`: the proxy ends TLS, or the engine does");
    }
    if has_proxy && !has_address {
        wrong("proxy", "`public_url` beside it: the address under which the proxy answers");
    }
    if has_tls && !has_address {
        wrong("tls", "`public_url` beside it: the address that the certificate is for");
    }
}

fn tls(tls: &Object<'_>, folder: &Path) -> Option<TlsFiles> {
    tls.only(&["certificate", "key"]);
    let certificate = tls.must("certificate", |node| path(node, folder));
    let key = tls.must("key", |node| path(node, folder));
    Some(TlsFiles { certificate: certificate?, key: key? })
}

impl SettingsFile {
    /// The certificate that the engine ends TLS with, where it does.
    ///
    /// # Errors
    /// Every reason why nobody could be answered with it.
    pub fn certificates(&self) -> Result<Option<Certificates>, Failed> {
        let Some(Public { address, tls: TlsBy::Engine(files) }) = &self.public else { return Ok(None) };
        let read = Certificates::read(files, address.name());
        read.map(Some).map_err(|faults| Failed::input(faults.join("\n")))
    }
}

fn proxy(proxy: &Object<'_>, folder: &Path) -> Option<Proxy> {
    proxy.only(&["trusted", "secret_file", "secret_variable", "user_header"]);
    let address = |node: &Node<'_>| {
        node.parsed(|text| text.parse::<IpAddr>().map_err(|_| "an IP address, as 127.0.0.1".to_owned()))
    };
    let trusted = proxy.may("trusted", |node| node.list(MOST_PROXIES, address));
    let secret = secret(proxy, "secret", folder);
    let user_header = proxy.may("user_header", |node| node.parsed(user_header));
    let secret = secret?.or_else(|| {
        proxy.must("secret_file", |node| node.wrong::<Secret>("a file with what the proxy sends as x-holdpoint-proxy"))
    });
    let loopback = || ["127.0.0.1", "::1"].iter().filter_map(|address| address.parse().ok()).collect();
    Some(Proxy { trusted: trusted?.unwrap_or_else(loopback), secret: secret?, user_header: user_header? })
}

/// Where a file that is not good as a whole says the policy is.
pub fn policy_of(file: &Path) -> Option<PathBuf> {
    let table: toml::Table = fs::read_to_string(file).ok()?.parse().ok()?;
    let named = table.get("policy")?.as_str()?;
    Some(file.parent().unwrap_or(Path::new("")).join(named))
}
