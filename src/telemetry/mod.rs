//! Logs and metrics.

mod logging;
mod metrics;

pub use logging::{LogTarget, start_logging};
pub use metrics::MetricsPage;
