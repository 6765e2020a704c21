//! What tests, benches and the sample streams share: random numbers that repeat, and waiting with a limit.

mod rng;
mod wait;

pub use rng::Rng;
pub use wait::{now, wait_for, wait_until};
