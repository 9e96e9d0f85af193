//! `env`, `completion`, `verify`, `--help` and `--version`.

use crate::support::{Running, millweir, succeed};
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

#[test]
fn verify_names_a_flipped_bit() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "s"]);
    server.run_with(&["put", "s"], b"a\nb\nc\n");
    server.stop();
    let file = largest(&server.data().join("catalog"));
    flip(&file, 100);
    let output = millweir(server.dir()).args(["verify", "data"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(file.file_name().unwrap().to_str().unwrap()), "{said}");
    let none = millweir(server.dir()).args(["verify", "elsewhere"]).output().unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert!(!server.dir().join("elsewhere").exists(), "verify makes nothing");
}

fn largest(dir: &std::path::Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
}

fn flip(path: &std::path::Path, offset: u64) {
    use base::env::{Disk as _, Open, OsDisk};
    let file = OsDisk.open(path, Open::Write).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, offset).unwrap();
    file.write_at(&[byte[0] ^ 1], offset).unwrap();
}
