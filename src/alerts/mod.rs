//! Telling staff: the outbox relay, its one MQTT session, topics, payloads and presence.
//!
//! # What is promised
//!
//! 1. An alert is delivered when the broker has confirmed *its* packet (and its picture's), and not before.
//! 2. SQLite is the only queue. A session is forgotten whole after every error; the next one reads the undelivered rows
//!    again. A broker that is away, silent, forgetful or that confirms out of order costs no alert and never stops the
//!    relay; it costs at most eight repeats, each with the same `alert_id`.
//! 3. Alerts leave in the order of their `seq`. With a repeat the order is that of the repeat.
//! 4. An alert that waited (raised over a minute ago, or before the last restart) says `"historical": true`. One that is
//!    older than 24 hours is not sent any more; it is marked as expired in the logbook, logged and counted.
//! 5. A message that is not confirmed within five seconds ends the session; a broker that answers no ping ends it within
//!    ten. New sessions are tried for ever, half a second to five seconds apart.
//! 6. `status` says `online` while there is a session, and `offline` after it: by goodbye or by last will. Each camera's
//!    state is told anew in every session.
//!
//! [`topics`](self::topics) lists where messages go, `config/alert.schema.json` what an alert says.

mod listen;
mod mqtt;
pub mod payload;
mod relay;
#[cfg(test)]
mod scripted;
