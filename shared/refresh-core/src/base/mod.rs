//! Words without a subject: names, instants, zones, digests, hexadecimal digits, trace ids.

pub mod digest;
pub mod hex;
pub mod instant;
pub mod name;
pub mod trace;
pub mod zone;
