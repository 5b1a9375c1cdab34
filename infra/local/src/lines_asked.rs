//! How many lines one answer of a list may have.

/// Lines of one answer, at most.
pub const MOST_LINES: usize = 1_000;

/// # Errors
/// A limit that is out of bounds: what was expected and what was found.
pub fn check(limit: Option<usize>) -> Result<(), String> {
    match limit {
        Some(limit) if !(1..=MOST_LINES).contains(&limit) => {
            Err(format!("limit: expected a whole number from 1 to {MOST_LINES}; found {limit}"))
        }
        _ => Ok(()),
    }
}
