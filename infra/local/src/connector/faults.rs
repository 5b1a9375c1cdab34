//! Faults at the seam: what can go wrong between a function and a service, by the call.
//!
//! The embedded store never throttles, conflicts or loses an answer by itself; the network and the real services do.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    DynamoDb,
    Sqs,
    Ses,
}

/// One call, at the moment it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// From 1 in the life of the seam; retries by the SDK are calls too.
    pub number: u64,
    /// Which function makes it; empty where none does.
    pub caller: Arc<str>,
    pub service: Service,
    /// `TransactWriteItems`, `SendMessage`, `SendEmail`, ...
    pub operation: String,
    /// The request's body.
    pub request: Arc<[u8]>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// The process ends before the service sees the call.
    CrashBefore,
    /// The process ends when the effect is done and before it learns so.
    CrashAfter,
    /// The effect is done, the connection breaks; the SDK tries again.
    LostResponse,
    /// Nothing is done, and the service says so.
    Throttled,
    /// Nothing is done: another transaction holds the item. For SQS and SES: throttled.
    Conflict,
}

impl Fault {
    pub const ALL: [Self; 5] =
        [Self::CrashBefore, Self::CrashAfter, Self::LostResponse, Self::Throttled, Self::Conflict];
}

type Plan = dyn Fn(&Call) -> Option<Fault> + Send + Sync;
type Watch = dyn Fn(&Call) + Send + Sync;

/// The seam's switchboard. Cloning shares it.
#[derive(Clone, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Option<Arc<Plan>>>,
    watch: Mutex<Option<Arc<Watch>>>,
    calls: AtomicU64,
    crash: Notify,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults after {} calls", self.calls())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    /// From now on every call asks `plan` what goes wrong with it.
    pub fn inject(&self, plan: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) {
        *lock(&self.shared.plan) = Some(Arc::new(plan));
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        *lock(&self.shared.plan) = None;
    }

    /// Shows every call to `watch`: for counting and for auditors.
    pub fn watch(&self, watch: impl Fn(&Call) + Send + Sync + 'static) {
        *lock(&self.shared.watch) = Some(Arc::new(watch));
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// Ready when a call ended the process it ran in; whoever runs that process then drops it.
    pub async fn crashed(&self) {
        self.shared.crash.notified().await;
    }

    pub(super) fn meet(&self, caller: &Arc<str>, service: Service, operation: &str, request: &[u8]) -> Option<Fault> {
        let number = self.shared.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let watch = lock(&self.shared.watch).clone();
        let plan = lock(&self.shared.plan).clone();
        if watch.is_none() && plan.is_none() {
            return None;
        }
        let (caller, operation, request) = (caller.clone(), operation.to_owned(), request.into());
        let call = Call { number, caller, service, operation, request };
        if let Some(watch) = watch {
            watch(&call);
        }
        plan.and_then(|plan| plan(&call))
    }

    /// The process this call was made in is no more: the call never answers.
    pub(super) async fn die(&self) -> ! {
        self.shared.crash.notify_one();
        std::future::pending().await
    }
}
