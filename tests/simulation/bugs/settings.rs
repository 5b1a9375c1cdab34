//! Bugs of what a function is given: another policy, a clock that stands, keys of nobody's.

use std::sync::{Arc, atomic::AtomicI64};

use holdpoint::engine::Functions;
use lambda_shell::clock::Clock;
use refresh_core::{
    Source,
    facts::policy::{Deployment, MetadataAlone},
};

use super::{Row, Sabotage::Configured};
use crate::scene::{HOUR, MORNING, NEXT_CALENDARS};

pub const BUGS: &[Row] = &[
    ("any_source_is_believed", "a source is believed whoever it is", 37, Configured(any_source)),
    ("another_grid", "slots on another grid than the policy's", 308, Configured(another_grid)),
    ("one_person_two_roles", "one person may sit in two roles", 33, Configured(two_roles)),
    ("exclusions_forgotten", "who is excluded from a role is not", 28, Configured(no_exclusions)),
    ("freeze_edge_forgotten", "the distance to a freeze is not asked for", 30, Configured(no_edge)),
    ("desk_forgotten", "escalation contacts are told of nothing", 1, Configured(no_desk)),
    ("participants_told_early", "who shall hear of adoptions alone hears of proposals", 5, Configured(told_early)),
    ("buffer_forgotten", "no time is left after the evidence", 22, Configured(no_buffer)),
    ("carried_told_alone", "an evidence time, window or cutover alone owes a notice", 6, Configured(told_alone)),
    ("former_holder_speaks", "whoever gave a subject up takes it back", 19, Configured(taken_back)),
    ("clock_stands", "a notifier whose clock does not move", 70, Configured(clock_stands)),
];

fn changed(
    deployment: &Arc<Deployment>,
    change: impl FnOnce(&mut refresh_core::facts::policy::Policy),
) -> Arc<Deployment> {
    let mut deployment = Deployment::clone(deployment);
    change(&mut deployment.defaults);
    Arc::new(deployment)
}

/// Of whoever decides.
fn deciders(mut functions: Functions, change: impl Fn(&mut refresh_core::facts::policy::Policy)) -> Functions {
    functions.refresh.deployment = changed(&functions.refresh.deployment, &change);
    functions.adopt.deployment = changed(&functions.adopt.deployment, &change);
    functions.acknowledge.deployment = changed(&functions.acknowledge.deployment, &change);
    functions
}

fn any_source(mut functions: Functions) -> Functions {
    let mut policy = sources::policy::PolicyFile::clone(&functions.ingest.policy);
    for known in &mut policy.deployment.sources {
        known.source = Source::parse("//*").expect("a prefix of every source");
    }
    functions.ingest.policy = Arc::new(policy);
    functions
}

fn another_grid(functions: Functions) -> Functions {
    deciders(functions, |policy| policy.grid_minutes = 10)
}

fn two_roles(functions: Functions) -> Functions {
    deciders(functions, |policy| policy.distinct_people = false)
}

fn no_exclusions(functions: Functions) -> Functions {
    deciders(functions, |policy| policy.exclusions.clear())
}

fn no_edge(functions: Functions) -> Functions {
    deciders(functions, |policy| policy.freeze_edge_minutes = 0)
}

fn no_buffer(functions: Functions) -> Functions {
    deciders(functions, |policy| policy.evidence_buffer_minutes = 0)
}

fn taken_back(mut functions: Functions) -> Functions {
    let mut policy = sources::policy::PolicyFile::clone(&functions.ingest.policy);
    for known in &mut policy.deployment.sources {
        if known.source.as_str() == "//availability.example.com" {
            known.takes_over = vec![Source::parse(NEXT_CALENDARS).expect("a source")];
        }
    }
    functions.ingest.policy = Arc::new(policy);
    functions
}

fn no_desk(mut functions: Functions) -> Functions {
    functions.notify.deployment = changed(&functions.notify.deployment, |policy| policy.escalation_contacts.clear());
    functions
}

fn told_early(mut functions: Functions) -> Functions {
    functions.notify.deployment = changed(&functions.notify.deployment, |policy| policy.tell_before_adoption = true);
    deciders(functions, |policy| policy.tell_before_adoption = true)
}

fn told_alone(mut functions: Functions) -> Functions {
    let told = |policy: &mut refresh_core::facts::policy::Policy| policy.metadata_alone = MetadataAlone::Told;
    functions.notify.deployment = changed(&functions.notify.deployment, told);
    deciders(functions, told)
}

fn clock_stands(mut functions: Functions) -> Functions {
    functions.notify.clock = Clock::steered(Arc::new(AtomicI64::new(MORNING - HOUR)));
    functions
}
