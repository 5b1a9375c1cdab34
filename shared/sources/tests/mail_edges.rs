//! Edges of mail that comes in, each found unasked by mutation testing, as those of `edges.rs` were.

#[path = "common/mails.rs"]
mod mails;

/// What the deployment's server says may be commented and quoted; nothing that is commented or quoted is what it says.
#[test]
fn results_are_read_without_comments_and_quotations() {
    let verdict = |results: &str| {
        let header = format!("Authentication-Results: {results}\n");
        let came = mails::said(&mails::mail(&header, &mails::accepted()));
        let word = ["passed", "failed", "missing", "no_policy", "unavailable"].into_iter();
        word.filter(|word| came.contains(&format!("ada@example.com {word}"))).collect::<Vec<_>>().join("+")
    };
    for (results, expected) in [
        ("mx.example.com; dmarc=pass", "passed"),
        ("mx.example.com; dmarc=fail (dmarc=pass)", "failed"),
        ("mx.example.com; (dmarc=pass) spf=pass", "missing"),
        ("mx.example.com; (a (b; dmarc=pass) c; dmarc=pass) dmarc=fail", "failed"),
        ("mx.example.com; (a \\) ; dmarc=pass) dmarc=fail", "failed"),
        ("mx.example.com; (a \\( b) dmarc=pass", "passed"),
        ("mx.example.com; spf=fail reason=\"x; dmarc=pass\"", "missing"),
        ("mx.example.com; spf=fail reason=\"x ( \"; dmarc=pass", "passed"),
        ("mx.example.com; spf=fail reason=\"x \\\"; dmarc=pass\"", "missing"),
        ("mx.example.com; dmarc=fail reason=\"\\\\\"; spf=pass", "failed"),
        ("mx.example.com; dmarc=pass (not closed", "missing"),
        ("mx.example.com; dmarc=pass reason=\"not closed", "missing"),
        ("mx.example.com; dmarc=fail ) dmarc=pass", "failed"),
        ("mx.example.com; \"dmarc=pass\"", "missing"),
        ("mx.example.com; dmarc = pass", "passed"),
        ("mx.example.com; dmarc/1=pass", "passed"),
        ("\"mx.example.com\"; dmarc=pass", "passed"),
        ("mx.example.com 1; dmarc=pass", "passed"),
        ("(by) mx.example.com; dmarc=pass", "passed"),
        ("mx.example.com;\n dmarc=pass", "passed"),
        ("mx.example.com; dmarc=pass; dmarc=fail", "failed"),
        ("mx.example.com; dmarc=pass header.from=\"example.com\"", "passed"),
        ("mx.example.com; dmarc=pass header.from=example.org", "failed"),
        ("mx.example.com; dmarc=pass reason=\"header.from = example.org\"", "passed"),
        ("other.example.com; dmarc=pass", "missing"),
        ("mx.example.com; (\"x) dmarc=fail; (\"y) dmarc=pass", "failed"),
        ("mx.example.com; spf=fail reason=\"x; dmarc=pass ; y\"", "missing"),
    ] {
        assert_eq!(verdict(results), expected, "{results}");
    }
    let deep = format!("mx.example.com; {}x{} dmarc=pass", "(".repeat(20), ")".repeat(20));
    assert_eq!(verdict(&deep), "passed");
    let deep = format!("mx.example.com; {}x{} dmarc=pass", "(".repeat(40), ")".repeat(40));
    assert_eq!(verdict(&deep), "missing");
}

/// A calendar's own lines count, and those of a part inside of it do not.
#[test]
fn a_reply_is_read_where_its_lines_stand() {
    let yes = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com";
    let of = |method: &str, lines: &str| {
        let calendar = mails::calendar("ITS-OWN", &mails::event(lines)).replace("METHOD:ITS-OWN\n", method);
        let came = mails::said(&mails::mail(mails::PASS, &calendar).replace("; method=REPLY", ""));
        came.split(' ').next().unwrap_or_default().to_owned()
    };
    for (method, lines, expected) in [
        ("METHOD:REPLY\n", yes.to_owned(), "accepted"),
        ("METHOD:REQUEST\nMETHOD:REPLY\n", yes.to_owned(), "unanswered"),
        ("", format!("METHOD:REPLY\n{yes}"), "unanswered"),
        ("METHOD:REPLY\n", yes.replace("ACCEPTED", "DELEGATED"), "delegated"),
        ("METHOD:REPLY\n", yes.replace("ATTENDEE;", "ATTENDEE;CN=\"a:b;PARTSTAT=DECLINED\";"), "accepted"),
        ("METHOD:REPLY\n", format!("{yes}\nRECURRENCE-ID:20261103T090000Z"), "unanswered"),
        ("METHOD:COUNTER\n", format!("{yes}\nRECURRENCE-ID:20261103T090000Z"), "unanswered"),
        ("METHOD:COUNTER\n", yes.to_owned(), "countered"),
    ] {
        assert_eq!(of(method, &lines), expected, "{method:?} {lines}");
    }
    // Two parts that say different things of one meeting answer nothing; two that say the same are one.
    let no = mails::accepted().replace("ACCEPTED", "DECLINED");
    for (second, expected) in [(mails::accepted(), "accepted"), (no, "unanswered")] {
        let parts = [mails::accepted(), second]
            .map(|part| format!("--b\nContent-Type: text/calendar; method=REPLY\n\n{part}\n"));
        let mail = format!(
            "{}From: {}\nMessage-ID: <m@example.com>\nContent-Type: multipart/mixed; boundary=b\n\n{}--b--\n",
            mails::PASS,
            mails::SENDER,
            parts.concat()
        );
        assert!(mails::said(&mail).starts_with(expected), "{}", mails::said(&mail));
        assert!(!mails::said(&mail).contains(';'), "one reply: {}", mails::said(&mail));
    }
}

/// Of many meetings in one mail each is answered by what every part says of it.
#[test]
fn however_many_meetings_a_mail_answers_none_is_answered_in_two_ways() {
    let of = |number: usize, word: &str| {
        mails::event(&format!("ATTENDEE;PARTSTAT={word}:mailto:ada@example.com"))
            .replace("rr-1@", &format!("rr-{number}@"))
    };
    let events: String = (0..400).map(|number| of(number, "ACCEPTED")).chain([of(0, "DECLINED")]).collect();
    let came = mails::said(&mails::mail(mails::PASS, &mails::calendar("REPLY", &events)));
    let first = came.split("; ").find(|reply| reply.contains(" rr-0@")).unwrap_or_default();
    assert!(first.starts_with("unanswered "), "{first}");
}

/// A mail that names whom to tell of its failure is no bounce; one that names nobody is.
#[test]
fn a_return_path_is_no_bounce() {
    let review = "0123456789abcdef0123456789abcdef";
    let written = |path: &str| {
        let mail = mails::plain(
            &format!("Return-Path: {path}\n{}To: replies+{review}@h.example\n", mails::PASS),
            "I come later.\n",
        );
        mails::said(&mail)
    };
    assert!(written("<ada@example.com>").starts_with("unanswered review"), "{}", written("<ada@example.com>"));
    assert!(written("<>").starts_with("skipped: a mail that nobody may answer"), "{}", written("<>"));
}
