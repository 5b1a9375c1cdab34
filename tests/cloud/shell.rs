//! `holdpoint ... --stack NAME`, with nothing but the AWS environment of a shell.

use std::{path::PathBuf, process::Command};

use holdpoint_tests::cloud::{
    binaries,
    ministack::REGION,
    stack::{Deployed, NAME},
};
use serde_json::Value;

pub struct Shell {
    program: PathBuf,
    endpoint: String,
    key: String,
    secret: String,
    folder: PathBuf,
}

impl Shell {
    /// Of somebody with nothing but that policy of the template's.
    pub async fn of(bundle: &Deployed, name: &str, policy: &str) -> Self {
        let program = binaries::operator().expect("the operator's program");
        let (key, secret) = bundle.person(name, policy).await.expect("a key");
        let cloud = &bundle.cloud;
        Self { program, endpoint: cloud.endpoint(), key, secret, folder: cloud.folder().clone() }
    }

    pub fn run(&self, words: &[&str]) -> Result<Value, String> {
        self.call(&[words, &["--stack", NAME]].concat())
    }

    /// On this machine, in the shell's folder.
    pub fn here(&self, words: &[&str]) -> Value {
        self.call(words).unwrap_or_else(|why| panic!("{words:?}: {why}"))
    }

    fn call(&self, words: &[&str]) -> Result<Value, String> {
        let done = Command::new(&self.program)
            .args(words)
            .arg("--json")
            .current_dir(&self.folder)
            .env_clear()
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret)
            .env("AWS_REGION", REGION)
            .output()
            .expect("a process");
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        match done.status.success() {
            true => Ok(serde_json::from_str(&out).unwrap_or_else(|error| panic!("{words:?}: {error}: {out}{err}"))),
            false => Err(err.into_owned()),
        }
    }

    pub fn ran(&self, words: &[&str]) -> Value {
        self.run(words).unwrap_or_else(|why| panic!("{words:?}: {why}"))
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let file = self.folder.join(name);
        std::fs::write(&file, text).expect("a file");
        file.display().to_string()
    }
}
