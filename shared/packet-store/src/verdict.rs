//! What a cancelled transaction means. DynamoDB gives one reason per action, in order; this reads them by the role of
//! the action at that position.

use aws_sdk_dynamodb::types::CancellationReason;

/// What an action is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
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
}

impl Role {
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
        }
    }
}

/// Why nothing of the transaction was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
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
pub(crate) fn judge(roles: &[Role], reasons: &[CancellationReason]) -> Verdict {
    if roles.len() != reasons.len() {
        // Without positions nothing can be read from it. The SDK's retries do not cover this; ours do.
        return Verdict::Contended;
    }
    let codes: Vec<(usize, Role, &str)> = roles
        .iter()
        .zip(reasons)
        .enumerate()
        .map(|(position, (role, reason))| (position, *role, reason.code().unwrap_or("None")))
        .filter(|(_, _, code)| *code != "None")
        .collect();
    let failed = |position: &(usize, Role, &str)| position.2 == "ConditionalCheckFailed";
    let existing: Vec<usize> = codes
        .iter()
        .filter(|found| failed(found) && matches!(found.1, Role::Cause(_) | Role::Event))
        .map(|(position, ..)| *position)
        .collect();
    if !existing.is_empty() {
        return Verdict::Exists(existing);
    }
    let moved = |role: Role| matches!(role, Role::Head | Role::Told | Role::StandsOn | Role::Fact);
    if codes.iter().any(|found| failed(found) && moved(found.1)) {
        return Verdict::Superseded;
    }
    for (_, role, code) in &codes {
        match *code {
            // HEAD stood where it should, and yet a number after it is taken: HEAD and its records disagree.
            "ConditionalCheckFailed" => {
                return Verdict::Poison(format!("{} exists already, though HEAD does not know it", role.word()));
            }
            "ValidationError" | "ItemCollectionSizeLimitExceeded" | "DuplicateItem" | "AccessDenied" => {
                return Verdict::Poison(format!("{}: {code}", role.word()));
            }
            // TransactionConflict, ProvisionedThroughputExceeded, ThrottlingError, and what may be added one day.
            _ => {}
        }
    }
    Verdict::Contended
}
