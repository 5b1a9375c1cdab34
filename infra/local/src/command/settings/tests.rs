use super::*;
use crate::inbound::lmtp::LmtpAddress;

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
        (
            &format!("{proxy}secret_file = \"s\"\nuser_header = \"Host\""),
            "$.proxy.user_header",
            "of whoever has signed in and of nobody else",
        ),
        (&format!("{proxy}secret_file = \"s\"\nsecret_variable = \"S\""), "$.proxy.secret_variable", "one of"),
        ("public_url = \"http://h.example.com\"", "$.public_url", "an https address"),
        ("public_url = \"https://h.example.com/x\"", "$.public_url", "an https address"),
        ("public_url = \"https://u@h.example.com\"", "$.public_url", "an https address"),
        ("[mail.smtp]\nhost = \"mx\"", "$.mail.from", "the address that mail is from"),
        ("[mail]\nfrom = \"nobody\"", "$.mail.from", "address"),
        ("[mail]\nbounce_address = \"b@example.com\"", "$.mail.maildir", "`bounce_address`"),
        (MAIL, "$.mail.smtp.host", ""),
        (&format!("{MAIL}host = \"x y\""), "$.mail.smtp.host", "a host's name or address"),
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
        ("[keys]\nlink_keys_file = \"\"", "$.keys.link_keys_file", "text"),
        ("[keys]\nrotate_days = 29", "$.keys.rotate_days", "30"),
        ("[keys]\nrotate = 90", "$.keys.rotate", "rotate_days"),
        ("[keys]\nsource_secrets_file = 7", "$.keys.source_secrets_file", "text"),
        ("[limits]\nrequest_mebibytes = 33", "$.limits.request_mebibytes", "32"),
        ("[limits]\nconnections = 15", "$.limits.connections", "16"),
        ("[limits]\nwaiting_events = 0", "$.limits.waiting_events", "1"),
        ("[limits]\nstore_mebibytes = \"1 GB\"", "$.limits.store_mebibytes", "whole number"),
        ("[limits]\nfree_mebibytes = -1", "$.limits.free_mebibytes", "0"),
        ("[limits]\nmails = 5", "$.limits.mails", "mails"),
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

/// A fault hides no other: whatever is wrong elsewhere, each is named.
#[test]
fn a_fault_hides_no_other() {
    let text = "listen = \"0.0.0.0:8420\"\nstor = \"x\"\n\
        [proxy]\ntrusted = [\"p\"]\n\
        [tls]\ncertificate = \"c\"\n\
        [mail]\nbounce_address = \"b@example.com\"\nreply_address = \"nobody\"\n\
        [mail.smtp]\nhost = \"mx.example.com\"\nsecurity = \"none\"\nport = 0\npassword_file = \"p\"\n\
        [keys]\nrotate_days = 1\n[limits]\nconnections = 3\nrequest_mebibytes = 99\n\
        [keep]\nmails_days = 0\n[log]\nformat = \"xml\"\nlevel = \"loud\"\n";
    let found = faults(text);
    for path in [
        "$.listen",
        "$.stor",
        "$.proxy.trusted[0]",
        "$.proxy.secret_file",
        "$.proxy",
        "$.tls",
        "$.tls.key",
        "$.mail.from",
        "$.mail.maildir",
        "$.mail.reply_address",
        "$.mail.smtp.security",
        "$.mail.smtp.port",
        "$.mail.smtp.user",
        "$.keys.rotate_days",
        "$.limits.connections",
        "$.limits.request_mebibytes",
        "$.keep.mails_days",
        "$.log.format",
        "$.log.level",
    ] {
        assert!(found.iter().any(|fault| fault.starts_with(&format!("{path}: "))), "{path}: {found:#?}");
    }
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
        (
            "[limits]\nconnections = 20\nwaiting_events = 5\n[keys]\nrotate_days = 30\n[mail]\nfrom = \"a@example.com\"\n[mail.smtp]\nhost = \"mx\"",
            "[limits] connections",
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
