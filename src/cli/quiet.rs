//! A runtime that reports to nobody.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What ONNX Runtime reads when it is loaded. From 1.29 on its published builds send reports to their maker and keep a
/// database and an id of the machine under `~/.cache`; its interface can end that only once the first report is made.
const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";
const QUIET: &str = "1";

/// Makes sure that this process's environment forbids those reports: where it does not yet, the program takes its own place
/// with one that does, and this does not return. Same process id, same arguments, same open files: who supervises it sees no
/// difference. (Changing the environment in place is not safe once there are threads.)
///
/// Gives why it could not; then no runtime may be loaded.
pub(super) fn reports_are_off() -> io::Result<()> {
    if std::env::var_os(VARIABLE).is_some_and(|value| value == QUIET) {
        return Ok(());
    }
    let mut arguments = std::env::args_os();
    let mut anew = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        anew.arg0(name);
    }
    Err(anew.args(arguments).env(VARIABLE, QUIET).exec())
}
