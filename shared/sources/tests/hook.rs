//! Who posts a webhook: the published examples of each scheme, and everything that is none.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use refresh_core::Instant;
use sha2::Sha256;
use sources::{
    hook::{self, HookRequest, Secrets, Unproven},
    http::Unsplit,
    native::binding::Proof,
    policy,
};

/// Twenty-two bytes, as a scheme without an encoding of its own takes them.
const SECRET: &str = "correct horse battery!";

struct Request {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn of(headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { headers, body: body.as_bytes().to_vec() }
    }

    fn is_from(&self, proof: Proof, secrets: &[&str], seconds: i64) -> Result<(), Unproven> {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let posted = HookRequest { headers: &self.headers, body: &self.body };
        hook::verify(proof, &secrets, posted, Instant::from_millis(seconds * 1_000))
    }
}

/// The examples that GitHub, Standard Webhooks and Slack publish: made by none of our code.
#[test]
fn published_examples_are_proven() {
    let github = Request::of(
        &[("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")],
        "Hello, World!",
    );
    assert_eq!(github.is_from(Proof::HubSignature, &["It's a Secret to Everybody"], 0), Ok(()));
    let standard = Request::of(
        &[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ],
        r#"{"test": 2432232314}"#,
    );
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(standard.is_from(Proof::StandardWebhooks, &[secret], 1_614_265_330), Ok(()));
    let slack = Request::of(
        &[
            ("x-slack-request-timestamp", "1531420618"),
            ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
        ],
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
         &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
         &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
         &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    );
    assert_eq!(slack.is_from(Proof::Slack, &["8f742231b10e8888abcd99yyyzzz85a5"], 1_531_420_618), Ok(()));
}

const NOW: i64 = 1_762_160_400;

fn tag(parts: &[&str]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    parts.iter().for_each(|part| mac.update(part.as_bytes()));
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    refresh_core::base::hex::written(bytes)
}

/// A good request of each scheme, signed at `at`, and the header that proves it.
fn good(proof: Proof, body: &str, at: i64) -> (Request, &'static str) {
    let at = at.to_string();
    let (headers, proving): (Vec<(&str, String)>, _) = match proof {
        Proof::HubSignature => {
            (vec![("x-hub-signature-256", format!("sha256={}", hex(&tag(&[body]))))], "x-hub-signature-256")
        }
        Proof::Pagerduty => {
            let old = "00".repeat(32);
            (vec![("x-pagerduty-signature", format!("v1={old},v1={}", hex(&tag(&[body]))))], "x-pagerduty-signature")
        }
        Proof::StandardWebhooks => {
            let signature = format!("v1,{}", STANDARD.encode(tag(&["msg_1", ".", &at, ".", body])));
            let headers =
                vec![("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", at), ("webhook-signature", signature)];
            (headers, "webhook-signature")
        }
        Proof::Slack => {
            let signature = format!("v0={}", hex(&tag(&["v0:", &at, ":", body])));
            (vec![("x-slack-request-timestamp", at), ("x-slack-signature", signature)], "x-slack-signature")
        }
        Proof::GitlabToken => (vec![("x-gitlab-token", SECRET.to_owned())], "x-gitlab-token"),
        Proof::SharedSecret => (vec![("authorization", format!("Bearer {SECRET}"))], "authorization"),
    };
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (Request::of(&headers, body), proving)
}

fn signs(proof: Proof) -> bool {
    !matches!(proof, Proof::GitlabToken | Proof::SharedSecret)
}

#[test]
fn each_scheme_knows_its_sender_and_nobody_else() {
    for (word, proof) in Proof::WORDS {
        let (request, proving) = good(proof, r#"{"a":1}"#, NOW);
        assert_eq!(request.is_from(proof, &[SECRET], NOW), Ok(()), "{word}");
        assert_eq!(request.is_from(proof, &["a newer secret than it", SECRET], NOW), Ok(()), "{word}: rotated");
        assert_eq!(
            request.is_from(proof, &["another secret altogether"], NOW),
            Err(Unproven::Wrong(proving)),
            "{word}"
        );
        assert_eq!(request.is_from(proof, &[], NOW), Err(Unproven::Wrong(proving)), "{word}: without a secret");
        let bare = Request::of(&[], r#"{"a":1}"#);
        assert!(matches!(bare.is_from(proof, &[SECRET], NOW), Err(Unproven::Missing(_))), "{word}");
        for (other_word, other) in Proof::WORDS.into_iter().filter(|(_, other)| *other != proof) {
            assert!(request.is_from(other, &[SECRET], NOW).is_err(), "{word} passes for {other_word}");
        }
    }
}

/// Every bit of what is signed: the body, the instant, the id, the tag.
#[test]
fn no_changed_bit_is_let_through() {
    for (word, proof) in Proof::WORDS {
        let body = r#"{"conclusion":"success"}"#;
        if signs(proof) {
            for bit in 0..body.len() * 8 {
                let (mut request, _) = good(proof, body, NOW);
                request.body[bit / 8] ^= 1 << (bit % 8);
                assert!(request.is_from(proof, &[SECRET], NOW).is_err(), "{word}: bit {bit} of the body");
            }
        }
        let (request, _) = good(proof, body, NOW);
        for name in request.headers.keys() {
            let value = &request.headers[name];
            // The first tag of PagerDuty's is an older key's, and need not fit.
            for at in value.find(',').filter(|_| proof == Proof::Pagerduty).unwrap_or(0)..value.len() {
                let mut changed = value.clone().into_bytes();
                changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
                let changed = String::from_utf8(changed).expect("ASCII");
                let (mut other, _) = good(proof, body, NOW);
                other.headers.insert(name.clone(), changed.clone());
                assert!(other.is_from(proof, &[SECRET], NOW).is_err(), "{word}: {name}: {changed}");
            }
        }
    }
}

#[test]
fn a_signed_instant_is_near() {
    for proof in [Proof::StandardWebhooks, Proof::Slack] {
        for (apart, near) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            let (request, _) = good(proof, "{}", NOW + apart);
            let found = request.is_from(proof, &[SECRET], NOW);
            let expected = matches!(found, Ok(()) | Err(Unproven::NotNear(_)));
            assert!(expected && found.is_ok() == near, "{proof:?}: {apart} seconds apart: {found:?}");
        }
        // A clock at the end of time is no reason to panic.
        let (request, _) = good(proof, "{}", i64::MIN);
        assert!(request.is_from(proof, &[SECRET], NOW).is_err());
    }
}

/// A weaker method than the one asked for is none.
#[test]
fn what_is_written_otherwise_is_told_how() {
    for (proof, name, value) in [
        (Proof::HubSignature, "x-hub-signature", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6"),
        (Proof::HubSignature, "x-hub-signature-256", "757107ea"),
        (Proof::Pagerduty, "x-pagerduty-signature", "v2=00"),
        (Proof::SharedSecret, "authorization", SECRET),
        (Proof::SharedSecret, "authorization", "Digest x"),
        (Proof::SharedSecret, "authorization", "Basic !"),
    ] {
        let said = Request::of(&[(name, value)], "{}").is_from(proof, &[SECRET], NOW).expect_err("unreadable");
        assert!(matches!(said, Unproven::Unreadable { header, .. } if header == name), "{value}: {said:?}");
        assert!(said.to_string().starts_with(&format!("header {name}: expected ")), "{said}");
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("hook:{SECRET}")));
    assert_eq!(Request::of(&[("authorization", &basic)], "").is_from(Proof::SharedSecret, &[SECRET], NOW), Ok(()));
}

#[test]
fn secrets_are_named_and_never_shown() {
    let secrets = Secrets::read(r#"{"ci": "0123456789abcdef", "sn": ["fedcba9876543210", "0123456789abcdef"]}"#);
    let secrets = secrets.expect("good secrets");
    assert_eq!(secrets.named("sn").len(), 2);
    assert_eq!(secrets.named("other").len(), 0);
    assert_eq!(format!("{secrets:?}"), r#"{"ci", "sn"}"#);
    for wrong in ["", "[]", r#"{"ci": "hunter2"}"#, r#"{"ci": ["hunter2", 7]}"#, r#"{"ci": ["a", "b", "c"]}"#] {
        let said: Vec<String> = Secrets::read(wrong).expect_err("wrong").iter().map(ToString::to_string).collect();
        assert!(!said.is_empty() && !said.concat().contains("hunter2"), "{said:?}");
    }
}

fn ci() -> policy::PolicyFile {
    let text = r#"{"sources": [{"kind": "evidence", "source": "//ci", "governed_by": "a@example.com"}], "native": [
      {"name": "ci", "format": "github.workflow_run", "source": "//ci", "repository": "a/b", "workflow": "w.yml", "change_id": "CHG1",
       "checkpoint": "tests", "hook": {"secret": "ci"}}]}"#;
    policy::read_file(text).expect("a policy")
}

#[test]
fn the_message_names_the_binding_and_leaves_the_proof_at_the_door() {
    let policy = ci();
    let bound = policy.bindings.named("ci").expect("the binding");
    let headers = [
        ("x-github-event", "workflow_run"),
        ("x-github-delivery", "d1"),
        ("x-hub-signature-256", "sha256=00"),
        ("authorization", "Bearer secret"),
        ("cookie", "session"),
    ];
    let message = |body: &str, extra: Option<(&str, &str)>| {
        let request = Request::of(&headers.iter().copied().chain(extra).collect::<Vec<_>>(), body);
        hook::message(bound, HookRequest { headers: &request.headers, body: &request.body })
    };
    let plain = message(r#"{"action":"completed"}"#, None).expect("JSON");
    let expected = serde_json::json!({
        "format": "github.workflow_run", "binding": "ci", "body": {"action": "completed"},
        "headers": {"x-github-event": "workflow_run", "x-github-delivery": "d1"},
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&plain).expect("JSON"), expected);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let posted = message("payload=%7B%22action%22%3A%22completed%22%7D", Some(form)).expect("a form");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&posted).expect("JSON")["body"], expected["body"]);
    assert!(matches!(message("other=1", Some(form)), Err(Unsplit::Invalid(_))));
    assert!(matches!(message("no JSON", None), Err(Unsplit::Invalid(_))));
    let large = format!("\"{}\"", "x".repeat(1_048_576));
    assert!(matches!(message(&large, None), Err(Unsplit::TooLarge(_))));
}

#[test]
fn a_hook_without_its_secret_is_a_fault_at_start() {
    let missing = Secrets::default().missing(&ci().bindings);
    assert_eq!(missing, ["expected a secret ci, for the hook of ci; found none"]);
    let secrets = Secrets::read(r#"{"ci": "0123456789abcdef"}"#).expect("a secret");
    assert_eq!(secrets.missing(&ci().bindings), Vec::<String>::new());
}

#[test]
fn a_webhook_at_the_other_door_is_shown_its_own() {
    let headers = |name: &str| BTreeMap::from([(name.to_owned(), "workflow_run".to_owned())]);
    let said = hook::misdirected(&headers("x-github-event")).expect("a webhook").to_string();
    assert!(said.contains("/hooks/<name of its binding>") && said.contains("github.check_suite"), "{said}");
    assert_eq!(hook::misdirected(&headers("x-request-id")), None);
}

/// The word by which an operator counts what was refused at a hook.
#[test]
fn every_way_to_be_unproven_has_a_word_of_its_own() {
    let ways = [
        (Unproven::Missing("x-h"), "unsigned"),
        (Unproven::Unreadable { header: "x-h", expected: "hex" }, "unreadable"),
        (Unproven::Wrong("x-h"), "forged"),
        (Unproven::NotNear("x-h"), "old"),
    ];
    for (way, word) in ways {
        assert_eq!(way.word(), word);
    }
}
