//! The store against an engine with DynamoDB's semantics, through the SDK that production uses.

#[path = "../support/mod.rs"]
mod support;

mod commits;
mod damage;
mod deliveries;
mod events;
mod holding;
mod limits;
mod looks;
mod memory;
mod notices;
mod orders;
mod reading;
mod record;
mod registration;
mod seats;
mod seen;
mod sizes;
