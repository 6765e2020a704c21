//! What libraries read from the environment once, before anything here runs.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What ONNX Runtime reads when it is loaded. From 1.29 on its published builds send reports to their maker and keep a
/// database and an id of the machine under `~/.cache`; its interface can end that only once the first report is made.
const NO_REPORTS: (&str, &str) = ("ORT_DISABLE_TELEMETRY", "1");

/// What the C library's allocator reads when the process starts ("GNU C Library manual", section 3.2.4): pictures are mapped,
/// and handed back as they go; there are two heaps. As it comes it takes pictures from heaps, one for each of many threads, and
/// a camera that comes back brings new threads: two minutes of frozen cameras took a watch of four from 210 MB to 363 MB and
/// rising, and as it is here from 203 MB to 219 MB; half an hour of faults takes it to 229 MB at most.
const ALLOCATOR: [(&str, &str); 2] = [("MALLOC_MMAP_THRESHOLD_", "1048576"), ("MALLOC_ARENA_MAX", "2")];

/// Makes sure of all that in this process's environment: where it is not yet, the program takes its own place with one that
/// has it, and this does not return. Same process id, same arguments, same open files: who supervises it sees no difference.
/// (Changing the environment in place is not safe once there are threads, and too late.) Somebody's own settings of the
/// allocator stay.
///
/// Gives why it could not; then no runtime may be loaded.
pub(super) fn is_set() -> io::Result<()> {
    let quiet = std::env::var_os(NO_REPORTS.0).is_some_and(|value| value == NO_REPORTS.1);
    let unset = || ALLOCATOR.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
    if quiet && unset().next().is_none() {
        return Ok(());
    }
    let mut arguments = std::env::args_os();
    let mut anew = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        anew.arg0(name);
    }
    Err(anew.args(arguments).envs(unset()).env(NO_REPORTS.0, NO_REPORTS.1).exec())
}
