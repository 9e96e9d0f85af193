//! `put` and `generate` while they run: failures, signals, servers that are away.

use crate::support::{Running, output_with, signal};
use rustix::process::Signal;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

fn server(args: &[&str]) -> Running {
    let server = Running::start(&["--memory", "--limits", "hardware"]);
    server.run(&[&["stream", "create", "s"], args].concat());
    server
}

/// A command whose stdin stays open.
struct Open {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Open {
    fn start(server: &Running, args: &[&str]) -> Self {
        let mut command = server.command(args);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, lines }
    }

    fn put(server: &Running) -> Self {
        Self::start(server, &["put", "s", "--output", "json"])
    }

    /// Writes a line and waits for its place.
    fn placed(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
        assert!(self.lines.next().unwrap().unwrap().contains("sequenceNumber"));
    }

    /// Waits for the end, stdin still open; gives the exit code and what was said on stderr.
    fn end(mut self) -> (i32, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code().unwrap(), said)
    }
}

#[test]
fn a_missing_stream_is_told_before_any_line() {
    let server = server(&[]);
    let (code, said) = Open::start(&server, &["put", "none"]).end();
    assert!(code == 3 && said.contains("ResourceNotFoundException"), "{code} {said}");
    let (code, said) = Open::start(&server, &["generate", "none", "--rate", "0.001"]).end();
    assert!(code == 3 && said.contains("ResourceNotFoundException"), "{code} {said}");
}

#[test]
fn an_absent_server_is_told_at_once() {
    let mut server = server(&[]);
    server.kill();
    for command in ["put", "generate"] {
        let (code, said) = Open::start(&server, &[command, "s"]).end();
        assert!(code == 1 && said.contains("no answer from"), "{command}: {code} {said}");
    }
}

#[test]
fn outcomes_and_failures_come_while_stdin_is_open() {
    let server = server(&[]);
    let mut put = Open::put(&server);
    put.placed("a");
    put.placed("b");
    server.run(&["stream", "delete", "s"]);
    writeln!(put.stdin, "c").unwrap();
    let (code, said) = put.end();
    assert!(said.contains("2 records written, 1 not: line 3: ResourceNotFound"), "{said}");
    assert_eq!(code, 3);
}

#[test]
fn signals_end_put_in_good_order() {
    let server = server(&[]);
    for (sent, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut put = Open::put(&server);
        put.placed("a");
        signal(&put.child, sent);
        assert_eq!(put.end(), (code, "1 records written\n".to_owned()));
    }
}

#[test]
fn a_second_ctrl_c_gives_up_what_a_dead_server_holds() {
    let mut server = server(&[]);
    let mut put = Open::put(&server);
    put.placed("a");
    server.kill();
    // More than is read ahead of the records on their way: some are, once all of it was taken.
    let line = [&[b'x'; 1023][..], b"\n"].concat();
    put.stdin.write_all(&line.repeat(3000)).unwrap();
    let mut said = BufReader::new(put.child.stderr.take().unwrap()).lines();
    signal(&put.child, Signal::INT);
    let waiting = said.next().unwrap().unwrap();
    assert!(waiting.starts_with("waiting for "), "{waiting}");
    assert!(waiting.ends_with(" records; ctrl-c again gives up"), "{waiting}");
    signal(&put.child, Signal::INT);
    let written = said.next().unwrap().unwrap();
    assert!(written.starts_with("1 records written, ") && written.ends_with(" not"), "{written}");
    assert_eq!(put.child.wait().unwrap().code(), Some(130));
}

/// Good lines are written although the last one is bad, which is named.
fn check_bad_line(bad: &str, args: &[&str], want: &str) {
    let server = server(&[]);
    let lines = format!("a x\nb x\n{bad}\n");
    let command = [&["put", "s"], args].concat();
    let output = output_with(&mut server.command(&command), lines.as_bytes());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("2 records written, 1 not: line 3: {want}")), "{said}");
    assert_eq!(output.status.code(), Some(1));
    let got = server.run(&["tail", "s", "--from", "trim_horizon", "--max-records", "2"]);
    assert_eq!(got, "a x\nb x\n");
}

#[test]
fn a_line_that_is_too_large_for_the_stream() {
    let bad = "x".repeat(1 << 20);
    check_bad_line(&bad, &["--key", "k"], "1048577 bytes with its key");
}

#[test]
fn a_line_that_is_too_large_for_any_stream() {
    check_bad_line(
        &"x".repeat((10 << 20) + 1),
        &["--key", "k"],
        "cannot read it: longer than 10 MiB",
    );
}

#[test]
fn a_key_that_is_too_long() {
    let bad = format!("c {}", "x".repeat(257));
    check_bad_line(&bad, &["--key-field", "2"], "a partition key has 1 to 256 characters");
}

#[test]
fn a_key_that_is_not_there() {
    check_bad_line("c\u{1b}[2J", &["--key-field", "2"], "there is no field 2: c\\u{1b}[2J");
}

#[test]
fn pipes_are_read_like_files() {
    let server = server(&[]);
    for file in ["-", "/dev/stdin"] {
        server.run_with(&["put", "s", "--file", file, "--key", "k"], b"a\nb\n");
    }
    let got = server.run(&["tail", "s", "--from", "trim_horizon", "--max-records", "4"]);
    assert_eq!(got, "a\nb\na\nb\n");
    let config = ["check-config", "--config", "/dev/stdin", "--show-origin"];
    assert!(server.run_with(&config, b"limits = \"hardware\"\n").contains("/dev/stdin"));
}

#[test]
fn a_throttled_run_ends_after_its_duration() {
    let server = Running::start(&["--memory"]);
    server.run(&["stream", "create", "s", "--shards", "8"]);
    let args = ["generate", "s", "--preset", "apache-log", "--rate", "1000000"];
    let output = server.command(&[&args[..], &["--duration", "200ms"]].concat()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains(" of 200000 records written\nthe server throttled"), "{said}");
}
