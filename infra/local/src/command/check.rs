//! `holdpoint check`: every fault in the settings and in the policy they name, without starting anything.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Common, Failed, policy, print, settings};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Check this settings file.
    #[arg(value_name = "FILE", default_value = settings::FILE)]
    file: PathBuf,
}

/// # Errors
/// Every fault of both files, a line each; malformed input.
pub fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let file = settings::read(&options.file);
    // The policy is looked at whatever is wrong with the settings, if they say where it is.
    let named = match &file {
        Ok(settings) => settings.policy.clone(),
        Err(_) => settings::policy_of(&options.file),
    };
    let policy = named.as_deref().map(policy::read);
    let certificate = file.as_ref().ok().and_then(|settings| certificate(settings).err());
    let refused = [file.as_ref().err().cloned(), certificate, policy.and_then(Result::err)];
    let refused: Vec<Failed> = refused.into_iter().flatten().collect();
    if refused.is_empty() {
        let checked: Vec<PathBuf> = [Some(options.file.clone()), named].into_iter().flatten().collect();
        let names: Vec<String> = checked.iter().map(|file| format!("{}: no fault", file.display())).collect();
        return if common.json { print(json!({ "checked": checked })) } else { print(names.join("\n")) };
    }
    let status = refused.iter().map(|failed| failed.status).max().unwrap_or(2);
    let lines: Vec<String> = refused.into_iter().map(|failed| failed.why).collect();
    Err(Failed { status, why: lines.join("\n") })
}

/// The files of `[tls]`: whether they can be answered with, and whether they are in force and of the public name.
fn certificate(settings: &settings::SettingsFile) -> Result<(), Failed> {
    let Some(certificates) = settings.certificates()? else { return Ok(()) };
    let wrong = certificates.wrong(lambda_shell::clock::Clock::system().now_millis());
    if wrong.is_empty() { Ok(()) } else { Err(Failed::input(wrong.join("\n"))) }
}
