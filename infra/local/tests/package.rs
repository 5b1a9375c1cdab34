//! The Debian package: made, put into an empty root, started from there, and taken away again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {said}");
    said
}

fn dpkg(root: &Path) -> Command {
    let mut command = Command::new("dpkg");
    command.arg("--root").arg(root);
    // The empty root has no libc6 of its own; the machine's is the one that the program runs by.
    command.args(["--force-depends", "--force-not-root", "--force-script-chrootless"]);
    command
}

#[test]
fn the_package_goes_into_an_empty_root_and_out_again() {
    if Command::new("dpkg-deb").arg("--version").output().is_err() {
        // No Debian, no package.
        return;
    }
    let place: PathBuf = std::env::temp_dir().join(format!("holdpoint-package-{}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    let root = place.join("root");
    fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../one-machine/deb");
    // To pack a program with its debug information well would take a minute.
    run(Command::new(script).arg(env!("CARGO_BIN_EXE_holdpoint")).arg(&place).env("DEB_COMPRESSION", "none"));
    let packages = fs::read_dir(&place).unwrap().map(|one| one.unwrap().path());
    let package =
        packages.into_iter().find(|path| path.extension().is_some_and(|end| end == "deb")).expect("a package");
    let name = package.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with(&format!("holdpoint_{}_", env!("CARGO_PKG_VERSION"))), "{name}");

    run(dpkg(&root).arg("-i").arg(&package));
    let settings = root.join("etc/holdpoint/holdpoint.toml");
    let said = run(Command::new(root.join("usr/bin/holdpoint")).arg("check").arg(&settings));
    assert!(said.contains("no fault"), "{said}");
    // What the unit starts is where the package puts it.
    let unit = fs::read_to_string(root.join("usr/lib/systemd/system/holdpoint.service")).unwrap();
    let started: Vec<&str> =
        unit.lines().filter_map(|line| line.strip_prefix("ExecStart=")?.split(' ').next()).collect();
    assert_eq!(started, ["/usr/bin/holdpoint"]);
    assert!(unit.contains("/etc/holdpoint/holdpoint.toml"), "{unit}");
    for document in ["README.md", "copyright", "changelog.gz", "nginx.conf", "Caddyfile"] {
        assert!(root.join("usr/share/doc/holdpoint").join(document).is_file(), "{document}");
    }

    // Another release does not write over what somebody has changed.
    fs::write(&settings, "listen = \"127.0.0.1:9000\"\n").unwrap();
    run(dpkg(&root).args(["--force-confold", "-i"]).arg(&package));
    assert!(fs::read_to_string(&settings).unwrap().contains("9000"));

    run(dpkg(&root).args(["-r", "holdpoint"]));
    assert!(!root.join("usr/bin/holdpoint").exists() && settings.exists(), "removed, its settings kept");
    run(dpkg(&root).args(["-P", "holdpoint"]));
    assert!(!settings.exists(), "purged");
    fs::remove_dir_all(&place).unwrap();
}
