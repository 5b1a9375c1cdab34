//! waiver
