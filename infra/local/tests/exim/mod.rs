//! Exim as Debian ships it: a real mail server, which ends with its test.
#![allow(dead_code, reason = "each test file compiles this module, and needs a part of it")]

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A mail server that ends with the test.
pub struct Exim {
    pub folder: PathBuf,
    pub port: u16,
    pub process: Child,
}

impl Exim {
    /// `rules`: what its settings say beside its own places.
    pub fn start(name: &str, rules: impl Fn(&Path) -> String) -> Self {
        let folder = std::env::temp_dir().join(format!("holdpoint-exim-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for inside in ["spool", "log", "mail"] {
            fs::create_dir_all(folder.join(inside)).unwrap();
        }
        certificate(&folder);
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let place = folder.display();
        let own = format!(
            "primary_hostname = mail.test\nspool_directory = {place}/spool\nlog_file_path = {place}/log/%slog\n\
             local_interfaces = 127.0.0.1\ndaemon_smtp_ports = {port}\nkeep_environment =\n"
        );
        let config = folder.join("exim.conf");
        fs::write(&config, own + &rules(&folder)).unwrap();
        run(Command::new("chown")
            .args(["-R", "Debian-exim:Debian-exim"])
            .args(["spool", "log", "mail", "server.pem", "server.key"].map(|name| folder.join(name))));
        let process = Command::new("exim4")
            .arg("-C")
            .arg(&config)
            .args(["-bdf", "-q1m"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("starting exim4 (Debian's package exim4-daemon-light, which .ci/run installs): {error}")
            });
        let exim = Self { folder, port, process };
        exim.wait("the server answers", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        exim
    }

    /// Until `is_so`, or it is said what did not come.
    pub fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        for _ in 0..600 {
            if is_so() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{what}: not after 30 seconds; {}", self.log());
    }

    pub fn log(&self) -> String {
        ["mainlog", "rejectlog", "paniclog"]
            .map(|name| fs::read_to_string(self.folder.join("log").join(name)).unwrap_or_default())
            .concat()
    }

    /// What was delivered to a reader.
    pub fn delivered(&self, reader: &str) -> Vec<String> {
        let files = fs::read_dir(self.folder.join("mail/new")).into_iter().flatten().flatten();
        let mails = files.map(|file| fs::read_to_string(file.path()).unwrap());
        mails.filter(|mail| mail.contains(&format!("\nTo: {reader}@example.com"))).collect()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A root of our own, and the server's certificate by it.
fn certificate(folder: &Path) {
    let at = |name: &str| folder.join(name);
    let openssl = || Command::new("openssl");
    run(openssl()
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=a root of this test", "-keyout"])
        .arg(at("root.key"))
        .arg("-out")
        .arg(at("root.pem")));
    run(openssl()
        .args([
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-keyout",
        ])
        .arg(at("server.key"))
        .arg("-out")
        .arg(at("server.csr")));
    fs::write(at("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    run(openssl()
        .args(["x509", "-req", "-days", "2", "-CAcreateserial", "-in"])
        .arg(at("server.csr"))
        .arg("-CA")
        .arg(at("root.pem"))
        .arg("-CAkey")
        .arg(at("root.key"))
        .arg("-extfile")
        .arg(at("names"))
        .arg("-out")
        .arg(at("server.pem")));
}
