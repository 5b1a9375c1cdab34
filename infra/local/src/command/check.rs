//! `holdpoint check`: every fault in the settings and in the policy they name, without starting anything.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use presentation::link::Keys;
use serde_json::json;

use super::{Common, Failed, policy, print, settings};
use crate::{
    doors::Public,
    inbound, private,
    relay::{self, Secret},
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Check this settings file.
    #[arg(value_name = "FILE", default_value = settings::FILE)]
    file: PathBuf,
}

/// # Errors
/// Every fault of both files, a line each; malformed input.
pub fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let file = settings::read(&options.file);
    // The policy is looked at whatever is wrong with the settings, if they say where it is.
    let named = match &file {
        Ok(settings) => settings.policy.clone(),
        Err(_) => settings::policy_of(&options.file),
    };
    let policy = named.as_deref().map(policy::read);
    let certificate = file.as_ref().ok().and_then(|settings| certificate(settings).err());
    let secrets = file.as_ref().ok().and_then(|settings| secrets(&options.file, settings).err());
    let text = policy.as_ref().and_then(|policy| policy.as_deref().ok());
    let mail = file.as_ref().ok().and_then(|settings| mail(&options.file, settings, text).err());
    let refused = [file.as_ref().err().cloned(), certificate, secrets, mail, policy.and_then(Result::err)];
    let refused: Vec<Failed> = refused.into_iter().flatten().collect();
    if refused.is_empty() {
        let checked: Vec<PathBuf> = [Some(options.file.clone()), named].into_iter().flatten().collect();
        let names: Vec<String> = checked.iter().map(|file| format!("{}: no fault", file.display())).collect();
        return if common.json { print(json!({ "checked": checked })) } else { print(names.join("\n")) };
    }
    let status = refused.iter().map(|failed| failed.status).max().unwrap_or(2);
    let lines: Vec<String> = refused.into_iter().map(|failed| failed.why).collect();
    Err(Failed { status, why: lines.join("\n") })
}

/// Where a service manager puts a service's secrets, while the service runs.
const CREDENTIALS: &str = "/run/credentials";

/// Every secret that the settings name: whether it is there, can be read, and is what it is to be.
fn secrets(of: &Path, settings: &settings::SettingsFile) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    // What comes and goes with the service is looked at by the service's own check alone.
    let is_looked_at =
        |file: &Path| !(file.starts_with(CREDENTIALS) && file.parent().is_some_and(|folder| !folder.exists()));
    let mut named = |member: &str, secret: Option<&Secret>| {
        let looked_at = secret.filter(|secret| match secret {
            Secret::File(file) => is_looked_at(file),
            // A variable is of the service's environment, and this shell has another.
            Secret::Variable(_) => false,
        });
        wrong.extend(looked_at.and_then(|secret| secret.read().err()).map(|why| format!("{member}: {why}")));
    };
    named("$.proxy.secret", settings.public.as_ref().and_then(Public::secret));
    let smtp = settings.mail.smtp.as_ref();
    named("$.mail.smtp.password", smtp.and_then(|smtp| smtp.login.as_ref()).map(|login| &login.password));
    let keys = &settings.keys;
    let mut read = |member: &str, file: Option<&PathBuf>, is_good: &dyn Fn(&str) -> Result<(), String>, must: bool| {
        let Some(file) = file.filter(|file| is_looked_at(file)) else { return };
        let found = match private::read_named(file) {
            Ok(Some(text)) => is_good(text.trim()).map_err(|why| format!("{}: {why}", file.display())),
            Ok(None) if must => Err(format!("{}: expected a file there, found none", file.display())),
            Ok(None) => Ok(()),
            Err(why) => Err(why),
        };
        wrong.extend(found.err().map(|why| format!("{member}: {why}")));
    };
    // The keys are made at the first start.
    read("$.keys.link_keys_file", keys.link_keys.as_ref(), &|text| Keys::parse(text).map(drop), false);
    let by_name = |text: &str| match serde_json::from_str::<BTreeMap<String, String>>(text) {
        Ok(_) => Ok(()),
        // What stands there is a secret, so the message repeats nothing of it.
        Err(error) => Err(format!("line {}: expected a JSON object with a text by name", error.line())),
    };
    read("$.keys.source_secrets_file", keys.source_secrets.as_ref(), &by_name, true);
    read("$.keys.source_credentials_file", keys.source_credentials.as_ref(), &by_name, true);
    all_named(wrong.iter().map(|why| format!("{}: {why}", of.display())).collect())
}

fn all_named(wrong: Vec<String>) -> Result<(), Failed> {
    if wrong.is_empty() { Ok(()) } else { Err(Failed::input(wrong.join("\n"))) }
}

/// What `[mail]` names: the roots of the mail server and the maildir. Where the policy is known: that the policy binds the
/// mail that comes in.
fn mail(of: &Path, settings: &settings::SettingsFile, policy: Option<&str>) -> Result<(), Failed> {
    let mail = &settings.mail;
    let bindings = policy.and_then(|text| sources::policy::read_file(text).ok()).map(|policy| policy.bindings);
    let reads_bounces = mail.smtp.is_some() && mail.bounce_address.is_some();
    let bound = || bindings.as_ref().map_or(Ok(()), |bindings| inbound::binding(bindings, reads_bounces).map(drop));
    let mut found = Vec::new();
    if let Some(smtp) = &mail.smtp {
        found.push(("$.mail.smtp.roots", relay::roots(smtp)));
    }
    if let Some(folder) = &mail.maildir {
        found.extend([("$.mail.maildir", inbound::maildir::is_maildir(folder)), ("$.mail.maildir", bound())]);
    }
    if mail.lmtp.is_some() {
        found.push(("$.mail.lmtp", bound()));
    }
    let wrong = found.into_iter().filter_map(|(member, found)| Some((member, found.err()?)));
    all_named(wrong.map(|(member, why)| format!("{}: {member}: {why}", of.display())).collect())
}

/// The files of `[tls]`: whether they can be answered with, and whether they are in force and of the public name.
fn certificate(settings: &settings::SettingsFile) -> Result<(), Failed> {
    let Some(certificates) = settings.certificates()? else { return Ok(()) };
    all_named(certificates.wrong(lambda_shell::clock::Clock::system().now_millis()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What is named and not there, or is not what it is to be: each by its member, and no secret is repeated.
    #[test]
    fn secrets_that_nobody_could_use_are_named() {
        let folder = std::env::temp_dir().join(format!("holdpoint-check-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let told = |text: &str| {
            let settings = settings::parse(text, &folder).unwrap();
            secrets(Path::new("h.toml"), &settings).err().map(|failed| failed.why).unwrap_or_default()
        };
        let mail = "[mail]\nfrom = \"a@example.com\"\n[mail.smtp]\nhost = \"mx\"\nuser = \"u\"\n";
        let proxy = "public_url = \"https://h.example.com\"\n[proxy]\nsecret_file = \"file\"\n";
        let password = format!("{mail}password_file = \"file\"\n");
        let keys = "[keys]\nlink_keys_file = \"file\"\n";
        let hooks = "[keys]\nsource_secrets_file = \"file\"\n";
        let polls = "[keys]\nsource_credentials_file = \"file\"\n";
        let good = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        for (text, holds, expected) in [
            (proxy, None, "$.proxy.secret: "),
            (proxy, Some("s3cret"), ""),
            (&password, None, "$.mail.smtp.password: "),
            (&password, Some(""), "$.mail.smtp.password: "),
            (&password, Some("s3cret"), ""),
            (keys, None, ""),
            (keys, Some(good), ""),
            (keys, Some("s3cret"), "$.keys.link_keys_file: "),
            (hooks, None, "$.keys.source_secrets_file: "),
            (hooks, Some("{\"ci\": \"s3cret\"}"), ""),
            (hooks, Some("{\"ci\": s3cret}"), "$.keys.source_secrets_file: "),
            (polls, Some("[\"s3cret\"]"), "$.keys.source_credentials_file: "),
        ] {
            let file = folder.join("file");
            let _ = fs::remove_file(&file);
            if let Some(holds) = holds {
                fs::write(&file, holds).unwrap();
            }
            let why = told(text);
            assert_eq!(why.is_empty(), expected.is_empty(), "{text} {holds:?}: {why}");
            let said = why.is_empty() || why.starts_with(&format!("h.toml: {expected}"));
            assert!(said && !why.contains("s3cret"), "{text} {holds:?}: {why}");
        }
        // What a service manager offers while the service runs, and a variable of the service, are not missed before.
        let credential = "/run/credentials/holdpoint-of-no-machine.service/password";
        assert_eq!(told(&format!("{mail}password_file = \"{credential}\"\n")), "");
        assert_eq!(told(&format!("{mail}password_variable = \"OF_THE_SERVICE_ALONE\"\n")), "");
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A start fails for each of these, so the check before it does.
    #[test]
    fn what_mail_needs_is_looked_at() {
        let folder = std::env::temp_dir().join(format!("holdpoint-check-mail-{}", std::process::id()));
        for part in ["box/new", "box/cur", "half/new"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        fs::write(folder.join("empty.pem"), "no certificate").unwrap();
        let own = "[mail]\nfrom = \"a@example.com\"\nreply_address = \"r@example.com\"\n";
        let smtp = "[mail.smtp]\nhost = \"mx\"\n";
        let reads = policy::EXAMPLE;
        let mut deaf: serde_json::Value = serde_json::from_str(reads).unwrap();
        deaf["native"].as_array_mut().unwrap().retain(|bound| bound["format"] != "mail.received");
        let deaf = &*deaf.to_string();
        for (text, policy, expected) in [
            (format!("{own}maildir = \"box\"\n{smtp}"), Some(reads), ""),
            (format!("{own}maildir = \"box\"\n"), None, ""),
            (format!("{own}maildir = \"box\"\n"), Some(deaf), "$.mail.maildir: expected one binding"),
            (format!("{own}maildir = \"half\"\n"), Some(reads), "$.mail.maildir: expected a maildir"),
            (format!("{own}lmtp = \"127.0.0.1:2424\"\n"), Some(deaf), "$.mail.lmtp: expected one binding"),
            (format!("{own}bounce_address = \"b@example.com\"\nlmtp = \"127.0.0.1:2424\"\n{smtp}"), Some(deaf), ""),
            (format!("{own}{smtp}roots = \"missing.pem\"\n"), None, "$.mail.smtp.roots: reading "),
            (format!("{own}{smtp}roots = \"empty.pem\"\n"), None, "$.mail.smtp.roots: "),
        ] {
            let settings = settings::parse(&text, &folder).unwrap();
            let why = mail(Path::new("h.toml"), &settings, policy).err().map(|failed| failed.why).unwrap_or_default();
            assert_eq!(why.is_empty(), expected.is_empty(), "{text} {policy:?}: {why}");
            assert!(why.is_empty() || why.starts_with(&format!("h.toml: {expected}")), "{text}: {why}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
