//! A page behind a signed link: who reads it, what it is made from, and what is asked for after its form.

mod env;
mod follow_up;
mod form;
mod link;

pub use env::Env;
pub use follow_up::follow_up;
pub use form::Posted;
pub use link::{Opened, Read, open, signed};

use lambda_shell::{Failure, web::Response};
use presentation::page::{Page, failure::unavailable};
use tracing::Instrument;

/// A page as it is answered. One that could not be made says so to the reader, and why to the log.
pub async fn answer(page: impl Future<Output = Result<Page, Failure>>) -> Response {
    // At the highest level, so that no setting leaves its lines without what is noted in it.
    let span = tracing::error_span!("page");
    // On the heap: the state of a page with its SDK calls is tens of kilobytes, and stacks of workers are small.
    let page = Box::pin(page);
    let made = async {
        page.await.unwrap_or_else(|failure| {
            failure.log("the page could not be made");
            unavailable()
        })
    };
    let page = made.instrument(span).await;
    Response::new(page.status, page.headers, page.body)
}
