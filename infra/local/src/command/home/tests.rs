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
    let keys = home.link_keys().unwrap();
    home.announce(Some(SocketAddr::from(([127, 0, 0, 1], 8420)))).unwrap();
    let Found::Running(running) = find(&place).unwrap() else { panic!("taken twice") };
    assert_eq!(running.address.as_deref(), Some("127.0.0.1:8420"));
    let refused = Home::take(&place).err().unwrap();
    assert!(refused.why.contains("http://127.0.0.1:8420"), "{}", refused.why);
    drop(home);
    let home = Home::take(&place).unwrap();
    assert_eq!(home.link_keys().unwrap(), keys);
    assert_eq!(home.rotate_link_keys().unwrap(), ["2", "1"]);
    let rotated = home.link_keys().unwrap();
    assert!(rotated.ends_with(&keys), "the key that signed until now stays, second");
    assert_eq!(home.rotate_link_keys().unwrap(), ["3", "2"]);
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
            let settings = home.settings(String::new(), home.last_port().unwrap()).unwrap();
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
        let settings = home.settings(crate::command::policy::EXAMPLE.to_owned(), 8420)?;
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
