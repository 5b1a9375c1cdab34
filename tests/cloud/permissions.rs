//! Least privilege, from both sides: the roles that SAM makes of the template allow every call of every function in every
//! scenario, and nothing that no function ever asks for.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    transformed::{FUNCTIONS, Statement, template},
    wire::{Asked, asked},
};

/// Granted and not asked for in any scenario, with the reason why it is granted all the same.
const IN_RESERVE: [(&str, &str, &str); 1] = [(
    "Adopt",
    "SUBJECT#*",
    "a decision may come before the refresh that a new fact asks for; then the decision registers what the fact names",
)];

fn is_reserved(function: &str, granted: &str) -> bool {
    IN_RESERVE.iter().any(|(of, what, reason)| *of == function && *what == granted && !reason.is_empty())
}

/// Logical ids of the queues, by their names without the stack's.
fn queues() -> BTreeMap<String, String> {
    let queues = template().of_type("AWS::SQS::Queue");
    let named = queues.iter().filter_map(|(logical, queue)| {
        let name = queue["QueueName"]["Fn::Sub"].as_str()?.strip_prefix("${AWS::StackName}-")?;
        Some((name.to_owned(), (*logical).to_owned()))
    });
    named.collect()
}

/// `StringLike`, with stars at the end alone.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    }
}

fn allows(statement: &Statement, asked: &Asked, queues: &BTreeMap<String, String>) -> bool {
    let resource = queues.get(&asked.resource).unwrap_or(&asked.resource);
    statement.actions.contains(&asked.action)
        // A mail is sent from an identity, whose name is the deployment's; the policy binds the sender's address.
        && (asked.resource.is_empty() || statement.resources.contains(resource))
        && (statement.leading_keys.is_empty()
            || asked.leading_keys.iter().all(|key| statement.leading_keys.iter().any(|pattern| like(pattern, key))))
}

fn of(function: &str) -> impl Iterator<Item = &'static Asked> {
    let function = function.to_ascii_lowercase();
    asked().iter().filter(move |asked| asked.function == function)
}

#[test]
fn whatever_is_asked_for_is_allowed() {
    let queues = queues();
    let mut refused = BTreeSet::new();
    for function in FUNCTIONS {
        let statements: Vec<Statement> = template().statements(function).into_iter().collect();
        assert!(of(function).next().is_some(), "{function} was never seen at work");
        refused.extend(of(function).filter(|asked| !statements.iter().any(|one| allows(one, asked, &queues))));
    }
    assert!(refused.is_empty(), "{refused:#?}");
    let known = |asked: &&Asked| FUNCTIONS.iter().any(|function| function.eq_ignore_ascii_case(&asked.function));
    assert_eq!(asked().iter().find(|asked| !known(asked)), None, "a caller that is no function");
}

#[test]
fn no_action_is_allowed_that_is_never_asked_for() {
    let queues = queues();
    let mut unused = BTreeSet::new();
    for function in FUNCTIONS {
        for statement in template().statements(function) {
            for action in &statement.actions {
                // Read alone, so that what another statement allows as well does not count for this one.
                let used = of(function).any(|asked| asked.action == *action && allows(&statement, asked, &queues));
                if !used && !is_reserved(function, action) {
                    unused.insert(format!("{function}: {}: {action}", statement.sid));
                }
            }
            for resource in statement.resources.iter().filter(|resource| !resource.starts_with("arn:")) {
                let used = of(function).any(|asked| queues.get(&asked.resource).unwrap_or(&asked.resource) == resource);
                if !used {
                    unused.insert(format!("{function}: {}: {resource}", statement.sid));
                }
            }
            for pattern in &statement.leading_keys {
                let used = of(function).any(|asked| {
                    statement.actions.contains(&asked.action) && asked.leading_keys.iter().any(|key| like(pattern, key))
                });
                if !used && !is_reserved(function, pattern) {
                    unused.insert(format!("{function}: {}: {pattern}", statement.sid));
                }
            }
        }
    }
    assert!(unused.is_empty(), "no scenario asks for {unused:#?}");
}

#[test]
fn nothing_is_allowed_by_a_star() {
    for function in FUNCTIONS {
        for statement in template().statements(function) {
            for action in &statement.actions {
                assert!(!action.contains('*'), "{function}: {}: {action}", statement.sid);
            }
            assert!(!statement.resources.iter().any(|resource| resource == "*"), "{function}: {}", statement.sid);
            let on_items = statement.actions.iter().any(|action| action.starts_with("dynamodb:"));
            let on_table = statement.resources.iter().any(|resource| resource == "Table");
            assert!(!(on_items && on_table && statement.leading_keys.is_empty()), "{function}: {}", statement.sid);
        }
    }
}
