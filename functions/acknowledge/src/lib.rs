//! The reply link: GET shows, POST records. GET and HEAD change nothing, ever, since mail scanners follow links.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod answer;
mod show;

use lambda_shell::{
    deadline::Deadline,
    web::{Request, Response},
};

pub use signed_pages::Env;

/// Answers one request at the reply link. Whatever fails is a page, too.
pub async fn handle(env: &Env, request: Request, deadline: Deadline) -> Response {
    let page = async {
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET" | "HEAD", ["acknowledge", token]) => show::page(env, token).await,
            ("POST", ["acknowledge", token]) => answer::page(env, token, &request, deadline).await,
            _ => Ok(presentation::page::failure::not_found()),
        }
    };
    signed_pages::answer(&request, page).await
}
