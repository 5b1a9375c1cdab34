// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_shell::start::event(poll::Env::of, poll::handle).await
}
