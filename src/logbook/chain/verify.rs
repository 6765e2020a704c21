//! Walks the whole chain and every row it stands for, and says what does not fit.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::key::PublicKey;
use super::records::{KINDS, Kind};
use super::{Digest, Head, head, picture_digest, seals};
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::open;
use crate::logbook::ranges::Ranges;
use crate::logbook::reader::Reader;

/// What is known from elsewhere, and must fit.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Whose signature the links must bear.
    pub key: Option<PublicKey>,
    /// Ends of the chain that were published earlier.
    pub heads: Vec<Head>,
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The link at which it shows; `None` where a row has none.
    pub link: Option<i64>,
    /// What is wrong, for people.
    pub what: String,
}

/// What was verified, and what was found.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Links that were walked.
    pub links: u64,
    /// Of them signed by the key that was given.
    pub signed: u64,
    /// Events whose rows have gone, with a receipt.
    pub gone: u64,
    /// Looks and detections under seals that were recomputed.
    pub looks: u64,
    /// See `looks`.
    pub detections: u64,
    /// Seals whose looks have gone, with a receipt.
    pub seals_gone: u64,
    /// Looks of the present stretch, which is not sealed yet.
    pub unsealed: u64,
    /// What does not fit, in the order of the links; that of rows without a link last.
    pub faults: Vec<Fault>,
    /// Where the chain ends.
    pub head: Head,
}

/// How far the verification has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Links walked, or looks recomputed.
    pub done: u64,
    /// Of so many.
    pub of: u64,
    /// True while links are walked, false while seals are recomputed.
    pub links: bool,
}

impl Reader {
    /// Verifies the whole logbook against itself and against what is known from elsewhere. `progress` is called now and then.
    pub fn verify(
        &self,
        evidence: &Evidence,
        mut progress: impl FnMut(Step),
    ) -> Result<Verification, LogbookError> {
        // One snapshot, so that what is written meanwhile is no fault.
        let snapshot = self.connection.unchecked_transaction().map_err(sql("verify the logbook"))?;
        match Walk::new(&snapshot, evidence).and_then(|walk| walk.run(&mut progress)) {
            Err(cause) if open::is_broken(&cause) => {
                let fault = Fault { link: None, what: format!("what was taken out cannot be read: {cause}") };
                Ok(Verification { faults: vec![fault], ..Verification::default() })
            }
            verified => verified.map_err(sql("verify the logbook")),
        }
    }

    /// Where the chain ends now.
    pub fn head(&self) -> Result<Head, LogbookError> {
        head(&self.connection).map_err(sql("read the end of the chain"))
    }
}

struct Walk<'a> {
    connection: &'a Connection,
    evidence: &'a Evidence,
    /// What was taken out on purpose, by table.
    receipts: BTreeMap<String, Ranges>,
    found: Verification,
}

/// A link as it stands.
struct Link {
    seq: i64,
    kind: String,
    subject: i64,
    digest: Vec<u8>,
    hash: Vec<u8>,
    signature: Option<Vec<u8>>,
}

impl<'a> Walk<'a> {
    fn new(connection: &'a Connection, evidence: &'a Evidence) -> rusqlite::Result<Self> {
        let mut receipts = BTreeMap::<String, Ranges>::new();
        let mut statement = connection.prepare("SELECT kind, ids FROM receipt")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // A receipt that cannot be read excuses nothing; that it was altered is found at its link.
            if let Ok(ids) = row.get::<_, String>(1)?.parse::<Ranges>() {
                receipts.entry(row.get(0)?).or_default().add_all(&ids);
            }
        }
        Ok(Self { connection, evidence, receipts, found: Verification::default() })
    }

    fn run(mut self, progress: &mut impl FnMut(Step)) -> rusqlite::Result<Verification> {
        let ends = head(self.connection).map(|head| self.found.head = head);
        self.or_broken("the end of the chain", ends)?;
        let walked = self.links(progress);
        self.or_broken("the chain", walked)?;
        let walked = self.pictures();
        self.or_broken("pictures", walked)?;
        let walked = self.seals(progress);
        self.or_broken("seals", walked)?;
        // In the order of the links; a sort keeps what was found at one link in the order in which it was found.
        self.found.faults.sort_by_key(|fault| fault.link.unwrap_or(i64::MAX));
        let walked = self.rows_without_link();
        self.or_broken("rows without a link", walked)?;
        let walked = self.end();
        self.or_broken("the end of the chain", walked)?;
        Ok(self.found)
    }

    /// A fault where rows cannot be read as what they were; other errors are none of the logbook's.
    fn or_broken(&mut self, what: &str, walked: rusqlite::Result<()>) -> rusqlite::Result<()> {
        match walked {
            Err(cause) if open::is_broken(&cause) => {
                self.fault(None, format!("{what} cannot be read to the end: {cause}"));
                Ok(())
            }
            other => other,
        }
    }

    fn fault(&mut self, link: impl Into<Option<i64>>, what: impl Into<String>) {
        self.found.faults.push(Fault { link: link.into(), what: what.into() });
    }

    fn links(&mut self, progress: &mut impl FnMut(Step)) -> rusqlite::Result<()> {
        let connection = self.connection;
        let of = u64::try_from(self.found.head.seq).unwrap_or(0);
        let mut statement = connection
            .prepare("SELECT seq, kind, subject, digest, hash, signature FROM link ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let mut before = Head::default();
        let mut signed_from = None;
        while let Some(row) = rows.next()? {
            let link = Link {
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
            let hash = self.follows(&before, &link);
            self.signature(&link, &mut signed_from);
            self.row_of(&link)?;
            self.found.links += 1;
            before = Head { seq: link.seq, hash, signature: None };
            if self.found.links.is_multiple_of(1000) {
                progress(Step { done: self.found.links, of, links: true });
            }
        }
        if let (Some(key), None) = (self.evidence.key, signed_from) {
            self.fault(None, format!("no link is signed by {key}"));
        }
        Ok(())
    }

    /// Whether a link follows from the one before. Gives the hash that stands there, so that one fault is told once.
    fn follows(&mut self, before: &Head, link: &Link) -> Digest {
        let (Ok(digest), Ok(stands)) =
            (Digest::try_from(link.digest.as_slice()), Digest::try_from(link.hash.as_slice()))
        else {
            self.fault(link.seq, format!("link {} holds no hash", link.seq));
            return before.hash;
        };
        if super::link(&before.hash, link.seq, &link.kind, link.subject, &digest) != stands
            && link.seq == before.seq + 1
        {
            let Link { seq, kind, subject, .. } = link;
            let what = format!("link {seq} ({kind} {subject}) does not follow from link {}", before.seq);
            self.fault(*seq, what + ": it or the one before was altered, or their order");
        }
        let published = |head: &&Head| head.seq == link.seq && head.hash != stands;
        if self.evidence.heads.iter().any(|head| published(&head)) {
            let seq = link.seq;
            let what = format!(
                "the chain up to link {seq} is not the one that was published: something before it was altered, and the links made anew"
            );
            self.fault(seq, what);
        }
        stands
    }

    fn signature(&mut self, link: &Link, signed_from: &mut Option<i64>) {
        let Some(key) = self.evidence.key else { return };
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

    /// Whether the row still says what it said when it was linked.
    fn row_of(&mut self, link: &Link) -> rusqlite::Result<()> {
        let Link { seq, subject, .. } = *link;
        let Some(kind) = KINDS.iter().find(|kind| kind.name == link.kind) else {
            self.fault(seq, format!("link {seq} is of an unknown kind, `{}`", link.kind));
            return Ok(());
        };
        let digest = match kind.digest(self.connection, subject) {
            Err(cause) if open::is_broken(&cause) => {
                let what = format!("{} {subject} cannot be read (link {seq}): {cause}", described(kind));
                self.fault(seq, what);
                return Ok(());
            }
            read => read?,
        };
        match digest {
            Some(digest) if digest[..] == link.digest[..] => {}
            Some(_) => self.fault(seq, format!("{} {subject} was altered (link {seq})", described(kind))),
            None if self.is_gone(kind.table, subject) => self.found.gone += 1,
            None => {
                let what =
                    format!("{} {subject} is missing, and no receipt says why (link {seq})", described(kind));
                self.fault(seq, what);
            }
        }
        Ok(())
    }

    fn is_gone(&self, table: &str, id: i64) -> bool {
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
            let stands = row.get_ref(1)?.as_blob_or_null()?.map(picture_digest);
            let was = row.get::<_, Option<Vec<u8>>>(2)?;
            match (stands, was) {
                (Some(stands), Some(was)) if stands[..] == was[..] => {}
                (None, Some(_)) if self.is_gone("picture", alert) => {}
                (None, Some(_)) => {
                    self.fault(
                        link,
                        format!("the picture of alert {alert} is missing, and no receipt says why"),
                    );
                }
                _ => self.fault(link, format!("the picture of alert {alert} was altered")),
            }
        }
        Ok(())
    }

    fn seals(&mut self, progress: &mut impl FnMut(Step)) -> rusqlite::Result<()> {
        let connection = self.connection;
        let last: i64 =
            connection.query_row("SELECT ifnull(max(last_look), 0) FROM seal", [], |row| row.get(0))?;
        // A stretch from which something was erased has a second seal; the newest says what stands there.
        let mut statement = connection.prepare(
            "SELECT seal.id, first_look, last_look, looks, detections, seal.digest, link.seq,
               EXISTS (SELECT 1 FROM seal AS newer WHERE newer.first_look = seal.first_look AND newer.id > seal.id)
             FROM seal LEFT JOIN link ON link.kind = 'seal' AND link.subject = seal.id ORDER BY seal.id",
        )?;
        let mut rows = statement.query([])?;
        let mut covered = 0;
        while let Some(row) = rows.next()? {
            let (seal, first, to, link): (i64, i64, i64, Option<i64>) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(6)?);
            let renewed: bool = row.get(7)?;
            if first <= covered && !renewed {
                // The second seal of a stretch: there must be a receipt for what went.
                let excused = self.receipts.get("detection").is_some_and(|ids| {
                    ids.iter().any(|(from, until)| from <= (to << 8) + 255 && first << 8 <= until)
                });
                if !excused {
                    self.fault(
                        link,
                        format!("looks {first} to {to} were sealed again, and no receipt says why"),
                    );
                }
            } else if first > covered + 1 {
                self.fault(link, format!("no seal covers looks {} to {}", covered + 1, first - 1));
            }
            covered = covered.max(to);
            if renewed {
                continue;
            }
            let stands = match seals::contents(connection, first, to) {
                Err(cause) if open::is_broken(&cause) => {
                    let what =
                        format!("the stretch of looks {first} to {to} cannot be read (seal {seal}): {cause}");
                    self.fault(link, what);
                    continue;
                }
                read => read?,
            };
            let sealed = (row.get::<_, i64>(3)?, row.get::<_, i64>(4)?, row.get::<_, Vec<u8>>(5)?);
            let gone = self.receipts.get("look").is_some_and(|ids| ids.contains_all(first, to));
            if (stands.looks, stands.detections) == (sealed.0, sealed.1) && stands.digest[..] == sealed.2[..]
            {
                self.found.looks += stands.looks.unsigned_abs();
                self.found.detections += stands.detections.unsigned_abs();
            } else if gone {
                self.found.seals_gone += 1;
            } else {
                self.fault(link, altered(seal, first, to, (sealed.0, sealed.1), stands));
            }
            progress(Step { done: to.unsigned_abs(), of: last.unsigned_abs(), links: false });
        }
        self.found.unsealed = connection
            .query_row("SELECT count(*) FROM look WHERE id > ?1", [covered], |row| row.get::<_, i64>(0))?
            .unsigned_abs();
        Ok(())
    }

    /// Rows that no link stands for.
    fn rows_without_link(&mut self) -> rusqlite::Result<()> {
        let connection = self.connection;
        for kind in KINDS {
            let Kind { name, table, key, ends, .. } = kind;
            let happened = ends.map_or_else(|| "1".to_owned(), |column| format!("{column} IS NOT NULL"));
            let mut statement = connection.prepare(&format!(
                "SELECT {key} FROM {table} WHERE {happened}
                   AND NOT EXISTS (SELECT 1 FROM link WHERE link.kind = ?1 AND link.subject = {table}.{key})
                 ORDER BY {key}"
            ))?;
            let ids = statement.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<Ranges>>()?;
            if ids != Ranges::default() {
                self.fault(
                    None,
                    format!("{} {ids} is not in the chain: somebody else wrote it", described(kind)),
                );
            }
        }
        Ok(())
    }

    /// Whether the chain was cut off at its end.
    fn end(&mut self) -> rusqlite::Result<()> {
        let (connection, last) = (self.connection, self.found.head.seq);
        let given: BTreeSet<i64> = connection
            .prepare("SELECT seq FROM sqlite_sequence WHERE name = 'link'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let published = self.evidence.heads.iter().map(|head| head.seq).max();
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

fn described(kind: &Kind) -> String {
    match kind.ends {
        Some(_) => format!("the end of {}", kind.table),
        None => format!("the row of {}", kind.table),
    }
}

fn altered(seal: i64, first: i64, last: i64, was: (i64, i64), stands: seals::Contents) -> String {
    let what = if (stands.looks, stands.detections) == was {
        "was altered".to_owned()
    } else {
        format!(
            "held {} looks and {} detections, and now holds {} and {}",
            was.0, was.1, stands.looks, stands.detections
        )
    };
    format!("the stretch of looks {first} to {last} {what} (seal {seal})")
}
