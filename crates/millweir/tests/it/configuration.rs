//! `check-config`: sources, precedence, and what is wrong with them.

use crate::support::{millweir, succeed, write};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Output;

struct Machine(tempfile::TempDir);

impl Machine {
    fn new(file: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("millweir.toml"), file);
        Self(dir)
    }

    fn check(&self, env: &[(&str, &str)], args: &[&str]) -> Output {
        let mut command = millweir(self.0.path());
        command.arg("check-config").args(args).envs(env.iter().copied()).output().unwrap()
    }

    fn origin_of(&self, key: &str, env: &[(&str, &str)], args: &[&str]) -> (String, String) {
        let args = [&["--show-origin", "--output", "json"], args].concat();
        let all = succeed(self.check(env, &args));
        let all: serde_json::Value = serde_json::from_str(&all).unwrap();
        let text = |what: &str| all[key][what].as_str().unwrap().to_owned();
        (text("value"), text("origin"))
    }
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let machine = Machine::new("limits = 'hardware'");
    let of = |env: &[_], args: &[_]| machine.origin_of("limits", env, args);
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(of(&[], &[]), pair("hardware", "file millweir.toml"));
    let env = [("MILLWEIR__LIMITS", "aws")];
    assert_eq!(of(&env, &[]), pair("aws", "environment MILLWEIR__LIMITS"));
    assert_eq!(of(&env, &["--limits", "hardware"]), pair("hardware", "flag --limits"));
    assert_eq!(machine.origin_of("auth", &[], &[]), pair("any", "default"));
}

#[test]
fn a_named_file_replaces_the_found_one() {
    let machine = Machine::new("limits = 'hardware'");
    write(&machine.0.path().join("other.toml"), "[lifecycle]\ncreating = '2s'");
    let args = ["--config", "other.toml"];
    assert_eq!(machine.origin_of("limits", &[], &args).1, "default");
    assert_eq!(machine.origin_of("lifecycle.creating", &[], &args).0, "2s");
}

#[test]
fn the_users_file_is_found() {
    let machine = Machine::new("");
    crate::support::succeed(machine.check(&[], &[]));
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join(".config/millweir")).unwrap();
    write(&dir.path().join(".config/millweir/millweir.toml"), "limits = 'hardware'");
    let (value, _) = Machine(dir).origin_of("limits", &[], &[]);
    assert_eq!(value, "hardware");
}

fn check_refused(file: &str, env: &[(&str, &str)], want: &str) {
    let output = Machine::new(file).check(env, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(want), "{said}");
}

#[test]
fn unknown_key() {
    check_refused("[lifecycle]\ncreatign = '1s'", &[], "did you mean `lifecycle.creating`?");
}

#[test]
fn unknown_variable() {
    check_refused("", &[("MILLWEIR__LIMIT", "aws")], "did you mean `limits`?");
}

#[test]
fn variable_with_single_underscores() {
    let env = [("MILLWEIR_LIMITS", "hardware")];
    check_refused("", &env, "MILLWEIR_LIMITS: nothing reads it; did you mean `MILLWEIR__LIMITS`?");
    let others = [("MILLWEIR_ENDPOINT", "x"), ("MILLWEIR_CA", "x"), ("MILLWEIR_SKIP", "x")];
    succeed(Machine::new("").check(&others, &[]));
}

#[test]
fn variable_that_is_no_text() {
    let machine = Machine::new("");
    let mut command = millweir(machine.0.path());
    command.arg("check-config").env("MILLWEIR__DATA", OsStr::from_bytes(b"/data-\xff"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("environment MILLWEIR__DATA: it is no text"), "{said}");
}

#[test]
fn missing_file() {
    for command in ["check-config", "serve"] {
        let args = [command, "--config", "/nowhere/m.toml"];
        let output = millweir(Machine::new("").0.path()).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("cannot read the configuration `/nowhere/m.toml`"), "{said}");
    }
}

#[test]
fn slips_in_the_log_level() {
    check_refused("[log]\nlevel = 'inof'", &[], "`inof` is no level; did you mean `info`?");
    check_refused("", &[("RUST_LOG", "info,server=loud")], "is no filter of the log");
    let said = Machine::new("").check(&[], &["--log-level", "wran"]);
    assert_eq!(said.status.code(), Some(2));
}

#[test]
fn numbers_out_of_range() {
    for (file, want) in [
        ("[server]\nconnections_max = 0", "`0` is no number from 1 to 1000000"),
        ("[server]\nmemory = '0B'", "`0B` is no size from 96MiB to 1TiB"),
        ("[server]\nheader_timeout = '0ms'", "`0ms` is no duration from 10ms to 1d"),
        ("[server]\nshutdown_timeout = '11s'", "`11s` is no duration from 0s to 8s"),
        ("[storage]\njournal_files = 2", "`2` is no number from 3 to 256"),
        ("[storage]\nno_space_percent = 300", "`300` is no number from 1 to 100"),
        ("[streams]\nsubscription = '0s'", "`0s` is no duration from 1s to 1d"),
        ("[streams]\nshard_metrics_max = 10001", "`10001` is no number from 0 to 10000"),
    ] {
        let (table, rest) = file.split_once('\n').unwrap();
        let key = rest.split(' ').next().unwrap();
        let name = format!("{}.{key}", table.trim_matches(['[', ']']));
        check_refused(file, &[], &format!("file millweir.toml: `{name}`: {want}"));
    }
}

#[test]
fn certificates_that_cannot_be_served() {
    let files = "[tls]\ncert_file = 'millweir.toml'\nkey_file = 'gone.pem'";
    check_refused(files, &[], "`tls.key_file`: cannot read `gone.pem`");
    let files = files.replace("gone.pem", "millweir.toml");
    check_refused(&files, &[], "`tls.cert_file`: cannot use millweir.toml");
    check_refused("[tls]\nnames = ['!!']", &[], "`!!` is neither a host name nor an address");
}

#[test]
fn bare_numbers_have_no_unit() {
    check_refused("[storage]\ncache = 64", &[], "as in `64MiB`");
    check_refused("[lifecycle]\ncreating = 250", &[], "as in `250ms`");
}

#[test]
fn both_secret_and_file() {
    let file = "[access_keys.a]\nid = 'k'\nsecret = 's'\nsecret_file = 'f'";
    check_refused(file, &[], "are both set");
}

#[test]
fn secrets_are_not_shown() {
    let machine = Machine::new("[access_keys.a]\nid = 'k'\nsecret = 'canary'");
    let output = machine.check(&[], &["--show-origin"]);
    assert!(!format!("{output:?}").contains("canary"));
    assert!(succeed(output).contains("access_keys.a.secret"));
}

#[test]
fn localstack_variables_are_tolerated() {
    let env = [("SERVICES", "kinesis"), ("DEBUG", "1"), ("AWS_REGION", "eu-west-1")];
    let (value, origin) = Machine::new("").origin_of("region", &env, &[]);
    assert_eq!((value.as_str(), origin.as_str()), ("eu-west-1", "environment AWS_REGION"));
}

#[test]
fn every_option_is_listed_with_its_meaning() {
    let options = succeed(Machine::new("limits = 'wrong'").check(&[], &["--options"]));
    for part in [
        "access_keys.*.secret_file",
        "access_keys.*.expires",
        "tls.mode",
        "aws|hardware",
        "storage.cache",
        "number, 3 to 256",
        "size, 96MiB to 1TiB",
        "duration, 0s to 8s",
    ] {
        assert!(options.contains(part), "{options}");
    }
}
