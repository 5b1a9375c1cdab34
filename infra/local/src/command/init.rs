//! `holdpoint init`: a settings file with comments, and a policy to start from.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

use clap::Args;
use serde_json::json;

use super::{Common, Failed, policy, print, say, settings};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Write into this folder, which is made where it does not exist; no file in it is overwritten.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

const SETTINGS: &str = include_str!("init.toml");

pub fn run(common: &Common, options: &Options) -> Result<(), Failed> {
    let folder = &options.folder;
    let failed = |file: &PathBuf, error: std::io::Error| Failed::new(format!("writing {}: {error}", file.display()));
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let files = [
        (folder.join(settings::FILE), SETTINGS, "where the engine listens, keeps its store and sends its mail"),
        (folder.join("policy.json"), policy::EXAMPLE, "which source may state what; its sources are of example.com"),
    ];
    if let Some((there, ..)) = files.iter().find(|(file, ..)| file.exists()) {
        return Err(Failed::new(format!("{}: exists already; nothing was written", there.display())));
    }
    for (file, text, what) in &files {
        let mut out = File::create_new(file).map_err(|error| failed(file, error))?;
        out.write_all(text.as_bytes()).map_err(|error| failed(file, error))?;
        say(common, format!("{}  {what}", file.display()));
    }
    say(common, "edit both; `holdpoint check` names every fault in them, `holdpoint serve` starts the engine");
    if common.json { print(json!({ "files": files.map(|(file, ..)| file) })) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What is written is good; and so is every line of it that is only shown.
    #[test]
    fn the_file_is_good_as_it_is_and_with_every_line_set() {
        settings::parse(SETTINGS, Path::new("")).unwrap();
        let is_setting = |line: &&str| {
            line.starts_with("# [") || line.split_once(" = ").is_some_and(|(name, _)| !name[2..].contains(' '))
        };
        let set: Vec<String> = SETTINGS
            .lines()
            .map(|line| match Some(line).filter(|line| line.starts_with("# ")).filter(is_setting) {
                Some(line) => line[2..].to_owned(),
                None => line.to_owned(),
            })
            .collect();
        let whole = settings::parse(&set.join("\n"), Path::new("")).unwrap();
        let smtp = whole.mail.smtp.unwrap();
        assert_eq!(
            (smtp.host.as_str(), smtp.port, smtp.connections, smtp.per_second),
            ("smtp.example.com", 587, 4, 10)
        );
        assert!(smtp.login.is_some() && smtp.roots.is_some());
        assert_eq!(whole.public.unwrap().address.url(), "https://holdpoint.example.com");
    }
}
