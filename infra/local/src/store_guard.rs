//! Whether the files of a store are still there and take what is written.
//!
//! SQLite writes on into a file that somebody has deleted, and says that all is well. So each file is known by its device and
//! number, and what was written counts only if the file is in its place afterwards. A failure of the machine (a full disk, a
//! disk that became read-only, a damaged file) is remembered until a trial write succeeds; work waits meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::ErrorCode;

/// What SQLite and the embedded store's library say of content that is not what was written.
const DAMAGE: [&str; 6] =
    ["malformed", "not a database", "not a valid database", "Bad item JSON", "invalid utf-8", CUT];
/// What is said here of a database that is shorter than it was: SQLite goes on with the pages that it remembers.
const CUT: &str = "is shorter than it was";
/// What is said beside it.
const REMEDY: &str = "nothing is taken until its content is back, or the engine is stopped and a backup restored";

/// Of a store in memory nothing is watched. Cloning shares the guard.
#[derive(Clone, Default)]
pub struct StoreGuard {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    files: Mutex<Vec<Watched>>,
    trouble: Mutex<Option<Trouble>>,
    /// How often trouble began.
    times: AtomicU64,
}

struct Watched {
    path: PathBuf,
    /// `None`: not there yet. SQLite makes its log when it first writes.
    known: Option<Identity>,
    /// The most bytes that a database had. `None`: a log or a mark, which may be emptied at any time.
    most: Option<u64>,
    /// Whether SQLite has the file open. Whoever opens and closes such a file in this process ends SQLite's locks on it.
    of_sqlite: bool,
}

type Identity = (u64, u64);

struct Trouble {
    why: String,
    /// The content of a file is not what was written.
    damaged: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change to what is behind the mutexes is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which file it is, and how long. Never opened for it: that would end SQLite's locks.
fn found(path: &Path) -> std::io::Result<(Identity, u64)> {
    let found = fs::symlink_metadata(path)?;
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        (found.dev(), found.ino())
    };
    #[cfg(not(unix))]
    let identity = (0, 0);
    Ok((identity, found.len()))
}

impl StoreGuard {
    /// A database and its write-ahead log, as they are now.
    ///
    /// # Errors
    /// The file is not there.
    pub fn watch(&self, database: &Path) -> Result<(), String> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let (known, bytes) = found(database).map_err(|error| error.to_string())?;
        let log = PathBuf::from(log);
        let of_log = found(&log).ok().map(|(identity, _)| identity);
        let mut files = lock(&self.shared.files);
        files.push(Watched { path: database.to_owned(), known: Some(known), most: Some(bytes), of_sqlite: true });
        files.push(Watched { path: log, known: of_log, most: None, of_sqlite: true });
        drop(files);
        Ok(())
    }

    /// Another file of the store's folder, where there is one.
    ///
    /// # Errors
    /// The file cannot be looked at.
    pub fn watch_beside(&self, database: &Path, name: &str) -> Result<(), String> {
        let path = database.with_file_name(name);
        match found(&path) {
            Ok((known, _)) => {
                lock(&self.shared.files).push(Watched { path, known: Some(known), most: None, of_sqlite: false });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
        Ok(())
    }

    /// Whether every file is the one that was opened, and no database lost its end.
    ///
    /// # Errors
    /// Which file is not, and what to do.
    pub fn whole(&self) -> Result<(), String> {
        self.in_place()?;
        let mut files = lock(&self.shared.files);
        for file in files.iter_mut() {
            // What is not there by now is met by the next look.
            let (Some(most), Ok((_, bytes))) = (file.most, found(&file.path)) else { continue };
            if bytes < most {
                let why = format!("{} {CUT}: {bytes} bytes are left of {most}", file.path.display());
                return self.gone(why);
            }
            file.most = Some(bytes);
        }
        Ok(())
    }

    /// Whether every file is the one that was opened, however long it is.
    ///
    /// # Errors
    /// Which file is not, and what to do.
    pub fn in_place(&self) -> Result<(), String> {
        let mut files = lock(&self.shared.files);
        for file in files.iter_mut() {
            let found = match found(&file.path) {
                Ok((found, _)) => Some(found),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return self.gone(format!("{} cannot be looked at: {error}", file.path.display())),
            };
            match (file.known, found) {
                (None, found) => file.known = found,
                (Some(known), Some(found)) if known == found => {}
                (Some(_), found) => {
                    let what = if found.is_some() { "another file stands in its place" } else { "it is gone" };
                    return self.gone(format!(
                        "{} is not the file that the engine opened: {what}; nothing is taken until the file is back, or \
                         the engine is stopped and a backup restored",
                        file.path.display()
                    ));
                }
            }
        }
        Ok(())
    }

    /// Takes the databases as long as they are now: whoever read all of them found nothing missing.
    pub fn measure(&self) {
        for file in lock(&self.shared.files).iter_mut().filter(|file| file.most.is_some()) {
            if let Ok((_, bytes)) = found(&file.path) {
                file.most = Some(bytes);
            }
        }
    }

    fn gone(&self, why: String) -> Result<(), String> {
        self.remember(&why);
        Err(why)
    }

    /// What the machine says to whoever would write beside the databases; `None`: it lets them. Of a disk that turned read-only
    /// SQLite says no more than that there was an I/O error.
    fn refusal(&self) -> Option<String> {
        let files = lock(&self.shared.files);
        let beside = files.iter().find(|file| !file.of_sqlite)?;
        let refused = fs::OpenOptions::new().write(true).open(&beside.path).err()?;
        Some(format!("{}: {refused}", beside.path.display()))
    }

    /// Remembers a failure of the machine; a refusal of what was asked is none.
    pub fn failed(&self, error: &rusqlite::Error, said: &str) {
        let Some(code) = error.sqlite_error_code() else { return };
        let of_the_machine = matches!(
            code,
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
        );
        if of_the_machine {
            self.in_trouble(said);
        }
    }

    /// Remembers that the store did not do its part, and what the machine says of it.
    pub fn in_trouble(&self, why: &str) {
        match self.refusal() {
            Some(refusal) => self.remember(&format!("{why} ({refusal})")),
            None => self.remember(why),
        }
    }

    fn remember(&self, why: &str) {
        let mut trouble = lock(&self.shared.trouble);
        let damaged = DAMAGE.iter().any(|word| why.contains(word));
        let damaged = damaged || trouble.as_ref().is_some_and(|trouble| trouble.damaged);
        let why = if damaged { format!("{why}; {REMEDY}") } else { why.to_owned() };
        if trouble.is_none() {
            self.shared.times.fetch_add(1, Ordering::SeqCst);
            tracing::error!(why, "the store is in trouble; work waits");
        }
        *trouble = Some(Trouble { why, damaged });
    }

    /// Why work waits; `None` where the store does its part.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).as_ref().map(|trouble| trouble.why.clone())
    }

    /// Whether a file's content is not what was written.
    pub fn is_damaged(&self) -> bool {
        lock(&self.shared.trouble).as_ref().is_some_and(|trouble| trouble.damaged)
    }

    /// How often trouble began: what failed while this number moved failed for the store's sake.
    pub fn times(&self) -> u64 {
        self.shared.times.load(Ordering::SeqCst)
    }

    /// The store takes writes again.
    pub fn over(&self) {
        if lock(&self.shared.trouble).take().is_some() {
            tracing::warn!("the store takes writes again; work goes on");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("holdpoint-guard-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        place
    }

    /// Each file, deleted or replaced; and back in its place.
    #[test]
    fn a_file_that_is_gone_or_another_one_is_told_by_its_name() {
        let place = place("gone");
        for name in ["store.sqlite", "store.sqlite-wal", "lock"] {
            for replaced in [false, true] {
                let database = place.join("store.sqlite");
                let all = ["store.sqlite", "store.sqlite-wal", "lock"].map(|name| place.join(name));
                all.iter().for_each(|file| fs::write(file, "content").unwrap());
                let guard = StoreGuard::default();
                guard.watch(&database).unwrap();
                guard.watch_beside(&database, "lock").unwrap();
                assert_eq!((guard.whole(), guard.trouble(), guard.times()), (Ok(()), None, 0));
                let (file, aside) = (place.join(name), place.join("aside"));
                fs::rename(&file, &aside).unwrap();
                if replaced {
                    fs::write(&file, "content").unwrap();
                }
                for _ in 0..2 {
                    let why = guard.whole().unwrap_err();
                    assert!(why.contains(&file.display().to_string()) && why.contains("backup"), "{why}");
                }
                assert_eq!(guard.times(), 1, "one trouble");
                assert!(guard.trouble().is_some() && !guard.is_damaged());
                fs::rename(&aside, &file).unwrap();
                assert_eq!(guard.whole(), Ok(()));
                guard.over();
                assert_eq!(guard.trouble(), None);
            }
        }
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn a_log_that_is_made_later_is_watched_from_then_on() {
        let place = place("log");
        let database = place.join("store.sqlite");
        fs::write(&database, "").unwrap();
        let guard = StoreGuard::default();
        guard.watch(&database).unwrap();
        guard.whole().unwrap();
        let log = place.join("store.sqlite-wal");
        fs::write(&log, "").unwrap();
        guard.whole().unwrap();
        fs::remove_file(&log).unwrap();
        assert!(guard.whole().unwrap_err().contains("-wal"));
        fs::remove_dir_all(&place).unwrap();
    }

    /// Emptied, or cut; a log may be emptied at any time. What was read whole counts as it is.
    #[test]
    fn a_database_that_lost_its_end_is_damaged() {
        let place = place("cut");
        for left in [0, 6] {
            let database = place.join("store.sqlite");
            let log = place.join("store.sqlite-wal");
            fs::write(&database, "content").unwrap();
            fs::write(&log, "content").unwrap();
            let guard = StoreGuard::default();
            guard.watch(&database).unwrap();
            fs::File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
            fs::File::options().append(true).open(&database).unwrap().set_len(9).unwrap();
            assert_eq!((guard.whole(), guard.trouble()), (Ok(()), None), "it may grow");
            fs::File::options().write(true).open(&database).unwrap().set_len(left).unwrap();
            let why = guard.whole().unwrap_err();
            assert!(why.contains(&format!("store.sqlite {CUT}: {left} bytes are left of 9")), "{why}");
            assert!(guard.is_damaged() && guard.trouble().unwrap().contains(REMEDY));
            assert_eq!(guard.in_place(), Ok(()));
            guard.measure();
            assert_eq!(guard.whole(), Ok(()));
        }
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn damage_stays_damage_until_it_is_over() {
        let guard = StoreGuard::default();
        for said in DAMAGE {
            guard.in_trouble(said);
            guard.in_trouble("database or disk is full");
            assert!(guard.is_damaged(), "{said}");
            assert!(guard.trouble().unwrap().contains(REMEDY), "{said}");
            guard.over();
            assert!(!guard.is_damaged(), "{said}");
        }
    }
}
