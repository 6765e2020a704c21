//! Pages for people and machines on the loopback: what the watch is doing now.

mod health;
mod server;

pub use health::{AlertsHealth, BlindHealth, CameraHealth, Health, LogbookHealth};
pub use server::serve;
