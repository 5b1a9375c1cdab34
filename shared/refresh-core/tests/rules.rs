//! Every rule of a refresh, a row each: text tables in `rules/tables`, read and played on a virtual clock.
//!
//! A row is `sentence | steps | outcome`. How steps and outcomes are written is said in `rules/README.md`. A row that
//! fails prints as a sentence: what the rule says, what was done, what was expected and what was found.

#[path = "rules/clock.rs"]
mod clock;
#[path = "rules/elsewhere.rs"]
mod elsewhere;
#[path = "rules/fixture.rs"]
mod fixture;
#[path = "rules/mailed.rs"]
mod mailed;
#[path = "rules/outcome.rs"]
mod outcome;
#[path = "rules/said.rs"]
mod said;
#[path = "rules/show.rs"]
mod show;
#[path = "rules/step.rs"]
mod step;
#[path = "rules/table.rs"]
mod table;
#[path = "rules/terms.rs"]
mod terms;
#[path = "rules/told.rs"]
mod told;
#[path = "rules/unread.rs"]
mod unread;
#[path = "rules/world.rs"]
mod world;
#[path = "rules/written.rs"]
mod written;

macro_rules! tables {
    ($($name:ident),* $(,)?) => {
        /// Every table, in the order of the specification.
        const TABLES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("rules/tables/", stringify!($name), ".txt")))),*];
        $(#[test] fn $name() {
            table::play(stringify!($name), include_str!(concat!("rules/tables/", stringify!($name), ".txt")));
        })*
    };
}

tables! {
    facts,
    subjects,
    issue_and_closing,
    viability,
    choice,
    outcomes,
    escalation,
    exceptions,
    adoption,
    views,
    notices,
    calendar,
    acknowledgements,
    replies,
    delivery,
    worked_cases,
}

/// `DESIGN.md` maps every line of the specification to sections of these tables: none that does not exist, none forgotten.
#[test]
fn the_map_in_design_names_every_section_and_no_other() {
    table::hold_against(include_str!("../DESIGN.md"), TABLES);
}
