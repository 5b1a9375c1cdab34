//! What an operator sees of the bundle: its log lines, its figures, and one id from an event to the clicks on its mails.
//!
//! Every line here was logged by the very handlers of production through the very writer of production.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

mod figures;
mod journeys;
mod redaction;
mod schema;
mod traces;
mod trouble;
