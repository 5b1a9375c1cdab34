//! What a cancelled transaction means. DynamoDB gives one reason per action, in order; this reads them by the role of
//! the action at that position.

use aws_sdk_dynamodb::types::CancellationReason;

/// The code of an action whose condition did not hold.
pub(crate) const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// What an action is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ActionRole {
    Head,
    Lineage,
    Version,
    /// The cause with that index.
    Cause(usize),
    Told,
    /// The fact that the decision stands on.
    StandsOn,
    Event,
    Fact,
    /// One person's entry: put whatever was there, since nobody but this review writes it.
    Seat,
    /// A person's mark, in an adoption only in the place of the one that was read.
    SeatGiven,
}

impl ActionRole {
    const fn word(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Lineage => "LINEAGE",
            Self::Version => "VERSION",
            Self::Cause(_) => "CAUSE",
            Self::Told => "TOLD",
            Self::StandsOn => "the fact it stands on",
            Self::Event => "EVENT",
            Self::Fact => "FACT",
            Self::Seat => "SEAT",
            Self::SeatGiven => "a person's last seat",
        }
    }
}

/// Why nothing of the transaction was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NotWritten {
    /// Write-once marks that exist: the positions of the causes, or of the event.
    Exists(Vec<usize>),
    /// Somebody else decided meanwhile.
    Superseded,
    /// Another try may go through.
    Contended,
    /// No try ever will.
    Poison(String),
}

/// Precedence: a mark that exists, before what was decided by others, before what can never be written, before what
/// needs another try. So a trigger that counted already is never counted as a failure.
pub(crate) fn judge(roles: &[ActionRole], reasons: &[CancellationReason]) -> NotWritten {
    if roles.len() != reasons.len() {
        // Without positions nothing can be read from it. The SDK's retries do not cover this; ours do.
        return NotWritten::Contended;
    }
    let codes: Vec<(usize, ActionRole, &str)> = roles
        .iter()
        .zip(reasons)
        .enumerate()
        .map(|(position, (role, reason))| (position, *role, reason.code().unwrap_or("None")))
        .filter(|(_, _, code)| *code != "None")
        .collect();
    let failed = |position: &(usize, ActionRole, &str)| position.2 == CONDITION_FAILED;
    let existing: Vec<usize> = codes
        .iter()
        .filter(|found| failed(found) && matches!(found.1, ActionRole::Cause(_) | ActionRole::Event))
        .map(|(position, ..)| *position)
        .collect();
    if !existing.is_empty() {
        return NotWritten::Exists(existing);
    }
    let moved = |role: ActionRole| {
        matches!(
            role,
            ActionRole::Head | ActionRole::Told | ActionRole::StandsOn | ActionRole::Fact | ActionRole::SeatGiven
        )
    };
    if codes.iter().any(|found| failed(found) && moved(found.1)) {
        return NotWritten::Superseded;
    }
    for (_, role, code) in &codes {
        match *code {
            // HEAD stood where it should, and yet a number after it is taken: HEAD and its records disagree.
            CONDITION_FAILED => {
                return NotWritten::Poison(format!("{} exists already, though HEAD does not know it", role.word()));
            }
            "ValidationError" | "ItemCollectionSizeLimitExceeded" | "DuplicateItem" | "AccessDenied" => {
                return NotWritten::Poison(format!("{}: {code}", role.word()));
            }
            // TransactionConflict, ProvisionedThroughputExceeded, ThrottlingError, and what may be added one day.
            _ => {}
        }
    }
    NotWritten::Contended
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// A commit of each role there is, in the order of their actions.
    const ROLES: [ActionRole; 10] = [
        ActionRole::Head,
        ActionRole::Lineage,
        ActionRole::Version,
        ActionRole::Cause(0),
        ActionRole::Told,
        ActionRole::StandsOn,
        ActionRole::Event,
        ActionRole::Fact,
        ActionRole::Seat,
        ActionRole::SeatGiven,
    ];
    /// Every code DynamoDB documents.
    const CODES: [&str; 7] = [
        "None",
        "ConditionalCheckFailed",
        "ItemCollectionSizeLimitExceeded",
        "TransactionConflict",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "ValidationError",
    ];

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    fn one(position: usize, code: &str) -> NotWritten {
        let mut codes = ["None"; 10];
        codes[position] = code;
        judge(&ROLES, &reasons(&codes))
    }

    fn word(verdict: &NotWritten) -> &'static str {
        match verdict {
            NotWritten::Exists(_) => "exists",
            NotWritten::Superseded => "superseded",
            NotWritten::Contended => "again",
            NotWritten::Poison(_) => "poison",
        }
    }

    #[test]
    fn every_position_and_code() {
        let mut table = String::new();
        for code in CODES {
            write!(table, "{code:<32}").unwrap();
            for position in 0..ROLES.len() {
                write!(table, "{:<12}", word(&one(position, code))).unwrap();
            }
            table.truncate(table.trim_end().len());
            table.push('\n');
        }
        // To be seen with `--nocapture`; what a row says is what the caller does.
        eprintln!("{:32}{}", "", ROLES.map(|role| format!("{:<12.11}", role.word())).concat());
        eprintln!("{table}");
        assert_eq!(
            table,
            "\
None                            again       again       again       again       again       again       again       again       again       again
ConditionalCheckFailed          superseded  poison      poison      exists      superseded  superseded  exists      superseded  poison      superseded
ItemCollectionSizeLimitExceeded poison      poison      poison      poison      poison      poison      poison      poison      poison      poison
TransactionConflict             again       again       again       again       again       again       again       again       again       again
ProvisionedThroughputExceeded   again       again       again       again       again       again       again       again       again       again
ThrottlingError                 again       again       again       again       again       again       again       again       again       again
ValidationError                 poison      poison      poison      poison      poison      poison      poison      poison      poison      poison
"
        );
    }

    #[test]
    fn of_two_reasons_the_first_in_this_order_decides() {
        let failed = "ConditionalCheckFailed";
        let order = [(3, failed), (0, failed), (2, "ValidationError"), (4, "TransactionConflict")];
        for (rank, (position, code)) in order.iter().enumerate() {
            for (other, lesser) in &order[rank + 1..] {
                let mut codes = ["None"; 10];
                codes[*other] = lesser;
                codes[*position] = code;
                let both = judge(&ROLES, &reasons(&codes));
                assert_eq!(word(&both), word(&one(*position, code)), "{position} {code} before {other} {lesser}");
            }
        }
        // HEAD moved, so its numbers are taken: that is the same news, not a broken store.
        let mut codes = ["None"; 10];
        (codes[0], codes[1], codes[2]) = (failed, failed, failed);
        assert_eq!(judge(&ROLES, &reasons(&codes)), NotWritten::Superseded);
    }

    #[test]
    fn every_mark_that_exists_is_named() {
        let roles = [ActionRole::Head, ActionRole::Cause(0), ActionRole::Cause(1), ActionRole::Cause(2)];
        let codes = ["ConditionalCheckFailed", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"];
        assert_eq!(judge(&roles, &reasons(&codes)), NotWritten::Exists(vec![1, 3]));
    }

    #[test]
    fn reasons_without_positions_say_nothing() {
        assert_eq!(judge(&ROLES, &[]), NotWritten::Contended);
        assert_eq!(judge(&ROLES, &reasons(&["ConditionalCheckFailed"])), NotWritten::Contended);
        assert_eq!(one(2, "SomethingNewOneDay"), NotWritten::Contended);
    }
}
