//! The hash chain: one link for each event, in the order of commits.
//!
//! # Guarantees
//!
//! 1. Every event (start, stop, signal step, alert, acknowledgement, visit step, camera outage, clock reading, seal, receipt)
//!    gets a link in the transaction that writes it. Triggers of the writer's connection note each event, so no code can
//!    forget it; a row that came in by another way has no link, and verification reports it.
//! 2. A link is the SHA-256 of the link before it and of those contents of the row that never change. To alter, remove, add
//!    or reorder a row, one must replace all later links. They then differ from each end of the chain that was published
//!    before (retained by the broker, written down, copied elsewhere), and they cannot be signed.
//! 3. With a signing key each link is signed (Ed25519). The key is stored outside of the logbook; without it nobody can
//!    replace a link.
//! 4. Detections are sealed in intervals of ten minutes or 8192 passes: one digest over every pass and box. What a start
//!    that was cut off left unsealed is sealed by the next start, before anything else is written.
//! 5. What is removed on purpose leaves a receipt, which is an event. Digests stay, contents go.
//!
//! Not guaranteed: without a signing key, that rows after the last published end were not cut off or replaced; and
//! anything about detections of the interval that is not sealed yet.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest as _, Sha256};

use super::event_kinds;
use super::key::{SigningKey, hex, unhex};
use crate::logbook::values::Digest;

/// The newest link: it covers everything before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainHead {
    /// The link's number; 0 for an empty chain.
    pub seq: i64,
    /// SHA-256, 32 bytes.
    pub hash: [u8; 32],
    /// Ed25519 over the hash, 64 bytes, where there is a key.
    pub signature: Option<[u8; 64]>,
}

impl ChainHead {
    /// The hash in hexadecimal.
    pub fn hash_hex(&self) -> String {
        hex(&self.hash)
    }

    /// As it is published: `seq`, `hash` and, where there is a key, `signature`.
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({ "seq": self.seq, "hash": self.hash_hex() });
        if let Some(signature) = &self.signature {
            json["signature"] = hex(signature).into();
        }
        json
    }

    /// Reads what was published; other fields are ignored. `None` where it is not an end of a chain.
    pub fn from_json(text: &str) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let seq = json["seq"].as_i64().filter(|seq| *seq >= 0)?;
        let signature = json["signature"].as_str().map(unhex);
        let is_valid = signature.is_none_or(|signature| signature.is_some());
        is_valid.then_some(Self { seq, hash: unhex(json["hash"].as_str()?)?, signature: signature.flatten() })
    }
}

/// The chain that is being written.
pub(in crate::logbook) struct Chain {
    head: ChainHead,
    key: Option<SigningKey>,
}

impl Chain {
    /// Continues the logbook's chain. From now on every event that is written through this connection is noted.
    pub(in crate::logbook) fn resume(
        connection: &Connection,
        key: Option<SigningKey>,
    ) -> rusqlite::Result<Self> {
        connection.execute_batch(&event_kinds::triggers())?;
        Ok(Self { head: head(connection)?, key })
    }

    /// Writes links for the events of the present transaction, and returns where the chain ends with them. The caller
    /// hands that to [`Chain::committed`] once they are on disk.
    pub(in crate::logbook) fn extend(&self, connection: &Connection) -> rusqlite::Result<ChainHead> {
        let mut head = self.head.clone();
        let fresh = connection
            .prepare_cached("SELECT kind, subject FROM temp.fresh ORDER BY n")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(String, i64)>>>()?;
        if fresh.is_empty() {
            return Ok(head);
        }
        for (name, subject) in fresh {
            let missing = || rusqlite::Error::InvalidParameterName(format!("no row of {name} {subject}"));
            let kind = event_kinds::named(&name).ok_or_else(missing)?;
            let digest = kind.digest(connection, &name, subject)?.ok_or_else(missing)?;
            let seq = head.seq + 1;
            let hash = link_hash(&head.hash, seq, &name, subject, &digest);
            let signature = self.key.as_ref().map(|key| key.sign(&hash));
            connection
                .prepare_cached(
                    "INSERT INTO link (seq, kind, subject, digest, hash, signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![seq, name, subject, digest, hash, signature])?;
            head = ChainHead { seq, hash, signature };
        }
        connection.prepare_cached("DELETE FROM temp.fresh")?.execute([])?;
        Ok(head)
    }

    /// The links up to `head` are on disk.
    pub(in crate::logbook) fn committed(&mut self, head: ChainHead) {
        self.head = head;
    }

    pub(in crate::logbook) fn head(&self) -> &ChainHead {
        &self.head
    }
}

/// The newest link of a logbook.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<ChainHead> {
    let newest = connection
        .query_row("SELECT seq, hash, signature FROM link ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok(ChainHead { seq: row.get(0)?, hash: row.get(1)?, signature: row.get(2)? })
        })
        .optional()?;
    Ok(newest.unwrap_or_default())
}

/// The hash of a link: over the hash before it, its number, and the event.
pub(super) fn link_hash(before: &Digest, seq: i64, kind: &str, subject: i64, digest: &Digest) -> Digest {
    let mut hash = Sha256::new_with_prefix(b"havenwacht link 1");
    hash.update(before);
    hash.update(seq.to_be_bytes());
    hash.update((kind.len() as u64).to_be_bytes());
    hash.update(kind);
    hash.update(subject.to_be_bytes());
    hash.update(digest);
    hash.finalize().into()
}

/// Writes links for all events of a logbook that has none: one of an earlier schema, or one into which rows were copied.
/// From then on nobody can change them unnoticed.
pub(in crate::logbook) fn link_all(connection: &Connection) -> rusqlite::Result<()> {
    let pictures = "SELECT seq, picture FROM alert WHERE picture IS NOT NULL AND picture_digest IS NULL";
    let mut read = connection.prepare(pictures)?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let digest = picture_digest(row.get_ref(1)?.as_blob()?);
        connection
            .prepare_cached("UPDATE alert SET picture_digest = ?2 WHERE seq = ?1")?
            .execute(params![row.get::<_, i64>(0)?, digest])?;
    }
    let chain = Chain::resume(connection, None)?;
    connection.execute_batch(&event_kinds::note_all())?;
    chain.extend(connection)?;
    Ok(())
}

/// Removes pictures that differ from their digests: damaged pictures must not be sent to staff. Returns how many.
pub(in crate::logbook) fn drop_altered_pictures(connection: &Connection) -> rusqlite::Result<usize> {
    let mut read = connection.prepare(
        "SELECT seq, picture, picture_digest FROM alert WHERE picture IS NOT NULL AND picture_digest IS NOT NULL",
    )?;
    let mut rows = read.query([])?;
    let mut altered = Vec::new();
    while let Some(row) = rows.next()? {
        if picture_digest(row.get_ref(1)?.as_blob()?)[..] != *row.get_ref(2)?.as_blob()? {
            altered.push(row.get::<_, i64>(0)?);
        }
    }
    let mut drop =
        connection.prepare("UPDATE alert SET picture = NULL, picture_digest = NULL WHERE seq = ?1")?;
    altered.iter().try_for_each(|seq| drop.execute([seq]).map(|_| ()))?;
    Ok(altered.len())
}

/// The digest of a picture; it stays when the picture is removed.
pub(in crate::logbook) fn picture_digest(jpeg: &[u8]) -> Digest {
    Sha256::digest(jpeg).into()
}
