//! What a million changes cost: calls and units times the public price list of us-east-1, in US dollars.
//!
//! Prices per million, but for Lambda's memory: DynamoDB on demand since November 2024, SQS and Lambda as listed, mail
//! à la carte. Mail is a figure of its own, since how many mails go out is the workload's.

/// DynamoDB write and read request units.
const WRITE_UNITS: f64 = 0.625;
const READ_UNITS: f64 = 0.125;
/// SQS calls: of a standard queue, and of a FIFO queue.
const STANDARD_CALLS: f64 = 0.40;
const FIFO_CALLS: f64 = 0.50;
/// Lambda requests, and one gigabyte for a second on arm64.
const INVOCATIONS: f64 = 0.20;
const GIGABYTE_SECOND: f64 = 0.000_013_333_4;
/// One thousand mails.
const MAILS: f64 = 0.10;

/// What one change asks for, on average.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub write_units: f64,
    pub read_units: f64,
    /// Received, deleted and sent, by kind of queue.
    pub standard_calls: f64,
    pub fifo_calls: f64,
    pub invocations: f64,
    /// Seconds that functions run, the services' own time among them, times their memory.
    pub gigabyte_seconds: f64,
    pub mails: f64,
}

impl Asked {
    /// A million changes without their mail.
    pub fn million(self) -> f64 {
        let store = self.write_units * WRITE_UNITS + self.read_units * READ_UNITS;
        let queues = self.standard_calls * STANDARD_CALLS + self.fifo_calls * FIFO_CALLS;
        let functions = self.invocations * INVOCATIONS + 1e6 * self.gigabyte_seconds * GIGABYTE_SECOND;
        store + queues + functions
    }

    /// The mail of a million changes.
    pub fn million_mails(self) -> f64 {
        self.mails * 1e6 / 1e3 * MAILS
    }
}
