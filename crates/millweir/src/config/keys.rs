//! Every option of the configuration as data: its name, kind, default and help text.
//!
//! `--help`, `check-config` and the reference read the same table. A segment `*` in a name stands
//! for a name that the owner chooses, as in `access_keys.ci.secret_file`.

use super::units;
use std::net::SocketAddr;
use std::path::Path;
use store::local::options as local;
use store::memory::MemoryOptions;
use streams::Lifecycle;

/// What texts an option accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// Any text; never shown again.
    Secret,
    /// A file or directory; relative ones start at the working directory.
    Path,
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `64MiB`.
    Size,
    /// `250ms`.
    Duration,
    /// A whole number.
    Count,
    /// `ADDRESS:PORT`.
    Address,
    /// A list of names; in texts separated by commas.
    Names,
}

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
}

/// Where the API listens when nobody says so: what LocalStack-style set-ups map.
pub(crate) const LISTEN: &str = "127.0.0.1:4566";
/// Where data lies when nobody says so.
pub(crate) const DATA: &str = "./millweir-data";
/// Region that the banner and the client commands name when nobody says so.
pub(crate) const REGION: &str = "us-east-1";
/// Account of every key that names no other.
pub(crate) const ACCOUNT: &str = "000000000000";

const fn key(name: &'static str, kind: Kind, default: fn() -> String, help: &'static str) -> Key {
    Key { name, kind, default, help, aliases: &[] }
}

impl Key {
    const fn also(self, aliases: &'static [&'static str]) -> Key {
        Key { aliases, ..self }
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
    ),
    key("data", Kind::Path, || DATA.into(), "Directory that holds everything."),
    key("memory", Kind::Switch, off, "Keep everything in memory; gone when the process ends."),
    key(
        "limits",
        Kind::Choice(&["aws", "hardware"]),
        || "aws".into(),
        "Per-shard rates: AWS's, or whatever the machine gives.",
    ),
    key(
        "auth",
        Kind::Choice(&["any", "required"]),
        || "any".into(),
        "`any`: a signature must be there; `required`: it must be right.",
    ),
    key("allow_insecure", Kind::Switch, off, "Listen off loopback without authentication or TLS."),
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
    key("access_keys.*.account", Kind::Text, none, "Its account, twelve digits."),
    key(
        "tls.mode",
        Kind::Choice(&["optional", "required"]),
        || "optional".into(),
        "`optional`: plain and TLS on one port; `required`: TLS only.",
    ),
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
        Kind::Count,
        || server::Limits::default().connections_max.to_string(),
        "Open connections; more wait.",
    ),
    key(
        "server.bodies_max",
        Kind::Size,
        || units::bytes_text(server::Limits::default().body_bytes_in_flight_max as u64),
        "Request bodies held at once by all requests.",
    ),
    key(
        "server.header_timeout",
        Kind::Duration,
        || units::duration_text(server::Limits::default().header_timeout),
        "Time for a request's head and for a TLS handshake.",
    ),
    key(
        "server.body_timeout",
        Kind::Duration,
        || units::duration_text(server::Limits::default().body_timeout),
        "Time in which a body must bring another 16 KiB, or end.",
    ),
    key(
        "server.idle_timeout",
        Kind::Duration,
        || units::duration_text(server::Limits::default().idle_timeout),
        "Time after which a silent connection is closed.",
    ),
    key(
        "server.shutdown_timeout",
        Kind::Duration,
        || units::duration_text(server::Limits::default().shutdown_timeout),
        "Time that requests in flight have when the server stops.",
    ),
    key(
        "server.host_names",
        Kind::Names,
        none,
        "More names under which health and metrics answer on loopback.",
    ),
    key(
        "storage.cache",
        Kind::Size,
        || units::bytes_text(local::CACHE_BYTES_MAX as u64),
        "Memory for the newest records, which readers at the tip are served from.",
    ),
    key(
        "storage.journal_first",
        Kind::Size,
        || units::bytes_text(local::JOURNAL_FIRST_BYTES),
        "First journal file, written before an empty directory serves.",
    ),
    key(
        "storage.journal_file",
        Kind::Size,
        || units::bytes_text(local::JOURNAL_FILE_BYTES_MAX),
        "Largest journal files.",
    ),
    key(
        "storage.journal_files",
        Kind::Count,
        || local::JOURNAL_FILES_MAX.to_string(),
        "Most journal files, at least 3.",
    ),
    key(
        "storage.direct",
        Kind::Switch,
        || "true".into(),
        "Write the journal past the page cache where the file system can.",
    ),
    key(
        "storage.segment",
        Kind::Size,
        || units::bytes_text(local::SEGMENT_BYTES_MAX),
        "Size at which a shard's segment is sealed; retention frees whole segments.",
    ),
    key(
        "storage.readers",
        Kind::Count,
        || local::READERS.to_string(),
        "Threads that read older records.",
    ),
    key(
        "storage.no_space_percent",
        Kind::Count,
        || local::NO_SPACE_PERCENT.to_string(),
        "Used part of the disk at which writes are refused.",
    ),
    key(
        "storage.cut_damaged_journal",
        Kind::Switch,
        off,
        "Start on a damaged journal and give up what lies behind the damage.",
    ),
    key(
        "storage.memory",
        Kind::Size,
        || units::bytes_text(MemoryOptions::default().bytes_max as u64),
        "Most records held with `memory = true`.",
    ),
    key(
        "lifecycle.creating",
        Kind::Duration,
        || units::duration_text(Lifecycle::default().creating),
        "How long streams and consumers stay CREATING.",
    ),
    key(
        "lifecycle.updating",
        Kind::Duration,
        || units::duration_text(Lifecycle::default().updating),
        "How long streams stay UPDATING.",
    ),
    key(
        "lifecycle.deleting",
        Kind::Duration,
        || units::duration_text(Lifecycle::default().deleting),
        "How long streams and consumers stay DELETING.",
    ),
    key(
        "streams.shards_max",
        Kind::Count,
        || streams::Options::default().shards_max.to_string(),
        "Most open shards of one account and region.",
    ),
    key(
        "streams.stream_shards_max",
        Kind::Count,
        || streams::Options::default().stream_shards_max.to_string(),
        "Most open shards of one stream.",
    ),
    key(
        "streams.on_demand_streams_max",
        Kind::Count,
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
        Kind::Duration,
        || units::duration_text(streams::Options::default().subscription),
        "Longest fan-out subscription.",
    ),
    key(
        "log.level",
        Kind::Text,
        || "info".into(),
        "error, warn, info, debug, trace, or a filter as RUST_LOG has it.",
    )
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

    /// Checks a text and gives it back as it will be used.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub(crate) fn check(&self, text: &str) -> Result<String, String> {
        let text = text.trim();
        match self.kind {
            Kind::Text | Kind::Secret | Kind::Names => Ok(text.to_owned()),
            Kind::Path => Ok(Path::new(text).display().to_string()),
            Kind::Switch => switch(text),
            Kind::Choice(words) => choice(text, words),
            Kind::Size => units::parse_bytes(text).map(units::bytes_text),
            Kind::Duration => units::parse_duration(text).map(units::duration_text),
            Kind::Count => text
                .parse::<u64>()
                .map(|n| n.to_string())
                .map_err(|_| format!("`{text}` is no whole number")),
            Kind::Address => address(text),
        }
    }
}

/// The option of this name and the owner's word in it.
pub(crate) fn find(name: &str) -> Option<(&'static Key, &str)> {
    KEYS.iter().find_map(|key| key.matches(name).map(|word| (key, word)))
}

fn switch(text: &str) -> Result<String, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok("true".into()),
        "false" | "0" | "no" | "off" => Ok("false".into()),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

fn choice(text: &str, words: &[&str]) -> Result<String, String> {
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    let listed = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    Err(format!("`{text}` is not one of {listed}"))
}

fn address(text: &str) -> Result<String, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric
        .parse::<SocketAddr>()
        .map(|address| address.to_string())
        .map_err(|_| format!("`{text}` is no address and port, as in `127.0.0.1:4566`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_legal() {
        for key in KEYS {
            let text = (key.default)();
            assert!(text.is_empty() || key.check(&text) == Ok(text.clone()), "{}", key.name);
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

    #[test]
    fn kinds_check() {
        let check = |name: &str, text: &str| find(name).unwrap().0.check(text);
        assert_eq!(check("listen", "localhost:0"), Ok("127.0.0.1:0".into()));
        assert_eq!(check("memory", "yes"), Ok("true".into()));
        assert!(check("listen", "4566").is_err());
        assert!(check("memory", "maybe").is_err());
        assert_eq!(check("limits", "none"), Err("`none` is not one of `aws`, `hardware`".into()));
    }
}
