//! TLS of the engine's own, asked by a client that checks certificates: who comes in, what a reload renews, what `check` says.

mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use server::{Running, ask_as_operator, until};

const NAME: &str = "holdpoint.example.com";

fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("holdpoint-own-tls-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

/// Another certificate for that name, until the beginning of that year, in the place of the one before.
fn certify(place: &Path, name: &str, until: i32) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    fs::write(place.join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(place.join("key.pem"), key.serialize_pem()).unwrap();
}

fn settings(place: &Path) -> PathBuf {
    let file = place.join("holdpoint.toml");
    let text = format!("public_url = \"https://{NAME}\"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n");
    fs::write(&file, text).unwrap();
    file
}

/// The status as curl has it, which believes the certificate in that file alone; `None`: it believed nobody.
fn curl(running: &Running, root: &Path, path: &str, more: &[&str]) -> Option<u16> {
    let port = running.address.rsplit(':').next().unwrap();
    let output = Command::new("curl")
        .args([
            "--silent",
            "--noproxy",
            "*",
            "--max-time",
            "20",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ])
        .arg("--cacert")
        .arg(root)
        .args(["--resolve", &format!("{NAME}:{port}:127.0.0.1"), "--header", &format!("Host: {NAME}")])
        .args(more)
        .arg(format!("https://{NAME}:{port}{path}"))
        .output()
        .unwrap_or_else(|error| panic!("curl: {error}"));
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).parse().unwrap())
}

#[test]
fn the_engine_answers_by_tls_and_a_reload_takes_the_next_certificate() {
    let place = place("serve");
    certify(&place, NAME, 2090);
    let file = settings(&place);
    let running = Running::start(&place.join("store"), &["--settings", file.to_str().unwrap()]);
    let log = || fs::read_to_string(place.join("store.log")).unwrap();
    let first = place.join("first.pem");
    fs::copy(place.join("cert.pem"), &first).unwrap();
    let bearer = format!("Authorization: Bearer {}", running.token);
    assert_eq!(curl(&running, &first, "/health", &[]), Some(200));
    assert_eq!(curl(&running, &first, "/reviews", &[]), Some(401));
    assert_eq!(curl(&running, &first, "/reviews", &["--header", &bearer]), Some(200));
    // Commands of this machine ask in plain, by loopback.
    assert_eq!(ask_as_operator(&running, "/reviews").unwrap().0, 200);

    certify(&place, NAME, 2091);
    assert_eq!(curl(&running, &place.join("cert.pem"), "/health", &[]), None, "the new one is not read by itself");
    running.signal("-HUP");
    until("the certificate is renewed", || log().contains("renewed: policy"));
    assert_eq!(curl(&running, &place.join("cert.pem"), "/health", &[]), Some(200));
    assert_eq!(curl(&running, &first, "/health", &[]), None);

    fs::copy(place.join("cert.pem"), &first).unwrap();
    fs::write(place.join("key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    running.signal("-HUP");
    until("the wrong key is refused", || log().contains("not renewed, the engine goes on as before"));
    assert!(log().contains("key.pem: expected the key of"), "{}", log());
    assert_eq!(curl(&running, &first, "/health", &[]), Some(200), "the former one stays");
    running.stop();
    fs::remove_dir_all(&place).unwrap();
}

#[test]
fn check_names_every_fault_of_the_certificate() {
    let place = place("check");
    let file = settings(&place);
    let check = || {
        let output = Command::new(env!("CARGO_BIN_EXE_holdpoint")).arg("check").arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        (output.status.code(), said)
    };
    let (status, said) = check();
    assert!(
        status == Some(2) && said.contains("cert.pem: expected a certificate") && said.contains("key.pem: expected"),
        "{said}"
    );
    for (name, until, expected) in [
        (NAME, 2090, "no fault"),
        (NAME, 2021, "it expired at 2021-01-01"),
        ("other.example.com", 2090, "expected a certificate for holdpoint.example.com"),
    ] {
        certify(&place, name, until);
        let (status, said) = check();
        assert_eq!(status, Some(if expected == "no fault" { 0 } else { 2 }), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    fs::write(place.join("key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let (status, said) = check();
    assert!(status == Some(2) && said.contains("key.pem: expected the key of"), "{said}");
    fs::remove_dir_all(&place).unwrap();
}
