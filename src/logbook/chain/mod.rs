//! Tamper evidence: a hash chain over events, seals over detections.
//!
//! # What is promised
//!
//! 1. Every event (start, stop, signal step, alert, answer, visit step, blind spell, clock reading, seal, receipt) gets a
//!    link in the transaction that writes it. Triggers of the writer's connection see to it, so no way of writing can
//!    forget it; a row that came in by another way has no link, and that is found.
//! 2. A link is the SHA-256 of the link before it and of the row's contents that never change. Whoever alters, removes, adds or
//!    reorders a row must make every later link anew, and then differs from each head that was published before
//!    (retained by the broker, written down, bridged away), and cannot sign.
//! 3. With a signing key each link is signed (Ed25519). The key stays outside of the logbook; without it nobody can make a
//!    link anew.
//! 4. Detections are sealed by the stretch (ten minutes, or 8192 looks): one digest over every look and box of it. What
//!    a cut off start left unsealed is sealed by the next one, before anything else is written.
//! 5. What is taken out on purpose leaves a receipt, which is an event. Digests stay, contents go.
//!
//! Not promised: that rows written after the last published head were not cut off by somebody who rewrote the whole tail without a
//! signing key; nor anything about detections of the stretch that is not sealed yet.

mod key;
mod records;
mod seals;
mod verify;

#[cfg(test)]
mod promises;

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest as _, Sha256};

use key::{hex, unhex};

pub use key::{KeyError, PublicKey, SigningKey};
pub(super) use seals::{BoxRow, Seals};
pub use verify::{Evidence, Fault, Step, Verification};

/// A SHA-256.
pub(super) type Digest = [u8; 32];

/// The newest link: it stands for everything before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The link's number; 0 where there is none yet.
    pub seq: i64,
    /// SHA-256, 32 bytes.
    pub hash: [u8; 32],
    /// Ed25519 over the hash, 64 bytes, where there is a key.
    pub signature: Option<[u8; 64]>,
}

impl Head {
    /// SHA-256 in hexadecimal.
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

    /// Reads what was published; other fields are ignored. `None` where it is no end of a chain.
    pub fn from_json(text: &str) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let seq = json["seq"].as_i64().filter(|seq| *seq >= 0)?;
        let signature = json["signature"].as_str().map(unhex);
        let read = signature.is_none_or(|signature| signature.is_some());
        read.then_some(Self { seq, hash: unhex(json["hash"].as_str()?)?, signature: signature.flatten() })
    }
}

/// The end of the chain that is written on.
pub(super) struct Chain {
    head: Head,
    key: Option<SigningKey>,
}

impl Chain {
    /// Goes on where the logbook's chain ends. From now on every event written through this connection is noted.
    pub(super) fn resume(connection: &Connection, key: Option<SigningKey>) -> rusqlite::Result<Self> {
        connection.execute_batch(&records::triggers())?;
        Ok(Self { head: head(connection)?, key })
    }

    /// Links the events that were written in the present transaction, and says where the chain ends with them. The
    /// caller hands that to [`Chain::committed`] once they are on disk.
    pub(super) fn extend(&self, connection: &Connection) -> rusqlite::Result<Head> {
        let mut head = self.head.clone();
        let fresh = connection
            .prepare_cached("SELECT kind, subject FROM temp.fresh ORDER BY n")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(String, i64)>>>()?;
        if fresh.is_empty() {
            return Ok(head);
        }
        for (kind, subject) in fresh {
            let missing = || rusqlite::Error::InvalidParameterName(format!("no record of {kind} {subject}"));
            let record = records::kind(&kind).ok_or_else(missing)?;
            let digest = record.digest(connection, subject)?.ok_or_else(missing)?;
            let seq = head.seq + 1;
            let hash = link(&head.hash, seq, &kind, subject, &digest);
            let signature = self.key.as_ref().map(|key| key.sign(&hash));
            connection
                .prepare_cached(
                    "INSERT INTO link (seq, kind, subject, digest, hash, signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![seq, kind, subject, digest, hash, signature])?;
            head = Head { seq, hash, signature };
        }
        connection.prepare_cached("DELETE FROM temp.fresh")?.execute([])?;
        Ok(head)
    }

    /// The chain ends here now.
    pub(super) fn committed(&mut self, head: Head) {
        self.head = head;
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }
}

/// The newest link of a logbook.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<Head> {
    let newest = connection
        .query_row("SELECT seq, hash, signature FROM link ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok(Head { seq: row.get(0)?, hash: row.get(1)?, signature: row.get(2)? })
        })
        .optional()?;
    Ok(newest.unwrap_or_default())
}

/// The hash of a link: of the one before it, of its place in the chain, and of what it stands for.
fn link(before: &Digest, seq: i64, kind: &str, subject: i64, digest: &Digest) -> Digest {
    let mut hash = Sha256::new_with_prefix(b"havenwacht link 1");
    hash.update(before);
    hash.update(seq.to_be_bytes());
    hash.update((kind.len() as u64).to_be_bytes());
    hash.update(kind);
    hash.update(subject.to_be_bytes());
    hash.update(digest);
    hash.finalize().into()
}

/// Links what a logbook of an earlier schema holds, kind by kind: from here on it cannot change unseen.
pub(super) fn adopt(connection: &Connection) -> rusqlite::Result<()> {
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
    connection.execute_batch(&records::note_all())?;
    chain.extend(connection)?;
    Ok(())
}

/// Lets pictures go that are not the ones that were written: damage must not be told to staff. Gives how many.
pub(super) fn drop_altered_pictures(connection: &Connection) -> rusqlite::Result<usize> {
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

/// What stays of a picture that goes.
pub(super) fn picture_digest(jpeg: &[u8]) -> Digest {
    Sha256::digest(jpeg).into()
}
