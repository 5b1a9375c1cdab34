//! What the engine takes at most, and when its disk is somebody's matter. `[limits]` of the settings says so.

use std::path::Path;

use crate::embedded::Embedded;

pub const MEBIBYTE: u64 = 1_048_576;

/// What may be held and taken at once, and from which sizes on somebody must see to the disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the longest body of `POST /events`. One event is a MiB at most, whatever this says.
    pub request: usize,
    /// Connections that are served at once, if the limit of open files leaves room for them.
    pub connections: usize,
    /// Messages on the queue of source events, all of which are in memory: with so many, no more are taken.
    pub waiting_events: usize,
    /// Bytes of the store's files from which on `/health` asks for attention. `None`: never.
    pub store: Option<u64>,
    /// Bytes free on the store's disk below which `/health` asks for attention. 0: never.
    pub free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request: 8 * 1_048_576, connections: 256, waiting_events: 100_000, store: None, free: 64 * MEBIBYTE }
    }
}

/// The room that a store takes and has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// Bytes of its files.
    pub used: u64,
    /// Bytes that its disk has left for whoever the engine runs as.
    pub free: u64,
}

impl Room {
    /// # Errors
    /// The disk cannot be asked.
    pub fn of(store: &Path) -> Result<Self, String> {
        let databases = [store.to_owned(), Embedded::beside(store)];
        let files = databases.iter().flat_map(|database| {
            ["", "-wal", "-shm"].map(|ending| {
                let mut name = database.clone().into_os_string();
                name.push(ending);
                name
            })
        });
        // A file that is not there takes no room; whether it should be there, the store's guard says.
        let used = files.filter_map(|file| std::fs::metadata(file).ok()).map(|found| found.len()).sum();
        Ok(Self { used, free: free(store.parent().unwrap_or(Path::new(".")))? })
    }

    /// What somebody must see to.
    pub fn wrong(self, limits: &Limits) -> Vec<String> {
        let mebibytes = |bytes: u64| bytes / MEBIBYTE;
        let mut wrong = Vec::new();
        if let Some(most) = limits.store.filter(|most| self.used >= *most) {
            wrong.push(format!(
                "the store's files have {} MiB, and [limits] store_mebibytes is {}: `[keep]` says what goes when",
                mebibytes(self.used),
                mebibytes(most)
            ));
        }
        if self.free < limits.free {
            wrong.push(format!(
                "the store's disk has {} MiB left, and [limits] free_mebibytes is {}: make room",
                mebibytes(self.free),
                mebibytes(limits.free)
            ));
        }
        wrong
    }
}

#[cfg(unix)]
fn free(folder: &Path) -> Result<u64, String> {
    let asked = rustix::fs::statvfs(folder);
    let found = asked.map_err(|error| format!("asking how much room {} has: {error}", folder.display()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Result<u64, String> {
    Ok(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_store_and_a_full_disk_are_each_said_with_both_numbers() {
        let room = Room { used: 300 * MEBIBYTE, free: 20 * MEBIBYTE };
        let limits = |store, free| Limits { store, free, ..Limits::default() };
        assert!(room.wrong(&limits(None, 0)).is_empty());
        assert!(room.wrong(&limits(Some(301 * MEBIBYTE), 20 * MEBIBYTE)).is_empty());
        let wrong = room.wrong(&limits(Some(300 * MEBIBYTE), 21 * MEBIBYTE));
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("300 MiB") && wrong[0].contains("store_mebibytes is 300"), "{wrong:?}");
        assert!(wrong[1].contains("20 MiB left") && wrong[1].contains("free_mebibytes is 21"), "{wrong:?}");
    }

    #[test]
    fn every_file_of_a_store_counts() {
        let folder = std::env::temp_dir().join(format!("holdpoint-room-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = folder.join("store.sqlite");
        for (name, bytes) in [("store.sqlite", 10), ("store.sqlite-wal", 200), ("messages.sqlite", 3_000)] {
            std::fs::write(folder.join(name), vec![0; bytes]).unwrap();
        }
        let room = Room::of(&store).unwrap();
        assert_eq!(room.used, 3_210);
        assert!(room.free > 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
