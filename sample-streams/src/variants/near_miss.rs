//! What comes close to a signal and must raise none.

use serde::Serialize;

/// A rule and a vessel that comes close to raising its signal and must not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearMiss {
    /// The rule.
    pub rule: String,
    /// The vessel's number in the ground truth.
    pub vessel: u32,
    /// Why it must raise no signal.
    pub why: &'static str,
}
