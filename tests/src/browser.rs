//! A real browser before the local engine's pages: [`driver`] speaks WebDriver to it, [`stage`] has a story played up to
//! the moment somebody opens a page, [`gallery`] opens one of every page, [`axe`] is the accessibility checker.

pub mod axe;
pub mod driver;
pub mod gallery;
pub mod stage;

/// Unoptimised, the SDK's nested polls need more than the two megabytes of a thread, the server's own threads' too.
const STACK: usize = 32 << 20;

/// Runs `work` where it has room, with a runtime whose threads have it as well.
pub fn with_room<T: Send>(work: impl FnOnce(&tokio::runtime::Runtime) -> T + Send) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).thread_stack_size(STACK).enable_all().build().expect("a runtime");
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || work(&runtime));
        let ended = thread.expect("a thread").join();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
