//! `holdpoint backup` and `holdpoint restore`: everything of a store in one tar file.
//!
//! The engine may run meanwhile. The messages are copied before the store: what a message causes is in the store before the
//! message is gone from its queue, so each accepted event is in one of the two copies or in both. Twice is once, since
//! every trigger counts once.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use lambda_shell::clock::Clock;
use refresh_core::Instant;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Common, Failed, ask,
    home::{self, Found, Home, Owner, Place},
    print, say, settings,
};
use crate::{
    embedded::{self, Embedded},
    operator::Request,
    private,
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The file that the backup is written into or read from.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// The first entry of a backup.
const MANIFEST: &str = "holdpoint-backup.json";
/// Files of the folder beside the databases; whichever is there.
const BESIDE: [&str; 8] = [
    "accepted-policy.json",
    "link-keys",
    "link-keys-since",
    "operator-token",
    "events-token",
    "source-secrets.json",
    "source-credentials.json",
    "settings-file",
];
/// In this order; the comment at the top says why.
const DATABASES: [&str; 2] = ["messages.sqlite", "store.sqlite"];

/// What a backup says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Manifest {
    /// The release that wrote the backup.
    holdpoint: String,
    /// The schema of the store's items.
    schema: u32,
    at: String,
    files: Vec<Entry>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    sha256: String,
}

fn at(doing: &str, path: &Path, error: impl std::fmt::Display) -> Failed {
    Failed::new(format!("{doing} {}: {error}", path.display()))
}

/// A folder of our own that goes with us.
struct Workshop(PathBuf);

impl Workshop {
    fn beside(file: &Path) -> Result<Self, Failed> {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let folder = file.with_file_name(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| at("emptying", &folder, error))?;
        }
        private::folder(&folder).map_err(Failed::new)?;
        Ok(Self(folder))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// # Errors
/// There is no store, a file cannot be read or written, or the backup's file exists already.
pub async fn backup(common: &Common, options: &Options) -> Result<(), Failed> {
    let place = Place::to_ask(common.data.as_deref())?;
    if place.owner != Owner::Service {
        let store = place.store().display().to_string();
        return Err(Failed::new(format!(
            "{store}: the demo's store begins anew each time; there is nothing to back up"
        )));
    }
    if options.file.exists() {
        return Err(Failed::new(format!("{}: exists already; nothing was written", options.file.display())));
    }
    say(common, format!("copying {}", place.directory.display()));
    let file = options.file.clone();
    let elsewhere = elsewhere(&place)?;
    let of = place.clone();
    let written = tokio::task::spawn_blocking(move || write(&of, &file)).await;
    let manifest = written.map_err(Failed::new)??;
    let bytes: u64 = manifest.files.iter().map(|entry| entry.bytes).sum();
    say(common, format!("{}: {} files, {bytes} bytes", options.file.display(), manifest.files.len()));
    let keys = "link-keys";
    if elsewhere.is_empty() && manifest.files.iter().all(|entry| entry.name != keys || entry.bytes == 0) {
        let folder = place.directory.join(keys);
        say(common, format!("not in it: the keys of this store's links, which are not in {}", folder.display()));
    }
    for elsewhere in &elsewhere {
        say(common, format!("not in it: {}, which the settings name; keep a copy of it yourself", elsewhere.display()));
    }
    if common.json {
        print(serde_json::json!({ "backup": options.file, "manifest": manifest, "not_in_it": elsewhere }))
    } else {
        Ok(())
    }
}

/// Keys and secrets that the settings have elsewhere than in the store's folder. Settings with faults name none that an engine
/// reads.
fn elsewhere(place: &Place) -> Result<Vec<PathBuf>, Failed> {
    let Some(file) = home::remembered_settings(&place.directory)? else { return Ok(Vec::new()) };
    let keys = settings::read(&file).map(|settings| settings.keys).unwrap_or_default();
    Ok([keys.link_keys, keys.source_secrets, keys.source_credentials].into_iter().flatten().collect())
}

fn write(place: &Place, file: &Path) -> Result<Manifest, Failed> {
    let workshop = Workshop::beside(file)?;
    for name in DATABASES {
        copy(&place.directory.join(name), &workshop.0.join(name))?;
    }
    for name in BESIDE {
        if let Some(text) = private::read(&place.directory.join(name)).map_err(Failed::new)? {
            private::write(&workshop.0.join(name), &text).map_err(Failed::new)?;
        }
    }
    let names = DATABASES.iter().chain(&BESIDE).filter(|name| workshop.0.join(name).exists());
    let files = names.map(|name| entry(&workshop.0, name)).collect::<Result<Vec<_>, Failed>>()?;
    let manifest = Manifest {
        holdpoint: env!("CARGO_PKG_VERSION").to_owned(),
        schema: packet_store::SCHEMA,
        at: Instant::from_millis(Clock::system().now_millis()).to_string(),
        files,
    };
    let draft = workshop.0.join("whole.tar");
    let (out, _) = private::file(&draft).map_err(Failed::new)?;
    let mut tar = tar::Builder::new(out);
    let text = serde_json::to_vec_pretty(&manifest).map_err(Failed::new)?;
    let told = |error: std::io::Error| at("writing", file, error);
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, MANIFEST, text.as_slice()).map_err(told)?;
    for entry in &manifest.files {
        let mut content = File::open(workshop.0.join(&entry.name)).map_err(told)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(entry.bytes);
        header.set_mode(0o600);
        tar.append_data(&mut header, &entry.name, &mut content).map_err(told)?;
    }
    tar.into_inner().and_then(|out| out.sync_all()).map_err(told)?;
    fs::rename(&draft, file).map_err(told)?;
    Ok(manifest)
}

/// A database as it is at one moment, whoever writes to it.
fn copy(database: &Path, to: &Path) -> Result<(), Failed> {
    let told = |error: rusqlite::Error| at("copying", database, error);
    // Never opened when it is empty: SQLite would take it for a new one, and remove the log that its content may stand in.
    if fs::metadata(database).is_ok_and(|found| found.len() == 0) {
        return Err(Failed::new(format!("copying {}: it is empty: restore a backup of before", database.display())));
    }
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(told)?;
    connection.busy_timeout(std::time::Duration::from_secs(30)).map_err(told)?;
    // A copy is as private as its original, also while it is written.
    private::file(to).map_err(Failed::new)?;
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map_err(told)?;
    // The copy's name is of our workshop; what is wrong with it is wrong with the database.
    sound(to).map_err(|failed| Failed {
        why: failed.why.replace(&*to.to_string_lossy(), &database.to_string_lossy()),
        ..failed
    })
}

fn sound(database: &Path) -> Result<(), Failed> {
    embedded::whole(database).map_err(|why| Failed::new(format!("checking {why}")))?;
    let told = |error: rusqlite::Error| at("checking", database, error);
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(told)?;
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(told)?;
    if found == "ok" { Ok(()) } else { Err(at("checking", database, found)) }
}

fn entry(folder: &Path, name: &str) -> Result<Entry, Failed> {
    let path = folder.join(name);
    let told = |error: std::io::Error| at("reading", &path, error);
    let mut file = File::open(&path).map_err(told)?;
    let (bytes, sha256) = digest(&mut file, &mut std::io::sink()).map_err(told)?;
    Ok(Entry { name: name.to_owned(), bytes, sha256 })
}

/// Copies all of it. Answers how much there was, and its digest.
fn digest(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<(u64, String)> {
    let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 64 * 1024]);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            let sum: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok((bytes, sum));
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        bytes += read as u64;
    }
}

/// # Errors
/// The folder has a store already, the file is no backup, damaged, or of a newer release, or a lineage does not verify.
pub async fn restore(common: &Common, options: &Options) -> Result<(), Failed> {
    let place = Place::of(Owner::Service, common.data.as_deref());
    let home = match home::find(&place)? {
        Found::Ours(home) => home,
        Found::Running(_) => {
            return Err(Failed::new(format!(
                "{}: an engine runs here; restore into another --data",
                place.directory.display()
            )));
        }
    };
    for owner in [Owner::Service, Owner::Demo] {
        let store = Place { owner, ..place.clone() }.store();
        if store.exists() {
            return Err(Failed::new(format!("{}: exists already; restore into an empty --data", store.display())));
        }
    }
    let (from, folder) = (options.file.clone(), place.directory.clone());
    let put_back = tokio::task::spawn_blocking(move || put_back(&from, &folder)).await;
    let manifest = put_back.map_err(Failed::new)??;
    say(common, format!("{} is as it was at {}", place.store().display(), manifest.at));
    if home.accepted_policy()?.is_none() {
        say(common, "it has accepted no policy yet: `holdpoint serve --policy FILE` offers one");
    }
    drop::<Home>(home);
    ask::ask(common, &super::Deployment { stack: None }, Request::Verify(None)).await
}

fn put_back(from: &Path, folder: &Path) -> Result<Manifest, Failed> {
    let told = |error: std::io::Error| at("reading", from, error);
    let workshop = Workshop::beside(&folder.join("restore"))?;
    let mut tar = tar::Archive::new(File::open(from).map_err(told)?);
    let mut entries = tar.entries().map_err(told)?;
    let no_backup = || Failed::input(format!("{}: expected a file that `holdpoint backup` wrote", from.display()));
    let mut first = entries.next().ok_or_else(no_backup)?.map_err(|_| no_backup())?;
    let is_manifest = first.path().is_ok_and(|path| path == Path::new(MANIFEST));
    let mut text = String::new();
    if !is_manifest || first.by_ref().take(1 << 20).read_to_string(&mut text).is_err() {
        return Err(no_backup());
    }
    let manifest: Manifest = serde_json::from_str(&text).map_err(|_| no_backup())?;
    if manifest.schema > packet_store::SCHEMA {
        return Err(Failed::new(format!(
            "{}: its schema is {}, and this release reads {} at most; restore with holdpoint {} or newer",
            from.display(),
            manifest.schema,
            packet_store::SCHEMA,
            manifest.holdpoint
        )));
    }
    let mut left: Vec<&Entry> = manifest.files.iter().collect();
    for entry in entries {
        let mut entry = entry.map_err(told)?;
        let name = entry.path().map_err(told)?.to_string_lossy().into_owned();
        let known = DATABASES.iter().chain(&BESIDE).any(|known| *known == name);
        let Some(place) = left.iter().position(|one| one.name == name && known) else { return Err(no_backup()) };
        let expected = left.swap_remove(place);
        let (mut out, _) = private::file(&workshop.0.join(&name)).map_err(Failed::new)?;
        let (bytes, sha256) = digest(&mut entry, &mut out).map_err(told)?;
        out.sync_all().map_err(told)?;
        if (bytes, &sha256) != (expected.bytes, &expected.sha256) {
            return Err(Failed::input(format!("{}: {name} is damaged; nothing was restored", from.display())));
        }
    }
    let missing = left
        .iter()
        .map(|entry| entry.name.as_str())
        .chain(DATABASES.iter().copied().filter(|name| !workshop.0.join(name).exists()));
    if let Some(missing) = missing.into_iter().next() {
        return Err(Failed::input(format!("{}: {missing} is missing; nothing was restored", from.display())));
    }
    for name in DATABASES {
        sound(&workshop.0.join(name))?;
    }
    // The store last: its file says that there is one.
    for name in BESIDE.iter().chain(&DATABASES) {
        let part = workshop.0.join(name);
        if part.exists() {
            fs::rename(&part, folder.join(name)).map_err(|error| at("restoring", &folder.join(name), error))?;
        }
    }
    debug_assert_eq!(Embedded::beside(&folder.join(DATABASES[1])), folder.join(DATABASES[0]));
    Ok(manifest)
}
