//! Drawn pictures with a live sensor's noise, and what the monitor finds in them.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use test_support::Rng;

use super::{Cause, HealthMonitor, OutageChange, OutageEnd};
use crate::clock::{MonoTime, Stamp};
use crate::frame::{Colorimetry, Picture, PixelFormat, Plane, Thumbnail};
use crate::geometry::FrameSize;

const SIZE: FrameSize = FrameSize { width: 288, height: 162 };
/// Pictures are drawn in coordinates of 480 x 270.
const DRAWN: i32 = 480;
/// Inspected frames a second; frames are numbered as if five times as many arrived.
const DETECT_FPS: f64 = 2.0;

/// A number from 0 to 1 that depends on `seed` alone.
fn hash(seed: u64) -> f32 {
    Rng::new(seed).unit_f32()
}

/// Luma of a quay with houses above moving water.
fn scene(x: i32, y: i32, frame: u64) -> f32 {
    if y < 130 {
        return 50.0 + 150.0 * hash((x.div_euclid(17) as u64) << 20 ^ y.div_euclid(13) as u64);
    }
    90.0 + 20.0 * ((x as f32 / 9.0 + frame as f32).sin() * (y as f32 / 5.0 - 1.7 * frame as f32).cos())
}

/// A picture of that luma, with noise of one level that differs from frame to frame.
fn shown(frame: u64, luma: impl Fn(i32, i32) -> f32) -> Picture {
    let (w, h) = (SIZE.width as usize, SIZE.height as usize);
    let drawn = |place: usize| place as i32 * DRAWN / SIZE.width as i32;
    let noisy = |i: usize| {
        let noise = 2.0 * (hash(frame << 32 | i as u64) - 0.5);
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

fn monitor() -> HealthMonitor {
    HealthMonitor::new(2.0, Duration::from_secs(5))
}

/// What is reported of this many seconds of pictures.
fn inspected(
    monitor: &mut HealthMonitor,
    seconds: f64,
    picture: impl Fn(f64, u64) -> Picture,
) -> Vec<OutageChange> {
    let frames = (seconds * DETECT_FPS) as u64;
    let frame = |n: u64| {
        let at = n as f64 / DETECT_FPS;
        let picture = picture(at, n);
        monitor.inspect(&picture, &Thumbnail::of(&picture), n * 5, stamp(at))
    };
    (0..frames).flat_map(frame).collect()
}

/// Cause, second of its first frame, second of its end, and how it ended.
type Found = (Cause, f64, Option<(f64, OutageEnd)>);

fn outages(changes: &[OutageChange]) -> Vec<Found> {
    let second = |at: Stamp| at.mono.since(stamp(0.0).mono).as_secs_f64();
    let mut outages: Vec<Found> = Vec::new();
    for change in changes {
        match change {
            OutageChange::Began(outage) => outages.push((outage.cause, second(outage.began), None)),
            OutageChange::Ended(_, at, how) => outages.last_mut().unwrap().2 = Some((second(*at), *how)),
        }
    }
    outages
}

/// Good for 30 s, bad for `bad_s`, good again to the end.
fn faulty(bad_s: f64, total_s: f64, fault: impl Fn(i32, i32, u64) -> f32) -> Vec<Found> {
    let mut monitor = monitor();
    let changes = inspected(&mut monitor, total_s, |at, frame| {
        let bad = (30.0..30.0 + bad_s).contains(&at);
        shown(frame, |x, y| if bad { fault(x, y, frame) } else { scene(x, y, frame) })
    });
    outages(&changes)
}

#[test]
fn an_outage_lasts_from_its_first_frame_to_recovery() {
    let recovered = |cause, ended| vec![(cause, 30.0, Some((ended, OutageEnd::Recovered)))];
    assert_eq!(faulty(20.0, 60.0, |_, _, _| 18.0), recovered(Cause::Black, 53.0));
    assert_eq!(
        faulty(20.0, 60.0, |x, y, frame| scene(x, y, frame) * 0.3 + 220.0),
        recovered(Cause::Overexposed, 55.0)
    );
    assert_eq!(
        faulty(30.0, 75.0, |x, y, frame| scene(x, y, frame) * 0.01 + 140.0),
        recovered(Cause::LowContrast, 70.0)
    );
    // A twelfth of the picture's width.
    let shifted = |x, y, frame| if y < 130 { scene(x - 40, y, frame) } else { scene(x, y, frame) };
    assert_eq!(faulty(20.0, 65.0, shifted), recovered(Cause::SceneChange, 60.0));
    let blurred = |x: i32, y, frame| (-16..=16).map(|off| scene(x + off, y, frame)).sum::<f32>() / 33.0;
    assert_eq!(faulty(20.0, 65.0, blurred), recovered(Cause::Defocused, 60.0));
}

#[test]
fn a_frozen_picture_is_found_by_its_missing_noise() {
    let clock = |x: i32, y: i32, frame: u64| {
        let digit = (440..470).contains(&x) && (4..16).contains(&y);
        if digit { 40.0 + 190.0 * hash(frame ^ (x / 4) as u64) } else { scene(x, y, 7) }
    };
    let frozen = |at: f64, frame: u64| {
        shown(if (30.0..60.0).contains(&at) { 7 } else { frame }, |x, y| clock(x, y, frame))
    };
    let changes = inspected(&mut monitor(), 70.0, frozen);
    // Nothing moves when it is live again; noise alone tells.
    assert_eq!(outages(&changes), [(Cause::Frozen, 30.0, Some((65.0, OutageEnd::Recovered)))]);
    // Only noise tells it from a frozen one.
    let still = inspected(&mut monitor(), 70.0, |_, frame| shown(frame, |x, y| scene(x, y, 7)));
    assert_eq!(outages(&still), []);
}

#[test]
fn a_short_or_partial_fault_is_not_an_outage() {
    assert_eq!(faulty(4.0, 50.0, |_, _, _| 18.0), [], "black for a moment");
    assert_eq!(faulty(8.0, 50.0, |_, _, _| 235.0), [], "the sun passes");
    assert_eq!(
        faulty(8.0, 50.0, |x, y, frame| scene(x - 40, y, frame)),
        [],
        "a knock after which the scene is the same"
    );
    let ship = |x: i32, y: i32, frame: u64| {
        if x < 380 { 60.0 + 40.0 * hash((x / 31) as u64) } else { scene(x, y, frame) }
    };
    assert_eq!(faulty(90.0, 150.0, ship), [], "a ship hides four fifths of the picture");
    let shaking = |x: i32, y: i32, frame: u64| scene(x + (4.0 * (frame as f32 * 1.9).sin()) as i32, y, frame);
    assert_eq!(faulty(90.0, 150.0, shaking), [], "the mast shakes");
}

#[test]
fn a_lost_scene_is_reported_after_a_minute() {
    let elsewhere = |x: i32, y: i32, frame: u64| scene(x + 7919, y - 3571 * i32::from(y < 130), frame);
    let outages = faulty(90.0, 150.0, elsewhere);
    assert_eq!(outages, [(Cause::SceneChange, 30.0, Some((130.0, OutageEnd::Recovered)))]);
}

#[test]
fn a_changed_scene_is_not_learnt() {
    let outages = faulty(
        1000.0,
        200.0,
        |x, y, frame| if y < 130 { scene(x - 40, y, frame) } else { scene(x, y, frame) },
    );
    assert_eq!(outages, [(Cause::SceneChange, 30.0, None)]);
}

#[test]
fn low_frame_rate_and_signal_loss_are_found() {
    let mut monitor = HealthMonitor::new(4.0, Duration::from_secs(5));
    let mut changes = Vec::new();
    let mut inspect = |seq: u64, at: f64, changes: &mut Vec<OutageChange>| {
        let picture = shown(seq, |x, y| scene(x, y, seq));
        changes.extend(monitor.inspect(&picture, &Thumbnail::of(&picture), seq, stamp(at)));
    };
    // 25 a second, then one a second, then 25 again, then nothing for 20 s.
    (0..120).for_each(|n| inspect(n * 6, n as f64 / 4.0, &mut changes));
    (0..30).for_each(|n| inspect(720 + n, 30.0 + n as f64, &mut changes));
    (0..120).for_each(|n| inspect(750 + n * 6, 60.0 + n as f64 / 4.0, &mut changes));
    let newest = stamp(89.75);
    changes.extend(monitor.tick(Some(newest), stamp(94.0)));
    changes.extend(monitor.tick(Some(newest), stamp(95.0)));
    changes.extend(monitor.tick(Some(newest), stamp(99.0)));
    let picture = shown(1, |x, y| scene(x, y, 1));
    changes.extend(monitor.inspect(&picture, &Thumbnail::of(&picture), 1500, stamp(110.0)));
    let outages = outages(&changes);
    let [(Cause::LowFrameRate, began, Some((ended, OutageEnd::Recovered))), signal_loss] = outages.as_slice()
    else {
        panic!("{outages:?}")
    };
    assert!((25.0..=31.0).contains(began) && (60.0..80.0).contains(ended), "{outages:?}");
    assert_eq!(*signal_loss, (Cause::SignalLoss, 89.75, Some((110.0, OutageEnd::Recovered))));
}

#[test]
fn a_gap_or_a_missing_first_frame_is_signal_loss() {
    let mut monitor = monitor();
    let mut changes = inspected(&mut monitor, 5.0, |_, frame| shown(frame, |x, y| scene(x, y, frame)));
    let picture = shown(1, |x, y| scene(x, y, 1));
    changes.extend(monitor.inspect(&picture, &Thumbnail::of(&picture), 46, stamp(60.0)));
    assert_eq!(outages(&changes), [(Cause::SignalLoss, 4.5, Some((60.0, OutageEnd::Recovered)))]);
    let mut never = HealthMonitor::new(4.0, Duration::from_secs(5));
    assert_eq!(never.tick(None, stamp(1.0)), []);
    assert_eq!(outages(&never.tick(None, stamp(6.0))), [(Cause::SignalLoss, 1.0, None)]);
    assert!(
        matches!(never.stop(stamp(9.0)), Some(OutageChange::Ended(_, at, OutageEnd::Stop)) if at == stamp(9.0))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn outages_never_overlap_and_each_ends_once(
        steps in prop::collection::vec((0u64..6, 1u32..40, 0.1f64..4.0), 1..40)
    ) {
        let mut monitor = monitor();
        let (mut at, mut seq, mut changes) = (0.0, 0, Vec::new());
        for (kind, times, apart) in steps {
            for _ in 0..times.min(6) {
                at += apart;
                seq += 1 + kind;
                let luma = |x: i32, y: i32| match kind {
                    0 => 17.0,
                    1 => 235.0,
                    2 => 120.0,
                    3 => scene(x + 60, y, seq),
                    _ => scene(x, y, seq),
                };
                if kind == 5 {
                    changes.extend(monitor.tick(Some(stamp(at - apart)), stamp(at + 9.0)));
                    at += 9.0;
                    continue;
                }
                let picture = shown(if kind == 4 { 1 } else { seq }, luma);
                changes.extend(monitor.inspect(&picture, &Thumbnail::of(&picture), seq, stamp(at)));
            }
        }
        changes.extend(monitor.stop(stamp(at)));
        prop_assert!(monitor.outage().is_none());
        let mut open: Option<super::Outage> = None;
        let mut last = stamp(0.0).mono;
        for change in changes {
            match change {
                OutageChange::Began(outage) => {
                    prop_assert!(open.is_none() && outage.began.mono >= last, "{outage:?}");
                    last = outage.began.mono;
                    open = Some(outage);
                }
                OutageChange::Ended(outage, at, _) => {
                    prop_assert_eq!(open.take(), Some(outage));
                    prop_assert!(at.mono >= last);
                    last = at.mono;
                }
            }
        }
        prop_assert!(open.is_none());
    }
}
