//! How urgent signals are.

/// How urgent a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// For the logbook.
    Info,
    /// Somebody should check.
    Warning,
    /// Somebody should act.
    Alert,
}

impl Severity {
    /// As written in the site file, the logbook and alerts.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
