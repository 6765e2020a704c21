//! A property test: any damage to the file.

use proptest::prelude::*;
use test_support::Rng;

use super::damage::{PAGE, damage, replacing};
use super::fresh;
use super::retention::sample_logbook;
use crate::logbook::testing::*;
use crate::logbook::*;

/// Damage to a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: usize, bit: u8 },
    Zero { page: usize, pages: usize },
    Garbage { page: usize, seed: u64 },
    Truncate { at: usize },
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let damage = prop_oneof![
        4 => (any::<usize>(), 0u8..8).prop_map(|(at, bit)| Damage::Flip { at, bit }),
        2 => (any::<usize>(), 1usize..4).prop_map(|(page, pages)| Damage::Zero { page, pages }),
        2 => (any::<usize>(), any::<u64>()).prop_map(|(page, seed)| Damage::Garbage { page, seed }),
        1 => any::<usize>().prop_map(|at| Damage::Truncate { at }),
    ];
    prop::collection::vec(damage, 1..6)
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match *damage {
        Damage::Flip { at, bit } => bytes[at % length] ^= 1 << bit,
        Damage::Zero { page, pages } => {
            let from = (page % length.div_ceil(PAGE)) * PAGE;
            bytes[from..(from + pages * PAGE).min(length)].fill(0);
        }
        Damage::Garbage { page, seed } => {
            let mut rng = Rng::new(seed);
            let from = (page % length.div_ceil(PAGE)) * PAGE;
            for byte in &mut bytes[from..(from + PAGE).min(length)] {
                *byte = rng.next_u64() as u8;
            }
        }
        Damage::Truncate { at } => bytes.truncate(at % length),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// After any damage a recovery ends, reports what it copied, and makes a sound logbook; and the daemon starts.
    #[test]
    fn any_damage_permits_a_start_and_a_sound_recovery(damages in damages()) {
        static WHOLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let whole = WHOLE.get_or_init(|| {
            let (_folder, path) = fresh();
            sample_logbook(&path, 800);
            damage(&path, |_| ());
            std::fs::read(&path).unwrap()
        });
        let (folder, path) = fresh();
        let mut bytes = whole.clone();
        damages.iter().for_each(|one| apply(&mut bytes, one));
        std::fs::write(&path, &bytes).unwrap();
        let to = folder.path().join("new.sqlite");
        // Without its first page nothing can be read; then no file is made.
        if let Ok(recovery) = recover(&path, &to, at(900.0).wall, |_| ()) {
            prop_assert!(recovery.report.is_sound(), "{:?}", recovery.report.faults);
            for kind in &recovery.tables {
                let there = column(&to, &format!("SELECT count(*) FROM {}", kind.table));
                let made_up = recovery.tables.iter().flat_map(|k| &k.stand_ins).filter(|s| s.starts_with(kind.table)).count();
                // Receipts, and their links, record what is missing.
                let notes = if ["receipt", "link"].contains(&kind.table) { u64::MAX } else { 0 };
                let counted = there[0].parse::<u64>().unwrap();
                prop_assert!(notes > 0 || counted <= kind.rows + made_up as u64 && counted >= kind.rows, "{kind:?} {there:?}");
                if kind.is_whole() && kind.table == "detection" && !damages.iter().any(|b| matches!(b, Damage::Flip { .. })) {
                    prop_assert_eq!(kind.rows, 1603);
                }
            }
        } else {
            prop_assert!(!to.exists());
        }
        prop_assert_eq!(&std::fs::read(&path).unwrap(), &bytes, "the damaged file is not changed");
        match Writer::open(&path, &start(), replacing()) {
            Ok((writer, sender)) => {
                sender.send(notified_signal(77, 100.0)).unwrap();
                // Damage that the start does not find is found later, and ends the writer.
                if writer.flush(SOON).is_err() {
                    drop((writer, sender));
                    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
                    sender.send(notified_signal(77, 100.0)).unwrap();
                    writer.flush(SOON).unwrap();
                }
            }
            // The header says that it is not a logbook, or of a later version: then it is not changed.
            Err(LogbookError::Foreign { .. } | LogbookError::Newer { .. }) => {
                prop_assert_eq!(&std::fs::read(&path).unwrap(), &bytes);
            }
            Err(other) => panic!("{other}"),
        }
    }
}
