//! Every option of the configuration as data: its name, kind, default and help text.
//!
//! Flags, the environment, `--help`, `check-config` and docs/reference/configuration.md are made
//! from this table.
//! A segment `*` in a name stands for a name that the owner chooses, as in
//! `access_keys.ci.secret_file`.

use super::kinds::Kind;
use super::settings::ENV_PREFIX;
use super::units;
use std::time::Duration;
use store::local::options as local;
use store::memory::MemoryOptions;
use streams::Lifecycle;

/// One option.
#[derive(Debug)]
pub(crate) struct Key {
    /// Dotted name, as in the file: `tls.cert_file`.
    pub(crate) name: &'static str,
    /// What it accepts.
    pub(crate) kind: Kind,
    /// Its text when nobody sets it; empty for none.
    pub(crate) default: fn() -> String,
    /// One sentence for people.
    pub(crate) help: &'static str,
    /// Environment variables of other tools that mean the same, weaker than our own.
    pub(crate) aliases: &'static [&'static str],
    /// The flag of `serve` that sets it, without its dashes, and the word for its value.
    pub(crate) flag: Option<(&'static str, &'static str)>,
}

/// Where the API listens when nobody says so: what LocalStack-style set-ups map.
pub(crate) const LISTEN: &str = "127.0.0.1:4566";
/// Where data lies when nobody says so.
pub(crate) const DATA: &str = "./millweir-data";
/// Region that the banner and the client commands name when nobody says so.
pub(crate) const REGION: &str = "us-east-1";
/// Account of every key that names no other.
pub(crate) const ACCOUNT: &str = "000000000000";

/// Time that services and engines have to stop once the sockets are closed.
pub(crate) const FLUSH_MAX: Duration = Duration::from_millis(1500);
/// All the time that a stop has: below the ten seconds that supervisors give.
pub(crate) const STOP_MAX: Duration = Duration::from_secs(9);
/// Most of `server.shutdown_timeout`, so that something is left to flush before [`STOP_MAX`].
const SHUTDOWN_MAX: Duration = Duration::from_secs(8);
/// Range of the time-outs of sockets: shorter ones cut clients that do nothing wrong.
const TIMEOUT: Kind = Kind::duration(Duration::from_millis(10), Duration::from_hours(24));
/// Range of the files of the local engine: a block, and what offsets of 32 bits reach.
const FILE: Kind = Kind::size(4 << 10, 2 << 30);
/// Range of the passing states.
const PASSING: Kind = Kind::duration(Duration::ZERO, Duration::from_hours(24));
/// Range of bounds on shards and streams.
const MANY: Kind = Kind::count(1, 1_000_000);
/// Least memory of clients: three eighths of it must hold the largest body twice.
const CLIENT_MEMORY_MIN: u64 = 96 << 20;
/// Largest memory that can be given.
const MEMORY_MAX: u64 = 1 << 40;

const fn key(name: &'static str, kind: Kind, default: fn() -> String, help: &'static str) -> Key {
    Key { name, kind, default, help, aliases: &[], flag: None }
}

impl Key {
    const fn also(self, aliases: &'static [&'static str]) -> Key {
        Key { aliases, ..self }
    }

    const fn flag(self, flag: &'static str, value: &'static str) -> Key {
        Key { flag: Some((flag, value)), ..self }
    }

    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        let name = self.name.replace('*', "NAME").replace('.', "__");
        format!("{ENV_PREFIX}{}", name.to_ascii_uppercase())
    }
}

fn none() -> String {
    String::new()
}

fn off() -> String {
    "false".into()
}

/// All options, sorted by area.
pub(crate) static KEYS: &[Key] = &[
    key(
        "listen",
        Kind::Address,
        || LISTEN.into(),
        "Address and port of the API; port 0 picks one.",
    )
    .flag("listen", "ADDR:PORT"),
    key("data", Kind::Path, || DATA.into(), "Directory that holds everything.").flag("data", "DIR"),
    key("memory", Kind::Switch, off, "Keep everything in memory; gone when the process ends.")
        .flag("memory", ""),
    key(
        "limits",
        Kind::Choice(&["aws", "hardware"]),
        || "aws".into(),
        "Per-shard rates: AWS's, or whatever the machine gives.",
    )
    .flag("limits", "aws|hardware"),
    key(
        "auth",
        Kind::Choice(&["any", "required"]),
        || "any".into(),
        "`any`: a signature must be there; `required`: it must be right.",
    )
    .flag("auth", "any|required"),
    key("allow_insecure", Kind::Switch, off, "Listen off loopback without authentication or TLS.")
        .flag("allow-insecure", ""),
    key("region", Kind::Text, || REGION.into(), "Region that the banner names.")
        .also(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
    key("account", Kind::Text, || ACCOUNT.into(), "Account of keys that name no other.")
        .also(&["AWS_ACCOUNT_ID"]),
    key(
        "durability",
        Kind::Choice(&["always", "relaxed"]),
        || "always".into(),
        "`always`: on disk before it is acknowledged; `relaxed`: a power cut may lose the newest.",
    ),
    key("access_keys.*.id", Kind::Text, none, "Access key id."),
    key("access_keys.*.secret", Kind::Secret, none, "Its secret; better in `secret_file`."),
    key("access_keys.*.secret_file", Kind::Path, none, "File that holds the secret."),
    key("access_keys.*.session_token", Kind::Secret, none, "Session token it must come with."),
    key("access_keys.*.session_token_file", Kind::Path, none, "File that holds the token."),
    key(
        "access_keys.*.expires",
        Kind::Time,
        none,
        "When its session token stops being good under `auth = \"required\"`.",
    ),
    key("access_keys.*.account", Kind::Text, none, "Its account, twelve digits."),
    key(
        "access_keys.*.policies",
        Kind::Names,
        none,
        "What it may do: admin, read-only, producer, consumer; unset without a file: everything.",
    ),
    key(
        "access_keys.*.policy_file",
        Kind::Path,
        none,
        "File with a policy of IAM's kind, beside those of `policies`.",
    ),
    key(
        "tls.mode",
        Kind::Choice(&["optional", "required"]),
        || "optional".into(),
        "`optional`: plain and TLS on one port; `required`: TLS only.",
    )
    .flag("tls", "optional|required"),
    key("tls.cert_file", Kind::Path, none, "Certificate chain (PEM) to serve instead of our own."),
    key("tls.key_file", Kind::Path, none, "Private key (PEM) of `tls.cert_file`."),
    key("tls.names", Kind::Names, none, "More host names and addresses for our own certificate."),
    key(
        "encryption.keys_file",
        Kind::Path,
        none,
        "Where made encryption keys are kept; `encryption-keys` in the data directory when unset.",
    ),
    key(
        "encryption.make_keys",
        Kind::Switch,
        || "true".into(),
        "Make a key for each `KeyId` that a client names first; else only given ones work.",
    ),
    key("encryption.keys.*.id", Kind::Text, none, "`KeyId` of a given key, as `alias/orders`."),
    key("encryption.keys.*.key", Kind::Secret, none, "The key, 64 hexadecimal digits."),
    key("encryption.keys.*.key_file", Kind::Path, none, "File that holds the digits."),
    key(
        "server.connections_max",
        MANY,
        || server::Limits::default().connections_max.to_string(),
        "Open connections; for one more an idle one is closed.",
    ),
    key(
        "server.memory",
        Kind::size(CLIENT_MEMORY_MIN, MEMORY_MAX),
        || units::bytes_text(server::Limits::default().memory_bytes_max as u64),
        "Memory that all clients together may cause; one of them has three quarters at most.",
    ),
    key(
        "server.header_timeout",
        TIMEOUT,
        || units::duration_text(server::Limits::default().header_timeout),
        "Time for a request's head and for a TLS handshake.",
    ),
    key(
        "server.body_timeout",
        TIMEOUT,
        || units::duration_text(server::Limits::default().body_timeout),
        "Time in which a body must bring another 16 KiB, or end.",
    ),
    key(
        "server.idle_timeout",
        TIMEOUT,
        || units::duration_text(server::Limits::default().idle_timeout),
        "Time after which a silent connection is closed.",
    ),
    key(
        "server.shutdown_timeout",
        Kind::duration(Duration::ZERO, SHUTDOWN_MAX),
        || units::duration_text(server::Limits::default().shutdown_timeout),
        "Time that requests in flight have when the server stops.",
    ),
    key(
        "server.host_names",
        Kind::Names,
        none,
        "More names under which a server on loopback may be addressed.",
    ),
    key(
        "server.cors_origins",
        Kind::Names,
        || server::Options::default().cors_origins.join(","),
        "Origins of web pages that may call under `auth = \"required\"`; `*` for all.",
    ),
    key(
        "server.metrics_token_file",
        Kind::Path,
        none,
        "File of the bearer token with which metrics are read; asked for on loopback, too.",
    ),
    key(
        "server.open_metrics",
        Kind::Switch,
        || "false".into(),
        "Let other machines read metrics where there is no token.",
    ),
    key(
        "storage.cache",
        Kind::size(0, MEMORY_MAX),
        || units::bytes_text(local::CACHE_BYTES_MAX as u64),
        "Memory for the newest records, which readers at the tip are served from.",
    ),
    key(
        "storage.journal_first",
        FILE,
        || units::bytes_text(local::JOURNAL_FIRST_BYTES),
        "First journal file, written before an empty directory serves.",
    ),
    key(
        "storage.journal_file",
        FILE,
        || units::bytes_text(local::JOURNAL_FILE_BYTES_MAX),
        "Largest journal files.",
    ),
    key(
        "storage.journal_files",
        Kind::count(3, local::JOURNAL_FILES_LIMIT as u64),
        || local::JOURNAL_FILES_MAX.to_string(),
        "Most journal files.",
    ),
    key(
        "storage.direct",
        Kind::Switch,
        || "true".into(),
        "Write journal and segments past the page cache where the file system can.",
    ),
    key(
        "storage.segment",
        FILE,
        || units::bytes_text(local::SEGMENT_BYTES_MAX),
        "Size at which a shard's segment is sealed; retention frees whole segments.",
    ),
    key(
        "storage.readers",
        Kind::count(1, 256),
        || local::READERS.to_string(),
        "Threads that read older records.",
    ),
    key(
        "storage.no_space_percent",
        Kind::count(1, 100),
        || local::NO_SPACE_PERCENT.to_string(),
        "Used part of the disk at which writes are refused.",
    ),
    key(
        "storage.cut_damaged_journal",
        Kind::Switch,
        off,
        "Start on a damaged journal, or one with less than its segments, and give up \
         what is lost.",
    ),
    key(
        "storage.memory",
        Kind::size(1 << 20, MEMORY_MAX),
        || units::bytes_text(MemoryOptions::default().bytes_max as u64),
        "Most records held with `memory = true`.",
    ),
    key(
        "lifecycle.creating",
        PASSING,
        || units::duration_text(Lifecycle::default().creating),
        "How long streams and consumers stay CREATING. 0ms: it is never seen.",
    ),
    key(
        "lifecycle.updating",
        PASSING,
        || units::duration_text(Lifecycle::default().updating),
        "How long streams stay UPDATING. 0ms: it is never seen.",
    ),
    key(
        "lifecycle.deleting",
        PASSING,
        || units::duration_text(Lifecycle::default().deleting),
        "How long streams and consumers stay DELETING. 0ms: it is never seen.",
    ),
    key(
        "streams.shards_max",
        MANY,
        || streams::Options::default().shards_max.to_string(),
        "Most open shards of one account and region; regions that AWS does not have count as one.",
    ),
    key(
        "streams.stream_shards_max",
        MANY,
        || streams::Options::default().stream_shards_max.to_string(),
        "Most open shards of one stream.",
    ),
    key(
        "streams.on_demand_streams_max",
        Kind::count(0, 1_000_000),
        || streams::Options::default().on_demand_streams_max.to_string(),
        "Most on-demand streams of one account and region.",
    ),
    key(
        "streams.scaling_limits",
        Kind::Switch,
        || streams::Options::default().scaling_limits.to_string(),
        "Ration changes as AWS does, as UpdateShardCount to the double, ten times a day.",
    ),
    key(
        "streams.subscription",
        Kind::duration(Duration::from_secs(1), Duration::from_hours(24)),
        || units::duration_text(streams::Options::default().subscription),
        "Longest fan-out subscription.",
    ),
    key(
        "streams.shard_metrics_max",
        Kind::count(0, 10_000),
        || streams::Options::default().shard_metrics_max.to_string(),
        "Most shards of a stream with metrics of their own; those of a larger one share them.",
    ),
    key(
        "log.level",
        Kind::Level,
        || "info".into(),
        "error, warn, info, debug, trace of our own lines, or a filter as RUST_LOG has it.",
    )
    .flag("log-level", "LEVEL")
    .also(&["RUST_LOG"]),
    key(
        "log.format",
        Kind::Choice(&["auto", "text", "json"]),
        || "auto".into(),
        "`auto`: text on a terminal, JSON lines elsewhere.",
    ),
];

impl Key {
    /// The owner's word for the `*` of this option when `name` is one of its names; the empty text
    /// when the option has no `*`.
    pub(crate) fn matches<'a>(&self, name: &'a str) -> Option<&'a str> {
        let Some((before, after)) = self.name.split_once('*') else {
            return (self.name == name).then_some("");
        };
        let word = name.strip_prefix(before)?.strip_suffix(after)?;
        (!word.is_empty() && !word.contains('.')).then_some(word)
    }
}

/// The option of this name and the owner's word in it.
pub(crate) fn find(name: &str) -> Option<(&'static Key, &str)> {
    KEYS.iter().find_map(|key| key.matches(name).map(|word| (key, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_legal() {
        for key in KEYS {
            let text = (key.default)();
            assert!(text.is_empty() || key.kind.check(&text) == Ok(text.clone()), "{}", key.name);
            assert!(key.help.ends_with('.'), "{}", key.name);
        }
    }

    #[test]
    fn the_owners_word_is_found() {
        assert_eq!(find("listen").map(|(key, _)| key.name), Some("listen"));
        let (key, word) = find("access_keys.ci.secret_file").unwrap();
        assert_eq!((key.name, word), ("access_keys.*.secret_file", "ci"));
        assert!(find("access_keys..id").is_none());
        assert!(find("access_keys.a.b.id").is_none());
        assert!(find("access_keys.ci.color").is_none());
    }
}
