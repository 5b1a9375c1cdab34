//! Between two attempts at one decision.

use std::time::Duration;

use lambda_shell::clock::Clock;

/// Full jitter between attempts: two that collided once shall not collide again.
#[derive(Default, Debug)]
pub struct Pause(u32);

impl Pause {
    pub async fn wait(&mut self, clock: &Clock) {
        self.0 = (self.0 + 1).min(6);
        let most = 5u64 << self.0;
        let spread = clock.now_millis().unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
        tokio::time::sleep(Duration::from_millis(spread % most)).await;
    }
}
