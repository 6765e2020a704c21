//! TEMPORARY
mod listen;
pub use listen::*;
pub mod payload {
    #![allow(missing_docs)]
    use crate::config::Site; use crate::rules::SignalEvent; use crate::logbook::OutboxAlert;
    pub fn alert(e: &SignalEvent, site: &Site, name: &str, picture: Option<Vec<u8>>) -> OutboxAlert {
        OutboxAlert { id: e.signal.0, topic: format!("havenwacht/{}/{name}", site.id), payload: "{}".into(), picture }
    }
}
