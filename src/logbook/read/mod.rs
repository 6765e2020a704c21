//! Reading: lists, exports, explanations, the outbox. Every question is one short transaction.

pub(super) mod explanation;
pub(super) mod listing;
pub(super) mod news;
pub(super) mod outbox;
pub(super) mod reader;
pub(super) mod replay_reader;
pub(super) mod row_age;
mod visits;
