//! What nobody else can have: names out of the system's own randomness.

use decisions::Doing;
use lambda_shell::Failure;

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).doing("asking the system for random bytes")?;
    Ok(bytes)
}
