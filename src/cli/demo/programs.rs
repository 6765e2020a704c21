//! The programs of the demo: broker, cameras, daemon. Each ends when its [`Program`] is dropped. The tests use them, too.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use toml_edit::{DocumentMut, value};

/// A running program. Dropping it ends it.
pub struct Program {
    child: Child,
    name: &'static str,
}

impl Program {
    /// Starts `program` with its standard error in `log`. Linux ends it when this process ends, for whatever reason.
    pub fn start(name: &'static str, program: &Path, args: &[String], log: &Path) -> anyhow::Result<Self> {
        let log =
            File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
        // setpriv (util-linux, on every Debian) asks the kernel to end the program when this process ends, even by SIGKILL.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{name}: cannot start {}", program.display()))?;
        Ok(Self { child, name })
    }

    /// Waits for the first line that the program prints.
    pub fn first_line(&mut self) -> anyhow::Result<String> {
        let output = self.child.stdout.take().with_context(|| format!("{} has no output", self.name))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok(line)
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?);
        kill(pid, signal).with_context(|| format!("{} is gone", self.name))
    }

    /// True while the program runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends SIGTERM, waits up to `deadline`, then kills the program. True when it ended by itself with status 0.
    pub fn stop(&mut self, deadline: Duration) -> bool {
        if !self.is_running() {
            return false;
        }
        if self.signal(Signal::SIGTERM).is_ok() {
            let step = Duration::from_millis(20);
            for _ in 0..deadline.as_millis() / step.as_millis() {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return status.success();
                }
                std::thread::sleep(step);
            }
        }
        self.kill();
        false
    }

    /// Kills the program, as a power cut would.
    pub fn kill(&mut self) {
        // Fails only when it has ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(5));
    }
}

/// A loopback port that was free a moment ago.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The path of mosquitto.
pub fn mosquitto() -> anyhow::Result<PathBuf> {
    ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.exists())
        .context("mosquitto is missing: `make setup` installs it (Debian package mosquitto)")
}

/// A private mosquitto on loopback.
pub fn start_broker(work: &Path, port: u16) -> anyhow::Result<Program> {
    let config = work.join("mosquitto.conf");
    fs::write(&config, format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"))?;
    let args = ["-c".to_owned(), config.display().to_string()];
    let mut broker = Program::start("broker", &mosquitto()?, &args, &work.join("broker.log"))?;
    for _ in 0..250 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(broker);
        }
        if !broker.is_running() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("mosquitto does not answer on port {port}: see {}", work.join("broker.log").display())
}

/// RTSP cameras on loopback, each with a clip in a loop; returns the port that they serve on. Port 0: any free one.
pub fn start_cameras(work: &Path, port: u16, clips: &[(String, PathBuf)]) -> anyhow::Result<(Program, u16)> {
    let program = beside_us("sample-cameras")?;
    let mut args = vec!["--port".to_owned(), port.to_string()];
    args.extend(clips.iter().map(|(mount, clip)| format!("{mount}={}", clip.display())));
    let log = work.join("cameras.log");
    let mut cameras = Program::start("cameras", &program, &args, &log)?;
    let line = cameras.first_line()?;
    let port = serde_json::from_str::<serde_json::Value>(&line)
        .ok()
        .and_then(|line| u16::try_from(line.get("port")?.as_u64()?).ok())
        .with_context(|| format!("the cameras did not start: see {}", log.display()))?;
    Ok((cameras, port))
}

/// `havenwacht run` (program `us`) on a site file, its wall clock starting at `wall_clock`.
pub fn start_daemon(
    us: &Path,
    work: &Path,
    site: &Path,
    wall_clock: Option<&str>,
) -> anyhow::Result<Program> {
    let mut args = vec!["run".to_owned(), "--config".to_owned(), site.display().to_string()];
    args.extend(wall_clock.iter().flat_map(|at| ["--wall-clock".to_owned(), (*at).to_owned()]));
    Program::start("daemon", us, &args, &work.join("daemon.log"))
}

/// A program of this project that was built beside this one.
pub fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    // Test binaries are one folder deeper.
    std::env::current_exe()?
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
        .with_context(|| {
            format!("{name} is not built: `make demo` builds it (cargo build --release --workspace)")
        })
}

/// The ports and the logbook's path in the demo's copy of the site file.
#[derive(Clone, Debug)]
pub struct DemoPorts {
    /// Port of the cameras.
    pub rtsp_port: u16,
    /// Port of the broker.
    pub broker_port: u16,
    /// Port of the health page.
    pub health_port: u16,
    /// Path of the logbook.
    pub logbook: PathBuf,
}

/// Writes a copy of site file `from` to `to` with the demo's ports and paths. Everything else stays, comments too.
pub fn write_site(from: &Path, to: &Path, ports: &DemoPorts) -> anyhow::Result<()> {
    let text = fs::read_to_string(from).with_context(|| format!("cannot read {}", from.display()))?;
    let mut site: DocumentMut = text.parse().with_context(|| format!("{}", from.display()))?;
    let folder = fs::canonicalize(from)?.parent().map(Path::to_owned).unwrap_or_default();
    for key in ["manifest", "runtime"] {
        if let Some(path) = site["model"].get(key).and_then(|item| item.as_str()) {
            site["model"][key] = value(folder.join(path).display().to_string());
        }
    }
    site["broker"]["port"] = value(i64::from(ports.broker_port));
    site["health"]["listen"] = value(format!("127.0.0.1:{}", ports.health_port));
    site["logbook"]["path"] = value(ports.logbook.display().to_string());
    let cameras = site["camera"].as_array_of_tables_mut().context("the site file has no [[camera]]")?;
    for camera in cameras.iter_mut() {
        let id = camera["id"].as_str().unwrap_or_default().to_owned();
        camera["url"] = value(format!("rtsp://127.0.0.1:{}/{id}", ports.rtsp_port));
    }
    let mut file = File::create(to).with_context(|| to.display().to_string())?;
    file.write_all(site.to_string().as_bytes())?;
    Ok(())
}
