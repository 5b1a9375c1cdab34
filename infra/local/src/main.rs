//! `holdpoint`: the local engine and the operator's commands. Everything is in the library; this is the process.
#![recursion_limit = "256"]

use std::process::ExitCode;

fn main() -> ExitCode {
    holdpoint::command::main()
}
