//! A run, as Amazon would bill it.

use holdpoint::{connector::Service, topology::Topology};
use serde_json::Value;

use super::run::{Cost, Run};
use crate::price::Asked;

/// What others measured of the services, in seconds: one call to the store, one transaction, one mail.
const CALL: f64 = 0.0075;
const TRANSACTION: f64 = 0.0253;
const MAIL: f64 = 0.050;

/// A whole processor comes with this much memory. A function of half the memory computes twice as long, for the same price.
const MEMORY_OF_A_PROCESSOR_GB: f64 = 1.769;
/// What the peer needs.
const PEERS_GB: f64 = 0.512;

/// The change's own message is sent by its source, so one call is everybody's.
const SENT_BY_THE_SOURCE: f64 = 1.0;
/// A batch is received and deleted.
const CALLS_OF_A_BATCH: f64 = 2.0;

pub fn of(cost: &Cost) -> Asked {
    let each = |sum: f64| sum / cost.events as f64;
    let template = Topology::of_the_bundle().expect("a template");
    let memory_gb = |function: &str| f64::from(template.functions[function].memory_megabytes) / 1e3;
    let mut asked = Asked { mails: each(cost.mails as f64), ..Asked::default() };
    for ((caller, service, operation), one) in &cost.calls {
        let calls = each(one.calls as f64);
        asked.write_units += each(one.write_units);
        asked.read_units += each(one.read_units);
        let waiting = match (service, operation.as_str()) {
            (Service::DynamoDb, "TransactWriteItems") => calls * TRANSACTION,
            (Service::Ses, _) => calls * MAIL,
            _ => calls * CALL,
        };
        asked.gigabyte_seconds += waiting * memory_gb(caller);
        match service {
            // Refresh asks for notices, the others for a refresh. That queue alone has groups.
            Service::Sqs if caller == "refresh" => asked.standard_calls += calls,
            Service::Sqs => asked.fifo_calls += calls,
            _ => {}
        }
    }
    let batches = |function: &str| each(cost.batches.get(function).copied().unwrap_or(0) as f64);
    asked.invocations = each(cost.batches.values().sum::<usize>() as f64);
    asked.standard_calls += SENT_BY_THE_SOURCE + CALLS_OF_A_BATCH * (asked.invocations - batches("refresh"));
    asked.fifo_calls += CALLS_OF_A_BATCH * batches("refresh");
    let cpu: f64 = cost.functions.values().map(std::time::Duration::as_secs_f64).sum();
    asked.gigabyte_seconds += each(cpu) * MEMORY_OF_A_PROCESSOR_GB;
    asked
}

/// The peer reads, writes one transaction, and marks its message twice; what it says of itself is in `peer`.
pub fn of_the_peer(peer: &Value, run: Run) -> Asked {
    let number = |name: &str| peer[name].as_f64().unwrap_or(0.0);
    let batches = 1.0 / run.batch as f64;
    let mails = number("mails") / number("events").max(1.0);
    let waiting = (number("ddb_calls_per_event") - 1.0).max(0.0) * CALL + TRANSACTION + mails * MAIL;
    Asked {
        write_units: number("wru_per_event"),
        read_units: number("rru_per_event"),
        standard_calls: SENT_BY_THE_SOURCE + CALLS_OF_A_BATCH * batches,
        fifo_calls: 0.0,
        invocations: batches,
        gigabyte_seconds: waiting * PEERS_GB + number("cpu_ms_per_event") / 1e3 * MEMORY_OF_A_PROCESSOR_GB,
        mails,
    }
}
