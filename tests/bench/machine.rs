//! The machine of a run, since a time without its machine says nothing.

use std::{fmt, fs, process::Command};

use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub struct Machine {
    processor: String,
    cores: usize,
    memory_gb: u64,
    system: String,
    compiler: String,
    commit: String,
    /// Processes that wanted a core in the minute before: above nothing, times are another's too.
    load: String,
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let said = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    said.map_or_else(|| "unknown".to_owned(), |said| String::from_utf8_lossy(&said).trim().to_owned())
}

fn member(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split(':').nth(1)?.trim().to_owned())
}

impl Machine {
    pub fn of_this_run() -> Self {
        let memory = member("/proc/meminfo", "MemTotal").unwrap_or_default();
        let kilobytes: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            processor: member("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gb: kilobytes / 1_000_000,
            system: said("uname", &["-sr"]),
            compiler: said("rustc", &["--version"]),
            commit: said("git", &["describe", "--always", "--dirty"]),
            load: load.split(' ').next().unwrap_or("unknown").to_owned(),
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "processor": self.processor, "cores": self.cores, "memory_gb": self.memory_gb, "system": self.system,
            "compiler": self.compiler, "commit": self.commit, "load_at_the_start": self.load,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} cores, {} GB, {}, {}, commit {}, load at the start {}",
            self.processor, self.cores, self.memory_gb, self.system, self.compiler, self.commit, self.load
        )
    }
}
