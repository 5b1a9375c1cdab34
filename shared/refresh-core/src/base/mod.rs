//! Words without a subject: names, instants, zones, digests, fingerprints, hexadecimal digits, trace ids.

pub mod digest;
pub mod fingerprint;
pub mod hex;
pub mod instant;
pub mod name;
pub mod text;
pub mod trace;
pub mod uid;
pub mod zone;
