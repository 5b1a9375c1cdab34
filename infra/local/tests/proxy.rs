//! The engine behind the proxies of `infra/one-machine`, by the real programs: who gets in, and by which name.

mod server;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use server::Running;

const NAME: &str = "holdpoint.example.com";
const SECRET: &str = "what-only-the-proxy-knows";
const LOGIN: &str = "ada:open sesame";

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-proxy-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

fn example(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../one-machine").join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// `text` with each of these once in it replaced: an example that says something else now is an example to look at.
fn with(text: String, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "expected {from:?} in the example");
        text.replace(from, to)
    })
}

/// A program that ends with the test.
struct Program(Child);

impl Program {
    fn start(command: &mut Command, package: &str, port: u16) -> Self {
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let program = Self(started.unwrap_or_else(|error| {
            panic!("{command:?}: {error} (Debian's package {package}, which .ci/run installs)")
        }));
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return program;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{command:?}: does not listen on {port}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// The status and body of a request to the public address.
fn curl(port: u16, path: &str, more: &[&str]) -> (u16, String) {
    let output = Command::new("curl")
        .args(["--silent", "--insecure", "--max-time", "20", "--write-out", "\n%{http_code}"])
        .args(["--resolve", &format!("{NAME}:{port}:127.0.0.1")])
        .args(more)
        .arg(format!("https://{NAME}:{port}{path}"))
        .output()
        .unwrap_or_else(|error| panic!("curl: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap_or(("", "0"));
    (status.parse().unwrap_or(0), body.to_owned())
}

fn engine(place: &Path) -> Running {
    let settings = place.join("holdpoint.toml");
    fs::write(place.join("secret"), format!("{SECRET}\n")).unwrap();
    let text = format!(
        "public_url = \"https://{NAME}\"\n[proxy]\nsecret_file = \"secret\"\nuser_header = \"x-forwarded-user\"\n"
    );
    fs::write(&settings, text).unwrap();
    Running::start(&place.join("store"), &["--settings", settings.to_str().unwrap()])
}

/// What holds behind any proxy.
fn holds(place: &Path, port: u16) {
    let events = fs::read_to_string(place.join("store/events-token")).unwrap();
    let bearer = |token: &str| format!("Authorization: Bearer {}", token.trim());
    let batch = ["--data", "[]", "--header", "Content-Type: application/cloudevents-batch+json"];
    let (taken, _) = curl(port, "/events", &[&batch[..], &["--header", &bearer(&events)]].concat());
    assert_ne!(taken, 401, "with the sources' token");
    let a_link = format!("/reviews/{}", "A".repeat(120));
    for (case, path, more, expected) in [
        ("health", "/health", &[][..], 200),
        ("a mailed link that is none", "/adopt/nothing", &[], 404),
        ("a workspace's link that is none", a_link.as_str(), &[], 404),
        ("reviews without a login", "/reviews", &[], 401),
        ("reviews with a wrong login", "/reviews", &["--user", "ada:guess"], 401),
        ("reviews with a login", "/reviews", &["--user", LOGIN], 200),
        ("one review with a login", "/reviews/RR-1", &["--user", LOGIN], 404),
        ("a review with a slash in its id, with a login", "/reviews/a%2Fb", &["--user", LOGIN], 404),
        ("the same without a login", "/reviews/a%2Fb", &[], 401),
        ("the mailbox without a login", "/mailbox", &[], 401),
        ("the mailbox with a login", "/mailbox", &["--user", LOGIN], 200),
        ("figures without a login", "/metrics", &[], 401),
        ("figures with a login", "/metrics", &["--user", LOGIN], 200),
        (
            "somebody's own word for who they are",
            "/events",
            &[&batch[..], &["--header", "X-Forwarded-User: ada"]].concat(),
            401,
        ),
        ("the same at the reviews", "/reviews", &["--header", "X-Forwarded-User: ada"], 401),
        ("events without a token", "/events", &batch, 401),
        (
            "another site's form",
            "/operator/reviews",
            &["--user", LOGIN, "--data", "", "--header", "Origin: https://evil.example.com"],
            403,
        ),
    ] {
        let (status, body) = curl(port, path, more);
        assert_eq!(status, expected, "{case}: {body}");
    }
}

#[test]
fn behind_nginx() {
    let place = place("nginx");
    let running = engine(&place);
    let port = free_port();
    let at = |name: &str| place.join(name).display().to_string();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=holdpoint.example.com", "-keyout", &at("key"), "-out", &at("pem")])
        .output()
        .unwrap();
    assert!(made.status.success());
    fs::write(place.join("secret.conf"), format!("map \"\" $holdpoint_secret {{ default \"{SECRET}\"; }}")).unwrap();
    let (user, password) = LOGIN.split_once(':').unwrap();
    fs::write(place.join("htpasswd"), format!("{user}:{{PLAIN}}{password}\n")).unwrap();
    let http = with(
        example("nginx.conf"),
        &[
            ("/etc/nginx/holdpoint-secret.conf", &at("secret.conf")),
            ("/etc/nginx/holdpoint.pem", &at("pem")),
            ("/etc/nginx/holdpoint.key", &at("key")),
            ("/etc/nginx/holdpoint.htpasswd", &at("htpasswd")),
            ("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl")),
            ("127.0.0.1:8420", &running.address),
        ],
    );
    let whole = format!(
        "daemon off; pid {}; error_log {}; worker_processes 1; events {{}} http {{ access_log off; client_body_temp_path {}; proxy_temp_path {}; fastcgi_temp_path {}; uwsgi_temp_path {}; scgi_temp_path {};\n{http}}}",
        at("pid"),
        at("error.log"),
        at("a"),
        at("b"),
        at("c"),
        at("d"),
        at("e")
    );
    fs::write(place.join("nginx.conf"), whole).unwrap();
    // The workers are another user's: they read the password file.
    let opened = Command::new("chmod").args(["-R", "go+rX"]).arg(place.join("htpasswd")).arg(&place).status().unwrap();
    assert!(opened.success());
    let nginx = Program::start(Command::new("/usr/sbin/nginx").args(["-c", &at("nginx.conf")]), "nginx-light", port);
    holds(&place, port);
    drop(nginx);
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

#[test]
fn behind_caddy() {
    let place = place("caddy");
    let running = engine(&place);
    let port = free_port();
    let (_, password) = LOGIN.split_once(':').unwrap();
    let hashed = Command::new("caddy").args(["hash-password", "--plaintext", password]).output();
    let hashed =
        hashed.unwrap_or_else(|error| panic!("caddy: {error} (Debian's package caddy, which .ci/run installs)"));
    let site = with(
        example("Caddyfile"),
        &[
            ("\nholdpoint.example.com {", &format!("\nhttps://holdpoint.example.com:{port} {{\n\ttls internal")),
            ("127.0.0.1:8420", &running.address),
        ],
    );
    let folder = place.join("caddy");
    let global = format!(
        "{{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tstorage file_system {}\n}}\n",
        folder.display()
    );
    let file = place.join("Caddyfile");
    fs::write(&file, format!("{global}{site}")).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
    command.env("HOLDPOINT_PASSWORD", String::from_utf8_lossy(&hashed.stdout).trim());
    command.env("HOLDPOINT_PROXY_SECRET", SECRET).env("HOME", &place);
    let caddy = Program::start(&mut command, "caddy", port);
    holds(&place, port);
    drop(caddy);
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}
