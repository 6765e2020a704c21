//! Verification: recomputes the whole chain and every digest, and reports what does not match.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::chain::{ChainHead, head, link_hash, picture_digest};
use super::event_kinds::{self, EVENT_KINDS, EventKind};
use super::seals::{self, SealContents};
use super::verification::{ChainFault, TrustAnchors, Verification, VerifyProgress};
use crate::logbook::error::{LogbookError, is_unreadable, sql};
use crate::logbook::ranges::Ranges;
use crate::logbook::read::reader::Reader;
use crate::logbook::schema;
use crate::logbook::values::Digest;

impl Reader {
    /// Verifies the whole logbook against itself and against `anchors`. `progress` is called from time to time.
    pub fn verify(
        &self,
        anchors: &TrustAnchors,
        mut progress: impl FnMut(VerifyProgress),
    ) -> Result<Verification, LogbookError> {
        // One snapshot, so that rows that are written meanwhile are not a fault.
        let snapshot = self.connection.unchecked_transaction().map_err(sql("verify the logbook"))?;
        match Verifier::new(&snapshot, anchors).and_then(|verifier| verifier.run(&mut progress)) {
            Err(cause) if is_unreadable(&cause) => {
                let fault = ChainFault { link: None, what: format!("the receipts cannot be read: {cause}") };
                Ok(Verification { faults: vec![fault], ..Verification::default() })
            }
            verified => verified.map_err(sql("verify the logbook")),
        }
    }

    /// Where the chain ends now.
    pub fn head(&self) -> Result<ChainHead, LogbookError> {
        head(&self.connection).map_err(sql("read the end of the chain"))
    }
}

struct Verifier<'a> {
    connection: &'a Connection,
    anchors: &'a TrustAnchors,
    /// The rows that receipts list, by table.
    receipts: BTreeMap<String, Ranges>,
    found: Verification,
}

/// A link as it is stored.
struct StoredLink {
    seq: i64,
    kind: String,
    subject: i64,
    digest: Vec<u8>,
    hash: Vec<u8>,
    signature: Option<Vec<u8>>,
}

impl<'a> Verifier<'a> {
    fn new(connection: &'a Connection, anchors: &'a TrustAnchors) -> rusqlite::Result<Self> {
        let mut receipts = BTreeMap::<String, Ranges>::new();
        let mut statement = connection.prepare("SELECT kind, ids FROM receipt")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // A receipt that cannot be parsed explains nothing. That it was altered is found at its link.
            if let Ok(ids) = row.get::<_, String>(1)?.parse::<Ranges>() {
                let kind = row.get::<_, String>(0)?;
                receipts.entry(schema::current_name(&kind).to_owned()).or_default().add_all(&ids);
            }
        }
        Ok(Self { connection, anchors, receipts, found: Verification::default() })
    }

    fn run(mut self, progress: &mut impl FnMut(VerifyProgress)) -> rusqlite::Result<Verification> {
        let ends = head(self.connection).map(|head| self.found.head = head);
        self.or_unreadable("the end of the chain", ends)?;
        let walked = self.links(progress);
        self.or_unreadable("the chain", walked)?;
        let walked = self.pictures();
        self.or_unreadable("pictures", walked)?;
        let walked = self.seals(progress);
        self.or_unreadable("seals", walked)?;
        // A stable sort: faults of one link stay in the order in which they were found.
        self.found.faults.sort_by_key(|fault| fault.link.unwrap_or(i64::MAX));
        let walked = self.rows_without_link();
        self.or_unreadable("rows without a link", walked)?;
        let walked = self.end();
        self.or_unreadable("the end of the chain", walked)?;
        Ok(self.found)
    }

    /// Turns an error into a fault where rows are unreadable; other errors are not about the logbook.
    fn or_unreadable(&mut self, what: &str, walked: rusqlite::Result<()>) -> rusqlite::Result<()> {
        match walked {
            Err(cause) if is_unreadable(&cause) => {
                self.fault(None, format!("{what} cannot be read completely: {cause}"));
                Ok(())
            }
            other => other,
        }
    }

    fn fault(&mut self, link: impl Into<Option<i64>>, what: impl Into<String>) {
        self.found.faults.push(ChainFault { link: link.into(), what: what.into() });
    }

    fn links(&mut self, progress: &mut impl FnMut(VerifyProgress)) -> rusqlite::Result<()> {
        let connection = self.connection;
        let of = u64::try_from(self.found.head.seq).unwrap_or(0);
        let mut statement = connection
            .prepare("SELECT seq, kind, subject, digest, hash, signature FROM link ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let mut before = ChainHead::default();
        let mut signed_from = None;
        while let Some(row) = rows.next()? {
            let link = StoredLink {
                seq: row.get(0)?,
                kind: row.get(1)?,
                subject: row.get(2)?,
                digest: row.get(3)?,
                hash: row.get(4)?,
                signature: row.get(5)?,
            };
            if link.seq != before.seq + 1 {
                let missing = Ranges::from_iter(before.seq + 1..link.seq.min(before.seq + 1_000_000));
                self.fault(link.seq, format!("links {missing} are missing"));
            }
            let hash = self.check_hash(&before, &link);
            self.check_signature(&link, &mut signed_from);
            self.check_row(&link)?;
            self.found.links += 1;
            before = ChainHead { seq: link.seq, hash, signature: None };
            if self.found.links.is_multiple_of(1000) {
                progress(VerifyProgress { done: self.found.links, of, links: true });
            }
        }
        if let (Some(key), None) = (self.anchors.key, signed_from) {
            self.fault(None, format!("no link is signed by {key}"));
        }
        Ok(())
    }

    /// Checks that a link follows from the one before. Returns the stored hash, so that one fault is reported once.
    fn check_hash(&mut self, before: &ChainHead, link: &StoredLink) -> Digest {
        let (Ok(digest), Ok(found)) =
            (Digest::try_from(link.digest.as_slice()), Digest::try_from(link.hash.as_slice()))
        else {
            self.fault(link.seq, format!("link {} has no hash", link.seq));
            return before.hash;
        };
        if link_hash(&before.hash, link.seq, &link.kind, link.subject, &digest) != found
            && link.seq == before.seq + 1
        {
            let StoredLink { seq, kind, subject, .. } = link;
            let what = format!("link {seq} ({kind} {subject}) does not follow from link {}", before.seq);
            self.fault(*seq, what + ": one of the two was altered, or their order");
        }
        let published = |head: &&ChainHead| head.seq == link.seq && head.hash != found;
        if self.anchors.heads.iter().any(|head| published(&head)) {
            let seq = link.seq;
            let what = format!(
                "the chain up to link {seq} differs from the one that was published: something before it was altered, and the links were replaced"
            );
            self.fault(seq, what);
        }
        found
    }

    fn check_signature(&mut self, link: &StoredLink, signed_from: &mut Option<i64>) {
        let Some(key) = self.anchors.key else { return };
        let parts = link
            .signature
            .as_deref()
            .map(<[u8; 64]>::try_from)
            .zip(Digest::try_from(link.hash.as_slice()).ok());
        match (parts, *signed_from) {
            (Some((Ok(signature), hash)), _) if key.signed(&hash, &signature) => {
                self.found.signed += 1;
                signed_from.get_or_insert(link.seq);
            }
            (Some(_), _) => self.fault(link.seq, format!("link {} is not signed by {key}", link.seq)),
            (None, Some(from)) => {
                self.fault(link.seq, format!("link {} is not signed, those from {from} on are", link.seq));
            }
            (None, None) => {}
        }
    }

    /// Checks that the row has the contents that were linked.
    fn check_row(&mut self, link: &StoredLink) -> rusqlite::Result<()> {
        let StoredLink { seq, subject, .. } = *link;
        let Some(kind) = event_kinds::named(&link.kind) else {
            self.fault(seq, format!("link {seq} has the unknown kind `{}`", link.kind));
            return Ok(());
        };
        let digest = match kind.digest(self.connection, &link.kind, subject) {
            Err(cause) if is_unreadable(&cause) => {
                let what = format!("{} {subject} cannot be read (link {seq}): {cause}", described(kind));
                self.fault(seq, what);
                return Ok(());
            }
            read => read?,
        };
        match digest {
            Some(digest) if digest[..] == link.digest[..] => {}
            Some(_) => self.fault(seq, format!("{} {subject} was altered (link {seq})", described(kind))),
            None if self.is_removed(kind.table, subject) => self.found.removed += 1,
            None => {
                let what = format!(
                    "{} {subject} is missing, and no receipt explains it (link {seq})",
                    described(kind)
                );
                self.fault(seq, what);
            }
        }
        Ok(())
    }

    fn is_removed(&self, table: &str, id: i64) -> bool {
        self.receipts.get(table).is_some_and(|ids| ids.contains(id))
    }

    fn pictures(&mut self) -> rusqlite::Result<()> {
        let connection = self.connection;
        let mut statement = connection.prepare(
            "SELECT alert.seq, picture, picture_digest, link.seq FROM alert
             LEFT JOIN link ON link.kind = 'alert' AND link.subject = alert.seq
             WHERE picture IS NOT NULL OR picture_digest IS NOT NULL",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (alert, link) = (row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(3)?);
            let found = row.get_ref(1)?.as_blob_or_null()?.map(picture_digest);
            let was = row.get::<_, Option<Vec<u8>>>(2)?;
            match (found, was) {
                (Some(found), Some(was)) if found[..] == was[..] => {}
                (None, Some(_)) if self.is_removed("picture", alert) => {}
                (None, Some(_)) => {
                    self.fault(
                        link,
                        format!("the picture of alert {alert} is missing, and no receipt explains it"),
                    );
                }
                _ => self.fault(link, format!("the picture of alert {alert} was altered")),
            }
        }
        Ok(())
    }

    fn seals(&mut self, progress: &mut impl FnMut(VerifyProgress)) -> rusqlite::Result<()> {
        let connection = self.connection;
        let last: i64 =
            connection.query_row("SELECT ifnull(max(last_pass), 0) FROM seal", [], |row| row.get(0))?;
        // An interval from which detections were erased has a second seal; the newest one counts.
        let mut statement = connection.prepare(
            "SELECT seal.id, first_pass, last_pass, passes, detections, seal.digest, link.seq,
               EXISTS (SELECT 1 FROM seal AS newer WHERE newer.first_pass = seal.first_pass AND newer.id > seal.id)
             FROM seal LEFT JOIN link ON link.kind = 'seal' AND link.subject = seal.id ORDER BY seal.id",
        )?;
        let mut rows = statement.query([])?;
        let mut covered = 0;
        while let Some(row) = rows.next()? {
            let (seal, first, to, link): (i64, i64, i64, Option<i64>) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(6)?);
            let renewed: bool = row.get(7)?;
            if first <= covered && !renewed {
                // A second seal of an interval: a receipt must explain it.
                let is_explained = self.receipts.get("detection").is_some_and(|ids| {
                    ids.iter().any(|(from, until)| from <= (to << 8) + 255 && first << 8 <= until)
                });
                if !is_explained {
                    self.fault(
                        link,
                        format!("passes {first} to {to} were sealed again, and no receipt explains it"),
                    );
                }
            } else if first > covered + 1 {
                self.fault(link, format!("no seal covers passes {} to {}", covered + 1, first - 1));
            }
            covered = covered.max(to);
            if renewed {
                continue;
            }
            let found = match seals::contents(connection, first, to) {
                Err(cause) if is_unreadable(&cause) => {
                    let what = format!("passes {first} to {to} cannot be read (seal {seal}): {cause}");
                    self.fault(link, what);
                    continue;
                }
                read => read?,
            };
            let sealed = (row.get::<_, i64>(3)?, row.get::<_, i64>(4)?, row.get::<_, Vec<u8>>(5)?);
            let gone = self.receipts.get("pass").is_some_and(|ids| ids.contains_all(first, to));
            if (found.passes, found.detections) == (sealed.0, sealed.1) && found.digest[..] == sealed.2[..] {
                self.found.passes += found.passes.unsigned_abs();
                self.found.detections += found.detections.unsigned_abs();
            } else if gone {
                self.found.removed_seals += 1;
            } else {
                self.fault(link, altered(seal, first, to, (sealed.0, sealed.1), found));
            }
            progress(VerifyProgress { done: to.unsigned_abs(), of: last.unsigned_abs(), links: false });
        }
        self.found.unsealed = connection
            .query_row("SELECT count(*) FROM pass WHERE id > ?1", [covered], |row| row.get::<_, i64>(0))?
            .unsigned_abs();
        Ok(())
    }

    /// Reports rows that have no link.
    fn rows_without_link(&mut self) -> rusqlite::Result<()> {
        let connection = self.connection;
        for kind in EVENT_KINDS {
            let EventKind { name, former, table, key, ends, .. } = kind;
            let happened = ends.map_or_else(|| "1".to_owned(), |column| format!("{column} IS NOT NULL"));
            let mut statement = connection.prepare(&format!(
                "SELECT {key} FROM {table} WHERE {happened}
                   AND NOT EXISTS (SELECT 1 FROM link WHERE link.kind IN (?1, ?2) AND link.subject = {table}.{key})
                 ORDER BY {key}"
            ))?;
            let ids = statement
                .query_map([name, former.as_ref().unwrap_or(name)], |row| row.get(0))?
                .collect::<rusqlite::Result<Ranges>>()?;
            if ids != Ranges::default() {
                self.fault(
                    None,
                    format!("{} {ids} is not in the chain: another program wrote it", described(kind)),
                );
            }
        }
        Ok(())
    }

    /// Reports links that are missing at the end.
    fn end(&mut self) -> rusqlite::Result<()> {
        let (connection, last) = (self.connection, self.found.head.seq);
        let given: BTreeSet<i64> = connection
            .prepare("SELECT seq FROM sqlite_sequence WHERE name = 'link'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let published = self.anchors.heads.iter().map(|head| head.seq).max();
        if let Some(cut) = published.filter(|seq| *seq > last) {
            self.fault(
                None,
                format!("the chain ends at link {last}, and link {cut} was published: its end was cut off"),
            );
        } else if let Some(cut) = given.last().filter(|seq| **seq > last) {
            self.fault(
                None,
                format!("the chain ends at link {last}, and link {cut} was written: its end was cut off"),
            );
        }
        Ok(())
    }
}

fn described(kind: &EventKind) -> String {
    match kind.ends {
        Some(_) => format!("the end of {}", kind.table),
        None => format!("the row of {}", kind.table),
    }
}

fn altered(seal: i64, first: i64, last: i64, was: (i64, i64), found: SealContents) -> String {
    let what = if (found.passes, found.detections) == was {
        "were altered".to_owned()
    } else {
        format!(
            "held {} passes and {} detections, and now hold {} and {}",
            was.0, was.1, found.passes, found.detections
        )
    };
    format!("passes {first} to {last} {what} (seal {seal})")
}
