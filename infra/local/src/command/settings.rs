//! The settings file of the one-machine engine, `holdpoint.toml`. Every fault in it is said at once, by member.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use axum::http::HeaderName;
use refresh_core::Person;
use sources::{
    Fault,
    reader::{Faults, Node, Object},
};

use super::{
    Failed,
    home::PORT,
    log::{self, Format},
};
use crate::{
    doors::{Proxy, Public, PublicAddress, TlsBy},
    engine,
    inbound::lmtp::LmtpAddress,
    keep::Keep,
    relay::{Login, Secret, Security, Smtp},
    tls::{Certificates, TlsFiles},
};

/// Where `serve` looks for its settings unless it is told.
pub const FILE: &str = "holdpoint.toml";

const LONGEST_TEXT: usize = 500;
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

/// The sender of mail, and the server that mail leaves by.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MailSettings {
    pub from: Option<String>,
    /// What the names of meetings and mails end with.
    pub domain: Option<String>,
    /// Where answers by mail are read, and where bounces are.
    pub reply_address: Option<String>,
    pub bounce_address: Option<String>,
    /// The maildir that both are delivered to.
    pub maildir: Option<PathBuf>,
    /// Where a mail server hands both over by LMTP.
    pub lmtp: Option<LmtpAddress>,
    pub smtp: Option<Smtp>,
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
    file.only(&["listen", "public_url", "store", "policy", "proxy", "tls", "mail", "keep", "log"]);
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
    let mail = file.may("mail", |node| mail(&node.object()?, folder));
    let keep = file.may("keep", |node| keep(&node.object()?, folder));
    let log = file.may("log", |node| log(&node.object()?));
    let listen = listen?.unwrap_or(loopback(PORT));
    let (address, proxy, tls) = (address?, proxy?, tls?);
    together(&file, listen, address.is_some(), proxy.is_some(), tls.is_some());
    let ended_by = proxy.map(TlsBy::Proxy).or(tls.map(TlsBy::Engine));
    let public = address.zip(ended_by).map(|(address, tls)| Public { address, tls });
    Some(SettingsFile {
        listen,
        store: store?,
        policy: policy?,
        public,
        mail: mail?.unwrap_or_default(),
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

/// What is good by itself, and not together.
fn together(file: &Object<'_>, listen: SocketAddr, has_address: bool, has_proxy: bool, has_tls: bool) {
    let wrong = |member: &str, expected: &str| {
        file.may(member, |node| node.wrong::<()>(expected.to_owned()));
    };
    if !(listen.ip().is_loopback() || has_address && (has_proxy || has_tls)) {
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

fn path(node: &Node<'_>, folder: &Path) -> Option<PathBuf> {
    let text = node.prose(LONGEST_TEXT)?;
    if text.is_empty() { node.wrong("a path") } else { Some(folder.join(text)) }
}

fn proxy(proxy: &Object<'_>, folder: &Path) -> Option<Proxy> {
    proxy.only(&["trusted", "secret_file", "secret_variable", "user_header"]);
    let address = |node: &Node<'_>| {
        node.parsed(|text| text.parse::<IpAddr>().map_err(|_| "an IP address, as 127.0.0.1".to_owned()))
    };
    let trusted = proxy.may("trusted", |node| node.list(MOST_PROXIES, address));
    let secret = secret(proxy, "secret", folder);
    let user_header = proxy.may("user_header", |node| {
        node.parsed(|text| HeaderName::try_from(text).map_err(|_| "a header's name, as x-forwarded-user".to_owned()))
    });
    let secret = secret?.or_else(|| {
        proxy.must("secret_file", |node| node.wrong::<Secret>("a file with what the proxy sends as x-holdpoint-proxy"))
    });
    let loopback = || ["127.0.0.1", "::1"].iter().filter_map(|address| address.parse().ok()).collect();
    Some(Proxy { trusted: trusted?.unwrap_or_else(loopback), secret: secret?, user_header: user_header? })
}

/// `<name>_file` or `<name>_variable`. `Some(None)`: neither.
fn secret(object: &Object<'_>, name: &str, folder: &Path) -> Option<Option<Secret>> {
    let (in_file, in_variable) = (format!("{name}_file"), format!("{name}_variable"));
    let file = object.may(&in_file, |node| path(node, folder));
    let variable = object.may(&in_variable, |node| node.prose(LONGEST_TEXT));
    match (file?, variable?) {
        (Some(_), Some(_)) => {
            object.may(&in_variable, |node| node.wrong::<()>(format!("one of `{in_file}` and `{in_variable}`")));
            None
        }
        (Some(file), None) => Some(Some(Secret::File(file))),
        (None, Some(variable)) => Some(Some(Secret::Variable(variable))),
        (None, None) => Some(None),
    }
}

fn mail(mail: &Object<'_>, folder: &Path) -> Option<MailSettings> {
    mail.only(&["from", "domain", "reply_address", "bounce_address", "maildir", "lmtp", "smtp"]);
    let address = |node: &Node<'_>| node.parsed(Person::parse).map(|address| address.as_str().to_owned());
    let reply_address = mail.may("reply_address", address);
    let bounce_address = mail.may("bounce_address", address);
    let maildir = mail.may("maildir", |node| path(node, folder));
    let lmtp = mail.may("lmtp", |node| node.parsed(|text| LmtpAddress::parse(text, folder)));
    let from = mail.may("from", |node| node.parsed(Person::parse).map(|from| from.as_str().to_owned()));
    let domain = mail.may("domain", |node| node.parsed(refresh_core::base::name::mail_domain));
    let own = from.as_ref().and_then(|from| from.as_ref()?.rsplit_once('@').map(|(_, domain)| domain.to_owned()));
    let hello = own.clone().unwrap_or_else(|| "localhost".to_owned());
    let smtp = mail.may("smtp", |node| smtp(&node.object()?, folder, hello));
    let (from, domain, smtp) = (from?, domain?, smtp?);
    if smtp.is_some() && from.is_none() {
        return mail.must("from", |node| node.wrong("the address that mail is from"));
    }
    let (reply_address, bounce_address, maildir, lmtp) = (reply_address?, bounce_address?, maildir?, lmtp?);
    if bounce_address.is_some() && maildir.is_none() && lmtp.is_none() {
        return mail
            .must("maildir", |node| node.wrong("the folder that mail to `bounce_address` is delivered to, or `lmtp`"));
    }
    if lmtp.is_some() && reply_address.is_none() && bounce_address.is_none() {
        return mail
            .must("reply_address", |node| node.wrong("the address that is delivered by `lmtp`, or `bounce_address`"));
    }
    Some(MailSettings { from, domain: domain.or(own), reply_address, bounce_address, maildir, lmtp, smtp })
}

fn smtp(smtp: &Object<'_>, folder: &Path, hello: String) -> Option<Smtp> {
    smtp.only(&[
        "host",
        "port",
        "security",
        "user",
        "password_file",
        "password_variable",
        "hello",
        "time_out_seconds",
        "connections",
        "per_second",
        "give_up_after_hours",
        "roots",
    ]);
    let host = smtp.must("host", |node| {
        node.prose(LONGEST_TEXT).filter(|host| !host.is_empty()).or_else(|| node.wrong("a host's name"))
    });
    let security = smtp.may("security", |node| node.word(&Security::WORDS));
    let port = smtp.may("port", |node| node.whole(1..=i64::from(u16::MAX)));
    let login = login(smtp, folder);
    let named = smtp.may("hello", |node| node.prose(LONGEST_TEXT));
    let time_out = smtp.may("time_out_seconds", |node| node.whole(1..=600));
    let connections = smtp.may("connections", |node| node.whole(1..=50));
    let per_second = smtp.may("per_second", |node| node.whole(1..=1_000));
    let give_up = smtp.may("give_up_after_hours", |node| node.whole(1..=120));
    let roots = smtp.may("roots", |node| path(node, folder));
    let (host, security, login) = (host?, security?.unwrap_or(Security::StartTls), login?);
    let near = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if security == Security::None && !near {
        let expected = "starttls or tls: without, mail and password cross the network as they are; `none` is for a server on this machine";
        return smtp.must("security", |node| node.wrong(expected));
    }
    let number =
        |given: Option<i64>, otherwise: u32| given.and_then(|given| u32::try_from(given).ok()).unwrap_or(otherwise);
    let port = port?.and_then(|port| u16::try_from(port).ok()).unwrap_or(security.port());
    Some(Smtp {
        host,
        port,
        security,
        login,
        hello: named?.unwrap_or(hello),
        time_out: Duration::from_secs(number(time_out?, 30).into()),
        connections: number(connections?, 4) as usize,
        per_second: number(per_second?, 10),
        give_up_after: Duration::from_secs(u64::from(number(give_up?, 12)) * 3_600),
        roots: roots?,
    })
}

/// `Some(None)`: the server asks nobody who they are.
fn login(smtp: &Object<'_>, folder: &Path) -> Option<Option<Login>> {
    let user = smtp.may("user", |node| node.prose(LONGEST_TEXT));
    let password = secret(smtp, "password", folder);
    match (user?, password?) {
        (Some(user), Some(password)) => Some(Some(Login { user, password })),
        (None, None) => Some(None),
        (Some(_), None) => smtp.must("password_file", |node| node.wrong("a file with the password of `user`")),
        (None, Some(_)) => smtp.must("user", |node| node.wrong("whose password it is")),
    }
}

/// Where a file that is not good as a whole says the policy is.
pub fn policy_of(file: &Path) -> Option<PathBuf> {
    let table: toml::Table = fs::read_to_string(file).ok()?.parse().ok()?;
    let named = table.get("policy")?.as_str()?;
    Some(file.parent().unwrap_or(Path::new("")).join(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        parse(text, Path::new("/etc/holdpoint")).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    const REPLIES: &str = "[mail]\nreply_address = \"replies@example.com\"\n";
    const MAIL: &str = "[mail]\nfrom = \"holdpoint@example.com\"\n[mail.smtp]\n";

    #[test]
    fn an_empty_file_is_the_engine_as_it_is_without_one() {
        let settings = parse("", Path::new("")).unwrap();
        assert_eq!(settings.listen, loopback(PORT));
        assert_eq!((settings.store, settings.public, settings.mail), (None, None, MailSettings::default()));
    }

    #[test]
    fn paths_are_those_of_the_files_folder() {
        let text = format!(
            "store = \"data\"\npolicy = \"/srv/policy.json\"\n{MAIL}host = \"mx\"\nuser = \"u\"\npassword_file = \"pw\""
        );
        let settings = parse(&text, Path::new("/etc/holdpoint")).unwrap();
        assert_eq!(settings.store, Some("/etc/holdpoint/data".into()));
        assert_eq!(settings.policy, Some("/srv/policy.json".into()));
        let login = settings.mail.smtp.unwrap().login.unwrap();
        assert_eq!(login.password, Secret::File("/etc/holdpoint/pw".into()));
    }

    #[test]
    fn the_port_follows_the_encryption_and_names_follow_the_sender() {
        for (security, port) in [("tls", 465), ("starttls", 587)] {
            let text = format!("{MAIL}host = \"mx.example.com\"\nsecurity = \"{security}\"");
            let mail = parse(&text, Path::new("")).unwrap().mail;
            assert_eq!(mail.domain.as_deref(), Some("example.com"));
            let smtp = mail.smtp.unwrap();
            assert_eq!((smtp.port, smtp.hello.as_str()), (port, "example.com"));
        }
        for near in ["127.0.0.1", "::1", "localhost"] {
            let text = format!("{MAIL}host = \"{near}\"\nsecurity = \"none\"");
            assert_eq!(parse(&text, Path::new("")).unwrap().mail.smtp.unwrap().port, 25);
        }
    }

    #[test]
    fn replies_come_in_where_the_file_says() {
        let at = |lmtp: &str| {
            let text = format!("{REPLIES}maildir = \"in\"\nlmtp = \"{lmtp}\"");
            parse(&text, Path::new("/etc/holdpoint")).unwrap().mail
        };
        let mail = at("[::1]:2424");
        assert_eq!(mail.reply_address.as_deref(), Some("replies@example.com"));
        assert_eq!(mail.maildir, Some("/etc/holdpoint/in".into()));
        assert_eq!(mail.lmtp, Some(LmtpAddress::Loopback("[::1]:2424".parse().unwrap())));
        assert_eq!(at("./lmtp.sock").lmtp, Some(LmtpAddress::Socket("/etc/holdpoint/./lmtp.sock".into())));
        assert_eq!(at("/run/holdpoint/lmtp").lmtp, Some(LmtpAddress::Socket("/run/holdpoint/lmtp".into())));
    }

    /// One fault a row, and where it is said to be.
    #[test]
    fn every_fault_is_named_by_its_member() {
        let proxy = "public_url = \"https://h.example.com\"\n[proxy]\n";
        for (text, path, expected) in [
            ("listen = \"8420\"", "$.listen", "an address with a port"),
            ("listen = 8420", "$.listen", "an address with a port"),
            ("listen = \"0.0.0.0:8420\"", "$.listen", "a loopback address, or `public_url` and `[proxy]`"),
            ("lisen = \"127.0.0.1:1\"", "$.lisen", "is `listen` meant?"),
            ("public_url = \"https://h.example.com\"", "$.public_url", "`[proxy]` beside it"),
            ("[proxy]\nsecret_file = \"s\"", "$.proxy", "`public_url` beside it"),
            (proxy, "$.proxy.secret_file", "a file with what the proxy sends"),
            (&format!("{proxy}secret_file = \"s\"\ntrusted = [\"proxy\"]"), "$.proxy.trusted[0]", "an IP address"),
            (&format!("{proxy}secret_file = \"s\"\nuser_header = \"a b\""), "$.proxy.user_header", "a header's name"),
            (&format!("{proxy}secret_file = \"s\"\nsecret_variable = \"S\""), "$.proxy.secret_variable", "one of"),
            ("public_url = \"http://h.example.com\"", "$.public_url", "an https address"),
            ("public_url = \"https://h.example.com/x\"", "$.public_url", "an https address"),
            ("public_url = \"https://u@h.example.com\"", "$.public_url", "an https address"),
            ("[mail.smtp]\nhost = \"mx\"", "$.mail.from", "the address that mail is from"),
            ("[mail]\nfrom = \"nobody\"", "$.mail.from", "address"),
            ("[mail]\nbounce_address = \"b@example.com\"", "$.mail.maildir", "`bounce_address`"),
            (MAIL, "$.mail.smtp.host", ""),
            (&format!("{MAIL}host = \"mx\"\nport = 0"), "$.mail.smtp.port", "1"),
            (&format!("{MAIL}host = \"mx\"\nsecurity = \"ssl\""), "$.mail.smtp.security", "starttls"),
            (&format!("{MAIL}host = \"mx\"\nsecurity = \"none\""), "$.mail.smtp.security", "a server on this machine"),
            (&format!("{MAIL}host = \"mx\"\nuser = \"u\""), "$.mail.smtp.password_file", "the password of `user`"),
            (&format!("{MAIL}host = \"mx\"\npassword_file = \"p\""), "$.mail.smtp.user", "whose password"),
            (&format!("{MAIL}host = \"mx\"\nconnections = 0"), "$.mail.smtp.connections", "1"),
            ("[tls]\ncertificate = \"c\"\nkey = \"k\"", "$.tls", "`public_url` beside it"),
            ("[tls]\ncertificate = \"c\"", "$.tls.key", "text"),
            (
                "public_url = \"https://a.example.com\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n[proxy]\nsecret_file = \"s\"",
                "$.tls",
                "one of",
            ),
            ("[log]\nformat = \"xml\"", "$.log.format", "json"),
            ("[log]\nlevel = \"loud\"", "$.log.level", "warn"),
            ("[keep]\nevents_days = 36", "$.keep.events_days", "35"),
            ("[keep]\nreviews_days = 34", "$.keep.reviews_days", "35"),
            ("[keep]\nmails_days = 0", "$.keep.mails_days", "1"),
            ("[keep]\narchive = \"\"", "$.keep.archive", "text"),
            ("[mail]\nlmtp = \"127.0.0.1:24\"", "$.mail.reply_address", "`bounce_address`"),
            (&format!("{REPLIES}lmtp = \"0.0.0.0:24\""), "$.mail.lmtp", "a loopback address"),
            (&format!("{REPLIES}lmtp = \"24\""), "$.mail.lmtp", "or the path of a Unix socket"),
        ] {
            let faults = faults(text);
            let one = faults.iter().any(|fault| fault.starts_with(&format!("{path}: ")) && fault.contains(expected));
            assert!(one, "{text:?}: expected {path} and {expected:?}, found {faults:?}");
        }
        let twice = faults("listen = \"x\"\nstore = 7\n[mail]\nfrom = \"x\"\n");
        assert_eq!(twice.len(), 3, "{twice:?}");
        assert!(faults("listen = ")[0].contains("TOML"));
    }

    /// Of every member either a running engine takes it, or it is named.
    #[test]
    fn what_needs_a_start_is_named() {
        const BEFORE: &str = "[mail]\nfrom = \"a@example.com\"\n[mail.smtp]\nhost = \"mx\"";
        let read = |text: &str| parse(text, Path::new("/etc")).unwrap();
        for (now, expected) in [
            (BEFORE, ""),
            (
                "[keep]\nmails_days = 3\n[mail]\nfrom = \"b@example.com\"\ndomain = \"example.com\"\n[mail.smtp]\nhost = \"other\"",
                "",
            ),
            ("listen = \"127.0.0.1:1\"\n[mail]\nfrom = \"a@example.com\"\n[mail.smtp]\nhost = \"mx\"", "listen"),
            ("store = \"s\"\n[log]\nformat = \"json\"\n[mail]\nfrom = \"a@example.com\"", "store, [log], [mail.smtp]"),
            (
                "[mail]\nfrom = \"a@example.org\"\nreply_address = \"r@example.org\"\nmaildir = \"m\"\nlmtp = \"/l\"\nbounce_address = \"b@example.org\"\n[mail.smtp]\nhost = \"mx\"",
                "[mail] domain, [mail] bounce_address, [mail] maildir, [mail] lmtp",
            ),
        ] {
            assert_eq!(needs_a_start(&read(BEFORE), &read(now)).join(", "), expected, "{now}");
        }
    }
}
