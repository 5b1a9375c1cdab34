//! A page behind a signed link: who reads it, what it is made from, and what is asked for after its form.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod env;
mod follow_up;
mod form;
mod link;
mod refused;

pub use env::Env;
pub use follow_up::follow_up;
pub use form::Posted;
pub use link::{Opened, Read, open, signed};
pub use refused::LinkRefused;

use lambda_shell::{
    Failure,
    web::{Request, Response},
};
use presentation::page::{Page, failure::unavailable};
use tracing::Instrument;

/// A page as it is answered, to a HEAD without its body. One that could not be made says so to the reader, and why to the
/// log.
pub async fn answer(request: &Request, page: impl Future<Output = Result<Page, Failure>>) -> Response {
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
    let response = Response::new(page.status, page.headers, page.body);
    if request.method == "HEAD" { response.without_body() } else { response }
}
