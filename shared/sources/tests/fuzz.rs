//! A fuzz harness on stable Rust: a fixed number of inputs, the same every time, made of every native sample by cutting,
//! doubling, swapping and overwriting its bytes and its JSON. `FUZZ_INPUTS` asks for another number of them.
//!
//! What must hold: an answer, and never a panic; a refusal says something; and what a sample's spoilt copy says of
//! somebody's time, of evidence or of approval is an event that the contract itself takes.

mod common;

use std::env;

use serde_json::Value;
use sources::read;

/// A few seconds' worth on one core, unoptimised.
const INPUTS: u64 = 20_000;

/// SplitMix64: as good as is needed, and the same on every machine.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap_or(0)
    }
}

/// Words that mean something somewhere.
const WORDS: [&str; 24] = [
    "",
    "null",
    "2026-11-03T14:00:00Z",
    "2026-11-03",
    "99991231T235959Z",
    "16010101T000000",
    "TZID=Europe/Berlin",
    "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2",
    "FREQ=SECONDLY",
    "COUNT=4294967295",
    "INTERVAL=65535",
    "P99999999999D",
    "-PT1H",
    "RANGE=THISANDFUTURE",
    "BEGIN:VEVENT",
    "END:VCALENDAR",
    "<C:response>",
    "&amp;&#0;",
    "\"",
    "-9223372036854775808",
    "1e308",
    "success",
    "\u{202e}",
    "a@example.com",
];

fn spoilt_text(text: &str, bytes: &mut Bytes) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..1 + bytes.below(3) {
        let (a, b) = (bytes.below(chars.len() + 1), bytes.below(chars.len() + 1));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 60));
        match bytes.below(4) {
            0 => drop(chars.drain(from..to)),
            1 => {
                let part = chars[from..to].to_vec();
                chars.splice(from..from, part);
            }
            2 => drop(chars.splice(from..from, WORDS[bytes.below(WORDS.len())].chars())),
            _ => chars.truncate(to.max(1)),
        }
    }
    chars.into_iter().collect()
}

fn spoil(value: &mut Value, bytes: &mut Bytes) {
    match value {
        Value::Object(members) if !members.is_empty() && bytes.below(8) > 0 => {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = &names[bytes.below(names.len())];
            if bytes.below(12) == 0 {
                members.remove(name);
            } else if let Some(member) = members.get_mut(name) {
                spoil(member, bytes);
            }
        }
        Value::Array(items) if !items.is_empty() && bytes.below(8) > 0 => {
            let index = bytes.below(items.len());
            match bytes.below(12) {
                0 => drop(items.remove(index)),
                1 => items.push(items[index].clone()),
                _ => spoil(&mut items[index], bytes),
            }
        }
        Value::String(text) if bytes.below(4) > 0 => *text = spoilt_text(text, bytes),
        other => {
            *other = match bytes.below(6) {
                0 => Value::Null,
                1 => Value::from(bytes.next()),
                2 => Value::from(-1.5),
                3 => Value::Array(Vec::new()),
                4 => Value::Object(serde_json::Map::new()),
                _ => Value::from(WORDS[bytes.below(WORDS.len())]),
            };
        }
    }
}

#[test]
fn spoilt_payloads_are_read_or_refused() {
    let inputs = env::var("FUZZ_INPUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(INPUTS);
    let (samples, bindings) = (common::natives(), common::bindings(|_| ()));
    let mut bytes = Bytes(0x5eed);
    let (mut taken, mut refused) = (0_u64, 0_u64);
    for input in 0..inputs {
        let (name, sample) = &samples[bytes.below(samples.len())];
        let mut payload = sample.clone();
        for _ in 0..1 + bytes.below(2) {
            spoil(&mut payload, &mut bytes);
        }
        // Now and then the text of it all.
        let body = payload.to_string();
        let body = if bytes.below(10) == 0 { spoilt_text(&body, &mut bytes) } else { body };
        match read(&body, &bindings) {
            Ok(read) => {
                taken += 1;
                let said = read.events.len() + read.skipped.len() + read.refused.len() + read.hints.len();
                assert!(
                    said > 0 || read.report.is_some(),
                    "input {input} of {name}: taken, and nothing came of it: {body}"
                );
                assert!(read.refused.iter().all(|record| !record.refused.faults.is_empty()), "input {input} of {name}");
            }
            Err(error) => {
                refused += 1;
                assert!(!error.faults.is_empty(), "input {input} of {name}: refused without a reason: {body}");
            }
        }
    }
    assert!(taken > inputs / 10 && refused > inputs / 10, "{taken} taken, {refused} refused");
}
