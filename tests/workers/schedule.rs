//! The turns that two workers take, and what must hold afterwards whatever they were.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

use holdpoint_tests::world::{Aftermath, STACK, drive, with_room};

use crate::{
    places::Place,
    worker::{Task, Worker},
};

/// What one way of taking turns came to.
struct Played {
    end: Aftermath,
    said: [Result<String, String>; 2],
    /// SDK calls, and transactions among them, of each worker.
    calls: [u64; 2],
    transactions: [u64; 2],
    /// Whether the first and the second worker were really held.
    held: [bool; 2],
}

/// Plays every way of taking turns. `EVERY_CROSSING=1` also holds the second worker before each of its calls. Answers how
/// often a worker lost to the other and decided again.
pub fn contend(name: &str, meet: impl Fn() -> (Place, Vec<Task>) + Send + Sync) -> u64 {
    with_room(|| enumerate(name, &meet))
}

fn enumerate(name: &str, meet: &impl Fn() -> (Place, Vec<Task>)) -> u64 {
    // One after the other, in both orders: what may be left in the end.
    let in_order = play(meet(), u64::MAX, u64::MAX);
    let (place, mut tasks) = meet();
    tasks.reverse();
    let reversed = play((place, tasks), u64::MAX, u64::MAX);
    for alone in [&in_order, &reversed] {
        assert!(alone.said.iter().all(Result::is_ok), "{name}: one after the other: {:?}", alone.said);
    }
    let ends = [in_order.end.clone(), reversed.end];
    let every = std::env::var_os("EVERY_CROSSING").is_some();
    let (mut played, mut again, mut failures) = (0, 0, Vec::new());
    for first in 1.. {
        let mut over = false;
        // Without crossing the second worker comes to its end while the first is held; crossing, it is held itself.
        for second in if every { (1..=in_order.calls[1] + 8).rev().collect() } else { vec![u64::MAX] } {
            let found = play(meet(), first, second);
            over = !found.held[0];
            if over {
                break;
            }
            played += 1;
            again += u64::from(found.transactions[0] > in_order.transactions[0]);
            again += u64::from(found.transactions[1] > in_order.transactions[1]);
            let turns = match found.held[1] {
                true => format!("held before calls {first} and {second}"),
                false => format!("held before call {first}"),
            };
            if let Some(wrong) = judge(&found, &ends) {
                failures.push(format!("{turns}: {wrong}"));
            }
        }
        if over {
            break;
        }
    }
    println!("{name}: {played} ways, {again} times somebody decided again");
    assert!(failures.is_empty(), "{name}: {} of {played}:\n{}", failures.len(), failures.join("\n"));
    assert!(played > 3, "{name}: the first worker made {played} calls; nothing was contended");
    again
}

fn judge(found: &Played, ends: &[Aftermath; 2]) -> Option<String> {
    if let Some(failed) = found.said.iter().find_map(|said| said.as_ref().err()) {
        return Some(failed.clone());
    }
    let differences: Vec<String> = ends.iter().filter_map(|end| found.end.stands_otherwise(end)).collect();
    if differences.len() == ends.len() {
        return Some(format!("neither order leaves this: {}", differences.join(" / ")));
    }
    // One person may have been told before the other worker's decision and the next one after it; but each of them what
    // one of the orders would have told them.
    let as_in = |end: &Aftermath, who: &String, kinds| end.notices.get(who) == Some(kinds);
    let odd = found.end.notices.iter().find(|(who, kinds)| !ends.iter().any(|end| as_in(end, who, kinds)));
    if let Some((who, kinds)) = odd {
        return Some(format!("{who} was told {kinds:?}, in neither order"));
    }
    // Nobody died here, so nothing was ever in doubt: each mail is in lineage.
    let (told, mails) =
        (found.end.notices.values().map(Vec::len).sum::<usize>(), found.end.mails.values().sum::<usize>());
    (told != mails).then(|| format!("{mails} mails, of which lineage knows {told}"))
}

/// What a worker did at the seam.
#[derive(Default)]
struct Counted {
    calls: AtomicU64,
    transactions: AtomicU64,
}

/// Lets `worker` call `at_call` before its call of that number, once.
fn hold(worker: &Worker, number: u64, at_call: impl FnOnce() + Send + 'static) -> Arc<Counted> {
    let counted = Arc::new(Counted::default());
    let (count, at_call) = (counted.clone(), Mutex::new(Some(at_call)));
    worker.faults.inject(move |call| {
        count.calls.fetch_add(1, Ordering::SeqCst);
        if call.operation == "TransactWriteItems" {
            count.transactions.fetch_add(1, Ordering::SeqCst);
        }
        if call.number == number
            && let Some(at_call) = at_call.lock().expect("no panic").take()
        {
            at_call();
        }
        None
    });
    counted
}

/// Starts the second worker on its thread.
type Begin = Box<dyn FnOnce() -> JoinHandle<Result<String, String>> + Send>;

/// The second worker, on a thread of its own.
struct Second {
    thread: Option<JoinHandle<Result<String, String>>>,
    begin: Option<Begin>,
}

impl Second {
    /// Works until it is done or held.
    fn work(&mut self, stopped: &mpsc::Receiver<()>) {
        if let Some(begin) = self.begin.take() {
            self.thread = Some(begin());
            // Nothing is sent where it died; then joining it says so.
            let _ = stopped.recv();
        }
    }
}

fn play((mut place, tasks): (Place, Vec<Task>), hold_first: u64, hold_second: u64) -> Played {
    place.later();
    let workers = [Worker::of(place.world.engine()), Worker::of(place.world.engine())];
    let (stop, stopped) = mpsc::channel();
    let (go_on, gone_on) = mpsc::channel::<()>();
    let was_held = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let (held, at_stop) = (was_held.clone(), stop.clone());
    let of_second = hold(&workers[1], hold_second, move || {
        held[1].store(1, Ordering::SeqCst);
        let _ = at_stop.send(());
        let _ = gone_on.recv();
    });
    let (worker, task) = (workers[1].clone(), tasks[1].clone());
    let begin = move || {
        let run = move || {
            let said = drive(worker.perform(&task));
            let _ = stop.send(());
            said
        };
        std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread")
    };
    let second = Arc::new(Mutex::new(Second { thread: None, begin: Some(Box::new(begin)) }));
    let stopped = Arc::new(Mutex::new(stopped));
    let (held, other, until) = (was_held.clone(), second.clone(), stopped.clone());
    let of_first = hold(&workers[0], hold_first, move || {
        held[0].store(1, Ordering::SeqCst);
        other.lock().expect("no panic").work(&until.lock().expect("no panic"));
    });
    let first = place.wait(workers[0].perform(&tasks[0]));
    let mut second = second.lock().expect("no panic");
    second.work(&stopped.lock().expect("no panic"));
    let _ = go_on.send(());
    let second = second.thread.take().expect("begun").join().unwrap_or_else(|_| Err("it panicked".to_owned()));
    let calls = [&of_first, &of_second].map(|counted| counted.calls.load(Ordering::SeqCst));
    let transactions = [&of_first, &of_second].map(|counted| counted.transactions.load(Ordering::SeqCst));
    let said = [first, second];
    let end = place.rest().and_then(|()| place.wait(place.world.aftermath()));
    let end = end.unwrap_or_else(|why| panic!("held before calls {hold_first} and {hold_second}: {why}"));
    let held = [0, 1].map(|one: usize| was_held[one].load(Ordering::SeqCst) == 1);
    Played { end, said, calls, transactions, held }
}
