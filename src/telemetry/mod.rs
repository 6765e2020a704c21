//! Logs and metrics.

mod logging;
mod metrics;

pub use logging::{LogTarget, start_logging};
pub use metrics::MetricsPage;

/// A count with its noun: `1 camera`, `2 cameras`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_right_plural() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "rule")), ["0 rules", "1 rule", "2 rules"]);
    }
}
