//! packet-store
