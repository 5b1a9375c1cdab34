//! Damage to the store under the running engine, as an operator meets it: what pages, log and commands say, that nothing that
//! was accepted is lost without a word, and that the work goes on from a whole file or from a backup.

mod server;

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use serde_json::{Value, json};
use server::{Running, ask, example, health, says, until};

const STORE: &str = "store.sqlite";
const MESSAGES: &str = "messages.sqlite";
/// Of SQLite, in bytes.
const PAGE: usize = 4_096;

/// The folder of an engine that keeps the review RR-1, and a backup of it.
struct Stage {
    place: PathBuf,
}

impl Stage {
    fn of(name: &str) -> (Self, Running) {
        let place = std::env::temp_dir().join(format!("holdpoint-damaged-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        for name in ["policy.json", "facts.json", "review.json", "change.json"] {
            fs::write(place.join(name), example(name)).unwrap();
        }
        let stage = Self { place };
        let running = stage.start();
        for name in ["facts.json", "review.json"] {
            stage.done(&["send", name]);
        }
        until("all is worked off", || is_idle(&running));
        stage.done(&["backup", "copy.tar"]);
        (stage, running)
    }

    fn start(&self) -> Running {
        Running::start(&self.place.join("data"), &["--policy", self.place.join("policy.json").to_str().unwrap()])
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.join("data").join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.place.join("data.log")).unwrap()
    }

    fn holdpoint(&self, arguments: &[&str]) -> (bool, String) {
        server::holdpoint(&self.place, &[arguments, &["--data", "data"]].concat())
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (done, said) = self.holdpoint(arguments);
        assert!(done, "{arguments:?}: {said}");
        said
    }

    /// The command fails, and says why.
    fn refused(&self, arguments: &[&str], because: &str) {
        let (done, said) = self.holdpoint(arguments);
        assert!(!done && said.contains(because), "{arguments:?}: expected {because:?}, found {said}");
    }

    /// Whoever opens the store names the damaged file and what to do.
    fn is_not_opened(&self, file: &str) {
        // A command first: an engine that did start would stay up, and the test with it.
        for command in [&["reviews"][..], &["serve", "--port", "0"]] {
            self.refused(command, "holdpoint restore FILE");
            self.refused(command, file);
        }
    }

    /// The review follows the change: its owner is asked.
    fn is_decided(&self) -> bool {
        self.holdpoint(&["reviews"]).1.contains("waits for owner@example.org")
    }

    /// As an operator who has a backup: the damaged folder is moved away, the backup takes its place, and what came after it is
    /// sent again.
    fn goes_on_from_the_backup(self) {
        fs::rename(self.place.join("data"), self.place.join("aside")).unwrap();
        assert!(self.done(&["restore", "copy.tar"]).contains("the chain verifies"));
        let running = self.start();
        assert!(!self.is_decided(), "the backup is of before the change");
        assert_eq!(post(&running, &example("change.json")), 202);
        until("the review follows the change", || self.is_decided());
        assert_eq!(health(&running)["wrong"], json!([]));
        running.stop();
        self.end();
    }

    fn end(self) {
        fs::remove_dir_all(self.place).unwrap();
    }
}

fn post(running: &Running, event: &str) -> u16 {
    ask(&running.address, "POST", "/events", event).unwrap().0
}

/// Whether the engine accepts an event just after the damage. It does, unless its own look at its files finds the damage first.
fn is_accepted(running: &Running, event: &str) -> bool {
    let status = post(running, event);
    assert!([202, 503].contains(&status), "{status}");
    status == 202
}

/// How many messages wait or are under way, of all queues.
fn held(running: &Running) -> u64 {
    let health = health(running);
    let counts = |queue: &Value| ["visible", "in_flight", "delayed"].map(|word| queue[word].as_u64().unwrap());
    health["queues"].as_object().unwrap().values().flat_map(counts).sum()
}

fn is_idle(running: &Running) -> bool {
    held(running) == 0
}

/// Lets all content stand in the file, and the engine read it from there: it forgets the pages that it remembers once another
/// process has emptied the log. Nothing must be under way.
fn read_anew(database: &Path) {
    let connection = Connection::open(database).unwrap();
    let empty = || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    until("the log is empty", || empty().unwrap() == 0);
}

/// Writes that into the file where the engine has it open, and makes the engine read it.
fn overwrite(database: &Path, damage: impl Fn(&mut Vec<u8>)) {
    read_anew(database);
    let mut content = fs::read(database).unwrap();
    damage(&mut content);
    // No other file takes its place: it is written over, and cut or grown after that.
    use std::io::Write;
    let mut file = fs::File::options().write(true).open(database).unwrap();
    file.write_all(&content).unwrap();
    file.set_len(content.len() as u64).unwrap();
    // What is no database any more is read anew without that.
    if Connection::open(database).unwrap().query_row("PRAGMA schema_version", [], |_| Ok(())).is_ok() {
        read_anew(database);
    }
}

/// The content of an item as the file holds it, changed by `damage`.
fn change_item(database: &Path, (pk, sk): (&str, &str), damage: fn(&mut [u8])) {
    let connection = Connection::open(database).unwrap();
    let query = "SELECT item_json FROM \"holdpoint-packets\" WHERE pk = ?1 AND sk = ?2";
    let key = [format!("S:{pk}"), format!("S:{sk}")];
    let item: String = connection.query_row(query, key, |row| row.get(0)).unwrap();
    drop(connection);
    overwrite(database, |content| {
        let at = content.windows(item.len()).position(|part| part == item.as_bytes()).expect("the item, on one page");
        damage(&mut content[at..at + item.len()]);
    });
}

/// Where the digest of an item stands: base64, of 32 bytes.
fn digest(item: &mut [u8]) -> &mut u8 {
    let name = b"\"digest\":{\"B\":\"";
    let at = item.windows(name.len()).position(|part| part == name).expect("an item with a digest") + name.len();
    &mut item[at]
}

/// The engine is known to be in trouble: no more is taken, and each place where an operator looks says so.
fn is_in_trouble(stage: &Stage, running: &Running, file: &str) {
    until("the damage is known", || ask(&running.address, "GET", "/ready", "").unwrap().0 == 503);
    let wrong = health(running);
    assert_eq!(wrong["status"], "attention", "{wrong}");
    assert!(says(&wrong, file) && says(&wrong, "a backup restored"), "names the file, and what to do: {wrong}");
    let metrics = ask(&running.address, "GET", "/metrics", "").unwrap().1;
    assert!(metrics.contains("holdpoint_store_in_trouble 1"), "{metrics}");
    for _ in 0..3 {
        assert_eq!(
            post(running, &example("change.json")),
            503,
            "what is taken now would be lost by restoring a backup"
        );
    }
    stage.refused(&["backup", "damaged.tar"], file);
    assert!(!stage.place.join("damaged.tar").exists(), "no copy of a damaged store looks like a backup");
    // A try has found the store to be damaged still.
    until("the log says which damage", || stage.log().contains("the store is damaged"));
    let log = stage.log();
    assert_eq!(log.matches("the store is in trouble; work waits").count(), 1, "one line at its beginning: {log}");
    assert!(!log.contains("work goes on"), "{log}");
    assert!(!log.contains("events could not be put on the queue"), "one line, and none for each request: {log}");
}

/// A message waits while its store is damaged, and the engine does not start again on such a file.
fn a_damaged_file_stops_the_work(name: &str, file: &str, damage: impl Fn(&mut Vec<u8>)) {
    let (stage, running) = Stage::of(name);
    overwrite(&stage.file(file), damage);
    // What was accepted waits.
    let accepted = is_accepted(&running, &example("change.json"));
    is_in_trouble(&stage, &running, file);
    assert_eq!(held(&running), u64::from(accepted));
    assert!(file == STORE || !accepted, "where messages are damaged none is accepted");
    running.stop();
    stage.is_not_opened(file);
    stage.goes_on_from_the_backup();
}

#[test]
fn overwritten_pages_stop_the_work_until_a_backup_is_restored() {
    a_damaged_file_stops_the_work("middle", STORE, |content| {
        let half = content.len() / PAGE / 2 * PAGE;
        content[half..].fill(0xa5);
    });
}

#[test]
fn a_file_that_lost_its_end_stops_the_work_until_a_backup_is_restored() {
    a_damaged_file_stops_the_work("half", STORE, |content| content.truncate(content.len() / PAGE / 2 * PAGE));
}

#[test]
fn what_is_no_database_any_more_stops_the_work_until_a_backup_is_restored() {
    a_damaged_file_stops_the_work("whole", STORE, |content| content.fill(0xa5));
}

#[test]
fn damaged_messages_stop_the_work_until_a_backup_is_restored() {
    a_damaged_file_stops_the_work("messages", MESSAGES, |content| content.fill(0xa5));
}

/// As `: > store.sqlite` does it. SQLite goes on with what it remembers, so the engine looks by itself; and an empty copy looks
/// whole, so a backup looks for the tables.
#[test]
fn an_emptied_file_stops_the_work_before_anything_asks_for_it() {
    for (name, file) in [("empty-store", STORE), ("empty-messages", MESSAGES)] {
        let (stage, running) = Stage::of(name);
        let database = stage.file(file);
        read_anew(&database);
        fs::File::options().write(true).open(&database).unwrap().set_len(0).unwrap();
        stage.refused(&["backup", "early.tar"], file);
        assert!(!stage.place.join("early.tar").exists());
        is_in_trouble(&stage, &running, file);
        // A write may meet the damage before the engine's own look does: the log says it in either's words.
        let log = stage.log();
        assert!(log.contains("the store is in trouble") && log.contains(file), "{log}");
        let close = ["close", "RR-1", "--as", "you@example.org", "--reason", "Tried.", "--yes"];
        let (done, said) = stage.holdpoint(&close);
        assert!(
            !done && !said.contains("it is recorded") && !said.contains("RR-1 is closed"),
            "only what is so: {said}"
        );
        running.stop();
        stage.is_not_opened(file);
        stage.goes_on_from_the_backup();
    }
}

/// A table that is gone from a sound database: no copy of it is a backup.
#[test]
fn a_backup_has_the_tables_that_a_restore_needs() {
    for (name, file, table) in [("no-items", STORE, "holdpoint-packets"), ("no-messages", MESSAGES, "messages")] {
        let (stage, running) = Stage::of(name);
        running.stop();
        Connection::open(stage.file(file)).unwrap().execute_batch(&format!("DROP TABLE \"{table}\"")).unwrap();
        stage.refused(&["backup", "later.tar"], &format!("has no table {table}"));
        stage.refused(&["backup", "later.tar"], file);
        stage.goes_on_from_the_backup();
    }
}

/// The content comes back under the running engine: what was accepted before it was lost is worked off.
#[test]
fn a_file_that_is_whole_again_is_gone_on_from() {
    let (stage, running) = Stage::of("back");
    let file = stage.file(STORE);
    read_anew(&file);
    let before = fs::read(&file).unwrap();
    overwrite(&file, |content| content[PAGE..].fill(0xa5));
    let accepted = is_accepted(&running, &example("change.json"));
    is_in_trouble(&stage, &running, STORE);
    fs::write(&file, before).unwrap();
    until("the store is well", || ask(&running.address, "GET", "/ready", "").unwrap().0 == 200);
    assert!(accepted || post(&running, &example("change.json")) == 202);
    until("the review follows the change", || stage.is_decided());
    until("all is worked off", || is_idle(&running));
    assert_eq!(health(&running)["wrong"], json!([]), "no dead letter");
    assert_eq!(stage.log().matches("the store takes writes again; work goes on").count(), 1, "one line at its end");
    stage.done(&["verify"]);
    running.stop();
    stage.end();
}

/// One letter of one item is another: its review stops and is named, and the others go on.
#[test]
fn an_item_whose_digest_does_not_fit_stops_its_review_alone() {
    let (stage, running) = Stage::of("digest");
    change_item(&stage.file(STORE), ("REVIEW#RR-1", "HEAD"), |item| {
        let letter = digest(item);
        *letter = if *letter == b'A' { b'B' } else { b'A' };
    });
    assert_eq!(post(&running, &example("change.json")), 202);
    let damage = "the item REVIEW#RR-1 / HEAD is damaged: its digest does not fit its attributes";
    let is_stuck = || {
        let said = stage.holdpoint(&["stuck"]).1;
        said.contains("refresh.fifo: tried") && said.contains(damage)
    };
    until("the message that could not be handled is listed", is_stuck);
    for command in ["stuck", "verify", "reviews", "waiting"] {
        stage.refused(&[command], damage);
    }
    assert!(stage.log().contains("a review cannot be read; the others go on without it"), "{}", stage.log());
    assert_eq!(ask(&running.address, "GET", "/ready", "").unwrap().0, 200, "others can be served");
    // Of other people: reviews that share some look at each other's seats.
    let another = example("review.json").replace("RR-1", "RR-2").replace("review-1", "review-2");
    assert_eq!(post(&running, &another.replace("@example.org", "@example.net")), 202);
    until("another review goes on", || stage.holdpoint(&["reviews"]).1.contains("RR-2 (open)"));
    assert!(is_stuck(), "the message waits");
    running.stop();

    let running = stage.start();
    let wrong = health(&running);
    assert!(wrong["status"] == "attention" && says(&wrong, "1 reviews cannot be read"), "{wrong}");
    until("the message outlives the engine", is_stuck);
    running.stop();
    stage.goes_on_from_the_backup();
}

/// What is no item at all any more the store's library takes for one that is not there, wherever it is asked for by its key.
/// So all work stops, and the log names the item.
#[test]
fn an_item_that_cannot_be_read_at_all_stops_the_work_and_is_named() {
    let no_letter: fn(&mut [u8]) = |item| *digest(item) = b'`';
    let no_text: fn(&mut [u8]) = |item| *digest(item) = 0xff;
    for (name, damage) in [("letter", no_letter), ("text", no_text)] {
        let (stage, running) = Stage::of(name);
        change_item(&stage.file(STORE), ("REVIEW#RR-1", "HEAD"), damage);
        let accepted = is_accepted(&running, &example("change.json"));
        is_in_trouble(&stage, &running, STORE);
        assert!(stage.log().contains("the item REVIEW#RR-1 / HEAD cannot be read"), "{}", stage.log());
        assert!(!says(&health(&running), "RR-1"), "who reaches the machine learns of no review");
        stage.refused(&["backup", "damaged.tar"], "the item REVIEW#RR-1 / HEAD cannot be read");
        assert_eq!(held(&running), u64::from(accepted), "the event waits");
        running.stop();
        stage.goes_on_from_the_backup();
    }
}
