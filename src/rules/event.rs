//! What the engine gives out.

use super::signal::SignalEvent;
use super::suppression::Suppression;
use super::visit::VisitEvent;

/// An event of one detection pass. Events must be written in the order in which they come.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleEvent {
    /// A visit began, continues or ended.
    Visit(VisitEvent),
    /// A step in the life of a signal.
    Signal(SignalEvent),
    /// A rule held, and its signal was suppressed.
    Suppressed(Suppression),
}
