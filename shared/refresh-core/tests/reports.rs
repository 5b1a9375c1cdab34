//! A packed report says what was written into it, and is read back from the store as it was; so is one in plain words.

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use refresh_core::{
    Instant, Person, Role,
    record::{
        report::{Against, Because, PassedOver, Report, Run, Spelled, Writer},
        rule::SlotRule,
    },
};

const RULES: [(SlotRule, Against); 8] = [
    (SlotRule::Unready, Against::Unready),
    (SlotRule::Evidence, Against::Evidence),
    (SlotRule::Window, Against::Window),
    (SlotRule::Cutover, Against::Cutover),
    (SlotRule::Notice, Against::Notice),
    (SlotRule::Freeze, Against::Freeze),
    (SlotRule::Shared, Against::Shared),
    (SlotRule::Declined, Against::Declined),
];

/// Milliseconds since the run before, and to the last start; which rules are broken; per role, why nobody may fill it.
type Plan = (i64, i64, Vec<bool>, Vec<Option<Vec<Because>>>);

fn because() -> impl Strategy<Value = Because> {
    prop::sample::select(vec![Because::Busy, Because::Unknown, Because::Hours, Because::NotValid])
}

/// The sizes of the teams, and runs over them.
fn plans() -> impl Strategy<Value = (Vec<usize>, Vec<Plan>)> {
    prop::collection::vec(0..32_usize, 0..20).prop_flat_map(|teams| {
        let role = |size: &usize| prop::option::of(prop::collection::vec(because(), *size));
        let roles: Vec<_> = teams.iter().map(role).collect();
        let run = (0..1_i64 << 40, 0..1_i64 << 34, prop::collection::vec(any::<bool>(), RULES.len()), roles);
        (Just(teams), prop::collection::vec(run, 0..20))
    })
}

fn role(index: usize) -> Role {
    Role::parse(&format!("role-{index}")).expect("a name")
}

fn person(role: usize, place: usize) -> Person {
    Person::parse(&format!("p{place}@role-{role}.example.com")).expect("an address")
}

/// The same report packed, and in plain words.
fn both(teams: &[usize], plans: &[Plan]) -> (Report, Vec<Run>) {
    let named = teams.iter().enumerate();
    let named = named.map(|(index, size)| (role(index), (0..*size).map(|place| person(index, place)).collect()));
    let mut writer = Writer::new(named.collect());
    let mut runs = Vec::new();
    let mut before = 0;
    for (gap, length, rules, lacking) in plans {
        let (first, last) = (Instant::from_millis(before + gap), Instant::from_millis(before + gap + length));
        before = last.millis();
        let broken = || RULES.iter().zip(rules).filter(|(_, broken)| **broken).map(|(rule, _)| rule);
        writer.run(first, last, broken().map(|(rule, _)| *rule));
        let told_last = |against: &Against| matches!(against, Against::Shared | Against::Declined);
        let mut against: Vec<Against> =
            broken().map(|(_, against)| against.clone()).filter(|against| !told_last(against)).collect();
        for (index, reasons) in lacking.iter().enumerate() {
            let Some(reasons) = reasons else { continue };
            writer.nobody_for(index, reasons.iter().copied());
            let people = reasons.iter().enumerate();
            let people = people.map(|(place, because)| PassedOver { person: person(index, place), because: *because });
            against.push(Against::Role { role: role(index), people: people.collect() });
        }
        against.extend(broken().map(|(_, against)| against.clone()).filter(told_last));
        runs.push(Run { first, last, against });
    }
    (writer.finish(7, 3), runs)
}

fn through_the_store(report: &Report) -> Report {
    serde_json::from_str(&serde_json::to_string(report).expect("plain data")).expect("what was written")
}

#[test]
fn a_packed_report_says_what_was_written() {
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]));
    let result = runner.run(&plans(), |(teams, plans)| {
        let (packed, runs) = both(&teams, &plans);
        let read = packed.runs().into_owned();
        prop_assert_eq!(&read, &runs);
        prop_assert_eq!(&through_the_store(&packed), &packed);
        let spelled = packed.spelled();
        prop_assert_eq!(&spelled, &Spelled { runs, considered: 7, left_out: 3 });
        // What older versions and lineage entries hold is written again byte for byte: their hashes stay good.
        let stored = serde_json::to_string(&spelled).expect("plain data");
        let read: Report = serde_json::from_str(&stored).expect("the older form");
        prop_assert_eq!(&read, &Report::Spelled(spelled));
        prop_assert_eq!(serde_json::to_string(&read).expect("plain data"), stored);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// A function that is older than packed reports reads a new one as a report without runs.
#[test]
fn an_older_reader_finds_no_runs() {
    let (packed, _) = both(&[2], &[(0, 0, vec![false; 8], vec![Some(vec![Because::Busy; 2])])]);
    let older: Spelled = serde_json::from_str(&serde_json::to_string(&packed).expect("plain data")).expect("no error");
    assert_eq!(older, Spelled { runs: Vec::new(), considered: 7, left_out: 3 });
}

#[test]
fn a_packed_report_that_was_cut_or_fits_no_team_is_refused() {
    let (packed, _) = both(&[9, 1], &[(5, 5, vec![true; 8], vec![Some(vec![Because::Hours; 9]), None])]);
    let whole = serde_json::to_value(&packed).expect("plain data");
    let text = whole["packed"].as_str().expect("text").to_owned();
    for length in 1..text.len() {
        let mut cut = whole.clone();
        cut["packed"] = text[..length].into();
        assert!(serde_json::from_value::<Report>(cut).is_err(), "{length} of {} characters", text.len());
    }
    let mut other = whole;
    other["teams"][0][1] = serde_json::json!(["somebody@example.com"]);
    assert!(serde_json::from_value::<Report>(other).is_err(), "more reasons than people");
}
