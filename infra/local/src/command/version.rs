//! Which program this is: version, commit, and the schema of what it stores.

use std::sync::LazyLock;

/// As `--version` prints it, after the program's name.
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let (version, commit) = (env!("CARGO_PKG_VERSION"), env!("HOLDPOINT_COMMIT"));
        format!("{version} (commit {commit}, schema {})", packet_store::SCHEMA)
    });
    &TEXT
}
