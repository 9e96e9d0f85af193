//! `env`, `completion`, `verify`, `--help` and `--version`.

use crate::support::{Running, millweir, succeed, write};
use base::env::{Disk as _, Open, OsDisk};
use std::path::{Path, PathBuf};
use std::process::Output;

fn run(args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    millweir(dir.path()).args(args).output().unwrap()
}

#[test]
fn exports_work_in_a_shell() {
    let server = Running::start(&["--memory"]);
    let exports = succeed(
        server
            .command(&["env", "--region", "eu-west-1"])
            .env("SHELL", "/bin/bash")
            .env("AWS_SECRET_ACCESS_KEY", "it's $HOME")
            .output()
            .unwrap(),
    );
    let script = format!("{exports}\necho \"$AWS_REGION $AWS_SECRET_ACCESS_KEY\"");
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(succeed(output), "eu-west-1 it's $HOME\n");
    assert!(exports.contains(&server.endpoint()));
    let bundle = server.run(&["env", "--ca-file", "tls/ca.pem"]);
    let absolute = server.dir().canonicalize().unwrap().join("tls/ca.pem");
    assert!(bundle.contains(absolute.to_str().unwrap()), "{bundle}");
    let fish = server.run(&["env", "--shell", "fish"]);
    assert!(fish.starts_with("set -gx AWS_ENDPOINT_URL_KINESIS "), "{fish}");
    let powershell = server.run(&["env", "--shell", "powershell"]);
    assert!(powershell.starts_with("$env:AWS_ENDPOINT_URL_KINESIS = "), "{powershell}");
}

#[test]
fn completions() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = succeed(run(&["completion", shell]));
        for word in ["millweir", "check-config", "reshard"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run(&["completion", "tcsh"]).status.code(), Some(2));
}

#[test]
fn help_begins_with_examples() {
    let commands = [
        &[][..],
        &["serve"],
        &["stream"],
        &["put"],
        &["tail"],
        &["generate"],
        &["bench"],
        &["env"],
        &["verify"],
        &["check-config"],
        &["completion"],
    ];
    for command in commands {
        let help = succeed(run(&[command, &["--help"]].concat()));
        assert!(help.starts_with("Examples:\n"), "{command:?}:\n{help}");
        assert!(help.contains("Exit codes:"), "{command:?}:\n{help}");
        assert!(!help.contains('\u{1b}'), "colour without a terminal");
    }
    assert!(succeed(run(&["--version"])).starts_with("millweir "));
    assert_eq!(run(&["sevre"]).status.code(), Some(2));
}

#[test]
fn verify_finds_nothing_in_a_whole_directory() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "s"]);
    server.run_with(&["put", "s"], b"a\nb\nc\n");
    let busy = server.command(&["verify", "data"]).output().unwrap();
    assert_eq!(busy.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&busy.stderr).contains("in use"));
    server.stop();
    let said = succeed(millweir(server.dir()).args(["verify", "data"]).output().unwrap());
    assert!(said.contains("no damage"), "{said}");
    let json =
        millweir(server.dir()).args(["verify", "data", "--output", "json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_str(&succeed(json)).unwrap();
    assert_eq!(json["damages"], serde_json::json!([]));
}

/// Flips a bit of these bytes wherever they lie in the directory, one place at a time; `verify`
/// must name the file each time.
fn check_flips(needle: &[u8], dir: &str, end: fn(&mut Running)) {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "canary-stream"]);
    server.run(&["put", "canary-stream", "canary-record"]);
    // A damaged last write is a torn one; what has a later one behind it was acknowledged.
    server.run(&["put", "canary-stream", "later"]);
    end(&mut server);
    let mut found = 0;
    for file in files(&server.data().join(dir)) {
        for offset in places(&file, needle) {
            found += 1;
            flip(&file, offset);
            let output = millweir(server.dir()).args(["verify", "data"]).output().unwrap();
            assert_eq!(output.status.code(), Some(4), "{} {offset}", file.display());
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.contains(file.file_name().unwrap().to_str().unwrap()), "{said}");
            flip(&file, offset);
        }
    }
    assert!(found > 0, "the bytes lie nowhere in {dir}");
    succeed(millweir(server.dir()).args(["verify", "data"]).output().unwrap());
}

fn stop(server: &mut Running) {
    assert!(server.stop().0.success());
}

#[test]
fn verify_names_a_flipped_bit_of_the_catalog() {
    check_flips(b"canary-stream", "catalog", stop);
}

#[test]
fn verify_names_a_flipped_bit_of_a_segment() {
    check_flips(b"canary-record", "segments", stop);
}

#[test]
fn verify_names_a_flipped_bit_of_the_journal() {
    check_flips(b"canary-record", "journal", Running::kill);
}

#[test]
fn verify_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let output = millweir(dir.path()).args(["verify", "elsewhere"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!dir.path().join("elsewhere").exists());
}

/// What is missing is damage too, and a directory of something else no whole one.
#[test]
fn verify_misses_what_is_not_there() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "s"]);
    server.run(&["put", "s", "x"]);
    let client = server.client();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let input = api::kinesis::StartStreamEncryptionInput {
        stream_name: Some("s".into()),
        encryption_type: api::kinesis::EncryptionType::Kms,
        key_id: "alias/a".into(),
        ..Default::default()
    };
    let call = client.call::<api::kinesis::ops::StartStreamEncryption>(&input);
    runtime.block_on(call).unwrap();
    stop(&mut server);
    let verify = |expected: i32| {
        let output = millweir(server.dir()).args(["verify", "data"]).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    verify(0);
    let aside = server.dir().join("aside");
    for part in ["journal", "catalog", "encryption-keys", "FORMAT"] {
        let part = server.data().join(part);
        OsDisk.rename(&part, &aside).unwrap();
        verify(4);
        // Without its keys a server starts: what is not encrypted can be read.
        if !part.ends_with("encryption-keys") {
            let start = millweir(server.dir())
                .args(["serve", "--listen", "127.0.0.1:0", "--data", "data"])
                .output()
                .unwrap();
            assert_eq!(start.status.code(), Some(1), "{start:?}");
        }
        OsDisk.remove_dir_all(&part).unwrap_or_default();
        OsDisk.rename(&aside, &part).unwrap();
        verify(0);
    }
    let other = server.dir().join("other");
    OsDisk.create_dir_all(&other).unwrap();
    write(&other.join("notes.txt"), "no data");
    let output = millweir(server.dir()).args(["verify", "other"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(files(&other), [other.join("notes.txt")], "verify writes nothing");
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    OsDisk.list(dir).unwrap().into_iter().flat_map(below).collect()
}

fn places(path: &Path, needle: &[u8]) -> Vec<u64> {
    let file = OsDisk.open(path, Open::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    let hits = bytes.windows(needle.len()).enumerate().filter(|(_, window)| *window == needle);
    hits.map(|(at, _)| at as u64).collect()
}

fn flip(path: &Path, offset: u64) {
    let file = OsDisk.open(path, Open::Write).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, offset).unwrap();
    file.write_at(&[byte[0] ^ 1], offset).unwrap();
}
