//! Words without a subject: names, instants, zones, digests, trace ids.

pub mod digest;
pub mod instant;
pub mod name;
pub mod trace;
pub mod zone;
