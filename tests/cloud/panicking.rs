//! A function of no use but this: a record whose body is `panic` panics, all others are handled. A fault that makes the
//! bundle's own functions panic does not exist by design, so their shell is shown at work around a handler that does.

use aws_lambda_events::sqs::SqsEvent;
use lambda_shell::{
    Failure,
    batch::{self, BatchReport, Message},
    deadline::Deadline,
};

async fn handle(_env: &(), event: SqsEvent, deadline: Deadline) -> BatchReport<()> {
    batch::each(event, &deadline, |message: Message| async move {
        // After an await, where a panic unwinds through the executor.
        tokio::task::yield_now().await;
        match message.body.as_str() {
            "panic" => panic!("secret words of {}", message.body),
            "fail" => Err(Failure::new("handling the record", "it says so")),
            "sleep" => {
                tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
                Ok(())
            }
            _ => Ok(()),
        }
    })
    .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_shell::start::batch(lambda_shell::start::nothing, handle).await
}
