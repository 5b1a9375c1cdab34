//! `holdpoint serve` on a machine that fails: clocks, disks, files and limits. Each ends in a clear message or in work that
//! goes on, and nothing that was accepted is lost.

mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};
use server::{Running, ask, health, is_worked_off, person, says, until};

const POLICY: &str = r#"{"sources":[{"kind":"person","source":"//people.example.com","governed_by":"a@example.com"}]}"#;

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-machine-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("policy.json"), POLICY).unwrap();
    // The small disks of these tests have less room than an engine asks for.
    fs::write(place.join("holdpoint.toml"), "[limits]\nfree_mebibytes = 0\n").unwrap();
    place
}

fn start(place: &Path) -> Running {
    let at = |name: &str| place.join(name).display().to_string();
    Running::start(&place.join("data"), &["--policy", &at("policy.json"), "--settings", &at("holdpoint.toml")])
}

fn holdpoint(place: &Path, arguments: &[&str]) -> (bool, String) {
    server::holdpoint(place, &[arguments, &["--data", "data"]].concat())
}

/// Whether the event was accepted.
fn post(running: &Running, number: usize, padding: usize) -> bool {
    ask(&running.address, "POST", "/events", &person(number, padding)).is_some_and(|(status, _)| status == 202)
}

/// What was accepted is known: as a fact, by the list of what came in.
fn knows(place: &Path, numbers: &[usize]) {
    let (done, said) = holdpoint(place, &["events", "--json", "--limit", "1000"]);
    assert!(done, "{said}");
    for number in numbers {
        assert!(said.contains(&format!("\"e{number}\"")), "e{number} is lost: {said}");
    }
}

/// Deleted or replaced under the engine: nothing more is taken, and with the file back everything goes on.
#[test]
fn a_store_that_vanishes_takes_nothing_and_goes_on_when_it_is_back() {
    let place = place("vanished");
    let running = start(&place);
    let mut accepted = Vec::new();
    for (round, name) in ["store.sqlite", "messages.sqlite", "messages.sqlite-wal"].into_iter().enumerate() {
        accepted.push(10 * round);
        assert!(post(&running, 10 * round, 0));
        until("the event is worked off", || is_worked_off(&running));
        let (file, aside) = (place.join("data").join(name), place.join("aside"));
        fs::rename(&file, &aside).unwrap();
        let (status, said) = ask(&running.address, "POST", "/events", &person(10 * round + 1, 0)).unwrap();
        assert_eq!(status, 503, "{name}: {said}");
        let wrong = health(&running);
        assert!(wrong["status"] == "attention" && says(&wrong, "it is gone"), "{name}: {wrong}");
        assert_eq!(ask(&running.address, "GET", "/ready", "").unwrap().0, 503);
        let metrics = ask(&running.address, "GET", "/metrics", "").unwrap().1;
        assert!(metrics.contains("holdpoint_store_in_trouble 1"), "{metrics}");
        assert!(!file.exists(), "{name} was made anew, empty");
        fs::rename(&aside, &file).unwrap();
        until("the store is well", || health(&running)["status"] == "ok");
    }
    accepted.push(100);
    assert!(post(&running, 100, 0));
    until("the event is worked off", || is_worked_off(&running));
    knows(&place, &accepted);
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

/// Keys without their store: never an empty one without a word.
#[test]
fn a_folder_with_keys_and_without_its_store_is_not_begun_anew() {
    type Damage = fn(&Path);
    let damages: [(&str, &str, Damage); 6] = [
        ("store.sqlite", "is missing", |file| fs::remove_file(file).unwrap()),
        ("store.sqlite", "is empty", |file| fs::write(file, "").unwrap()),
        ("store.sqlite", "is damaged", |file| fs::write(file, "no database at all").unwrap()),
        ("messages.sqlite", "is missing", |file| fs::remove_file(file).unwrap()),
        ("messages.sqlite", "is empty", |file| fs::write(file, "").unwrap()),
        ("messages.sqlite", "is damaged", |file| fs::write(file, "x".repeat(5_000)).unwrap()),
    ];
    for (name, because, damage) in damages {
        let place = place("keys");
        start(&place).stop();
        let file = place.join("data").join(name);
        damage(&file);
        let before = fs::read(&file).ok();
        for command in [&["serve", "--port", "0"][..], &["reviews"]] {
            if name == "store.sqlite" && because == "is missing" && command == ["reviews"] {
                continue;
            }
            let (done, said) = holdpoint(&place, command);
            assert!(!done && said.contains(because) && said.contains(name), "{command:?}: {said}");
            assert!(said.contains("holdpoint restore FILE"), "says what to do: {said}");
        }
        assert_eq!(fs::read(&file).ok(), before, "left as it was");
        fs::remove_dir_all(&place).unwrap();
    }
}

/// Keys are made before the store is; a start that was cut off in between is no loss.
#[test]
fn a_first_start_that_was_cut_off_is_taken_up() {
    let place = place("cut");
    start(&place).stop();
    for name in ["store.sqlite", "messages.sqlite"] {
        fs::remove_file(place.join("data").join(name)).unwrap();
    }
    fs::write(place.join("data/beginning"), "").unwrap();
    start(&place).stop();
    assert!(!place.join("data/beginning").exists());
    fs::remove_dir_all(&place).unwrap();
}

#[test]
fn a_second_engine_on_one_store_is_told_who_has_it() {
    let place = place("two");
    let running = start(&place);
    let (done, said) = holdpoint(&place, &["serve", "--port", "0"]);
    assert!(!done && said.contains("an engine runs here already") && said.contains(&running.address), "{said}");
    // By another name of the same folder, too.
    #[cfg(unix)]
    {
        fs::create_dir(place.join("other")).unwrap();
        fs::hard_link(place.join("data/lock"), place.join("other/lock")).unwrap();
        let other = Command::new(env!("CARGO_BIN_EXE_holdpoint"))
            .args(["serve", "--port", "0", "--data"])
            .arg(place.join("other"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&other.stderr);
        assert!(!other.status.success() && said.contains("another holdpoint"), "{said}");
    }
    assert!(post(&running, 1, 0));
    until("worked off", || is_worked_off(&running));
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

/// A small disk of its own, where the machine lets a test make one.
struct Disk(PathBuf);

impl Disk {
    fn at(folder: &Path, mebibytes: usize) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let size = format!("size={mebibytes}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then(|| Self(folder.to_owned()))
    }

    fn mount_again(&self, how: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0).status().unwrap();
        assert!(done.success(), "{how}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn skipped() {
    eprintln!("skipped: this machine lets nobody mount a disk");
}

/// Full, said so, and at work again by itself when there is room: no restart, no time-out waited for, no dead letter.
#[test]
fn after_a_full_disk_work_goes_on_by_itself_and_nothing_accepted_is_lost() {
    let place = place("full");
    let data = place.join("data");
    let Some(disk) = Disk::at(&data, 8) else {
        // There `engine/trouble_tests.rs` holds the same with an injected fault.
        return skipped();
    };
    let running = start(&place);
    assert!(post(&running, 0, 0));
    until("the first is worked off", || is_worked_off(&running));
    let filler = data.join("filler");
    // All but a little, so that some of what follows is accepted and then cannot be worked off.
    let _ = fs::write(&filler, vec![0; 64 << 20]);
    let mut accepted = vec![0];
    for number in 1..40 {
        if post(&running, number, 100_000) {
            accepted.push(number);
        }
    }
    assert!(accepted.len() < 40, "the disk was never full");
    until("the disk's state is said", || {
        post(&running, 1_000, 400_000);
        let wrong = health(&running);
        wrong["status"] == "attention" && says(&wrong, "full")
    });
    fs::remove_file(&filler).unwrap();
    until("the store is well", || health(&running)["status"] == "ok");
    until("all is worked off", || is_worked_off(&running));
    let wrong = health(&running);
    assert_eq!(wrong["wrong"], json!([]), "no dead letter");
    knows(&place, &accepted);
    running.stop();
    drop(disk);
    fs::remove_dir_all(&place).unwrap();
}

#[test]
fn a_disk_that_turns_read_only_is_said_and_gone_on_from() {
    let place = place("readonly");
    let data = place.join("data");
    let Some(disk) = Disk::at(&data, 8) else { return skipped() };
    let running = start(&place);
    assert!(post(&running, 1, 0));
    until("worked off", || is_worked_off(&running));
    running.stop();
    disk.mount_again("ro");
    let (done, said) = holdpoint(&place, &["serve", "--port", "0"]);
    assert!(!done && said.contains("Read-only"), "{said}");
    disk.mount_again("rw");
    let running = start(&place);
    assert!(post(&running, 2, 0));
    until("worked off", || is_worked_off(&running));
    knows(&place, &[1, 2]);
    running.stop();
    drop(disk);
    fs::remove_dir_all(&place).unwrap();
}

/// A file system that the kernel turns read-only once it finds an error, where the machine lets a test make one.
struct Faulty {
    image: PathBuf,
    folder: PathBuf,
}

fn ran(program: &str, arguments: &[&Path]) -> Option<Output> {
    Command::new(program).args(arguments).output().ok().filter(|ran| ran.status.success())
}

impl Faulty {
    fn at(place: &Path, folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let faulty = Self { image: place.join("image"), folder: folder.to_owned() };
        fs::File::create(&faulty.image).unwrap().set_len(160 << 20).unwrap();
        ran("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), &faulty.image])?;
        faulty.mount().then_some(faulty)
    }

    fn mount(&self) -> bool {
        ran("mount", &["-o".as_ref(), "loop,errors=remount-ro".as_ref(), &self.image, &self.folder]).is_some()
    }

    /// Tells the kernel of an error; `None` where the kernel has no door for that.
    fn turn_read_only(&self) -> Option<()> {
        let found = ran("findmnt", &["-no".as_ref(), "SOURCE".as_ref(), &self.folder])?;
        let device = String::from_utf8_lossy(&found.stdout).trim().replace("/dev/", "");
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "1").ok()
    }

    /// As an operator repairs the disk. Nothing may have the disk open.
    fn repair(&self) {
        ran("umount", &[&self.folder]).expect("nobody uses the disk");
        // Status 1: errors were corrected.
        let checked = Command::new("e2fsck").args(["-f", "-y"]).arg(&self.image).output().unwrap();
        assert!(checked.status.code().is_some_and(|status| status <= 1), "{checked:?}");
        assert!(self.mount(), "the repaired disk");
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// Under the running engine: refused, said so, and all that was accepted is there once the disk is repaired.
#[test]
fn a_disk_that_turns_read_only_under_the_engine_loses_nothing() {
    let place = place("emergency");
    let data = place.join("disk");
    let Some(disk) = Faulty::at(&place, &data) else { return skipped() };
    let run = || Running::start(&data.join("data"), &["--policy", place.join("policy.json").to_str().unwrap()]);
    let running = run();
    let mut accepted: Vec<usize> = (0..5).filter(|number| post(&running, *number, 0)).collect();
    assert_eq!(accepted.len(), 5);
    until("the first are worked off", || is_worked_off(&running));
    if disk.turn_read_only().is_some() {
        for number in 10..15 {
            let (status, said) = ask(&running.address, "POST", "/events", &person(number, 0)).unwrap();
            assert_eq!(status, 503, "{said}");
        }
        let wrong = health(&running);
        assert!(wrong["status"] == "attention" && says(&wrong, "Read-only"), "{wrong}");
        running.stop();
        disk.repair();
        let running = run();
        assert!(post(&running, 20, 0));
        accepted.push(20);
        until("worked off", || is_worked_off(&running));
        assert_eq!(health(&running)["wrong"], json!([]));
        running.stop();
        knows(&data, &accepted);
    } else {
        eprintln!("skipped: no fault can be put into a file system of this machine");
        running.stop();
    }
    drop(disk);
    fs::remove_dir_all(&place).unwrap();
}

/// The engine that ran before measured another time than the machine's clock says: its mark says so over a restart.
#[test]
fn a_clock_in_doubt_lets_work_wait_until_somebody_accepts_it() {
    let place = place("clock");
    let running = start(&place);
    let mark = place.join("data/clock-mark");
    until("the mark is there", || mark.exists());
    running.stop();
    let mut kept: Value = serde_json::from_str(&fs::read_to_string(&mark).unwrap()).unwrap();
    kept["now"] = json!(kept["now"].as_i64().unwrap() - 3 * 86_400_000 - 3_600_000);
    fs::write(&mark, kept.to_string()).unwrap();

    let running = start(&place);
    let wrong = health(&running);
    assert!(wrong["status"] == "attention" && says(&wrong, "3 days ahead"), "{wrong}");
    let metrics = ask(&running.address, "GET", "/metrics", "").unwrap().1;
    assert!(metrics.contains("holdpoint_clock_in_doubt 1"), "{metrics}");
    assert!(post(&running, 1, 0), "events are taken");
    // Answers wait as well as work does.
    assert_eq!(ask(&running.address, "POST", "/adopt/nothing", "").unwrap().0, 503);
    let (done, said) = holdpoint(&place, &["clock"]);
    assert!(done && said.contains("3 days ahead"), "{said}");
    assert!(!is_worked_off(&running), "nothing is decided by a doubtful clock");
    let kept_on = fs::read_to_string(&mark).unwrap();
    assert_eq!(kept_on, kept.to_string(), "a doubtful time leaves no mark");

    let (done, said) = holdpoint(&place, &["clock", "--accept"]);
    assert!(done && said.contains("taken as right"), "{said}");
    until("worked off", || is_worked_off(&running));
    assert_eq!(health(&running)["status"], "ok");
    knows(&place, &[1]);
    running.stop();
    start(&place).stop();
    fs::remove_dir_all(&place).unwrap();
}

/// `ulimit` before the engine, as a service manager sets limits.
fn limited(place: &Path, limit: &str) -> Output {
    let line = format!(
        "{limit} && exec timeout 20 {} serve --port 0 --data {}",
        env!("CARGO_BIN_EXE_holdpoint"),
        place.join("data").display()
    );
    Command::new("sh").args(["-c", &line]).output().unwrap()
}

#[cfg(unix)]
#[test]
fn too_few_open_files_are_said_at_the_start() {
    let place = place("files");
    let Output { status, stderr, .. } = limited(&place, "ulimit -n 64");
    let said = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && said.contains("open files") && said.contains("found 64"), "{said}");
    fs::remove_dir_all(&place).unwrap();
}

/// Each page of a damaged file that is met is told of, by its file's name.
#[test]
fn a_damaged_store_is_said_and_not_written_to() {
    let place = place("damaged");
    let running = start(&place);
    for number in 0..30 {
        assert!(post(&running, number, 0));
    }
    until("worked off", || is_worked_off(&running));
    running.stop();
    let file = place.join("data/store.sqlite");
    let whole = fs::read(&file).unwrap();
    // The first page stays, so that it opens as a database.
    let mut damaged = whole.clone();
    damaged[4_096..].fill(0xa5);
    fs::write(&file, &damaged).unwrap();
    let (done, said) = holdpoint(&place, &["serve", "--port", "0"]);
    assert!(!done && said.contains("store.sqlite"), "{said}");
    fs::write(&file, &whole).unwrap();
    let running = start(&place);
    assert!(post(&running, 100, 0));
    until("worked off", || is_worked_off(&running));
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}
