//! What a verification is given and what it reports.

use super::chain::ChainHead;
use super::key::PublicKey;

/// What is known from outside of the file, and must match.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors {
    /// The key that must have signed the links.
    pub key: Option<PublicKey>,
    /// Ends of the chain that were published earlier.
    pub heads: Vec<ChainHead>,
}

/// Something that does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainFault {
    /// The link at which it was found; `None` for a row without a link.
    pub link: Option<i64>,
    /// What is wrong, in words.
    pub what: String,
}

/// The result of a verification.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Links that were recomputed.
    pub links: u64,
    /// Of these, signed by the given key.
    pub signed: u64,
    /// Events whose rows were removed with a receipt.
    pub removed: u64,
    /// Passes under seals that were recomputed.
    pub passes: u64,
    /// Detections under seals that were recomputed.
    pub detections: u64,
    /// Seals whose passes were removed with a receipt.
    pub removed_seals: u64,
    /// Passes of the present interval, which is not sealed yet.
    pub unsealed: u64,
    /// What does not match, in the order of the links; rows without a link last.
    pub faults: Vec<ChainFault>,
    /// Where the chain ends.
    pub head: ChainHead,
}

/// The progress of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyProgress {
    /// Links or passes that were recomputed.
    pub done: u64,
    /// All of them.
    pub of: u64,
    /// Whether links are counted; otherwise passes.
    pub links: bool,
}
