//! `holdpoint check`: every fault in the settings and in the policy they name, without starting anything.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use presentation::link::Keys;
use serde_json::json;

use super::{
    Common, Failed,
    home::{Owner, Place},
    policy, print, say, settings,
};
use crate::{
    doors::{Proxy, Public, TlsBy},
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
    let text = policy.as_ref().and_then(|policy| policy.as_deref().ok());
    let mut refused = vec![file.as_ref().err().cloned()];
    let mut notes = Vec::new();
    if let Ok(settings) = &file {
        let of = &options.file;
        let Looks { wrong, remarked } = secrets(settings).and(login(settings));
        notes.extend(remarked.iter().map(|why| format!("{}: {why}", of.display())));
        let wrong = wrong.iter().map(|why| format!("{}: {why}", of.display())).collect();
        refused.extend([
            certificate(settings).err(),
            places(of, settings).err(),
            all_named(wrong).err(),
            mail(of, settings, text).err(),
        ]);
    }
    refused.push(policy.and_then(Result::err));
    notes.iter().for_each(|note| say(common, format!("to know: {note}")));
    let refused: Vec<Failed> = refused.into_iter().flatten().collect();
    if refused.is_empty() {
        let checked: Vec<PathBuf> = [Some(options.file.clone()), named].into_iter().flatten().collect();
        let names: Vec<String> = checked.iter().map(|file| format!("{}: no fault", file.display())).collect();
        return if common.json {
            print(json!({ "checked": checked, "notes": notes }))
        } else {
            print(names.join("\n"))
        };
    }
    let status = refused.iter().map(|failed| failed.status).max().unwrap_or(2);
    let lines: Vec<String> = refused.into_iter().map(|failed| failed.why).collect();
    Err(Failed { status, why: lines.join("\n") })
}

/// What a look found, by member: what is a fault, and what somebody should know.
#[derive(Default)]
struct Looks {
    wrong: Vec<String>,
    remarked: Vec<String>,
}

impl Looks {
    fn and(mut self, other: Self) -> Self {
        self.wrong.extend(other.wrong);
        self.remarked.extend(other.remarked);
        self
    }

    /// Of a file that everybody may do something with, the mode. A start takes that from them where it may, and else refuses the
    /// file; nothing is changed here.
    fn mode(&mut self, member: &str, file: &str, open_mode: Option<u32>) {
        let expected = "expected a secret that its owner and group alone may read";
        let then = "the engine closes the file where it may, and else does not start";
        let said =
            open_mode.map(|mode| format!("{member}: {file}: {expected}, found mode {mode:o}; {then}: chmod o= {file}"));
        self.remarked.extend(said);
    }
}

/// Where a service manager puts a service's secrets, while the service runs.
const CREDENTIALS: &str = "/run/credentials";

/// What comes and goes with the service is looked at by the service's own check alone.
fn is_looked_at(file: &Path) -> bool {
    !(file.starts_with(CREDENTIALS) && file.parent().is_some_and(|folder| !folder.exists()))
}

/// Every secret that the settings name: whether it is there, can be read, and is what it is to be.
fn secrets(settings: &settings::SettingsFile) -> Looks {
    let mut looks = Looks::default();
    let smtp = settings.mail.smtp.as_ref();
    let named = [
        ("$.proxy.secret", settings.public.as_ref().and_then(Public::secret)),
        ("$.mail.smtp.password", smtp.and_then(|smtp| smtp.login.as_ref()).map(|login| &login.password)),
    ];
    for (member, secret) in named.into_iter().filter_map(|(member, secret)| Some((member, secret?))) {
        let looked = secret.look();
        match (secret, looked) {
            (Secret::File(file), _) if !is_looked_at(file) => {}
            (_, Ok(open_mode)) => looks.mode(member, &secret.to_string(), open_mode),
            (Secret::File(_), Err(why)) => looks.wrong.push(format!("{member}: {why}")),
            // A variable is of the service's environment, and this shell has another.
            (Secret::Variable(_), Err(why)) => {
                looks.remarked.push(format!("{member}: {why}; the engine needs it in its own environment"));
            }
        }
    }
    let keys = &settings.keys;
    let mut look = |member: &str, file: Option<&PathBuf>, is_good: &dyn Fn(&str) -> Result<(), String>, must: bool| {
        let Some(file) = file.filter(|file| is_looked_at(file)) else { return };
        let shown = file.display().to_string();
        let found = match private::look_named(file) {
            Ok(Some(looked)) => {
                looks.mode(member, &shown, looked.open_mode);
                is_good(looked.text.trim()).map_err(|why| format!("{shown}: {why}"))
            }
            Ok(None) if must => Err(format!("{shown}: expected a file there, found none")),
            Ok(None) => Ok(()),
            Err(why) => Err(why),
        };
        looks.wrong.extend(found.err().map(|why| format!("{member}: {why}")));
    };
    // The keys are made at the first start.
    look("$.keys.link_keys_file", keys.link_keys.as_ref(), &|text| Keys::parse(text).map(drop), false);
    let by_name = |text: &str| match serde_json::from_str::<BTreeMap<String, String>>(text) {
        Ok(_) => Ok(()),
        // What stands there is a secret, so the message repeats nothing of it.
        Err(error) => Err(format!("line {}: expected a JSON object with a text by name", error.line())),
    };
    look("$.keys.source_secrets_file", keys.source_secrets.as_ref(), &by_name, true);
    look("$.keys.source_credentials_file", keys.source_credentials.as_ref(), &by_name, true);
    looks
}

/// Whether people can sign in at the proxy. Without a header there is no operator by the public address but with the token.
fn login(settings: &settings::SettingsFile) -> Looks {
    let mut looks = Looks::default();
    if let Some(Public { tls: TlsBy::Proxy(Proxy { user_header: None, .. }), .. }) = &settings.public {
        let why = "$.proxy.user_header: none is set, so whoever signs in at the proxy is nobody here: reviews and mailbox open by the operator's token alone; nginx.conf and Caddyfile send x-forwarded-user";
        looks.remarked.push(why.to_owned());
    }
    looks
}

/// Folders and sockets that a start makes: whether it could.
fn places(of: &Path, settings: &settings::SettingsFile) -> Result<(), Failed> {
    let mut found = Vec::new();
    if let Some(store) = &settings.store {
        let place = Place::of(Owner::Service, Some(store));
        found.push(("$.store", private::could_be_folder(&place.directory).and_then(|()| place.is_of_its_owner())));
    }
    if let Some(folder) = &settings.keep.archive {
        found.push(("$.keep.archive", private::could_be_folder(folder)));
    }
    if let Some(address) = &settings.mail.lmtp {
        found.push(("$.mail.lmtp", address.could_be()));
    }
    by_member(of, found)
}

fn by_member(of: &Path, found: Vec<(&str, Result<(), String>)>) -> Result<(), Failed> {
    let wrong = found.into_iter().filter_map(|(member, found)| Some((member, found.err()?)));
    all_named(wrong.map(|(member, why)| format!("{}: {member}: {why}", of.display())).collect())
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
    by_member(of, found)
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
            let looks = secrets(&settings::parse(text, &folder).unwrap());
            assert!(looks.remarked.iter().all(|remark| remark.contains("found mode")), "{:?}", looks.remarked);
            looks.wrong.join("\n")
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
            (proxy, Some("s3cret\n"), ""),
            (proxy, Some("s3cret\ns3cret\n"), "$.proxy.secret: "),
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
            let said = why.is_empty() || why.starts_with(expected);
            assert!(said && !why.contains("s3cret"), "{text} {holds:?}: {why}");
        }
        // What a service manager offers while the service runs, and a variable of the service, are not missed before.
        let credential = "/run/credentials/holdpoint-of-no-machine.service/password";
        assert_eq!(told(&format!("{mail}password_file = \"{credential}\"\n")), "");
        let of_the_service =
            "public_url = \"https://h.example.com\"\n[proxy]\nsecret_variable = \"OF_THE_SERVICE_ALONE\"\n";
        let looks = secrets(&settings::parse(of_the_service, &folder).unwrap());
        assert_eq!(looks.wrong, Vec::<String>::new());
        assert!(
            looks.remarked[0].starts_with("$.proxy.secret: the variable OF_THE_SERVICE_ALONE: "),
            "{:?}",
            looks.remarked
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A start closes such a file; a check says so and leaves the file as it is.
    #[cfg(unix)]
    #[test]
    fn a_check_changes_no_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("holdpoint-check-modes-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("file");
        fs::write(&file, "{\"ci\": \"s3cret\"}").unwrap();
        let proxy = "public_url = \"https://h.example.com\"\n[proxy]\nsecret_file = \"file\"\n";
        for text in [proxy, "[keys]\nsource_secrets_file = \"file\"\n", "[keys]\nlink_keys_file = \"file\"\n"] {
            for (mode, remarks) in [(0o644, 1), (0o666, 1), (0o640, 0), (0o600, 0)] {
                fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
                let looks = secrets(&settings::parse(text, &folder).unwrap());
                assert_eq!(looks.remarked.len(), remarks, "{text} {mode:o}: {:?}", looks.remarked);
                assert!(looks.remarked.iter().all(|remark| remark.contains(&format!("mode {mode:o}"))));
                assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, mode);
            }
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    /// Each of these a start refuses.
    #[test]
    fn places_that_no_start_could_make_are_named() {
        let folder = std::env::temp_dir().join(format!("holdpoint-check-places-{}", std::process::id()));
        for part in ["there", "demo"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        fs::write(folder.join("policy.json"), "{}").unwrap();
        fs::write(folder.join("demo/demo.sqlite"), "").unwrap();
        let own = "[mail]\nreply_address = \"r@example.com\"\n";
        for (text, expected) in [
            ("store = \"there\"".to_owned(), ""),
            ("store = \"new/below\"".to_owned(), ""),
            ("store = \"/tmp\"".to_owned(), "$.store: /tmp: expected a folder of Holdpoint's own"),
            ("store = \"policy.json\"".to_owned(), "$.store: "),
            ("store = \"policy.json/below\"".to_owned(), "$.store: "),
            ("store = \"/proc/x\"".to_owned(), "$.store: /proc: expected a folder on a disk"),
            ("store = \"demo\"".to_owned(), "$.store: "),
            ("[keep]\narchive = \"policy.json\"".to_owned(), "$.keep.archive: "),
            ("[keep]\narchive = \"ended\"".to_owned(), ""),
            (format!("{own}lmtp = \"nope/x\""), "$.mail.lmtp: "),
            (format!("{own}lmtp = \"./policy.json\""), "$.mail.lmtp: "),
            (format!("{own}lmtp = \"there/x\""), ""),
        ] {
            let settings = settings::parse(&text, &folder).unwrap();
            let why = places(Path::new("h.toml"), &settings).err().map(|failed| failed.why).unwrap_or_default();
            assert_eq!(why.is_empty(), expected.is_empty(), "{text}: {why}");
            assert!(why.is_empty() || why.starts_with(&format!("h.toml: {expected}")), "{text}: {why}");
        }
        assert!(!folder.join("new").exists() && !folder.join("ended").exists(), "nothing is made");
        fs::remove_dir_all(&folder).unwrap();
    }

    /// Behind the example proxies nobody would get in.
    #[test]
    fn a_proxy_whose_users_are_nobody_here_is_remarked() {
        let proxy = "public_url = \"https://h.example.com\"\n[proxy]\nsecret_file = \"file\"\n";
        for (text, remarks) in [(proxy.to_owned(), 1), (format!("{proxy}user_header = \"x-forwarded-user\"\n"), 0)] {
            let looks = login(&settings::parse(&text, Path::new("")).unwrap());
            assert_eq!((looks.wrong.len(), looks.remarked.len()), (0, remarks));
        }
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
