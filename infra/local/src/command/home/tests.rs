//! One folder, one engine: who takes it, what is kept in it, and who may read that.

use std::net::SocketAddr;

use super::*;

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("holdpoint-home-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    directory
}

#[test]
fn a_directory_has_one_engine_and_its_keys_stay() {
    let place = Place::of(Owner::Service, Some(&directory("one")));
    let home = Home::take(&place).unwrap();
    let files = KeyFiles::default();
    let now = refresh_core::Instant::from_millis(0);
    let keys = home.link_keys(&files).unwrap();
    home.announce(Some(SocketAddr::from(([127, 0, 0, 1], 8420)))).unwrap();
    let Found::Running(running) = find(&place).unwrap() else { panic!("taken twice") };
    assert_eq!(running.address.as_deref(), Some("127.0.0.1:8420"));
    let refused = Home::take(&place).err().unwrap();
    assert!(refused.why.contains("http://127.0.0.1:8420"), "{}", refused.why);
    drop(home);
    let home = Home::take(&place).unwrap();
    assert_eq!(home.link_keys(&files).unwrap(), keys);
    assert_eq!(home.rotate_link_keys(&files, now).unwrap().0, ["2", "1"]);
    let rotated = home.link_keys(&files).unwrap();
    assert!(rotated.ends_with(&keys), "the key that signed until now stays, second");
    assert_eq!(home.rotate_link_keys(&files, now).unwrap().0, ["3", "2"]);
    fs::remove_dir_all(&place.directory).unwrap();
}

/// A command that opens the store by itself announces no address, and must not forget where links lead.
#[test]
fn links_lead_to_the_port_of_the_engine_that_ran_last() {
    let place = Place::of(Owner::Service, Some(&directory("port")));
    let home = Home::take(&place).unwrap();
    assert_eq!(home.last_port().unwrap(), PORT);
    for port in [9000, 9001] {
        home.announce(Some(SocketAddr::from(([127, 0, 0, 1], port)))).unwrap();
        for _ in 0..2 {
            home.announce(None).unwrap();
            assert_eq!(home.last_port().unwrap(), port);
            let settings = home.settings(String::new(), home.last_port().unwrap(), &KeyFiles::default()).unwrap();
            assert_eq!(settings.link_base, format!("http://127.0.0.1:{port}"));
        }
    }
    fs::remove_dir_all(&place.directory).unwrap();
}

/// `serve` and the demo, one after the other in one folder: neither touches the other's store.
#[test]
fn an_owner_does_not_take_a_folder_with_the_store_of_another() {
    for (owner, other) in [(Owner::Service, Owner::Demo), (Owner::Demo, Owner::Service)] {
        let place = Place::of(owner, Some(&directory("owners")));
        let home = Home::take(&place).unwrap();
        fs::write(home.store(), "all of it").unwrap();
        drop(home);
        let refused = Home::take(&Place { owner: other, ..place.clone() }).err().unwrap();
        assert!(refused.why.contains(&place.store().display().to_string()), "{}", refused.why);
        assert_eq!(fs::read_to_string(place.store()).unwrap(), "all of it");
        fs::remove_dir_all(&place.directory).unwrap();
    }
}

#[test]
fn a_command_asks_the_store_of_the_service_before_that_of_the_demo() {
    let directory = directory("ask");
    let none = Place::to_ask(Some(&directory)).err().unwrap();
    for owner in [Owner::Service, Owner::Demo] {
        let store = Place::of(owner, Some(&directory)).store();
        assert!(none.why.contains(&store.display().to_string()), "{}", none.why);
    }
    assert!(!directory.exists(), "asking makes nothing");
    fs::create_dir_all(&directory).unwrap();
    for owner in [Owner::Demo, Owner::Service] {
        let place = Place::of(owner, Some(&directory));
        fs::write(place.store(), "").unwrap();
        assert_eq!(Place::to_ask(Some(&directory)).unwrap(), place);
    }
    fs::remove_dir_all(&directory).unwrap();
    assert_ne!(Place::of(Owner::Service, None).directory, Place::of(Owner::Demo, None).directory);
}

/// Whatever an earlier release or somebody else left there.
#[cfg(unix)]
#[tokio::test]
async fn everything_in_it_is_the_owners_alone_and_no_link_is_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let directory = directory("modes");
    let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let open = async || {
        let home = Home::take(&Place::of(Owner::Service, Some(&directory)))?;
        home.accept_policy(crate::command::policy::EXAMPLE)?;
        let settings = home.settings(crate::command::policy::EXAMPLE.to_owned(), 8420, &KeyFiles::default())?;
        home.announce(Some(SocketAddr::from(([127, 0, 0, 1], 8420))))?;
        let clock = lambda_shell::clock::Clock::system();
        let engine = crate::engine::Engine::open(settings, clock).await.map_err(Failed::new)?;
        home.begun()?;
        Ok::<_, Failed>((home, engine))
    };
    let names = || {
        let mut names: Vec<PathBuf> = fs::read_dir(&directory).unwrap().map(|one| one.unwrap().path()).collect();
        names.sort();
        names
    };
    for loose in [0o777, 0o755] {
        let opened = open().await.unwrap();
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        let found = names();
        // Both databases with log and shared memory, lock, note, policy, keys, two tokens.
        assert_eq!(found.len(), 12, "{found:?}");
        for path in &found {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
        drop(opened);
        for path in names() {
            set(&path, loose & 0o666);
        }
        set(&directory, loose);
    }
    drop(open().await.unwrap());

    let elsewhere = directory.with_extension("elsewhere");
    for path in names() {
        let aside = directory.with_extension("aside");
        fs::rename(&path, &aside).unwrap();
        symlink(&elsewhere, &path).unwrap();
        let outcome = open().await;
        assert!(!elsewhere.exists(), "{} was followed", path.display());
        // What is written whole takes the link's place instead.
        let replaced = outcome.is_ok() && !fs::symlink_metadata(&path).unwrap().file_type().is_symlink();
        let why = outcome.err().map(|failed| failed.why);
        let refused = why.as_ref().is_some_and(|why| why.contains("symbolic link"));
        assert!(replaced || refused, "{}: {why:?}", path.display());
        fs::remove_file(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
    }
    fs::remove_dir_all(&directory).unwrap();
}

/// Keys that the settings have elsewhere: made there once, never made anew beside a store, rotated there.
#[test]
fn keys_lie_where_the_settings_say() {
    let folder = directory("elsewhere");
    let place = Place::of(Owner::Service, Some(&folder.join("data")));
    let file = folder.join("keys");
    let home = Home::take(&place).unwrap();
    let files = KeyFiles { link_keys: Some(file.clone()), ..KeyFiles::default() };
    let keys = home.link_keys(&files).unwrap();
    assert_eq!(home.link_keys(&files).unwrap(), keys);
    assert!(!place.directory.join("link-keys").exists());
    fs::write(home.store(), "reviews").unwrap();
    fs::rename(&file, folder.join("away")).unwrap();
    let refused = home.link_keys(&files).unwrap_err();
    assert!(refused.why.contains(&file.display().to_string()) && !file.exists(), "{}", refused.why);
    fs::rename(folder.join("away"), &file).unwrap();
    assert_eq!(home.rotate_link_keys(&files, refresh_core::Instant::from_millis(0)).unwrap().0, ["2", "1"]);
    assert!(home.link_keys(&files).unwrap().ends_with(&keys));
    fs::remove_dir_all(&folder).unwrap();
}

/// The age counts from the first time that somebody asks; a mark of the time to come counts for nothing.
#[test]
fn a_key_is_rotated_when_it_is_as_old_as_the_settings_say() {
    let place = Place::of(Owner::Service, Some(&directory("age")));
    let home = Home::take(&place).unwrap();
    let day = |day: i64| refresh_core::Instant::from_millis(day * refresh_core::base::instant::DAY);
    let files = KeyFiles { rotate_days: Some(30), ..KeyFiles::default() };
    let rotated = |files: &KeyFiles, at: i64| home.rotate_in_time(files, day(at)).unwrap().map(|rotated| rotated.0);
    assert_eq!(rotated(&KeyFiles::default(), 0), None);
    for (at, expected) in [(100, None), (129, None), (130, Some("2")), (131, None), (159, None), (160, Some("3"))] {
        let signs = rotated(&files, at).map(|ids| ids[0].clone());
        assert_eq!(signs.as_deref(), expected, "day {at}");
    }
    assert_eq!(rotated(&files, 10), None, "the clock was ahead");
    assert_eq!(rotated(&files, 39), None);
    assert!(rotated(&files, 40).is_some());
    fs::remove_dir_all(&place.directory).unwrap();
}

/// Keys elsewhere or here: what is left in a folder without its store says that a store was here.
#[test]
fn a_store_that_is_gone_is_known_without_its_keys() {
    let folder = directory("gone");
    let place = Place::of(Owner::Service, Some(&folder.join("data")));
    let files = KeyFiles { link_keys: Some(folder.join("keys")), ..KeyFiles::default() };
    let home = Home::take(&place).unwrap();
    home.settings(String::new(), PORT, &files).unwrap();
    home.begun().unwrap();
    let refused = home.settings(String::new(), PORT, &files).err().unwrap();
    assert!(refused.why.contains("a store was here"), "{}", refused.why);
    fs::remove_dir_all(&folder).unwrap();
}

/// What root makes in another user's folder that user cannot read: the service would not start again.
#[cfg(unix)]
#[test]
fn root_leaves_nothing_in_the_folder_of_another_user() {
    let folder = directory("another");
    let place = Place::of(Owner::Service, Some(&folder));
    drop(Home::take(&place).unwrap());
    if !rustix::process::geteuid().is_root() {
        // Nobody else may give a folder away.
        fs::remove_dir_all(&folder).unwrap();
        return;
    }
    std::os::unix::fs::chown(&folder, Some(8420), None).unwrap();
    for has_lock in [true, false] {
        if !has_lock {
            fs::remove_file(folder.join(embedded::LOCK)).unwrap();
        }
        let before = fs::read_dir(&folder).unwrap().count();
        let refused = Home::take(&place).err().unwrap();
        assert!(refused.why.contains("the user with the id 8420"), "{}", refused.why);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), before, "something was made");
    }
    // Over an engine of that user's root may ask.
    std::os::unix::fs::chown(&folder, Some(0), None).unwrap();
    let home = Home::take(&place).unwrap();
    home.announce(Some(SocketAddr::from(([127, 0, 0, 1], 8420)))).unwrap();
    std::os::unix::fs::chown(&folder, Some(8420), None).unwrap();
    assert!(matches!(find(&place).unwrap(), Found::Running(_)));
    fs::remove_dir_all(&folder).unwrap();
}

/// Every link that was mailed is signed with them, so none are made anew beside a store. An imported store has none yet.
#[test]
fn lost_keys_of_links_are_not_replaced_beside_a_store() {
    for lost in [&["link-keys"][..], &["link-keys", "operator-token"]] {
        let place = Place::of(Owner::Service, Some(&directory("lost-keys")));
        let home = Home::take(&place).unwrap();
        let files = KeyFiles::default();
        let database = |file: &Path, sql: &str| rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
        let tables = format!(
            "CREATE TABLE _tables (table_name TEXT); INSERT INTO _tables VALUES ('{}')",
            crate::embedded::TABLE
        );
        database(&home.store(), &tables);
        database(&Embedded::beside(&home.store()), "CREATE TABLE messages (queue TEXT)");
        let keys = home.settings(String::new(), PORT, &files).unwrap().link_keys;
        home.begun().unwrap();
        assert_eq!(home.settings(String::new(), PORT, &files).unwrap().link_keys, keys);
        let kept = fs::read(place.directory.join("link-keys")).unwrap();
        for emptied in [true, false] {
            for name in lost {
                let file = place.directory.join(name);
                if emptied { fs::write(&file, "").unwrap() } else { fs::remove_file(&file).unwrap() }
            }
            let refused = home.settings(String::new(), PORT, &files).err().unwrap();
            assert!(
                refused.why.contains("expected the keys of this store's links there, found none"),
                "{}",
                refused.why
            );
            assert!(refused.why.contains(&place.directory.join("link-keys").display().to_string()), "{}", refused.why);
            let rotated = home.rotate_link_keys(&files, refresh_core::Instant::from_millis(0)).err().unwrap();
            assert_eq!(rotated.why, refused.why);
        }
        fs::write(place.directory.join("link-keys"), kept).unwrap();
        assert_eq!(home.settings(String::new(), PORT, &files).unwrap().link_keys, keys);
        fs::remove_dir_all(&place.directory).unwrap();
    }
}

/// Whoever looks while no engine runs may have no right to the secrets of sources, which the service alone reads.
#[tokio::test]
async fn an_engine_that_only_answers_needs_no_secret_of_a_source() {
    let folder = directory("answers");
    let place = Place::of(Owner::Service, Some(&folder.join("data")));
    let policy = serde_json::json!({
        "sources": [{ "kind": "delegation", "source": "//r", "governed_by": "it@example.com" }],
        "native": [{
            "format": "roster.csv", "source": "//r", "name": "staff", "services": ["s"], "roles": ["r"],
            "poll": { "url": "https://x.example/r", "credential": "key", "every_minutes": 5 },
        }],
    })
    .to_string();
    let home = Home::take(&place).unwrap();
    let clock = lambda_shell::clock::Clock::system;
    let named = KeyFiles { source_credentials: Some(folder.join("nowhere")), ..KeyFiles::default() };
    let refused = home.settings(policy.clone(), PORT, &named).err().unwrap();
    assert!(refused.why.contains("nowhere: expected a JSON object by name there"), "{}", refused.why);
    let to_answer = home.settings_to_answer(policy.clone(), PORT, &named).unwrap();
    crate::engine::Engine::open(to_answer, clock()).await.unwrap();
    home.begun().unwrap();
    let to_work = home.settings(policy, PORT, &KeyFiles::default()).unwrap();
    let refused = crate::engine::Engine::open(to_work, clock()).await.err().unwrap();
    assert!(
        refused.contains("a credential key, for the poll of staff; found none; they stand in source-credentials.json"),
        "{refused}"
    );
    fs::remove_dir_all(&folder).unwrap();
}
