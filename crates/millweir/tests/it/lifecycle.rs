//! Starts, stops, and what the server says while it does.

use crate::support::{Running, STOP_MAX, millweir, signal, succeed};
use api::kinesis::{EncryptionType, StartStreamEncryptionInput, ops};
use base::env::{Disk as _, OsDisk};
use client::system_env;
use rustix::process::Signal;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn stdout_holds_two_lines_and_stderr_the_banner() {
    let server = Running::start(&[]);
    let listening = format!("listening {}", server.endpoint());
    assert_eq!(server.stdout(), [listening, "Ready.".to_owned()]);
    let banner = server.log_with("millweir tail");
    for part in [
        concat!("millweir ", env!("CARGO_PKG_VERSION")),
        "config    no file",
        "fsync before every acknowledgement",
        "limits    aws",
        "auth any",
        &server.endpoint(),
        &format!("https://{}", server.address()),
        "ca.pem",
        "us-east-1",
        "000000000000",
        &format!("export AWS_ENDPOINT_URL_KINESIS={}", server.endpoint()),
        "export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1",
        "millweir stream create",
    ] {
        assert!(banner.contains(part), "`{part}` is missing in\n{banner}");
    }
    assert!(server.data().join("tls/ca.pem").exists());
}

#[test]
fn the_health_pages_answer() {
    let server = Running::start(&["--memory"]);
    assert_eq!(server.get("/livez").0, 200);
    assert_eq!(server.get("/readyz").0, 200);
    let (status, health) = server.get("/_localstack/health");
    assert_eq!(status, 200);
    assert!(health.contains("kinesis"), "{health}");
    let (status, metrics) = server.get("/metrics");
    assert_eq!(status, 200);
    let info = metrics.lines().find(|line| line.starts_with("millweir_build_info{")).unwrap();
    for label in ["version=", "commit=", "api_date=\"2013-12-02\"", "model=\"botocore 1.44.5\""] {
        assert!(info.contains(label), "{info}");
    }
}

#[test]
fn sigterm_stops_with_success_and_data_stays() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "kept", "--shards", "2"]);
    server.run(&["put", "kept", "before"]);
    let (status, took) = server.stop();
    assert!(status.success(), "{status}");
    assert!(took < STOP_MAX, "{took:?}");
    server.restart();
    server.run(&["put", "kept", "after"]);
    let mut records = tail(&server, "kept", 2);
    records.sort_unstable();
    assert_eq!(records, ["after", "before"]);
}

/// Its format file is a pipe that nobody writes to, as a disk that never answers.
#[test]
fn sigterm_ends_a_start_that_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let format = dir.path().join("FORMAT");
    assert!(Command::new("mkfifo").arg(&format).status().unwrap().success());
    let mut server = millweir(dir.path());
    server.args(["serve", "--listen", "127.0.0.1:0", "--data", "."]);
    let mut server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", server.id());
    let catches_sigterm = || {
        let status = std::fs::read_to_string(&status).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() >> 14 & 1 == 1
    };
    while !catches_sigterm() {
        std::thread::yield_now();
    }
    let clock = system_env().clock;
    signal(&server, Signal::TERM);
    let status = server.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(clock.monotonic() < STOP_MAX, "{:?}", clock.monotonic());
}

/// The catalog as it was, beside records of a stream that it does not know.
#[test]
fn an_older_catalog_is_refused_and_verify_tells() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "first"]);
    server.run(&["put", "first", "a"]);
    server.stop();
    let (catalog, copy) = (server.data().join("catalog"), server.data().join("copy"));
    let copied = |from: &Path, to: &Path| {
        let mut copy = Command::new("cp");
        assert!(copy.arg("-r").arg(from).arg(to).status().unwrap().success());
    };
    copied(&catalog, &copy);
    server.restart();
    server.run(&["stream", "create", "payroll"]);
    server.run(&["put", "payroll", "secret"]);
    server.kill();
    OsDisk.remove_dir_all(&catalog).unwrap();
    copied(&copy, &catalog);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
    let said = refused(millweir(server.dir()).args(serve), 1);
    assert!(said.contains("log-") && said.contains("put back a copy"), "{said}");
    refused(millweir(server.dir()).args(["verify", "data"]), 4);
}

#[test]
fn kill_9_loses_nothing_acknowledged() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "kept"]);
    server.run_with(&["put", "kept", "--lanes", "1"], b"a\nb\nc\n");
    server.kill();
    server.restart();
    assert_eq!(tail(&server, "kept", 3), ["a", "b", "c"]);
    server.kill();
    server.restart();
    server.run(&["put", "kept", "d"]);
    assert_eq!(tail(&server, "kept", 4), ["a", "b", "c", "d"]);
}

#[test]
fn sigterm_under_load_stops_in_time_and_keeps_what_was_acknowledged() {
    let mut server = Running::start(&["--limits", "hardware"]);
    server.run(&["stream", "create", "s", "--shards", "4"]);
    let lines: Vec<String> = (0..200_000).map(|n| n.to_string()).collect();
    crate::support::write(&server.dir().join("lines"), &lines.join("\n"));
    let mut fan_out = server.command(&["tail", "s", "--fan-out", "--consumer", "live"]);
    let mut fan_out = fan_out.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut put = server.command(&["put", "s", "--file", "lines", "--output", "text"]);
    let mut put = put.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut acknowledged = BufReader::new(put.stdout.take().unwrap()).lines();
    acknowledged.next().unwrap().unwrap();
    let (status, took) = server.stop();
    assert!(status.success(), "{status}");
    assert!(took < STOP_MAX, "{took:?}");
    // Both would go on once the server is back.
    for child in [&mut put, &mut fan_out] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let acknowledged = 1 + acknowledged.count();
    server.restart();
    let max = acknowledged.to_string();
    let all = server.run(&["tail", "s", "--from", "trim_horizon", "--max-records", &max]);
    assert_eq!(all.lines().count(), acknowledged);
}

#[test]
fn a_restart_is_quick() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "s", "--shards", "100"]);
    server.run(&["generate", "s", "--records", "2000", "--rate", "1000000"]);
    server.kill();
    server.restart();
    // A tenth of a second is the aim of a release build on a quiet machine; this one is neither.
    assert!(server.ready_after() < Duration::from_secs(3), "{:?}", server.ready_after());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_records_are_not_on_the_disk_in_the_clear() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "s"]);
    server.run(&["put", "s", "plain canary"]);
    let input = StartStreamEncryptionInput {
        stream_name: Some("s".into()),
        encryption_type: EncryptionType::Kms,
        key_id: "alias/orders".into(),
        ..StartStreamEncryptionInput::default()
    };
    server.client().call::<ops::StartStreamEncryption>(&input).await.unwrap();
    while !server.run(&["stream", "describe", "s"]).contains("encryption  KMS") {}
    server.run(&["put", "s", "hidden canary"]);
    assert!(lies_below(&server.data(), b"plain canary"));
    for end in [Running::kill, |server: &mut Running| assert!(server.stop().0.success())] {
        end(&mut server);
        assert!(!lies_below(&server.data(), b"hidden canary"));
        server.restart();
        assert_eq!(tail(&server, "s", 2), ["plain canary", "hidden canary"]);
    }
}

fn lies_below(dir: &Path, needle: &[u8]) -> bool {
    OsDisk.list(dir).unwrap().iter().any(|path| {
        if path.is_dir() {
            return lies_below(path, needle);
        }
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

fn tail(server: &Running, stream: &str, records: usize) -> Vec<String> {
    let max = records.to_string();
    let all = server.run(&["tail", stream, "--from", "trim_horizon", "--max-records", &max]);
    all.lines().map(str::to_owned).collect()
}

#[test]
fn a_low_limit_of_open_files_is_raised() {
    let server = after("ulimit -Sn 100");
    let sockets: Vec<_> = (0..200).map(|_| connected(&server)).collect();
    // All are open at once, and there are files left to write with.
    server.run(&["put", "s", "x"]);
    assert_eq!(tail(&server, "s", 1), ["x"]);
    drop(sockets);
    assert!(!server.log().contains("WARN"), "{}", server.log());
}

#[test]
fn a_crowd_of_connections_leaves_files_to_write_with() {
    let server = after("ulimit -n 200");
    let mut sockets: Vec<_> = (0..10).map(|_| connected(&server)).collect();
    // These wait in the kernel's queue or are served, whichever there is room for.
    sockets.extend((0..200).map(|_| TcpStream::connect(server.address()).unwrap()));
    assert!(answers(&mut sockets[0]), "an open connection goes on");
    sockets.clear();
    server.run(&["put", "s", "x"]);
    assert_eq!(tail(&server, "s", 1), ["x"]);
    assert!(!server.log().contains("could not be accepted"), "{}", server.log());
}

/// A server with a stream `s` whose process was limited first.
fn after(limit: &'static str) -> Running {
    let server = Running::start_after(limit, tempfile::tempdir().unwrap(), &[]);
    server.run(&["stream", "create", "s"]);
    server
}

/// A connection that the server has accepted.
fn connected(server: &Running) -> TcpStream {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(STOP_MAX)).unwrap();
    assert!(answers(&mut socket));
    socket
}

fn answers(socket: &mut TcpStream) -> bool {
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = [0; 512];
    let read = socket.read(&mut answer).unwrap();
    answer[..read].starts_with(b"HTTP/1.1 200")
}

#[test]
fn memory_mode_leaves_no_files() {
    let mut server = Running::start(&["--memory"]);
    server.run(&["stream", "create", "fleeting"]);
    server.run(&["put", "fleeting", "x"]);
    server.log_with("memory mode");
    assert!(!server.data().exists());
    let (status, _) = server.stop();
    assert!(status.success(), "{status}");
}

#[test]
fn sigint_stops_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = millweir(dir.path())
        .args(["--memory", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "Ready."));
    crate::support::signal(&child, Signal::INT);
    assert!(child.wait().unwrap().success());
    assert_eq!(lines.count(), 0);
}

/// A server with these access keys, each with its own name for a secret.
fn with_keys(names: &[&str]) -> Running {
    let dir = tempfile::tempdir().unwrap();
    write_keys(dir.path(), names, "");
    Running::start_in(dir, &["--memory", "--auth", "required"])
}

fn write_keys(dir: &Path, names: &[&str], further: &str) {
    let key = |name: &&str| format!("[access_keys.{name}]\nid = 'AK{name}'\nsecret = '{name}'\n");
    let keys: String = names.iter().map(key).collect();
    crate::support::write(&dir.join("millweir.toml"), &format!("{further}\n{keys}"));
}

/// Lists streams by a key; gives the name of the error when that is refused.
fn list_by(server: &Running, name: &str) -> Result<(), String> {
    let mut command = server.command(&["stream", "list"]);
    command.env("AWS_ACCESS_KEY_ID", format!("AK{name}")).env("AWS_SECRET_ACCESS_KEY", name);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[test]
fn sighup_revokes_and_gives_keys() {
    let mut server = with_keys(&["ann", "bob"]);
    list_by(&server, "ann").unwrap();
    list_by(&server, "bob").unwrap();
    write_keys(server.dir(), &["bob", "cid"], "");
    server.signal(Signal::HUP);
    server.log_with("the access keys changed");
    let refused = list_by(&server, "ann").unwrap_err();
    assert!(refused.contains("UnrecognizedClientException"), "{refused}");
    list_by(&server, "bob").unwrap();
    list_by(&server, "cid").unwrap();
    // What is wrong keeps what there is, but not what was taken out.
    write_keys(server.dir(), &["bob", "dan"], "limits = 'none'");
    server.signal(Signal::HUP);
    server.log_with("the configuration is wrong now");
    list_by(&server, "bob").unwrap();
    assert!(list_by(&server, "cid").is_err());
    assert!(list_by(&server, "dan").is_err());
    assert!(server.stop().0.success());
}

#[test]
fn a_changed_file_is_noticed() {
    let server = with_keys(&["ann", "bob"]);
    write_keys(server.dir(), &["bob"], "");
    server.log_with("the access keys changed");
    assert!(list_by(&server, "ann").is_err());
    list_by(&server, "bob").unwrap();
}

#[test]
fn the_file_in_use_is_named() {
    let server = with_keys(&["ann"]);
    let banner = server.log_with("millweir tail");
    let file = server.dir().canonicalize().unwrap().join("millweir.toml");
    assert!(banner.contains(&format!("config    {}", file.display())), "{banner}");
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, permissions).unwrap();
}

#[test]
fn what_is_the_servers_is_closed_to_others() {
    let mut server = Running::start(&[]);
    let key = server.data().join("tls/ca-key.pem");
    server.stop();
    set_mode(&server.data(), 0o755);
    set_mode(&key, 0o644);
    server.restart();
    assert_eq!((mode(&server.data()), mode(&key)), (0o700, 0o600));
    let log = server.log_with_times("others had access here", 2);
    assert_eq!(log.matches("others had access here").count(), 2, "{log}");
}

#[test]
fn secrets_that_others_can_read_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (file, secret) = (dir.path().join("millweir.toml"), dir.path().join("secret"));
    crate::support::write(&secret, "s");
    let check = |text: &str, open: &Path, want: &str| {
        crate::support::write(&file, text);
        for (mode, code) in [(0o600, 0), (0o644, 2)] {
            set_mode(open, mode);
            let output = millweir(dir.path()).arg("check-config").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{mode:o}: {said}");
            assert!(code == 0 || said.contains(want) && said.contains("chmod 600"), "{said}");
        }
        set_mode(open, 0o600);
    };
    let named = "[access_keys.a]\nid = 'k'\nsecret_file = 'secret'";
    check(named, &secret, "`access_keys.a.secret_file`: cannot read `secret`");
    check("[server]\nmetrics_token_file = 'secret'", &secret, "cannot read `secret`");
    let inside = "[access_keys.a]\nid = 'k'\nsecret = 's'";
    check(inside, &file, "cannot read the configuration `millweir.toml`");
    crate::support::write(&file, "limits = 'aws'");
    set_mode(&file, 0o644);
    succeed(millweir(dir.path()).arg("check-config").output().unwrap());
    set_mode(&file, 0o646);
    refused(millweir(dir.path()).arg("check-config"), 2);
}

#[test]
fn nohup_keeps_the_server_running() {
    let mut server = Running::start_after("trap '' HUP", tempfile::tempdir().unwrap(), &[]);
    server.signal(Signal::HUP);
    server.log_with("access keys and certificates are read again");
    server.run(&["stream", "create", "kept"]);
    server.run(&["put", "kept", "x"]);
    assert_eq!(tail(&server, "kept", 1), ["x"]);
    assert!(server.stop().0.success());
}

#[test]
fn a_second_server_on_one_directory_is_refused() {
    let server = Running::start(&[]);
    let said = refused(
        millweir(server.dir()).args(["serve", "--listen", "127.0.0.1:0", "--data", "data"]),
        1,
    );
    assert!(said.contains("in use by another process"), "{said}");
}

#[test]
fn a_taken_port_is_named() {
    let server = Running::start(&["--memory"]);
    let address = server.address().to_string();
    let said = refused(millweir(server.dir()).args(["--data", "new", "--listen", &address]), 1);
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert!(!server.dir().join("new").exists());
}

#[test]
fn an_empty_path_is_no_directory() {
    let dir = tempfile::tempdir().unwrap();
    let said = refused(millweir(dir.path()).args(["--listen", "127.0.0.1:0", "--data", ""]), 2);
    assert!(said.contains("flag --data: `data`: the path is empty"), "{said}");
    assert!(OsDisk.list(dir.path()).unwrap().is_empty());
}

#[test]
fn a_newer_data_format_is_refused() {
    let mut server = Running::start(&[]);
    server.stop();
    crate::support::write(&server.data().join("FORMAT"), "millweir data format 999\n");
    let said = refused(
        millweir(server.dir()).args(["serve", "--listen", "127.0.0.1:0", "--data", "data"]),
        1,
    );
    assert!(said.contains("999"), "{said}");
}

#[test]
fn off_loopback_needs_a_word_from_the_owner() {
    let dir = tempfile::tempdir().unwrap();
    let said = refused(millweir(dir.path()).args(["--listen", "0.0.0.0:0"]), 2);
    assert!(said.contains("`--allow-insecure`"), "{said}");
    assert!(said.contains("`--auth required`"), "{said}");
    assert!(said.contains("`--tls required`"), "{said}");
    assert!(!dir.path().join("millweir-data").exists());
}

#[test]
fn tls_only_closes_plain_connections() {
    let server = Running::start(&["--tls", "required"]);
    assert!(server.stdout()[0].starts_with("listening https://"));
    let ca_file = server.data().join("tls/ca.pem");
    let list = |endpoint: &str| {
        let mut command = server.command(&["stream", "list", "--endpoint", endpoint]);
        command.env("AWS_CA_BUNDLE", &ca_file).output().unwrap()
    };
    succeed(list(&format!("https://{}", server.address())));
    assert_eq!(list(&server.endpoint()).status.code(), Some(1));
}

#[test]
fn with_tls_only_the_banner_says_all_that_clients_need() {
    let args = ["--tls", "required"];
    let server = Running::start_on([127, 0, 0, 2], ("true", &args), tempfile::tempdir().unwrap());
    let banner = server.log_with("millweir tail");
    let exports = banner.lines().filter_map(|line| line.trim().strip_prefix("export "));
    let exports = exports.flat_map(str::split_whitespace).map(|pair| pair.split_once('=').unwrap());
    let exports: Vec<_> = exports.collect();
    let https = format!("https://{}", server.address());
    assert!(exports.contains(&("AWS_ENDPOINT_URL_KINESIS", &https)), "{banner}");
    succeed(millweir(server.dir()).args(["stream", "list"]).envs(exports).output().unwrap());
}

#[test]
fn expired_session_tokens_are_refused() {
    let key = |name: &str, expires: &str| {
        format!(
            "[access_keys.{name}]\nid = '{name}'\nsecret = 's'\nsession_token = 't'\n\
             expires = {expires}\n"
        )
    };
    let dir = tempfile::tempdir().unwrap();
    let keys = key("old", "2026-01-31T12:00:00Z") + &key("new", "'9999-12-31'");
    crate::support::write(&dir.path().join("millweir.toml"), &keys);
    let server = Running::start_in(dir, &["--memory", "--auth", "required"]);
    let list = |id: &str| {
        let mut command = server.command(&["stream", "list"]);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", "s");
        command.env("AWS_SESSION_TOKEN", "t").output().unwrap()
    };
    succeed(list("new"));
    let refused = list("old");
    assert_eq!(refused.status.code(), Some(3));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("ExpiredTokenException"), "{said}");
}

#[test]
fn wrong_keys_are_refused_and_secrets_never_logged() {
    let dir = tempfile::tempdir().unwrap();
    crate::support::write(&dir.path().join("secret"), "canary-of-the-file\n");
    crate::support::write(
        &dir.path().join("millweir.toml"),
        "auth = 'required'\n[log]\nlevel = 'trace'\n[access_keys.ci]\nid = 'AKCI'\n\
         secret_file = 'secret'\naccount = '111122223333'\n",
    );
    let mut server = Running::start_in(dir, &["--memory"]);
    let with = |secret: &str| {
        let mut command = server.command(&["stream", "create", "mine"]);
        command.env("AWS_ACCESS_KEY_ID", "AKCI").env("AWS_SECRET_ACCESS_KEY", secret);
        command.output().unwrap()
    };
    let wrong = with("canary-of-the-client");
    assert_eq!(wrong.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("InvalidSignatureException"));
    succeed(with("canary-of-the-file"));
    let unknown = server.command(&["stream", "list"]).output().unwrap();
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("UnrecognizedClientException"));
    server.stop();
    assert!(!server.log().contains("canary"), "{}", server.log());
}

/// Runs a command that must fail with this code; gives what it said.
fn refused(command: &mut Command, code: i32) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("Ready."));
    said
}
