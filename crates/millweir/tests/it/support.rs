//! The real program as a process, for tests: started, waited for, stopped, killed, started again.

use base::env::{Disk as _, Open, OsDisk};
use client::{Client, Config, system_env};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time that a supervisor gives a server to stop.
pub(crate) const STOP_MAX: Duration = Duration::from_secs(10);

/// Whether the environment says to leave this test out: `MILLWEIR_SKIP` lists names with commas
/// between. `./test` sets it for what a machine lacks, and says so.
pub(crate) fn skipped(name: &str) -> bool {
    let list = std::env::var("MILLWEIR_SKIP").unwrap_or_default();
    list.split(',').any(|skipped| skipped.trim() == name)
}

/// The program, with an environment that no machine's own settings leak into.
pub(crate) fn millweir(dir: &Path) -> Command {
    bare(dir, PROGRAM)
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_millweir");

fn bare(dir: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).env_clear();
    command.env("HOME", dir).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// A server. Dropping it kills it and removes its directory.
pub(crate) struct Running {
    dir: tempfile::TempDir,
    /// Shell commands that run before the program, in its process.
    before: &'static str,
    args: Vec<String>,
    process: Option<Process>,
    address: SocketAddr,
    log: Arc<Log>,
}

struct Process {
    child: Child,
    stdout: Vec<String>,
    collector: JoinHandle<()>,
    ready_after: Duration,
}

/// What the server says on stderr, over all its lives.
#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl Running {
    /// Starts `serve` with these arguments on a free port and a fresh data directory, and waits for
    /// `Ready.`.
    pub(crate) fn start(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        Self::start_in(dir, args)
    }

    /// As `start`, in a directory that the test prepared; data lies in its `data`.
    pub(crate) fn start_in(dir: tempfile::TempDir, args: &[&str]) -> Self {
        Self::start_after("true", dir, args)
    }

    /// As `start_in`, after these shell commands in the server's own process.
    pub(crate) fn start_after(before: &'static str, dir: tempfile::TempDir, args: &[&str]) -> Self {
        Self::start_on([127, 0, 0, 1], (before, args), dir)
    }

    /// As `start_after`, on another address of this machine.
    pub(crate) fn start_on(
        ip: [u8; 4],
        (before, args): (&'static str, &[&str]),
        dir: tempfile::TempDir,
    ) -> Self {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let any_port = SocketAddr::from((ip, 0));
        let log = Arc::new(Log::default());
        let (process, address) = start(dir.path(), (before, &args), any_port, &log);
        Self { dir, before, args, process: Some(process), address, log }
    }

    /// Starts again on the same directory and address after `kill` or `stop`.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.is_none(), "the server still runs");
        let what = (self.before, self.args.as_slice());
        let (process, address) = start(self.dir.path(), what, self.address, &self.log);
        (self.process, self.address) = (Some(process), address);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        process.child.kill().expect("a child can be killed");
        process.child.wait().expect("a child can be waited for");
        process.collector.join().expect("the collector does not panic");
    }

    /// SIGTERM; gives the exit status and the time it took.
    pub(crate) fn stop(&mut self) -> (ExitStatus, Duration) {
        self.end_by(rustix::process::Signal::TERM)
    }

    /// A signal that the server goes on after.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        self::signal(&self.process.as_ref().expect("the server runs").child, signal);
    }

    /// As `stop`, by another signal.
    pub(crate) fn end_by(&mut self, signal: rustix::process::Signal) -> (ExitStatus, Duration) {
        let mut process = self.process.take().expect("the server runs");
        let clock = system_env().clock;
        self::signal(&process.child, signal);
        let status = process.child.wait().expect("a child can be waited for");
        let took = clock.monotonic();
        process.collector.join().expect("the collector does not panic");
        (status, took)
    }

    /// Memory that the server has at the moment.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let pid = self.process.as_ref().expect("the server runs").child.id();
        let status = OsDisk.open(Path::new(&format!("/proc/{pid}/status")), Open::Read);
        let mut text = vec![0; 16 << 10];
        let read = status.and_then(|file| file.read_at(&mut text, 0)).expect("a running process");
        let text = String::from_utf8_lossy(&text[..read]);
        let kib =
            text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") << 10
    }

    /// Where the data lies.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The directory that the program runs in.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where the API is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API as a plain address.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the server wrote to stdout until it was ready.
    pub(crate) fn stdout(&self) -> &[String] {
        &self.process.as_ref().expect("the server runs").stdout
    }

    /// What the server wrote to stderr: the banner and the log. Complete once it has ended.
    pub(crate) fn log(&self) -> String {
        self.log.text.lock().unwrap().clone()
    }

    /// As `log`, once this part of it is there.
    pub(crate) fn log_with(&self, part: &str) -> String {
        self.log_with_times(part, 1)
    }

    /// As `log_with`, once the part is there so many times: lines may come after `Ready.`.
    pub(crate) fn log_with_times(&self, part: &str, times: usize) -> String {
        let text = self.log.text.lock().unwrap();
        let is_short = |text: &mut String| text.matches(part).count() < times;
        self.log.grown.wait_while(text, is_short).unwrap().clone()
    }

    /// Time from the start of the process to `Ready.`.
    pub(crate) fn ready_after(&self) -> Duration {
        self.process.as_ref().expect("the server runs").ready_after
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        Client::new(Config::new(self.endpoint())).expect("a client of a good address")
    }

    /// A subcommand, pointed at this server.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = millweir(self.dir.path());
        command.args(args).env("AWS_ENDPOINT_URL_KINESIS", self.endpoint());
        command
    }

    /// Runs a subcommand; gives its stdout. It must succeed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        succeed(self.command(args).output().expect("the program starts"))
    }

    /// As `run`, with this on stdin.
    pub(crate) fn run_with(&self, args: &[&str], stdin: &[u8]) -> String {
        succeed(output_with(&mut self.command(args), stdin))
    }

    /// Reads a page of the server without a signature; gives the status and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.address).expect("the server listens");
        let host = self.address;
        write!(socket, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.expect("a status"), body.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            if std::thread::panicking() {
                eprintln!("--- the server's log ---\n{}", self.log());
            }
            // Fails only when it has ended already.
            drop(process.child.kill());
            drop(process.child.wait());
        }
    }
}

/// Sends a signal to a child.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).expect("the child lives");
}

/// Runs a command with this on stdin.
pub(crate) fn output_with(command: &mut Command, stdin: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || {
        // The program may end without reading all of it; the test looks at how it ended.
        drop(pipe.write_all(&bytes));
    });
    let output = child.wait_with_output().expect("a child can be waited for");
    writer.join().expect("the writer does not panic");
    output
}

/// The stdout of a command that succeeded.
pub(crate) fn succeed(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{stderr}", output.status);
    String::from_utf8(output.stdout).expect("the output is text")
}

/// The whole of a file as text.
pub(crate) fn read(path: &Path) -> String {
    let file = OsDisk.open(path, Open::Read).expect("the file is there");
    let mut bytes = vec![0; file.len().expect("a length") as usize];
    file.read_at(&mut bytes, 0).expect("the file is readable");
    String::from_utf8(bytes).expect("the file is text")
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, text: &str) {
    let file = OsDisk.open(path, Open::Write).expect("the file can be made");
    file.set_len(0).expect("the file can be cut");
    file.write_at(text.as_bytes(), 0).expect("the file can be written");
}

fn start(
    dir: &Path,
    (before, args): (&str, &[String]),
    listen: SocketAddr,
    log: &Arc<Log>,
) -> (Process, SocketAddr) {
    let clock = system_env().clock;
    let shell = format!("{before} && exec \"$0\" \"$@\"");
    let mut child = bare(dir, "sh")
        .args(["-c", &shell, PROGRAM, "serve", "--listen", &listen.to_string(), "--data", "data"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let collector = collect(child.stderr.take().expect("stderr is a pipe"), log.clone());
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
    let mut stdout: Vec<String> = Vec::new();
    while stdout.last().is_none_or(|line| line != "Ready.") {
        let Some(line) = lines.next() else {
            let status = child.wait().expect("a child can be waited for");
            collector.join().expect("the collector does not panic");
            panic!("the server did not start: {status}\n{}", log.text.lock().unwrap());
        };
        stdout.push(line.expect("stdout is text"));
    }
    let ready_after = clock.monotonic();
    let address = stdout[0].split("://").nth(1).and_then(|address| address.parse().ok());
    let address = address.unwrap_or_else(|| panic!("no address in {stdout:?}"));
    (Process { child, stdout, collector, ready_after }, address)
}

/// Keeps what a pipe says, so that it never fills up.
fn collect(pipe: impl Read + Send + 'static, into: Arc<Log>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut text = into.text.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
            into.grown.notify_all();
        }
    })
}
