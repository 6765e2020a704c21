//! The page for people, and `/health` and `/metrics` for machines, on the loopback address.

mod health;
mod metrics;
mod page;
mod server;

pub use health::{
    AlertsHealth, CameraHealth, ClockHealth, Health, LogbookHealth, OutageHealth, RefusedHealth,
};
pub use server::serve;
