//! Settings that libraries read from the environment once, before any of this program's code runs.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// ONNX Runtime reads this when it is loaded. From 1.29 on its published builds send usage reports to their maker, and
/// keep a database and a machine id under `~/.cache`. The API can switch reports off only after the first report exists.
const NO_REPORTS: (&str, &str) = ("ORT_DISABLE_TELEMETRY", "1");

/// The C library's allocator reads these when the process starts ("GNU C Library manual", section 3.2.4). With them the
/// allocator maps each picture separately, returns it to the system when it is freed, and uses two heaps. With the
/// defaults it takes pictures from a heap for each thread, and each reconnect of a camera starts new threads.
/// `docs/measurements.md` has the memory of both.
const ALLOCATOR: [(&str, &str); 2] = [("MALLOC_MMAP_THRESHOLD_", "1048576"), ("MALLOC_ARENA_MAX", "2")];

/// Replaces this process with one that has all these settings in its environment, and then does not return. Returns
/// `Ok` where they are set already. Process id, arguments and open files stay, so a supervisor notices nothing.
///
/// Changing the environment in place would be too late, and it is not safe once other threads exist. Allocator settings
/// that somebody chose stay as they are.
///
/// # Errors
///
/// Why the system refused to start the program again. ONNX Runtime must not be loaded then.
pub(super) fn restart_with_library_settings() -> io::Result<()> {
    let quiet = std::env::var_os(NO_REPORTS.0).is_some_and(|value| value == NO_REPORTS.1);
    let missing = || ALLOCATOR.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
    if quiet && missing().next().is_none() {
        return Ok(());
    }
    let mut arguments = std::env::args_os();
    let mut program = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        program.arg0(name);
    }
    Err(program.args(arguments).envs(missing()).env(NO_REPORTS.0, NO_REPORTS.1).exec())
}
