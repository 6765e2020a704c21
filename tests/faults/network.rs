//! A real cut of the network between the daemon and a camera, which runs in a network namespace of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use havenwacht::cli::demo::programs::{self, Program};
use test_support::now;

use crate::camera::{rate, wait_for_stream};
use crate::clips::h264_clip;
use crate::system::TestSystem;
use crate::{Row, rounds};

/// A network namespace and a virtual cable to it; removed when dropped.
struct Island {
    name: String,
    address: String,
}

fn ip(words: &str) -> Result<(), String> {
    let output =
        Command::new("ip").args(words.split_whitespace()).output().map_err(|why| format!("ip: {why}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("ip {words}: {said}")) }
}

impl Island {
    fn new() -> Result<Self, String> {
        let number = std::process::id();
        let island = Self {
            name: format!("hw{number}"),
            // A network of two addresses for this process; 198.18.0.0/15 is for tests (RFC 2544).
            address: format!("198.18.{}.{}", number >> 6 & 0xFF, (number << 2 & 0xFC) + 2),
        };
        let (name, theirs) = (&island.name, &island.address);
        let ours = format!("198.18.{}.{}", number >> 6 & 0xFF, (number << 2 & 0xFC) + 1);
        ip(&format!("netns add {name}"))?;
        ip(&format!("link add {name}a type veth peer name cable netns {name}"))?;
        ip(&format!("address add {ours}/30 dev {name}a"))?;
        ip(&format!("link set {name}a up"))?;
        ip(&format!("-n {name} address add {theirs}/30 dev cable"))?;
        ip(&format!("-n {name} link set lo up"))?;
        ip(&format!("-n {name} link set cable up"))?;
        Ok(island)
    }

    /// Sets the camera's end of the cable `up` or `down`.
    fn cable(&self, state: &str) {
        ip(&format!("-n {} link set cable {state}", self.name)).unwrap();
    }

    fn start_camera(&self, id: &str, work: &Path) -> (Program, u16) {
        let binary = programs::beside_us("sample-cameras").unwrap();
        let words =
            format!("netns exec {} {} --port 0 --address {}", self.name, binary.display(), self.address);
        let mut args: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
        args.push(format!("{id}={}", h264_clip().display()));
        let mut camera = Program::start("camera", Path::new("ip"), &args, &work.join("cameras.log")).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&camera.first_line().unwrap()).unwrap();
        (camera, ready["port"].as_u64().unwrap().try_into().unwrap())
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        // This removes the cable, too.
        ip(&format!("netns delete {}", self.name)).ok();
    }
}

#[test]
fn a_cut_cable_is_found_and_harms_no_other_camera() {
    const ROW: (u8, &str) = (3, "network cable cut");
    let island = match Island::new() {
        Ok(island) => island,
        Err(why) => return Row::new(ROW.0, ROW.1, 0).not_permitted(&why),
    };
    let mut system = TestSystem::small(&["inner-harbour", "quay-east"], "");
    let (camera, port) = island.start_camera("quay-east", system.work.path());
    system.move_camera("quay-east", camera, &island.address, port);
    system.start_daemon();
    system.wait_until_streaming();
    let runs = rounds(1, 20);
    let (mut found, mut back, mut missing) = (Duration::ZERO, Duration::ZERO, 0.0f64);
    for _ in 0..runs {
        let whole = rate(&mut system, "inner-harbour", |_| std::thread::sleep(Duration::from_secs(2)));
        let meanwhile = rate(&mut system, "inner-harbour", |system| {
            // Measured from before the command, which takes a while to return after the cut.
            let cut = now();
            island.cable("down");
            wait_for_stream(system, "quay-east", false, Duration::from_secs(30));
            found = found.max(cut.elapsed());
            std::thread::sleep(Duration::from_secs(1));
        });
        missing = missing.max(1.0 - meanwhile / whole);
        let mended = now();
        island.cable("up");
        wait_for_stream(&system, "quay-east", true, Duration::from_secs(30));
        back = back.max(mended.elapsed());
    }
    Row::new(ROW.0, ROW.1, runs)
        .detected(found, Duration::from_secs(6))
        .recovered(back, Duration::from_secs(5))
        .at_most("other camera's frames missing", 100.0 * missing, "%", 5.0)
        .record();
}
