//! Can a stranger make, bend or borrow a link?

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use presentation::link::{
    Keys, LinkSubject, Purpose, Refusal, SealRefusal, TOKEN_LENGTHS, Token, form_check, form_seal, nonce, open, sign,
    url,
};
use proptest::prelude::*;
use refresh_core::{
    Instant, Person, ReviewId, TraceId,
    base::{
        digest::Digest,
        fingerprint::{PersonFingerprint, ProposalFingerprint, ReviewFingerprint, RowFingerprint},
    },
};

fn key(byte: u8) -> String {
    URL_SAFE_NO_PAD.encode([byte; 32])
}

fn keys(text: &str) -> Keys {
    Keys::parse(text).expect("keys")
}

fn now() -> Instant {
    Instant::parse("2026-11-03T09:02:00Z").expect("an instant")
}

fn subject(purpose: Purpose, bytes: [u8; 16]) -> LinkSubject {
    match purpose {
        Purpose::Adopt => LinkSubject::Proposal(ProposalFingerprint::from_bytes(bytes)),
        Purpose::Acknowledge => LinkSubject::Row(RowFingerprint::from_bytes(bytes)),
        Purpose::Workspace => LinkSubject::Workspace,
    }
}

fn token(purpose: Purpose) -> Token {
    Token {
        review: ReviewFingerprint::of(&ReviewId::parse("RR-1042").expect("an id")),
        person: PersonFingerprint::of(&Person::parse("rm-a@example.com").expect("a person")),
        subject: subject(purpose, Digest::of_bytes("test", b"proposal").first_half()),
        expires_at: now().plus_minutes(240),
        // One purpose without: links of both layouts live side by side.
        trace: TraceId::from_bytes([0x5c; 16]).filter(|_| purpose != Purpose::Workspace),
    }
}

fn one_key() -> Keys {
    keys(&format!("1:{}", key(7)))
}

fn signed(purpose: Purpose) -> String {
    sign(&token(purpose), &one_key(), [9; 8])
}

#[test]
fn a_link_opens_for_what_it_was_made_for() {
    for purpose in Purpose::ALL {
        let text = signed(purpose);
        assert_eq!(text.len(), TOKEN_LENGTHS[usize::from(token(purpose).trace.is_some())]);
        assert_eq!(open(&text, &one_key(), purpose, now()), Ok(token(purpose)));
        let url = url("https://holdpoint.example.com/", purpose, &text);
        assert_eq!(url, format!("https://holdpoint.example.com/{}/{text}", purpose.path()));
    }
}

/// Links that were mailed before there were traces are still in mailboxes.
#[test]
fn without_a_trace_a_link_has_the_layout_of_before() {
    let bytes = |purpose| URL_SAFE_NO_PAD.decode(signed(purpose)).expect("base64url");
    let (plain, traced) = (bytes(Purpose::Workspace), bytes(Purpose::Adopt));
    assert_eq!((plain.len(), plain[0], &plain[59..67]), (83, 1, &[9; 8][..]));
    assert_eq!((traced.len(), traced[0], &traced[59..67], &traced[67..83]), (99, 2, &[9; 8][..], &[0x5c; 16][..]));
    // Neither passes for the other, whatever its first byte says.
    let cut = [&traced[..67], &traced[83..]].concat();
    let grown = [&plain[..67], &[0x5c; 16], &plain[67..]].concat();
    for (mut bent, purpose) in [(cut, Purpose::Adopt), (grown, Purpose::Workspace)] {
        for layout in [1, 2] {
            bent[0] = layout;
            assert!(open(&URL_SAFE_NO_PAD.encode(&bent), &one_key(), purpose, now()).is_err(), "{purpose:?} {layout}");
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let text = signed(Purpose::Adopt);
    let bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        let refused = open(&URL_SAFE_NO_PAD.encode(bent), &one_key(), Purpose::Adopt, now());
        assert!(matches!(refused, Err(Refusal::Forged | Refusal::Unreadable)), "bit {bit}: {refused:?}");
    }
}

#[test]
fn every_other_spelling_is_refused() {
    let text = signed(Purpose::Adopt);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=%. ";
    for position in 0..text.len() {
        for letter in alphabet.chars().filter(|letter| !text[position..].starts_with(*letter)) {
            let mut bent: Vec<char> = text.chars().collect();
            bent[position] = letter;
            let bent: String = bent.into_iter().collect();
            assert!(open(&bent, &one_key(), Purpose::Adopt, now()).is_err(), "{letter:?} at {position}");
        }
    }
    for length in 0..text.len() {
        assert!(open(&text[..length], &one_key(), Purpose::Adopt, now()).is_err(), "cut to {length}");
    }
    for bent in [format!("{text}A"), format!("{text}="), format!(" {text}"), format!("{text}\n"), text.repeat(2)] {
        assert!(open(&bent, &one_key(), Purpose::Adopt, now()).is_err(), "{bent:?}");
    }
}

#[test]
fn purposes_never_stand_in_for_each_other() {
    for made in Purpose::ALL {
        for asked in Purpose::ALL.into_iter().filter(|asked| *asked != made) {
            assert_eq!(open(&signed(made), &one_key(), asked, now()), Err(Refusal::Forged), "{made:?} as {asked:?}");
            // Not even with the purpose's own byte rewritten.
            let mut bytes = URL_SAFE_NO_PAD.decode(signed(made)).expect("base64url");
            bytes[2] = URL_SAFE_NO_PAD.decode(signed(asked)).expect("base64url")[2];
            assert_eq!(open(&URL_SAFE_NO_PAD.encode(bytes), &one_key(), asked, now()), Err(Refusal::Forged));
        }
    }
}

#[test]
fn at_its_expiry_instant_a_link_is_expired_and_still_genuine() {
    let (text, token) = (signed(Purpose::Adopt), token(Purpose::Adopt));
    let last = token.expires_at.plus_millis(-1);
    assert_eq!(open(&text, &one_key(), Purpose::Adopt, last), Ok(token));
    assert_eq!(open(&text, &one_key(), Purpose::Adopt, token.expires_at), Err(Refusal::Expired(token)));
    let mut bent = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
    bent[82] ^= 1;
    let bent = URL_SAFE_NO_PAD.encode(bent);
    assert_eq!(open(&bent, &one_key(), Purpose::Adopt, token.expires_at), Err(Refusal::Forged));
}

#[test]
fn two_keys_live_through_a_rotation() {
    let old = one_key();
    let before = signed(Purpose::Adopt);
    let both = keys(&old.rotate([8; 32]));
    let after = sign(&token(Purpose::Adopt), &both, [9; 8]);
    assert_ne!(before, after, "the new key signs");
    for (text, keys, opens) in [
        (&before, &old, true),
        (&before, &both, true),
        (&after, &both, true),
        (&after, &old, false),
        (&before, &keys(&format!("2:{}", key(8))), false),
        (&after, &keys(&format!("2:{}", key(8))), true),
    ] {
        assert_eq!(open(text, keys, Purpose::Adopt, now()).is_ok(), opens, "{keys:?}");
    }
    // The next rotation drops the oldest and takes an id nobody has.
    let third = keys(&both.rotate([9; 32]));
    assert!(open(&before, &third, Purpose::Adopt, now()).is_err());
    assert!(open(&after, &third, Purpose::Adopt, now()).is_ok());
    assert_eq!(format!("{third:?}"), "Keys[3, 2]");
}

#[test]
fn bad_keys_are_named_and_never_repeated() {
    let good = key(7);
    let rows = [
        (String::new(), "link key 1: expected <key id>:<base64url of 32 bytes>; there is no colon"),
        (good.clone(), "there is no colon"),
        (format!("x:{good}"), "the key id is not a number from 0 to 255"),
        (format!("256:{good}"), "the key id is not a number from 0 to 255"),
        (format!("1:{good}="), "the key is not unpadded base64url"),
        (format!("1:{}", URL_SAFE_NO_PAD.encode([7; 16])), "the key has 16 bytes"),
        (format!("1:{}", key(0)), "the key is all zeros"),
        (
            format!("1:{good},1:{}", key(8)),
            "link key 2: expected <key id>:<base64url of 32 bytes>; key id 1 stands there twice",
        ),
        (format!("1:{good},2:{},3:{}", key(8), key(9)), "link keys: expected one or two; found 3"),
    ];
    for (text, expected) in rows {
        let error = Keys::parse(&text).expect_err("refused");
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains(&good), "the error repeats a key: {error}");
    }
    assert!(!format!("{:?}", one_key()).contains(&good));
}

#[test]
fn a_form_is_bound_to_link_state_and_time() {
    let state = Digest::of_bytes("state", b"what was shown");
    let other = Digest::of_bytes("state", b"what is");
    let text = signed(Purpose::Adopt);
    let seal = form_seal(&one_key(), &text, &state, now());
    let check = |seal: &str, token: &str, state: &Digest, after: i64| {
        form_check(seal, &one_key(), token, state, now().plus_minutes(after))
    };
    let rendered_at = now();
    assert_eq!(check(&seal, &text, &state, 5), Ok(rendered_at));
    assert_eq!(check(&seal, &text, &other, 5), Err(SealRefusal::OtherState { rendered_at }));
    assert_eq!(check(&seal, &text, &state, 24 * 60), Err(SealRefusal::TooOld { rendered_at }));
    assert_eq!(check(&seal, &text, &state, -5), Ok(rendered_at), "another machine's clock");
    assert_eq!(check(&seal, &text, &state, -6), Err(SealRefusal::Forged));
    assert_eq!(check(&seal, &signed(Purpose::Acknowledge), &state, 5), Err(SealRefusal::Forged));
    for seal in ["", "x", &text, &seal[..20]] {
        assert_eq!(check(seal, &text, &state, 5), Err(SealRefusal::Forged), "{seal:?}");
    }
    let bytes = URL_SAFE_NO_PAD.decode(&seal).expect("base64url");
    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(check(&URL_SAFE_NO_PAD.encode(bent), &text, &state, 5), Err(SealRefusal::Forged), "bit {bit}");
    }
}

#[test]
fn a_seal_is_no_token_and_a_token_no_seal() {
    let state = Digest::ZERO;
    let seal = form_seal(&one_key(), "", &state, now());
    for purpose in Purpose::ALL {
        assert!(open(&seal, &one_key(), purpose, now()).is_err());
        assert!(form_check(&signed(purpose), &one_key(), "", &state, now()).is_err());
    }
}

proptest! {
    #[test]
    fn whatever_is_not_a_token_is_refused(text in ".{0,200}") {
        for purpose in Purpose::ALL {
            prop_assert!(open(&text, &one_key(), purpose, now()).is_err());
        }
    }

    #[test]
    fn bytes_of_the_right_length_are_refused(bytes in proptest::collection::vec(any::<u8>(), 99), traced: bool) {
        let mut bytes = bytes;
        bytes.truncate(if traced { 99 } else { 83 });
        bytes[0] = 1 + u8::from(traced);
        bytes[1] = 1;
        prop_assert_eq!(open(&URL_SAFE_NO_PAD.encode(bytes), &one_key(), Purpose::Adopt, now()), Err(Refusal::Forged));
    }

    #[test]
    fn what_is_signed_comes_back(
        review: [u8; 16], person: [u8; 16], about: [u8; 16], nonce: [u8; 8], trace: [u8; 16], traced: bool,
        millis in 1_793_700_000_000_i64..i64::MAX,
    ) {
        for purpose in Purpose::ALL {
            let trace = TraceId::from_bytes(trace).filter(|_| traced);
            let token = Token {
                review: ReviewFingerprint::from_bytes(review),
                person: PersonFingerprint::from_bytes(person),
                subject: subject(purpose, about),
                expires_at: Instant::from_millis(millis),
                trace,
            };
            let text = sign(&token, &one_key(), nonce);
            prop_assert_eq!(open(&text, &one_key(), purpose, now()), Ok(token));
        }
    }
}

/// The same telling of the same thing gives the same link; anything else, another one.
#[test]
fn a_nonce_follows_from_the_telling() {
    let keys = one_key();
    let at = Instant::from_millis(1_793_696_520_000);
    let first = token(Purpose::Adopt);
    let told = nonce(&first, &keys, at);
    assert_eq!(nonce(&first, &keys, at), told);
    let other = |change: fn(&mut Token)| {
        let mut token = first;
        change(&mut token);
        nonce(&token, &keys, at)
    };
    let others = [
        nonce(&first, &keys, at.plus_millis(1)),
        other(|token| token.subject = subject(Purpose::Acknowledge, token.subject.bytes())),
        other(|token| token.review = ReviewFingerprint::from_bytes([7; 16])),
        other(|token| token.person = PersonFingerprint::from_bytes([7; 16])),
        other(|token| token.subject = subject(Purpose::Adopt, [7; 16])),
        other(|token| token.expires_at = token.expires_at.plus_millis(1)),
        other(|token| token.trace = TraceId::from_bytes([7; 16])),
    ];
    let all: std::collections::BTreeSet<[u8; 8]> = others.into_iter().chain([told]).collect();
    assert_eq!(all.len(), others.len() + 1, "{all:?}");
}
