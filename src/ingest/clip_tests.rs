use super::*;
use crate::clock::{Clock, MonoTime, SystemClock};
use crate::frame::Frame;
use crate::ingest::LatestFrames;
use crate::ingest::testing::make_clip;

fn start() -> Stamp {
    let mono = MonoTime::from_boot(Duration::from_secs(1000));
    Stamp { mono, wall: "2026-06-01T22:00:00Z".parse().unwrap() }
}

fn camera() -> CameraId {
    CameraId::new("replay").unwrap()
}

fn read(path: &Path) -> (Vec<Frame>, EndReason, Arc<IngestStats>) {
    let stats = Arc::new(IngestStats::default());
    let mut reader = ClipReader::open(&camera(), path, start(), Arc::clone(&stats)).unwrap();
    let mut frames = Vec::new();
    loop {
        match reader.next(Duration::from_secs(20)) {
            Next::Frame(frame) => frames.push(frame),
            Next::Quiet => panic!("nothing for 20 s after {} frames", frames.len()),
            Next::Ended(reason) => {
                drop(reader);
                return (frames, reason, stats);
            }
        }
    }
}

fn luma_sums(frames: &[Frame]) -> Vec<u64> {
    let sum = |f: &Frame| {
        (0..f.picture.size.height as usize).flat_map(|y| f.picture.row(0, y)).map(|p| u64::from(*p)).sum()
    };
    frames.iter().map(sum).collect()
}

#[test]
fn every_frame_comes_in_order_with_its_own_time() {
    for (encoder, container, name) in [
        ("x264enc bframes=2", "mp4mux", "b-frames.mp4"),
        ("x265enc", "h265parse ! matroskamux", "h265.mkv"),
        ("avenc_mpeg4", "avimux", "part2.avi"),
        ("jpegenc", "qtmux", "jpeg.mov"),
    ] {
        let (_folder, path) = make_clip(name, 30, "320x240", &format!("{encoder} ! {container}"));
        let (frames, reason, stats) = read(&path);
        assert_eq!((reason, frames.len()), (EndReason::EndOfStream, 30), "{name}");
        for (i, frame) in (0u32..).zip(&frames) {
            assert_eq!(frame.seq, u64::from(i), "{name}");
            let offset = frame.stamp.mono.since(start().mono);
            let due = Duration::from_millis(40) * i;
            assert!(offset.abs_diff(due) < Duration::from_millis(2), "{name}: frame {i} at {offset:?}");
            assert_eq!(frame.stamp.wall.duration_since(start().wall).unsigned_abs(), offset, "{name}");
            assert_eq!((frame.picture.size.width, frame.picture.size.height), (320, 240));
        }
        let sums = luma_sums(&frames);
        assert!(sums.windows(2).any(|pair| pair[0] != pair[1]), "{name}: every picture is the same");
        assert_eq!(luma_sums(&read(&path).0), sums, "{name}: a second pass gives the same pictures");
        assert_eq!(stats.received.load(Relaxed), 30);
    }
}

#[test]
fn a_recording_in_place_of_a_camera_plays_in_real_time() {
    let (_folder, path) = make_clip("paced.mp4", 20, "160x120", "x264enc ! mp4mux");
    let clock = SystemClock::default();
    let frames = Arc::new(LatestFrames::new(1));
    let stats = Arc::new(IngestStats::default());
    let begun = clock.now();
    let slot = FrameSlot::new(Arc::clone(&frames), 0);
    let mut source = ClipSource::open(&camera(), &path, begun, slot, Arc::clone(&stats)).unwrap();
    assert_eq!(source.wait_for_end(Duration::from_secs(20)), Some(EndReason::EndOfStream));
    let took = clock.mono().since(begun.mono);
    assert!(took >= Duration::from_millis(740), "20 frames at 25 a second in {took:?}");
    assert_eq!(frames.take(0).map(|frame| frame.seq), Some(19), "the newest");
    assert_eq!((stats.received.load(Relaxed), stats.dropped_overwritten.load(Relaxed)), (20, 19));
}

#[test]
fn other_pixel_formats_are_converted() {
    let (_folder, path) =
        make_clip("422.mkv", 5, "64x64", "capsfilter caps=video/x-raw,format=Y42B ! x264enc ! matroskamux");
    let (frames, reason, _) = read(&path);
    assert_eq!((frames.len(), reason), (5, EndReason::EndOfStream));
}

#[test]
fn a_file_that_is_not_a_recording_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| {
        let opened = ClipReader::open(&camera(), path, start(), Arc::default());
        opened.map(|_| ()).unwrap_err().to_string()
    };
    let garbage = folder.path().join("holiday.mp4");
    std::fs::write(&garbage, b"this is not a film at all").unwrap();
    let message = open(&garbage);
    assert!(message.contains("holiday.mp4 is not a recording") && message.contains("MP4"), "{message}");
    let message = open(&folder.path().join("absent.mp4"));
    assert!(message.contains("absent.mp4") && message.contains("No such file"), "{message}");
}

#[test]
fn a_broken_recording_says_why_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.mp4");
    std::fs::write(&broken, b"\0\0\0\x18ftypisom\0\0\0\0isomiso2 and then nothing of use").unwrap();
    let (frames, reason, _) = read(&broken);
    assert!(frames.is_empty());
    let EndReason::Failed(reason) = reason else { panic!("{reason:?}") };
    assert!(reason.contains("broken.mp4"), "{reason}");
}

#[test]
fn a_reader_dropped_midway_leaves_no_pipeline() {
    let (_folder, path) = make_clip("dropped.mp4", 60, "160x120", "x264enc ! mp4mux");
    let stats = Arc::new(IngestStats::default());
    let mut reader = ClipReader::open(&camera(), &path, start(), Arc::clone(&stats)).unwrap();
    let Next::Frame(kept) = reader.next(Duration::from_secs(20)) else { panic!("no frame") };
    drop(reader);
    assert_eq!(stats.leaked_pipelines.load(Relaxed), 0);
    assert_eq!(kept.picture.row(0, 119).len(), 160, "a frame outlives its pipeline");
}

#[test]
fn frames_of_damaged_recordings_are_all_counted() {
    let (_folder, path) = make_clip("whole.mkv", 50, "160x120", "x264enc key-int-max=10 ! matroskamux");
    let whole = std::fs::read(&path).unwrap();
    let mut dropped = 0;
    for seed in 0..24usize {
        let mut damaged = whole.clone();
        for hit in 0..40 {
            // Past the headers, spread by a prime.
            let at = 1000 + (seed * 7919 + hit * 104_729) % (whole.len() - 1000);
            damaged[at] ^= 0x55;
        }
        std::fs::write(&path, &damaged).unwrap();
        let (frames, _, stats) = read(&path);
        let corrupt = stats.dropped_corrupt.load(Relaxed);
        assert_eq!(stats.received.load(Relaxed), frames.len() as u64 + corrupt, "seed {seed}");
        assert!(frames.windows(2).all(|pair| pair[0].stamp.mono <= pair[1].stamp.mono), "seed {seed}");
        dropped += 50 - frames.len().min(50);
    }
    assert!(dropped > 0, "the damage did nothing");
}
