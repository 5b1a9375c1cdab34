//! TLS of the engine's own: one certificate for the public address, from files, read anew when the engine is asked to.
//!
//! The listener takes both: who speaks TLS, and who speaks plain HTTP from this machine, as commands do. The fence says who
//! may what.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
        sign::CertifiedKey,
    },
};
use webpki::{EndEntityCert, KeyUsage};

/// How long before its end a certificate is said to end.
const SOON_DAYS: i64 = 14;
const DAY_MILLIS: i64 = 24 * 3_600_000;

/// Where certificate and key stand, as PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The certificate, and those between it and a root.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The certificate that the engine answers with.
#[derive(Debug)]
pub struct Certificates {
    files: TlsFiles,
    /// The name that browsers ask for.
    host: String,
    loaded: RwLock<Arc<Loaded>>,
}

#[derive(Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

impl Certificates {
    /// `host`: the name of the public address, without a port.
    ///
    /// # Errors
    /// Every reason why nobody could be answered with these files, by file.
    pub fn read(files: &TlsFiles, host: &str) -> Result<Self, Vec<String>> {
        let loaded = RwLock::new(Arc::new(Loaded::read(files)?));
        Ok(Self { files: files.clone(), host: host.to_owned(), loaded })
    }

    /// Reads the files anew. Open connections go on with the former ones.
    ///
    /// # Errors
    /// As [`Certificates::read`]; then the former ones stay.
    pub fn renew(&self) -> Result<(), Vec<String>> {
        let read = Loaded::read(&self.files)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
        Ok(())
    }

    fn loaded(&self) -> Arc<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What takes the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.loaded().config.clone())
    }

    /// What is wrong with the certificate at an instant, in milliseconds since 1970: it is not in force, ends soon, or is of
    /// another name.
    pub fn wrong(&self, now: i64) -> Vec<String> {
        let (loaded, file) = (self.loaded(), self.files.certificate.display());
        let at = |millis: i64| UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
        let parsed = match EndEntityCert::try_from(&loaded.certificate) {
            Ok(parsed) => parsed,
            Err(error) => return vec![format!("{file}: expected a certificate of X.509 version 3; {error}")],
        };
        // Without a root no certificate is good; whether it is in force is asked before.
        let said = |millis: i64| {
            let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
            let usage = KeyUsage::server_auth();
            parsed.verify_for_usage(algorithms.all, &[], &[], at(millis), usage, None, None).err()
        };
        let mut wrong = Vec::new();
        let day = |time: &UnixTime| refresh_core::Instant::from_millis(time.as_secs().cast_signed() * 1_000);
        match (said(now), said(now + SOON_DAYS * DAY_MILLIS)) {
            (Some(webpki::Error::CertExpired { not_after, .. }), _) => {
                wrong.push(format!("{file}: expected a certificate in force; it expired at {}", day(&not_after)));
            }
            (Some(webpki::Error::CertNotValidYet { not_before, .. }), _) => {
                wrong.push(format!("{file}: expected a certificate in force; it begins at {}", day(&not_before)));
            }
            (_, Some(webpki::Error::CertExpired { not_after, .. })) => {
                wrong.push(format!("{file}: the certificate expires at {}", day(&not_after)));
            }
            _ => {}
        }
        let named = ServerName::try_from(self.host.as_str());
        if named.is_ok_and(|name| parsed.verify_is_valid_for_subject_name(&name).is_err()) {
            wrong.push(format!("{file}: expected a certificate for {}; it is for another name", self.host));
        }
        wrong
    }
}

impl Loaded {
    fn read(files: &TlsFiles) -> Result<Self, Vec<String>> {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        let chain = CertificateDer::pem_file_iter(&files.certificate)
            .and_then(Iterator::collect::<Result<Vec<CertificateDer<'static>>, _>>)
            .map_err(|error| format!("{certificate}: expected a certificate as PEM: {error}"))
            .and_then(|chain| match chain.is_empty() {
                true => Err(format!("{certificate}: expected a certificate as PEM; found none")),
                false => Ok(chain),
            });
        let secret = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|error| format!("{key}: expected a private key as PEM: {error}"));
        let (chain, secret) = match (chain, secret) {
            (Ok(chain), Ok(secret)) => (chain, secret),
            (chain, secret) => return Err([chain.err(), secret.err()].into_iter().flatten().collect()),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let leaf = chain[0].clone();
        let one = |why: String| vec![why];
        let certified =
            CertifiedKey::from_der(chain.clone(), secret.clone_key(), &provider).map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    one(format!("{key}: expected the key of {certificate}; it is another's"))
                }
                error => one(format!("{key}: {error}")),
            })?;
        drop(certified);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| one(format!("setting TLS up: {error}")))?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(|error| one(format!("{certificate}: {error}")))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), certificate: leaf })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    const HOST: &str = "holdpoint.example.com";
    /// 2026-11-03.
    const NOW: i64 = 1_793_664_000_000;

    /// A certificate for that name and those years, and its key.
    fn make(folder: &Path, name: &str, from: i32, to: i32) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let files = TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
        fs::write(&files.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    fn place() -> PathBuf {
        let place = std::env::temp_dir().join(format!("holdpoint-tls-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        place
    }

    #[test]
    fn every_fault_of_the_files_is_named() {
        let place = place();
        for (name, from, to, expected) in [
            (HOST, 2020, 2040, None),
            (HOST, 2020, 2026, Some("cert.pem: expected a certificate in force; it expired at 2026-01-01")),
            (HOST, 2030, 2040, Some("cert.pem: expected a certificate in force; it begins at 2030-01-01")),
            ("other.example.com", 2020, 2040, Some("cert.pem: expected a certificate for holdpoint.example.com")),
        ] {
            let read = Certificates::read(&make(&place, name, from, to), HOST).unwrap();
            let wrong = read.wrong(NOW);
            match expected {
                None => assert!(wrong.is_empty(), "{wrong:?}"),
                Some(words) => assert!(wrong.len() == 1 && wrong[0].contains(words), "{wrong:?}"),
            }
        }
        let new_year = Certificates::read(&make(&place, HOST, 2020, 2027), HOST).unwrap();
        assert!(new_year.wrong(NOW).is_empty());
        assert!(new_year.wrong(NOW + 50 * DAY_MILLIS)[0].contains("the certificate expires at 2027-01-01"));

        let files = make(&place, HOST, 2020, 2040);
        let own = fs::read(&files.key).unwrap();
        fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let foreign = Certificates::read(&files, HOST).unwrap_err();
        assert!(foreign.len() == 1 && foreign[0].contains("key.pem: expected the key of"), "{foreign:?}");
        fs::write(&files.key, own).unwrap();
        let read = Certificates::read(&files, HOST).unwrap();
        fs::write(&files.certificate, "no PEM").unwrap();
        fs::remove_file(&files.key).unwrap();
        let both = Certificates::read(&files, HOST).unwrap_err();
        assert!(both[0].contains("cert.pem: expected a certificate as PEM"), "{both:?}");
        assert!(both.len() == 2 && both[1].contains("key.pem: expected a private key as PEM"), "{both:?}");
        // What was read stays while its files are bad.
        assert_eq!(read.renew().unwrap_err(), both);
        assert!(read.wrong(NOW).is_empty());
        fs::remove_dir_all(&place).unwrap();
    }
}
