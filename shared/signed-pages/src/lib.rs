//! A page behind a signed link: who reads it, what it is made from, and what is asked for after its form.

mod env;
mod follow_up;
mod form;
mod link;

pub use env::Env;
pub use follow_up::ask_for_notices;
pub use form::Posted;
pub use link::{Opened, Read, open, signed};

use lambda_shell::{Failure, web::Response};
use presentation::page::{Page, failure::unavailable};

/// A page as it is answered. One that could not be made says so to the reader, and why to the log.
pub fn answer(page: Result<Page, Failure>) -> Response {
    let page = page.unwrap_or_else(|failure| {
        tracing::error!(error = failure.chain(), "the page could not be made");
        unavailable()
    });
    Response::new(page.status, page.headers, page.body)
}
