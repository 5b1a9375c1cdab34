//! `holdpoint serve` is killed under load, with SIGKILL, at ever other moments, and started again on the same directory.
//! Mail goes out by SMTP meanwhile. What was answered with 202 is never lost, each mail reaches the mail server, none twice but
//! those in flight, the chains verify.
//!
//! Five kills in an ordinary run; a hundred with `KILLS=100 cargo test -p holdpoint-tests --test killed -- --nocapture`.

// The layouts of nested SDK futures go deeper than the default of 128.
#![recursion_limit = "256"]
// What was played is told beside the result.
#![allow(clippy::print_stdout)]

mod afterwards;
mod load;

use std::time::Duration;

use holdpoint_tests::{
    folder::Folder,
    mail_sink::MailSink,
    served::{self, Server},
    world::with_room,
};
use load::Load;

#[test]
fn nothing_that_was_accepted_is_lost() {
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5_u64);
    let directory = Folder::new("killed");
    let (policy, sink) = (load::policy(directory.path()), MailSink::start());
    let settings = load::settings(directory.path(), &policy, sink.port);
    let options = ["--settings", settings.to_str().expect("a path in UTF-8")];
    let mut load = Load::new();
    for kill in 0..kills {
        let mut server = Server::start(directory.path(), &options);
        if kill == 0 {
            load.prepare(&server);
        }
        // From at once to well into the work of what was posted; a prime, so that no moment comes twice soon.
        let moment = Duration::from_millis(20 + kill * 157 % 1_009);
        load.post_until(&mut server, moment);
    }
    // Whoever got no answer asks again, as source systems do, until there is one.
    let mut server = Server::start(directory.path(), &options);
    load.post_what_is_left(&server);
    server.kill();
    println!("{kills} kills, {} events accepted, {} of them asked for again", load.accepted(), load.again());
    served::verify(directory.path());
    with_room(|| afterwards::judge(directory.path(), &policy, &load, &sink, kills + 1));
}
