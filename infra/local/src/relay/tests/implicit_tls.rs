//! Mail out by TLS from the first byte, as on port 465: to a server whose certificate is checked.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use super::*;
use crate::embedded::Embedded;

/// A folder of the test's own, for the roots that it trusts.
struct Roots(PathBuf);

impl Roots {
    fn of(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("holdpoint-smtps-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// A certificate for that name, which vouches for itself: the file of it as a root, and a server that has it.
    fn certify(&self, name: &str) -> (PathBuf, TlsAcceptor) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        let root = self.0.join(format!("{name}.pem"));
        std::fs::write(&root, certificate.pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        (root, TlsAcceptor::from(Arc::new(config)))
    }
}

impl Drop for Roots {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// To the server at that port, which must prove itself by that root. `None`: by those of the machine.
fn smtps(port: u16, root: Option<&Path>) -> Smtp {
    Smtp { security: Security::Tls, roots: root.map(Path::to_owned), ..smtp(port) }
}

async fn stage(relay: Smtp) -> Stage {
    let stage = Stage::by(relay, Embedded::memory().unwrap()).await;
    stage.hand_in("ada@example.com", "one").await;
    stage.settle().await;
    stage
}

/// The mail waits, and an operator is told of these words.
fn assert_kept(stage: &Stage, server: &Server, words: &[&str]) {
    assert_eq!((stage.states(), stage.told()), (vec!["waiting".to_owned()], Vec::new()));
    assert!(server.taken().is_empty(), "{:?}", server.taken());
    let wrong = stage.relay().wrong(START).unwrap();
    for word in words.iter().chain(&["no mail leaves since", "connecting to 127.0.0.1:", "1 mail waits"]) {
        assert!(wrong.contains(word), "expected {word:?} in {wrong}");
    }
}

async fn assert_leaves(stage: &Stage, server: &Server) {
    stage.settle().await;
    assert_eq!((stage.states(), stage.told()), (vec!["sent".to_owned()], vec!["delivered".to_owned()]));
    let readers: Vec<String> = server.taken().into_iter().map(|(reader, _)| reader).collect();
    assert_eq!(readers, ["ada@example.com"]);
    assert_eq!(stage.relay().wrong(START), None);
}

/// The server speaks TLS alone, so what it took came encrypted.
#[tokio::test]
async fn a_mail_leaves_by_tls_from_the_first_byte() {
    let (roots, server) = (Roots::of("leaves"), Server::default());
    let (root, tls) = roots.certify("127.0.0.1");
    *server.tls.lock().unwrap() = Some(tls);
    let stage = stage(smtps(server.start().await, Some(&root))).await;
    assert_leaves(&stage, &server).await;
    let (_, mail) = server.taken().remove(0);
    assert!(mail.contains("Subject: one\r\n") && mail.contains("\r\n..a line with a dot\r\n"), "{mail}");
}

/// Nothing is said to a server that is not the one it should be, and nothing bounces. With the right root the mail leaves.
#[tokio::test]
async fn a_server_that_no_root_vouches_for_gets_no_mail() {
    let (roots, server) = (Roots::of("root"), Server::default());
    let (right, tls) = roots.certify("127.0.0.1");
    let (other, of_another_name) = roots.certify("mail.example.com");
    *server.tls.lock().unwrap() = Some(tls.clone());
    let port = server.start().await;
    for wrong in [Some(other.as_path()), None] {
        let stage = stage(smtps(port, wrong)).await;
        assert_kept(&stage, &server, &["invalid peer certificate: UnknownIssuer"]);
    }
    *server.tls.lock().unwrap() = Some(of_another_name);
    let stage = stage(smtps(port, Some(&other))).await;
    assert_kept(&stage, &server, &["invalid peer certificate: certificate not valid for name \"127.0.0.1\""]);

    *server.tls.lock().unwrap() = Some(tls);
    stage.relay().renew(smtps(port, Some(&right)));
    assert_leaves(&stage, &server).await;
}

/// Set to TLS from the first byte, and the server speaks in plain, as on port 587. Nothing is said to it in plain.
#[tokio::test]
async fn a_server_that_speaks_in_plain_is_said_and_tried_again() {
    let (roots, server) = (Roots::of("plain"), Server::default());
    let (root, tls) = roots.certify("127.0.0.1");
    let stage = stage(smtps(server.start().await, Some(&root))).await;
    for _ in 0..3 {
        assert_kept(&stage, &server, &["the server does not begin with TLS at this port"]);
        stage.after(60).await;
    }
    *server.tls.lock().unwrap() = Some(tls);
    assert_leaves(&stage, &server).await;
}
