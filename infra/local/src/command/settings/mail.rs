//! `[mail]`: whose mail it is, how it leaves, and where answers and bounces come in.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use refresh_core::Person;
use sources::reader::{Node, Object};
use tokio_rustls::rustls::pki_types::ServerName;

use super::members::{LONGEST_TEXT, path, secret};
use crate::{
    inbound::lmtp::LmtpAddress,
    relay::{Login, Security, Smtp},
};

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

/// `[mail]`.
pub(super) fn read(mail: &Object<'_>, folder: &Path) -> Option<MailSettings> {
    mail.only(&["from", "domain", "reply_address", "bounce_address", "maildir", "lmtp", "smtp"]);
    let address = |node: &Node<'_>| node.parsed(Person::parse).map(|address| address.as_str().to_owned());
    let reply_address = mail.may("reply_address", address);
    let bounce_address = mail.may("bounce_address", address);
    let maildir = mail.may("maildir", |node| path(node, folder));
    let lmtp = mail.may("lmtp", |node| node.parsed(|text| LmtpAddress::parse(text, folder)));
    let from = mail.may("from", address);
    let domain = mail.may("domain", |node| node.parsed(refresh_core::base::name::mail_domain));
    let own = from.as_ref().and_then(|from| from.as_ref()?.rsplit_once('@').map(|(_, domain)| domain.to_owned()));
    let hello = own.clone().unwrap_or_else(|| "localhost".to_owned());
    let smtp = mail.may("smtp", |node| smtp(&node.object()?, folder, hello));
    together(mail);
    let domain = domain?.or(own);
    Some(MailSettings {
        from: from?,
        domain,
        reply_address: reply_address?,
        bounce_address: bounce_address?,
        maildir: maildir?,
        lmtp: lmtp?,
        smtp: smtp?,
    })
}

/// What is good by itself, and not together. A member with faults of its own counts as there.
fn together(mail: &Object<'_>) {
    let lacks = |member: &str, expected: &str| {
        mail.must(member, |node| node.wrong::<()>(expected.to_owned()));
    };
    let has = |name: &str| mail.has(name);
    if has("smtp") && !has("from") {
        lacks("from", "the address that mail is from");
    }
    if has("bounce_address") && !has("maildir") && !has("lmtp") {
        lacks("maildir", "the folder that mail to `bounce_address` is delivered to, or `lmtp`");
    }
    if has("lmtp") && !has("reply_address") && !has("bounce_address") {
        lacks("reply_address", "the address that is delivered by `lmtp`, or `bounce_address`");
    }
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
        node.prose(LONGEST_TEXT).filter(|host| is_host(host)).or_else(|| node.wrong("a host's name or address"))
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
    let is_near =
        |host: &String| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if security == Some(Some(Security::None)) && !host.as_ref().is_none_or(is_near) {
        let expected = "starttls or tls: without, mail and password cross the network as they are; `none` is for a server on this machine";
        smtp.must("security", |node| node.wrong::<()>(expected.to_owned()));
    }
    let (host, security, login) = (host?, security?.unwrap_or(Security::StartTls), login?);
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

/// Whether somebody could look it up, and hold a certificate against it.
fn is_host(text: &str) -> bool {
    ServerName::try_from(text).is_ok()
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
