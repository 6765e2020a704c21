//! What sight promises, on drawn pictures with a live sensor's noise.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use test_support::Rng;

use super::{Cause, Change, End, Sight};
use crate::clock::{MonoTime, Stamp};
use crate::frame::{Colorimetry, Picture, PixelFormat, Plane, Thumbnail};
use crate::geometry::FrameSize;

const SIZE: FrameSize = FrameSize { width: 288, height: 162 };
/// Places of what is shown are drawn as on a picture of 480 x 270.
const DRAWN: i32 = 480;
/// Looks a second; frames are numbered as if five times as many came.
const LOOKS: f64 = 2.0;

/// A number from 0 to 1 that depends on `seed` alone.
fn hash(seed: u64) -> f32 {
    Rng::new(seed).unit_f32()
}

/// The luma of a quay with houses over water that moves, at a place of the picture.
fn harbour(x: i32, y: i32, look: u64) -> f32 {
    if y < 130 {
        return 50.0 + 150.0 * hash((x.div_euclid(17) as u64) << 20 ^ y.div_euclid(13) as u64);
    }
    90.0 + 20.0 * ((x as f32 / 9.0 + look as f32).sin() * (y as f32 / 5.0 - 1.7 * look as f32).cos())
}

/// A picture of that luma, with a level of noise that differs from look to look.
fn shown(look: u64, luma: impl Fn(i32, i32) -> f32) -> Picture {
    let (w, h) = (SIZE.width as usize, SIZE.height as usize);
    let drawn = |place: usize| place as i32 * DRAWN / SIZE.width as i32;
    let noisy = |i: usize| {
        let noise = 2.0 * (hash(look << 32 | i as u64) - 0.5);
        (luma(drawn(i % w), drawn(i / w)) + noise).clamp(16.0, 235.0) as u8
    };
    let mut data: Vec<u8> = (0..w * h).map(noisy).collect();
    data.resize(w * h * 3 / 2, 128);
    let plane = |offset, stride| Plane { offset, stride };
    let planes = [plane(0, w), plane(w * h, w / 2), plane(w * h * 5 / 4, w / 2)];
    let colours = Colorimetry { bt709: true, full_range: false };
    Picture::new(PixelFormat::I420, SIZE, colours, planes, Bytes::from(data)).unwrap()
}

fn stamp(seconds: f64) -> Stamp {
    let since = Duration::from_secs_f64(seconds);
    let wall: jiff::Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    Stamp { mono: MonoTime::from_boot(Duration::from_secs(100) + since), wall: wall + since }
}

fn sight() -> Sight {
    Sight::new(2.0, Duration::from_secs(5))
}

/// What is told of so many seconds of pictures: cause, and seconds of beginning and end.
fn told(sight: &mut Sight, seconds: f64, picture: impl Fn(f64, u64) -> Picture) -> Vec<Change> {
    let looks = (seconds * LOOKS) as u64;
    let look = |n: u64| {
        let at = n as f64 / LOOKS;
        let picture = picture(at, n);
        sight.look(&picture, &Thumbnail::of(&picture), n * 5, stamp(at))
    };
    (0..looks).flat_map(look).collect()
}

/// Cause, second of its first look, of its end, and how it ended.
type Spell = (Cause, f64, Option<(f64, End)>);

fn spells(changes: &[Change]) -> Vec<Spell> {
    let second = |at: Stamp| at.mono.since(stamp(0.0).mono).as_secs_f64();
    let mut spells: Vec<Spell> = Vec::new();
    for change in changes {
        match change {
            Change::Began(outage) => spells.push((outage.cause, second(outage.began), None)),
            Change::Ended(_, at, how) => spells.last_mut().unwrap().2 = Some((second(*at), *how)),
        }
    }
    spells
}

/// Good for 30 s, bad for `bad_s`, good again to the end.
fn faulty(bad_s: f64, total_s: f64, fault: impl Fn(i32, i32, u64) -> f32) -> Vec<Spell> {
    let mut sight = sight();
    let changes = told(&mut sight, total_s, |at, look| {
        let bad = (30.0..30.0 + bad_s).contains(&at);
        shown(look, |x, y| if bad { fault(x, y, look) } else { harbour(x, y, look) })
    });
    spells(&changes)
}

#[test]
fn each_cause_begins_with_its_first_look_and_ends_when_the_camera_sees() {
    let seen = |cause, ended| vec![(cause, 30.0, Some((ended, End::Seen)))];
    assert_eq!(faulty(20.0, 60.0, |_, _, _| 18.0), seen(Cause::Black, 53.0));
    assert_eq!(
        faulty(20.0, 60.0, |x, y, look| harbour(x, y, look) * 0.3 + 220.0),
        seen(Cause::WashedOut, 55.0)
    );
    assert_eq!(faulty(30.0, 75.0, |x, y, look| harbour(x, y, look) * 0.01 + 140.0), seen(Cause::Fog, 70.0));
    // A twelfth of the picture's width.
    let shifted = |x, y, look| if y < 130 { harbour(x - 40, y, look) } else { harbour(x, y, look) };
    assert_eq!(faulty(20.0, 65.0, shifted), seen(Cause::Moved, 60.0));
    let blurred = |x: i32, y, look| (-16..=16).map(|off| harbour(x + off, y, look)).sum::<f32>() / 33.0;
    assert_eq!(faulty(20.0, 65.0, blurred), seen(Cause::OutOfFocus, 60.0));
}

#[test]
fn a_frozen_picture_is_found_though_its_clock_goes_on_and_a_live_one_of_still_things_is_not() {
    let clock = |x: i32, y: i32, look: u64| {
        let digit = (440..470).contains(&x) && (4..16).contains(&y);
        if digit { 40.0 + 190.0 * hash(look ^ (x / 4) as u64) } else { harbour(x, y, 7) }
    };
    let frozen = |at: f64, look: u64| {
        shown(if (30.0..60.0).contains(&at) { 7 } else { look }, |x, y| clock(x, y, look))
    };
    let changes = told(&mut sight(), 70.0, frozen);
    // Nothing moves when it is live again; noise alone tells.
    assert_eq!(spells(&changes), [(Cause::Frozen, 30.0, Some((65.0, End::Seen)))]);
    // Only noise tells it from a frozen one.
    let still = told(&mut sight(), 70.0, |_, look| shown(look, |x, y| harbour(x, y, 7)));
    assert_eq!(spells(&still), []);
}

#[test]
fn what_is_short_or_covers_a_part_only_is_no_blind_spell() {
    assert_eq!(faulty(4.0, 50.0, |_, _, _| 18.0), [], "black for a moment");
    assert_eq!(faulty(8.0, 50.0, |_, _, _| 235.0), [], "the sun passes");
    assert_eq!(faulty(8.0, 50.0, |x, y, look| harbour(x - 40, y, look)), [], "a knock that springs back");
    let ship = |x: i32, y: i32, look: u64| {
        if x < 380 { 60.0 + 40.0 * hash((x / 31) as u64) } else { harbour(x, y, look) }
    };
    assert_eq!(faulty(90.0, 150.0, ship), [], "a ship hides four fifths of the picture");
    let shaking = |x: i32, y: i32, look: u64| harbour(x + (4.0 * (look as f32 * 1.9).sin()) as i32, y, look);
    assert_eq!(faulty(90.0, 150.0, shaking), [], "the mast shakes");
}

#[test]
fn a_view_that_is_nowhere_is_told_of_after_a_minute() {
    let elsewhere = |x: i32, y: i32, look: u64| harbour(x + 7919, y - 3571 * i32::from(y < 130), look);
    let spells = faulty(90.0, 150.0, elsewhere);
    assert_eq!(spells, [(Cause::Moved, 30.0, Some((130.0, End::Seen)))]);
}

#[test]
fn a_moved_camera_stays_blind_and_its_view_is_not_learnt() {
    let spells = faulty(
        1000.0,
        200.0,
        |x, y, look| if y < 130 { harbour(x - 40, y, look) } else { harbour(x, y, look) },
    );
    assert_eq!(spells, [(Cause::Moved, 30.0, None)]);
}

#[test]
fn too_few_pictures_are_found_by_their_numbers_and_none_at_all_by_time() {
    let mut sight = Sight::new(4.0, Duration::from_secs(5));
    let mut changes = Vec::new();
    let mut look = |seq: u64, at: f64, changes: &mut Vec<Change>| {
        let picture = shown(seq, |x, y| harbour(x, y, seq));
        changes.extend(sight.look(&picture, &Thumbnail::of(&picture), seq, stamp(at)));
    };
    // 25 a second, then one a second, then 25 again, then nothing for 20 s.
    (0..120).for_each(|n| look(n * 6, n as f64 / 4.0, &mut changes));
    (0..30).for_each(|n| look(720 + n, 30.0 + n as f64, &mut changes));
    (0..120).for_each(|n| look(750 + n * 6, 60.0 + n as f64 / 4.0, &mut changes));
    let newest = stamp(89.75);
    changes.extend(sight.wait(Some(newest), stamp(94.0)));
    changes.extend(sight.wait(Some(newest), stamp(95.0)));
    changes.extend(sight.wait(Some(newest), stamp(99.0)));
    let picture = shown(1, |x, y| harbour(x, y, 1));
    changes.extend(sight.look(&picture, &Thumbnail::of(&picture), 1500, stamp(110.0)));
    let spells = spells(&changes);
    let [(Cause::Slow, began, Some((ended, End::Seen))), away] = spells.as_slice() else {
        panic!("{spells:?}")
    };
    assert!((25.0..=31.0).contains(began) && (60.0..80.0).contains(ended), "{spells:?}");
    assert_eq!(*away, (Cause::Away, 89.75, Some((110.0, End::Seen))));
}

#[test]
fn a_hole_in_a_recording_is_a_spell_and_a_camera_that_never_came_is_away_from_the_start() {
    let mut sight = sight();
    let mut changes = told(&mut sight, 5.0, |_, look| shown(look, |x, y| harbour(x, y, look)));
    let picture = shown(1, |x, y| harbour(x, y, 1));
    changes.extend(sight.look(&picture, &Thumbnail::of(&picture), 46, stamp(60.0)));
    assert_eq!(spells(&changes), [(Cause::Away, 4.5, Some((60.0, End::Seen)))]);
    let mut never = Sight::new(4.0, Duration::from_secs(5));
    assert_eq!(never.wait(None, stamp(1.0)), []);
    assert_eq!(spells(&never.wait(None, stamp(6.0))), [(Cause::Away, 1.0, None)]);
    assert!(matches!(never.stop(stamp(9.0)), Some(Change::Ended(_, at, End::Stop)) if at == stamp(9.0)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever comes: spells follow one another, each begins before it ends, none overlaps, and at the end none is left.
    #[test]
    fn spells_never_overlap_and_each_has_one_beginning_and_one_end(
        steps in prop::collection::vec((0u64..6, 1u32..40, 0.1f64..4.0), 1..40)
    ) {
        let mut sight = sight();
        let (mut at, mut seq, mut changes) = (0.0, 0, Vec::new());
        for (kind, times, apart) in steps {
            for _ in 0..times.min(6) {
                at += apart;
                seq += 1 + kind;
                let luma = |x: i32, y: i32| match kind {
                    0 => 17.0,
                    1 => 235.0,
                    2 => 120.0,
                    3 => harbour(x + 60, y, seq),
                    _ => harbour(x, y, seq),
                };
                if kind == 5 {
                    changes.extend(sight.wait(Some(stamp(at - apart)), stamp(at + 9.0)));
                    at += 9.0;
                    continue;
                }
                let picture = shown(if kind == 4 { 1 } else { seq }, luma);
                changes.extend(sight.look(&picture, &Thumbnail::of(&picture), seq, stamp(at)));
            }
        }
        changes.extend(sight.stop(stamp(at)));
        prop_assert!(sight.outage().is_none());
        let mut open: Option<super::Outage> = None;
        let mut last = stamp(0.0).mono;
        for change in changes {
            match change {
                Change::Began(outage) => {
                    prop_assert!(open.is_none() && outage.began.mono >= last, "{outage:?}");
                    last = outage.began.mono;
                    open = Some(outage);
                }
                Change::Ended(outage, at, _) => {
                    prop_assert_eq!(open.take(), Some(outage));
                    prop_assert!(at.mono >= last);
                    last = at.mono;
                }
            }
        }
        prop_assert!(open.is_none());
    }
}
