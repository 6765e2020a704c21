//! Damaged logbooks: `logbook check` finds the damage, `run` puts the file in quarantine, and foreign files are rejected.
//!
//! The tests change bytes that have a meaning: rows and index entries of pages in use, not the free space between them. Single
//! bits are changed only in tables whose columns are all covered by the chain or a seal. Columns that change later (the
//! delivery of an alert, the last box of a track) are covered by no digest.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use havenwacht::logbook::Entry;
use rusqlite::Connection;
use test_support::{Rng, now};

use crate::paths::havenwacht;
use crate::system::TestSystem;
use crate::{Row, alert_source, rounds};

const PAGE: usize = 4096;

/// Tables whose columns are all covered by a digest.
const COVERED: [&str; 5] = ["pass", "detection", "seal", "link", "signal_step"];

/// A sound logbook, and where its contents are.
struct SoundLogbook {
    bytes: Vec<u8>,
    /// Pages in use.
    pages: Vec<Page>,
    /// Pictures of alerts, large enough for pages of their own.
    pictures: Vec<Vec<u8>>,
}

struct Page {
    /// Table or index.
    of: String,
    number: usize,
    is_leaf: bool,
    /// Continues a row that is too long for its page.
    is_overflow: bool,
    is_index: bool,
}

/// How the file is damaged.
#[derive(Clone, Copy, Debug)]
enum FileDamage {
    /// A page in use has random bytes.
    Noise,
    /// A page in use has only zeros.
    Zeros,
    /// The file is truncated.
    Truncated,
    /// One bit of a row.
    RowBit,
    /// One bit of an entry of an index.
    IndexBit,
    /// One bit of a picture.
    PictureBit,
    /// The header says that a later version wrote it.
    Newer,
    /// The database of another program.
    Foreign,
    /// Not a database.
    Text,
}

const DAMAGES: [FileDamage; 9] = [
    FileDamage::Noise,
    FileDamage::Zeros,
    FileDamage::Truncated,
    FileDamage::RowBit,
    FileDamage::IndexBit,
    FileDamage::PictureBit,
    FileDamage::Newer,
    FileDamage::Foreign,
    FileDamage::Text,
];

impl SoundLogbook {
    /// Writes alerts with pictures, and passes before each; closes it in order or not.
    fn write(folder: &Path, alerts: u64, in_order: bool) -> Self {
        let path = folder.join("whole.sqlite");
        let (writer, logbook) = alert_source::open(&path);
        let site = alert_source::site(folder, 9);
        let mut rng = Rng::new(11);
        let pictures: Vec<_> =
            (0..alerts).map(|_| (0..9000).map(|_| rng.below(256) as u8).collect::<Vec<_>>()).collect();
        for (number, picture) in (0..).zip(&pictures) {
            (0..20).for_each(|pass| logbook.send(alert_source::pass_entry(number * 20 + pass)).unwrap());
            logbook
                .send(Entry::Signal(alert_source::signal_entry(&site, number, Some(picture.clone()))))
                .unwrap();
        }
        writer.flush(Duration::from_secs(20)).unwrap();
        if in_order {
            use havenwacht::clock::Clock as _;
            let now = havenwacht::clock::SystemClock::default().now().wall;
            writer.close(now, Duration::from_secs(20)).unwrap();
        } else {
            drop((writer, logbook));
        }
        let connection = Connection::open(&path).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let query =
            "SELECT dbstat.name, pageno, pagetype = 'leaf', pagetype = 'overflow', ifnull(type = 'index', 0)
                     FROM dbstat LEFT JOIN sqlite_schema ON sqlite_schema.name = dbstat.name ORDER BY pageno";
        let mut statement = connection.prepare(query).unwrap();
        let page = |row: &rusqlite::Row<'_>| {
            let number = row.get::<_, i64>(1)?.unsigned_abs() as usize;
            Ok(Page {
                of: row.get(0)?,
                number,
                is_leaf: row.get(2)?,
                is_overflow: row.get(3)?,
                is_index: row.get(4)?,
            })
        };
        let pages = statement.query_map([], page).unwrap().map(Result::unwrap).collect();
        Self { bytes: std::fs::read(&path).unwrap(), pages, pictures }
    }

    fn page(&self, number: usize) -> &[u8] {
        &self.bytes[(number - 1) * PAGE..number * PAGE]
    }

    /// A page in use for which `fits` holds.
    fn pick(&self, rng: &mut Rng, fits: impl Fn(&Page) -> bool) -> usize {
        let pages: Vec<_> = self.pages.iter().filter(|page| fits(page)).collect();
        pages[rng.below(pages.len() as u64) as usize].number
    }

    /// The position in the file of a byte of a row or an index entry.
    fn place_in_cell(&self, rng: &mut Rng, fits: impl Fn(&Page) -> bool) -> usize {
        loop {
            let number = self.pick(rng, |page| page.is_leaf && fits(page));
            let cells = cells(self.page(number));
            if cells.is_empty() {
                continue;
            }
            let cell = &cells[rng.below(cells.len() as u64) as usize];
            return (number - 1) * PAGE + cell.start + rng.below(cell.len() as u64) as usize;
        }
    }

    /// The position in the file of a byte of a picture, in its own pages. Old bytes that a moved row left behind do not count.
    fn place_in_picture(&self, rng: &mut Rng) -> usize {
        let own: Vec<_> = self.pages.iter().filter(|page| page.of == "alert" && page.is_overflow).collect();
        loop {
            let picture = &self.pictures[rng.below(self.pictures.len() as u64) as usize];
            let at = rng.below(picture.len() as u64 - 16) as usize;
            let piece = &picture[at..at + 16];
            // A piece that continues in another page is not found.
            for page in &own {
                if let Some(found) = self.page(page.number).windows(16).position(|window| window == piece) {
                    return (page.number - 1) * PAGE + found;
                }
            }
        }
    }

    /// The file after the damage; `None` for the database of another program.
    fn harmed(&self, harm: FileDamage, rng: &mut Rng) -> Option<Vec<u8>> {
        let mut bytes = self.bytes.clone();
        let flip = |bytes: &mut Vec<u8>, at: usize, rng: &mut Rng| bytes[at] ^= 1 << rng.below(8);
        match harm {
            FileDamage::Noise | FileDamage::Zeros => {
                let end = self.pick(rng, |_| true) * PAGE;
                let noise = |_: &u8| if matches!(harm, FileDamage::Zeros) { 0 } else { rng.below(256) as u8 };
                let new: Vec<_> = bytes[end - PAGE..end].iter().map(noise).collect();
                bytes[end - PAGE..end].copy_from_slice(&new);
            }
            FileDamage::Truncated => bytes.truncate(512 + rng.below(bytes.len() as u64 - 512) as usize),
            FileDamage::RowBit => {
                let at = self.place_in_cell(rng, |page| COVERED.contains(&page.of.as_str()));
                flip(&mut bytes, at, rng);
            }
            FileDamage::IndexBit => {
                let at = self.place_in_cell(rng, |page| page.is_index);
                flip(&mut bytes, at, rng);
            }
            FileDamage::PictureBit => {
                let at = self.place_in_picture(rng);
                flip(&mut bytes, at, rng);
            }
            // `user_version` of the database header.
            FileDamage::Newer => bytes[60..64].copy_from_slice(&(90 + rng.below(9) as u32).to_be_bytes()),
            FileDamage::Text => bytes = b"Dear harbour master,\n".repeat(1 + rng.below(500) as usize),
            FileDamage::Foreign => return None,
        }
        Some(bytes)
    }
}

/// The byte ranges of rows or index entries that are completely in a leaf page (SQLite, "Database File Format", 1.6).
fn cells(page: &[u8]) -> Vec<Range<usize>> {
    let header = if page.starts_with(b"SQLite format 3\0") { 100 } else { 0 };
    let two = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
    let is_table = match page[header] {
        0x0D => true,
        0x0A => false,
        other => panic!("not a leaf page: {other:#x}"),
    };
    let most = if is_table { PAGE - 35 } else { (PAGE - 12) * 64 / 255 - 23 };
    let cell = |number: usize| {
        let start = two(header + 8 + 2 * number);
        let (payload, mut length) = varint(&page[start..]);
        if is_table {
            length += varint(&page[start + length..]).1;
        }
        (payload <= most).then(|| start..start + length + payload)
    };
    (0..two(header + 3)).filter_map(cell).collect()
}

/// A number of one to nine bytes, and its length.
fn varint(bytes: &[u8]) -> (usize, usize) {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(8).enumerate() {
        value = value << 7 | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return (value, place + 1);
        }
    }
    (value << 8 | usize::from(bytes[8]), 9)
}

/// Writes the damaged file, or the database of another program.
fn put(path: &Path, bytes: Option<&[u8]>) -> Vec<u8> {
    std::fs::remove_file(path).ok();
    match bytes {
        Some(bytes) => std::fs::write(path, bytes).unwrap(),
        None => Connection::open(path)
            .unwrap()
            .execute_batch("PRAGMA application_id = 7; CREATE TABLE shopping (item); INSERT INTO shopping VALUES ('milk')")
            .unwrap(),
    }
    std::fs::read(path).unwrap()
}

/// Exit code and output of the program.
pub(crate) fn ask(words: &[&str], path: &Path) -> (Option<i32>, String) {
    let output = Command::new(havenwacht()).args(words).arg(path).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.code(), said)
}

#[test]
fn a_check_finds_and_names_every_damage() {
    let folder = tempfile::tempdir().unwrap();
    let logbook = SoundLogbook::write(folder.path(), 60, true);
    let path = folder.path().join("logbook.sqlite");
    put(&path, Some(&logbook.bytes));
    let check = ["logbook", "check", "--logbook"];
    let (code, said) = ask(&check, &path);
    assert_eq!(code, Some(0), "sound before: {said}");
    let runs = rounds(27, 504);
    let (mut missed, mut unnamed, mut changed, mut slowest) = (0, 0, 0, Duration::ZERO);
    for run in 0..runs {
        let mut rng = Rng::new(run as u64);
        let harm = DAMAGES[run % DAMAGES.len()];
        let harmed = logbook.harmed(harm, &mut rng);
        let before = put(&path, harmed.as_deref());
        let began = now();
        let (code, said) = ask(&check, &path);
        slowest = slowest.max(began.elapsed());
        let wanted = match harm {
            FileDamage::Newer => "written by a later version",
            FileDamage::Foreign | FileDamage::Text => "is not a Havenwacht logbook",
            // Without its first page the file cannot be recognised as a logbook.
            _ if said.contains("is not a Havenwacht logbook") && !before[..72].ends_with(b"HAVW") => "is not",
            _ if said.contains("fault: ") => "fault: ",
            _ => "is damaged: ",
        };
        let differs =
            || (before != logbook.bytes).then(|| before.iter().zip(&logbook.bytes).position(|(a, b)| a != b));
        if code == Some(0) {
            missed += 1;
            println!("run {run}, {harm:?} at {:?} was not found", differs());
        } else if code != Some(65) || !said.contains(wanted) {
            unnamed += 1;
            println!("run {run}, {harm:?} at {:?}: exit {code:?}, wanted `{wanted}`: {said}", differs());
        }
        changed += usize::from(std::fs::read(&path).unwrap() != before);
    }
    Row::new(11, "damaged logbook: found by logbook check", runs)
        .detected(slowest, Duration::from_secs(5))
        .at_most("damage not found", missed as f64, "", 0.0)
        .at_most("without exit 65 and reason", unnamed as f64, "", 0.0)
        .at_most("files changed", changed as f64, "", 0.0)
        .record();
}

/// The logbooks in quarantine.
fn quarantined(logbook: &Path) -> Vec<PathBuf> {
    let begins = format!("{}.damaged-2", logbook.file_name().unwrap().display());
    let files = std::fs::read_dir(logbook.parent().unwrap()).unwrap().map(|file| file.unwrap());
    let files = files.filter(|file| {
        let name = file.file_name().into_string().unwrap();
        name.starts_with(&begins) && !name.ends_with("-wal") && !name.ends_with("-shm")
    });
    files.map(|file| file.path()).collect()
}

#[test]
fn damage_is_quarantined_and_foreign_files_are_left_alone() {
    let mut system = TestSystem::small(&["quay-east"], "");
    let logbook = SoundLogbook::write(system.work.path(), 20, false);
    let path = system.ports.logbook.clone();
    let runs = rounds(2, 40);
    let (mut not_whole, mut not_sound, mut slowest) = (0, 0, Duration::ZERO);
    for run in 0..runs {
        let mut rng = Rng::new(run as u64);
        let bytes = if run % 2 == 0 {
            // A start checks every page. Without the first it would not recognise the file.
            let mut bytes = logbook.bytes.clone();
            let end = logbook.pick(&mut rng, |page| page.number > 1) * PAGE;
            bytes[end - PAGE..end].iter_mut().for_each(|byte| *byte = rng.below(256) as u8);
            bytes
        } else {
            let whole = logbook.bytes.len() as u64;
            logbook.bytes[..(PAGE as u64 + rng.below(whole - PAGE as u64)) as usize].to_vec()
        };
        let before = put(&path, Some(&bytes));
        let began = now();
        system.start_daemon();
        slowest = slowest.max(began.elapsed());
        let problem = system.health().unwrap().logbook.problem.unwrap_or_default();
        assert!(problem.contains("was damaged"), "run {run}: {problem}");
        system.wait_until_streaming();
        assert!(system.daemon.take().unwrap().stop(Duration::from_secs(15)));
        let kept = quarantined(&path);
        not_whole += usize::from(kept.len() != 1 || std::fs::read(&kept[0]).unwrap() != before);
        let (code, said) = ask(&["logbook", "check", "--logbook"], &path);
        if code != Some(0) {
            not_sound += 1;
            println!("run {run}: {said}");
        }
        kept.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
    Row::new(11, "damaged logbook: put in quarantine, the daemon continues", runs)
        .recovered(slowest, Duration::from_secs(10))
        .at_most("not kept whole", not_whole as f64, "", 0.0)
        .at_most("new logbooks not in order", not_sound as f64, "", 0.0)
        .record();

    let strangers = [FileDamage::Newer, FileDamage::Foreign, FileDamage::Text];
    let (mut unnamed, mut changed) = (0, 0);
    for harm in strangers {
        let harmed = logbook.harmed(harm, &mut Rng::new(1));
        // Without the files that show that a logbook was here.
        std::fs::remove_file(format!("{}.reserve", path.display())).ok();
        let before = put(&path, harmed.as_deref());
        let (code, said) = ask(&["run", "--config"], &system.site);
        let word =
            if matches!(harm, FileDamage::Newer) { "later version" } else { "is not a Havenwacht logbook" };
        if code != Some(78) || !said.contains(word) {
            unnamed += 1;
            println!("{harm:?}: exit {code:?}, {said}");
        }
        changed += usize::from(std::fs::read(&path).unwrap() != before || !quarantined(&path).is_empty());
    }
    Row::new(11, "newer logbook, or another program's file: refused", strangers.len())
        .at_most("without exit 78 and reason", unnamed as f64, "", 0.0)
        .at_most("files changed", changed as f64, "", 0.0)
        .record();
}
