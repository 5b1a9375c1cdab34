//! The Debian package: made, put into an empty root, started from there, and taken away again.

mod server;
mod sink;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use mail_parser::MessageParser;
use server::{ask, found};
use sink::Sink;

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
        eprintln!("skipped: this machine is no Debian, so it makes no package");
        return;
    }
    let place: PathBuf = std::env::temp_dir().join(format!("holdpoint-package-{}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    let root = place.join("root");
    fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let made = run(Command::new(clone().join(".ci/package")).arg(env!("CARGO_BIN_EXE_holdpoint")).arg(&place));
    let package = PathBuf::from(made.lines().rfind(|line| line.ends_with(".deb")).expect("a package"));
    let name = package.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with(&format!("holdpoint_{}_", env!("CARGO_PKG_VERSION"))), "{name}");

    run(dpkg(&root).arg("-i").arg(&package));
    let settings = root.join("etc/holdpoint/holdpoint.toml");
    let said = run(Command::new(root.join("usr/bin/holdpoint")).arg("check").arg(&settings));
    assert!(said.contains("no fault"), "{said}");
    // The unit's user is there, in the root and not on this machine.
    let users = fs::read_to_string(root.join("etc/passwd")).unwrap_or_default();
    assert!(users.lines().any(|line| line.starts_with("holdpoint:")), "{users}");
    // What the unit starts is where the package puts it.
    let unit = fs::read_to_string(root.join("usr/lib/systemd/system/holdpoint.service")).unwrap();
    let started: Vec<&str> =
        unit.lines().filter_map(|line| line.strip_prefix("ExecStart=")?.split(' ').next()).collect();
    assert_eq!(started, ["/usr/bin/holdpoint"]);
    assert!(unit.contains("/etc/holdpoint/holdpoint.toml"), "{unit}");
    for document in ["README.md", "copyright", "changelog.gz", "nginx.conf", "Caddyfile"] {
        assert!(root.join("usr/share/doc/holdpoint").join(document).is_file(), "{document}");
    }

    for file in [
        "bash-completion/completions/holdpoint",
        "zsh/vendor-completions/_holdpoint",
        "fish/vendor_completions.d/holdpoint.fish",
        "man/man1/holdpoint.1.gz",
        "man/man1/holdpoint-resend.1.gz",
    ] {
        let length = fs::metadata(root.join("usr/share").join(file)).map_or(0, |file| file.len());
        assert!(length > 100, "{file}: {length} bytes");
    }
    let manual = run(Command::new("gzip").arg("-dc").arg(root.join("usr/share/man/man1/holdpoint-resend.1.gz")));
    assert!(manual.contains("holdpoint\\-resend") || manual.contains("holdpoint-resend"), "{manual}");

    from_nothing_to_an_adopted_change(&place, &root);

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

fn clone() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A file of the tree.
fn tree(path: &str) -> String {
    fs::read_to_string(clone().join(path)).unwrap()
}

/// What the unit and the image start, with the paths of this root.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The page's own commands, in a root that has the package and nothing else, to a mailed and adopted change.
fn from_nothing_to_an_adopted_change(place: &Path, root: &Path) {
    let sink = Sink::start();
    let here = |line: &str| {
        let at = |path: &str| root.join(path).display().to_string();
        line.replace("/etc/holdpoint", &at("etc/holdpoint")).replace("/var/lib/holdpoint", &at("var/lib/holdpoint"))
    };
    let settings = root.join("etc/holdpoint/holdpoint.toml");
    let shipped = fs::read_to_string(&settings).unwrap().replace("127.0.0.1:8420", "127.0.0.1:0");
    fs::write(&settings, format!("{shipped}\n{}", sink.settings("holdpoint@example.org"))).unwrap();
    let page = tree("infra/one-machine/README.md");
    let block =
        page.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the page's commands");
    let lines = block.lines().filter_map(|line| line.strip_prefix("$ "));
    let mut engine = None;
    let path = format!("{}:{}", root.join("usr/bin").display(), std::env::var("PATH").unwrap());
    let mut followed = 0;
    for line in lines.map(|line| line.split(" # ").next().unwrap_or(line).trim()) {
        followed += 1;
        if line.starts_with("systemctl enable") {
            engine = Some(start(root, &here));
            continue;
        }
        let (_, address) =
            engine.as_ref().map_or((None, ""), |(child, address): &(Started, String)| (Some(child), address));
        if line.starts_with("holdpoint show") {
            adopt(address, &sink);
        }
        let said = run(Command::new("sh").args(["-c", &here(line)]).current_dir(place).env("PATH", &path));
        let expected = match line.split(' ').nth(1).unwrap_or_default() {
            "check" => "no fault",
            "send" => "applied",
            "show" => "version 2",
            _ => "",
        };
        assert!(said.contains(expected), "`{line}`: {said}");
    }
    assert_eq!(followed, 10, "{block}");
    // The others hear of it by mail: the seat that is theirs now.
    found("the deputy is mailed", || sink.taken().iter().any(|mail| mail.to == "deputy@example.org").then_some(()));
}

/// As the unit starts it.
fn start(root: &Path, here: &impl Fn(&str) -> String) -> (Started, String) {
    let unit = fs::read_to_string(root.join("usr/lib/systemd/system/holdpoint.service")).unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words: Vec<String> = line.split(' ').map(here).collect();
    let program = root.join(words[0].trim_start_matches('/'));
    let mut child = Command::new(program).args(&words[1..]).arg("--json").stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let said: serde_json::Value = serde_json::from_str(&first).expect("the engine's first line");
    (Started(child), said["address"].as_str().unwrap().trim_start_matches("http://").to_owned())
}

/// The owner opens the mail's link, chooses, and presses the button.
fn adopt(address: &str, sink: &Sink) {
    let mail = found("the owner is mailed", || sink.taken().into_iter().find(|mail| mail.to == "owner@example.org"));
    let message = MessageParser::default().parse(mail.text.as_bytes()).unwrap();
    let text = message.body_text(0).unwrap();
    let link = text.split_whitespace().find(|word| word.contains("/adopt/")).expect("a link in the mail");
    let path = link.split_once(address).expect("a link to the engine").1.to_owned();
    let (status, page) = ask(address, "GET", &path, "").expect("the page");
    assert_eq!(status, 200, "{page}");
    let seal = page.split_once("name=\"seal\" value=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a form");
    let (status, page) = ask(address, "POST", &path, &format!("seal={seal}&choice=adopt")).expect("the receipt");
    assert!(status == 200 && page.contains("<h1>Adopted</h1>"), "{status}: {page}");
}

/// A step of the image, its word and the rest of its line.
type Step = (String, String);

fn steps() -> Vec<Step> {
    let joined = tree("infra/one-machine/Containerfile").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let split = lines.filter_map(|line| line.split_once(' '));
    split.map(|(word, rest)| (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

/// The words of `ENTRYPOINT` and `CMD`, and whose process they start.
fn started(steps: &[Step]) -> (String, String) {
    let of = |word: &str| steps.iter().rfind(|(known, _)| known == word).map(|(_, rest)| rest.clone()).unwrap();
    let list = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    ([list(&of("ENTRYPOINT")), list(&of("CMD"))].concat().join(" "), of("USER"))
}

/// What the image's steps name is what this tree has under those names, and what is started is what the unit starts.
#[test]
fn the_image_starts_what_the_unit_starts() {
    let steps = steps();
    let of =
        |word: &str| steps.iter().filter(|(known, _)| known == word).map(|(_, rest)| rest.as_str()).collect::<Vec<_>>();
    // Both are of one Debian, so the program finds the libc that it was linked with.
    let debian = |image: &str| image.split(['-', ':']).find(|part| *part == "trixie").map(str::to_owned);
    let from = of("FROM");
    assert!(from[0].ends_with(" AS build") && debian(&from[0].replace(" AS build", "")).is_some(), "{from:?}");
    assert_eq!(debian(from[1]), Some("trixie".to_owned()), "{from:?}");
    let ignored = tree(".containerignore");
    for needed in ["Cargo.toml", "Cargo.lock", "infra", "functions", "shared", "events", ".github", "LICENSE"] {
        assert!(!ignored.lines().any(|line| line == needed), "{needed} is needed for the package");
    }
    let unit = tree("infra/one-machine/holdpoint.service");
    let (line, user) = started(&steps);
    assert_eq!(unit.lines().find_map(|line| line.strip_prefix("ExecStart=")), Some(line.as_str()));
    assert_eq!((user.as_str(), of("VOLUME")), ("8420", vec!["/var/lib/holdpoint"]));
    assert_eq!((of("EXPOSE"), of("STOPSIGNAL")), (vec!["8420"], vec!["SIGTERM"]));
}

/// Makes a root of this machine's own under a layer that is thrown away, and goes on in it.
const LAYER: &str = r#"
layer() {
  mkdir -p "$1/upper" "$1/work" "$1/root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$PWD/$1/upper,workdir=$PWD/$1/work" "$1/root"
  mount --rbind /dev "$1/root/dev"
  mount -t proc proc "$1/root/proc"
  # Without lists nothing is newer than what this machine has, so nothing is asked of the network.
  rm -rf "$1"/root/var/lib/apt/lists/*
}
set -eu
umask 022
mount -t tmpfs -o size=2g,mode=755 none "$PLACE"
cd "$PLACE"
"#;

/// Each step of the Containerfile, run as it stands by what a builder of images does: a layer over a Debian for each `FROM`, and
/// commands in it. Three things are not the image's own: the Debian is this machine's; the compiler's work is the program
/// under test; and `apt-get update`, which asks the network, is left out.
fn shell_of(steps: &[Step]) -> String {
    let clone = clone();
    let mut script = LAYER.to_owned();
    let (mut stage, mut folder) = (String::new(), "/".to_owned());
    for (word, rest) in steps {
        let line = match word.as_str() {
            "FROM" => {
                stage = rest.split_once(" AS ").map_or("image", |(_, name)| name).to_owned();
                "/".clone_into(&mut folder);
                format!("layer {stage}")
            }
            "WORKDIR" => {
                folder.clone_from(rest);
                format!("mkdir -p {stage}/root{folder}")
            }
            // `.containerignore` holds one name a line.
            "COPY" if rest == ". ." => format!(
                "tar -C {} --exclude-from={}/.containerignore -cf - . | tar -C {stage}/root{folder} -xf -",
                clone.display(),
                clone.display()
            ),
            "COPY" => {
                let copied = rest.strip_prefix("--from=").and_then(|rest| rest.split_once(' ')).expect("a stage");
                let (from, to) = copied.1.split_once(' ').expect("a source and a place");
                format!("cp -a {}/root{from} {stage}/root{to}", copied.0)
            }
            "RUN" => {
                let built = "cargo build --release --locked -p holdpoint";
                let placed = format!(
                    "mkdir -p {stage}/root{folder}/target/release && cp {} {stage}/root{folder}/target/release/",
                    env!("CARGO_BIN_EXE_holdpoint")
                );
                let before = if rest.contains(built) { placed } else { ":".to_owned() };
                let command = rest.replace(built, ":").replace("apt-get update", ":");
                assert!(!command.contains('\''), "{command}");
                format!(
                    "{before}; DEB_COMPRESSION=none DEBIAN_FRONTEND=noninteractive chroot {stage}/root sh -euc 'cd {folder}; {command}' >&2"
                )
            }
            // Held by `the_image_starts_what_the_unit_starts`.
            "USER" | "VOLUME" | "EXPOSE" | "STOPSIGNAL" | "ENTRYPOINT" | "CMD" => continue,
            other => panic!("{other}: a step that this test does not know"),
        };
        script += &line;
        script.push('\n');
    }
    let (line, user) = started(steps);
    script += "sed -i s/127.0.0.1:8420/127.0.0.1:0/ image/root/etc/holdpoint/holdpoint.toml\n";
    script + &format!("exec chroot image/root setpriv --reuid={user} --regid={user} --clear-groups {line} --json\n")
}

#[test]
fn every_step_of_the_image_is_run_and_what_comes_of_them_starts() {
    let place = std::env::temp_dir().join(format!("holdpoint-image-{}", std::process::id()));
    fs::create_dir_all(&place).unwrap();
    let unshared = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]).env("PLACE", &place).stdin(Stdio::null());
        command
    };
    // What the image gets from its mirror must be on this machine.
    let try_it = format!("{LAYER}layer try && chroot try/root dpkg -s ca-certificates");
    let may = unshared(&try_it).output().is_ok_and(|tried| tried.status.success());
    if !may || !Path::new("/etc/debian_version").exists() {
        // There `the_image_starts_what_the_unit_starts` and the package's own test hold the parts.
        eprintln!("skipped: this machine lets nobody make a layer of an image, or is no Debian");
        return;
    }
    let mut command = unshared(&shell_of(&steps()));
    let log = fs::File::create(place.with_extension("log")).unwrap();
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let mut child = Started(child);
    let said = || fs::read_to_string(place.with_extension("log")).unwrap_or_default();
    let first: serde_json::Value = serde_json::from_str(&first).unwrap_or_else(|error| panic!("{error}: {}", said()));
    let address = first["address"].as_str().unwrap().trim_start_matches("http://");
    let (status, health) = ask(address, "GET", "/ready", "").expect("the image answers");
    assert_eq!(status, 200, "{health}");
    // As whoever stops a container: by the signal that the image names.
    assert!(Command::new("kill").args(["-TERM", &child.0.id().to_string()]).status().unwrap().success());
    assert!(child.0.wait().unwrap().success(), "{}", said());
    let _ = fs::remove_file(place.with_extension("log"));
    fs::remove_dir_all(&place).unwrap();
}
