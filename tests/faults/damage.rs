//! Logbooks that disks and people damage: found by `logbook check`, moved aside by `run`, refused where they are not ours.
//!
//! What counts as damage is a changed byte that says something: of a page in use, and there of a row or an index entry, never of
//! the room between them. Single bits are changed in tables of which every column is linked or sealed; what staff and watch
//! change later (that an alert was delivered, where a track is now) no digest can hold.

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

/// Tables whose every column is held by a digest.
const HELD: [&str; 5] = ["pass", "detection", "seal", "link", "signal_step"];

/// A whole logbook, and what stands where in it.
struct Logbook {
    bytes: Vec<u8>,
    /// Pages in use.
    pages: Vec<Page>,
    /// Of alerts, large enough that they have pages of their own.
    pictures: Vec<Vec<u8>>,
}

struct Page {
    /// Table or index.
    of: String,
    number: usize,
    is_leaf: bool,
    /// What is too long for a row's own page goes on here.
    is_overflow: bool,
    is_index: bool,
}

/// What is done to the file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    /// A page in use is noise.
    Noise,
    /// A page in use is empty.
    Zeros,
    /// The file ends early, as on a disk that lost its end.
    Truncated,
    /// One bit of a row.
    RowBit,
    /// One bit of an entry of an index.
    IndexBit,
    /// One bit of a picture.
    PictureBit,
    /// The header says that a later version wrote it.
    Newer,
    /// A database of another program.
    Foreign,
    /// No database.
    Text,
}

const HARMS: [Harm; 9] = [
    Harm::Noise,
    Harm::Zeros,
    Harm::Truncated,
    Harm::RowBit,
    Harm::IndexBit,
    Harm::PictureBit,
    Harm::Newer,
    Harm::Foreign,
    Harm::Text,
];

impl Logbook {
    /// Alerts with pictures, looks before each; closed in order or cut off.
    fn write(folder: &Path, alerts: u64, in_order: bool) -> Self {
        let path = folder.join("whole.sqlite");
        let (writer, logbook) = alert_source::open(&path);
        let site = alert_source::site(folder, 9);
        let mut rng = Rng::new(11);
        let pictures: Vec<_> =
            (0..alerts).map(|_| (0..9000).map(|_| rng.below(256) as u8).collect::<Vec<_>>()).collect();
        for (number, picture) in (0..).zip(&pictures) {
            (0..20).for_each(|look| logbook.send(alert_source::pass_entry(number * 20 + look)).unwrap());
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

    /// Where in the file a byte of a row, or of an entry of an index, stands.
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

    /// Where in the file a byte of a picture stands: in the pages that it has to itself. What a row that moved left behind in its
    /// old page says nothing.
    fn place_in_picture(&self, rng: &mut Rng) -> usize {
        let own: Vec<_> = self.pages.iter().filter(|page| page.of == "alert" && page.is_overflow).collect();
        loop {
            let picture = &self.pictures[rng.below(self.pictures.len() as u64) as usize];
            let at = rng.below(picture.len() as u64 - 16) as usize;
            let piece = &picture[at..at + 16];
            // A piece that goes on in another page stands nowhere.
            for page in &own {
                if let Some(found) = self.page(page.number).windows(16).position(|window| window == piece) {
                    return (page.number - 1) * PAGE + found;
                }
            }
        }
    }

    /// The file after `harm`; `None` where it is another file altogether.
    fn harmed(&self, harm: Harm, rng: &mut Rng) -> Option<Vec<u8>> {
        let mut bytes = self.bytes.clone();
        let flip = |bytes: &mut Vec<u8>, at: usize, rng: &mut Rng| bytes[at] ^= 1 << rng.below(8);
        match harm {
            Harm::Noise | Harm::Zeros => {
                let end = self.pick(rng, |_| true) * PAGE;
                let noise = |_: &u8| if matches!(harm, Harm::Zeros) { 0 } else { rng.below(256) as u8 };
                let new: Vec<_> = bytes[end - PAGE..end].iter().map(noise).collect();
                bytes[end - PAGE..end].copy_from_slice(&new);
            }
            Harm::Truncated => bytes.truncate(512 + rng.below(bytes.len() as u64 - 512) as usize),
            Harm::RowBit => {
                let at = self.place_in_cell(rng, |page| HELD.contains(&page.of.as_str()));
                flip(&mut bytes, at, rng);
            }
            Harm::IndexBit => {
                let at = self.place_in_cell(rng, |page| page.is_index);
                flip(&mut bytes, at, rng);
            }
            Harm::PictureBit => {
                let at = self.place_in_picture(rng);
                flip(&mut bytes, at, rng);
            }
            // `user_version` of the database header.
            Harm::Newer => bytes[60..64].copy_from_slice(&(90 + rng.below(9) as u32).to_be_bytes()),
            Harm::Text => bytes = b"Dear harbour master,\n".repeat(1 + rng.below(500) as usize),
            Harm::Foreign => return None,
        }
        Some(bytes)
    }
}

/// The rows of a leaf page, or the entries of an index's, that stand in it as a whole: where their bytes are. By SQLite's "Database
/// File Format", 1.6.
fn cells(page: &[u8]) -> Vec<Range<usize>> {
    let header = if page.starts_with(b"SQLite format 3\0") { 100 } else { 0 };
    let two = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
    let is_table = match page[header] {
        0x0D => true,
        0x0A => false,
        other => panic!("no leaf page: {other:#x}"),
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

/// A number of up to nine bytes, and how many they are.
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

/// Writes a damaged file, or another program's.
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

/// The program's answer: exit code, and all it said.
pub(crate) fn ask(words: &[&str], path: &Path) -> (Option<i32>, String) {
    let output = Command::new(havenwacht()).args(words).arg(path).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.code(), said)
}

#[test]
fn a_check_finds_every_damage_names_it_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let logbook = Logbook::write(folder.path(), 60, true);
    let path = folder.path().join("logbook.sqlite");
    put(&path, Some(&logbook.bytes));
    let check = ["logbook", "check", "--logbook"];
    let (code, said) = ask(&check, &path);
    assert_eq!(code, Some(0), "whole before: {said}");
    let runs = rounds(27, 504);
    let (mut missed, mut unnamed, mut changed, mut slowest) = (0, 0, 0, Duration::ZERO);
    for run in 0..runs {
        let mut rng = Rng::new(run as u64);
        let harm = HARMS[run % HARMS.len()];
        let harmed = logbook.harmed(harm, &mut rng);
        let before = put(&path, harmed.as_deref());
        let began = now();
        let (code, said) = ask(&check, &path);
        slowest = slowest.max(began.elapsed());
        let wanted = match harm {
            Harm::Newer => "written by a later version",
            Harm::Foreign | Harm::Text => "is not a Havenwacht logbook",
            // The first page may have gone, and with it all that says whose file it was.
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

/// What lies beside the logbook under the name of a damaged one.
fn aside(logbook: &Path) -> Vec<PathBuf> {
    let begins = format!("{}.damaged-2", logbook.file_name().unwrap().display());
    let files = std::fs::read_dir(logbook.parent().unwrap()).unwrap().map(|file| file.unwrap());
    let files = files.filter(|file| {
        let name = file.file_name().into_string().unwrap();
        name.starts_with(&begins) && !name.ends_with("-wal") && !name.ends_with("-shm")
    });
    files.map(|file| file.path()).collect()
}

#[test]
fn a_watch_moves_a_damaged_logbook_aside_whole_and_goes_on_and_leaves_what_is_not_its_own_alone() {
    let mut system = TestSystem::small(&["quay-east"], "");
    let logbook = Logbook::write(system.work.path(), 20, false);
    let path = system.ports.logbook.clone();
    let runs = rounds(2, 40);
    let (mut not_whole, mut not_sound, mut slowest) = (0, 0, Duration::ZERO);
    for run in 0..runs {
        let mut rng = Rng::new(run as u64);
        let bytes = if run % 2 == 0 {
            // What a start looks at is every page; without the first it would not know whose file it is.
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
        let kept = aside(&path);
        not_whole += usize::from(kept.len() != 1 || std::fs::read(&kept[0]).unwrap() != before);
        let (code, said) = ask(&["logbook", "check", "--logbook"], &path);
        if code != Some(0) {
            not_sound += 1;
            println!("run {run}: {said}");
        }
        kept.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
    Row::new(11, "damaged logbook: moved aside, the watch goes on", runs)
        .recovered(slowest, Duration::from_secs(10))
        .at_most("not kept whole", not_whole as f64, "", 0.0)
        .at_most("new logbooks not in order", not_sound as f64, "", 0.0)
        .record();

    let strangers = [Harm::Newer, Harm::Foreign, Harm::Text];
    let (mut told_badly, mut changed) = (0, 0);
    for harm in strangers {
        let harmed = logbook.harmed(harm, &mut Rng::new(1));
        // Without what tells that a logbook stood here.
        std::fs::remove_file(format!("{}.reserve", path.display())).ok();
        let before = put(&path, harmed.as_deref());
        let (code, said) = ask(&["run", "--config"], &system.site);
        let word = if matches!(harm, Harm::Newer) { "later version" } else { "is not a Havenwacht logbook" };
        if code != Some(78) || !said.contains(word) {
            told_badly += 1;
            println!("{harm:?}: exit {code:?}, {said}");
        }
        changed += usize::from(std::fs::read(&path).unwrap() != before || !aside(&path).is_empty());
    }
    Row::new(11, "newer logbook, or another program's file: refused", strangers.len())
        .at_most("without exit 78 and reason", told_badly as f64, "", 0.0)
        .at_most("files changed", changed as f64, "", 0.0)
        .record();
}
