//! The unit as a real systemd runs it: process 1 of namespaces that the test makes, where the machine lets it. It starts the
//! engine and waits until the engine says that it is up, reloads it, and stops it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

const SCRIPT: &str = include_str!("booted.sh");

/// A systemd of the test's own, and all that it started.
struct Booted {
    place: PathBuf,
    name: String,
    /// `unshare`; its one child is systemd.
    outer: Child,
}

impl Booted {
    fn new() -> Self {
        let name = format!("holdpoint-booted-{}", std::process::id());
        let place = std::env::temp_dir().join(&name);
        fs::create_dir_all(&place).unwrap();
        let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../one-machine/holdpoint.service");
        let log = fs::File::create(place.with_extension("log")).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", SCRIPT]).env("PLACE", &place).env("NAME", &name);
        command.env("PROGRAM", env!("CARGO_BIN_EXE_holdpoint")).env("UNIT", unit);
        let outer = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { place, name, outer }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.place.with_extension("log")).unwrap_or_default()
    }

    /// systemd's number on this machine.
    fn systemd(&self) -> Option<String> {
        let outer = self.outer.id();
        let children = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).ok()?;
        let child = children.split_whitespace().next()?.to_owned();
        let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        (name.trim() == "systemd").then_some(child)
    }

    /// A command beside it.
    fn run(&self, words: &[&str]) -> Option<Output> {
        let systemd = self.systemd()?;
        let mut command = Command::new("nsenter");
        command.args(["--target", &systemd, "--all", "--root", "--wd", "--"]).args(words).env("SYSTEMD_COLORS", "0");
        command.output().ok()
    }

    fn said(&self, words: &[&str]) -> String {
        let Some(output) = self.run(words) else { panic!("{words:?}: systemd has ended: {}", self.log()) };
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}\n{}", self.journal());
        said
    }

    fn journal(&self) -> String {
        let asked = self.run(&["journalctl", "--no-pager", "--unit", "holdpoint"]);
        asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    }

    fn property(&self, name: &str) -> String {
        self.said(&["systemctl", "show", "holdpoint", "--value", "--property", name]).trim().to_owned()
    }

    /// Waits until it takes commands. `Err`: why this machine lets nobody do this.
    fn is_up(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            if let Ok(Some(status)) = self.outer.try_wait() {
                return Err(format!("{status}: {}", self.log()));
            }
            let asked = self.run(&["systemctl", "is-system-running"]);
            let state = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
            if state.as_deref().is_some_and(|state| ["running", "degraded"].contains(&state)) {
                return Ok(());
            }
            // Not the engine's time: what is waited for is the machine's own start.
            if begun.elapsed() > Duration::from_secs(120) {
                return Err(format!("systemd is {state:?} after two minutes: {}", self.log()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        // `--kill-child`: the first process of the namespace goes with `unshare`, and all others with the first.
        let _ = self.outer.kill();
        let _ = self.outer.wait();
        let _ = fs::remove_file(self.place.with_extension("log"));
        let remove = "mount -t cgroup2 none \"$PLACE\" && cd \"$PLACE$(sed -n 's/^0:://p' /proc/self/cgroup)\" \
            && for turn in 1 2 3 4 5 6 7 8 9 10; do find \"$NAME\" -depth -type d -exec rmdir {} +  && break; sleep 0.2; done";
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", remove]).env("PLACE", &self.place).env("NAME", &self.name);
        let _ = command.stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(&self.place);
    }
}

#[test]
fn a_real_systemd_starts_reloads_and_stops_the_unit() {
    let missing = |program: &str| Command::new(program).arg("--version").output().is_err();
    if !Path::new("/usr/lib/systemd/systemd").exists() || missing("unshare") || missing("nsenter") {
        eprintln!("skipped: this machine has no systemd, or no unshare and nsenter");
        return;
    }
    let mut booted = Booted::new();
    if let Err(why) = booted.is_up() {
        eprintln!("skipped: this machine lets no systemd be process 1 of namespaces: {why}");
        return;
    }
    assert_eq!(booted.property("Type"), "notify");
    // Ends once the engine has said that it is up, and fails if the engine never does.
    booted.said(&["systemctl", "start", "holdpoint"]);
    assert_eq!((booted.property("ActiveState"), booted.property("SubState")), ("active".into(), "running".into()));
    let main = booted.property("MainPID");
    let ready = booted.said(&["curl", "--silent", "--fail", "http://127.0.0.1:8420/ready"]);
    assert!(ready.contains("\"ready\":true"), "{ready}");

    // The hardening is in force, and the engine works under it.
    let status = booted.said(&["cat", &format!("/proc/{main}/status")]);
    let of = |name: &str| {
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {status}"));
        line.split_whitespace().next().unwrap_or_default().to_owned()
    };
    let user = booted.said(&["id", "--user", "holdpoint"]).trim().to_owned();
    assert_eq!((of("Uid:"), of("CapEff:"), of("NoNewPrivs:")), (user, "0000000000000000".into(), "1".into()));
    assert_eq!(of("Seccomp:"), "2", "system calls are filtered");
    let store = booted.said(&["stat", "--format", "%U %a", "/var/lib/holdpoint", "/var/lib/holdpoint/store.sqlite"]);
    assert_eq!(store, "holdpoint 700\nholdpoint 600\n");

    let token = booted.said(&["cat", "/var/lib/holdpoint/operator-token"]);
    let journal = booted.journal();
    assert!(
        journal.contains("operator-token") && !journal.contains(token.trim()),
        "a journal holds no token: {journal}"
    );

    booted.said(&["systemctl", "reload", "holdpoint"]);
    let begun = Instant::now();
    while !booted.journal().contains("renewed: policy") {
        assert!(begun.elapsed() < Duration::from_secs(60), "not renewed: {}", booted.journal());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!((booted.property("MainPID"), booted.property("NRestarts")), (main, "0".into()), "the same process");

    // Killed, it comes back by itself.
    booted.said(&["systemctl", "kill", "--signal", "KILL", "holdpoint"]);
    let begun = Instant::now();
    while (booted.property("NRestarts"), booted.property("SubState")) != ("1".into(), "running".into()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "not started again: {}", booted.journal());
        std::thread::sleep(Duration::from_millis(100));
    }
    booted.said(&["systemctl", "stop", "holdpoint"]);
    assert_eq!((booted.property("ActiveState"), booted.property("Result")), ("inactive".into(), "success".into()));
}
