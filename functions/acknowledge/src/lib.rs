//! The reply link: GET shows, POST records. GET and HEAD change nothing, ever, since mail scanners follow links.

mod answer;
mod env;
mod link;
mod show;

use lambda_shell::{
    deadline::Deadline,
    web::{Request, Response},
};

pub use env::Env;

pub async fn handle(env: &Env, request: Request, deadline: Deadline) -> Response {
    let page = match (request.method.as_str(), request.segments().as_slice()) {
        ("GET" | "HEAD", ["acknowledge", token]) => show::page(env, token).await,
        ("POST", ["acknowledge", token]) => answer::page(env, token, &request, deadline).await,
        _ => Ok(presentation::page::failure::not_found()),
    };
    let page = page.unwrap_or_else(|failure| {
        tracing::error!(error = failure.chain(), "the page could not be made");
        presentation::page::failure::unavailable()
    });
    Response::new(page.status, page.headers, page.body)
}
