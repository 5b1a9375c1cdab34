//! The owner's link: GET shows, POST decides. GET and HEAD change nothing, ever, since mail scanners follow links.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod decide;
mod show;
mod workspace;

use lambda_shell::{
    deadline::Deadline,
    web::{Request, Response},
};

pub use signed_pages::Env;

/// Answers one request at the owner's link. Whatever fails is a page, too.
pub async fn handle(env: &Env, request: Request, deadline: Deadline) -> Response {
    let page = async {
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET" | "HEAD", ["adopt", token]) => show::page(env, token).await,
            ("GET" | "HEAD", ["reviews", token]) => workspace::page(env, token, &request).await,
            ("POST", ["adopt", token]) => decide::page(env, token, &request, deadline).await,
            _ => Ok(presentation::page::failure::not_found()),
        }
    };
    signed_pages::answer(&request, page).await
}
