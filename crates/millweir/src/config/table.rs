//! Every option of the configuration as data: its name, what it accepts and where in [`Options`]
//! that is put, and its help text. A new option is a field of `Options` and an entry here.
//!
//! Flags, the environment, `--help`, `check-config` and docs/reference/configuration.md are made
//! from this table.
//! A segment `*` in a name stands for a name that the owner chooses, as in
//! `access_keys.ci.secret_file`.

use super::kinds::{Kind, Range};
use super::options::LogFormat;
use super::settings::ENV_PREFIX;
use server::AuthMode;
use std::time::Duration;
use store::local::Durability;
use store::local::options::JOURNAL_FILES_LIMIT;
use streams::Limits;

/// One option.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Dotted name, as in the file: `tls.cert_file`.
    pub(crate) name: &'static str,
    /// What it accepts, and its place.
    pub(crate) kind: Kind,
    /// One sentence for people.
    pub(crate) help: &'static str,
    /// Environment variables of other tools that mean the same, weaker than our own.
    pub(crate) aliases: &'static [&'static str],
    /// The flag of `serve` that sets it, without its dashes, and the word for its value.
    pub(crate) flag: Option<(&'static str, &'static str)>,
}

/// Names of options that code asks for beside the table.
pub(crate) mod name {
    pub(crate) const DATA: &str = "data";
    pub(crate) const ACCOUNT: &str = "account";
    pub(crate) const ACCESS_KEY_ID: &str = "access_keys.*.id";
    pub(crate) const ACCESS_KEY_SECRET: &str = "access_keys.*.secret";
    pub(crate) const ACCESS_KEY_SECRET_FILE: &str = "access_keys.*.secret_file";
    pub(crate) const ACCESS_KEY_TOKEN: &str = "access_keys.*.session_token";
    pub(crate) const ACCESS_KEY_TOKEN_FILE: &str = "access_keys.*.session_token_file";
    pub(crate) const ACCESS_KEY_EXPIRES: &str = "access_keys.*.expires";
    pub(crate) const ACCESS_KEY_ACCOUNT: &str = "access_keys.*.account";
    pub(crate) const ACCESS_KEY_POLICIES: &str = "access_keys.*.policies";
    pub(crate) const ACCESS_KEY_POLICY_FILE: &str = "access_keys.*.policy_file";
    pub(crate) const TLS_CERT_FILE: &str = "tls.cert_file";
    pub(crate) const TLS_KEY_FILE: &str = "tls.key_file";
    pub(crate) const TLS_NAMES: &str = "tls.names";
    pub(crate) const PUBLIC_URL: &str = "server.public_url";
    pub(crate) const ENCRYPTION_KEYS_FILE: &str = "encryption.keys_file";
    pub(crate) const ENCRYPTION_KEY_ID: &str = "encryption.keys.*.id";
    pub(crate) const ENCRYPTION_KEY: &str = "encryption.keys.*.key";
    pub(crate) const ENCRYPTION_KEY_FILE: &str = "encryption.keys.*.key_file";
    pub(crate) const METRICS_TOKEN_FILE: &str = "server.metrics_token_file";
    pub(crate) const WEBHOOK_SECRET_FILE: &str = "cloudwatch.webhook_secret_file";
}

/// Time that services and engines have to stop once the sockets are closed.
pub(crate) const FLUSH_MAX: Duration = Duration::from_millis(1500);
/// All the time that a stop has: below the ten seconds that supervisors give.
pub(crate) const STOP_MAX: Duration = Duration::from_secs(9);
/// Range of `server.shutdown_timeout`: something is left to flush before [`STOP_MAX`].
const SHUTDOWN: Range = Range::span(Duration::ZERO, Duration::from_secs(8));
const DAY: Duration = Duration::from_hours(24);
/// Range of the time-outs of sockets: shorter ones cut clients that do nothing wrong.
const TIMEOUT: Range = Range::span(Duration::from_millis(10), DAY);
/// Range of the files of the local engine: a block, and what offsets of 32 bits reach.
const FILE: Range = Range::of(4 << 10, 2 << 30);
/// Range of the passing states.
const PASSING: Range = Range::span(Duration::ZERO, DAY);
/// Range of bounds on shards and streams.
const MANY: Range = Range::of(1, 1_000_000);
/// Largest memory that can be given.
const MEMORY_MAX: u64 = 1 << 40;
/// Range of the memory of clients: three eighths of it must hold the largest body twice.
const CLIENT_MEMORY: Range = Range::of(96 << 20, MEMORY_MAX);

const fn option(name: &'static str, kind: Kind, help: &'static str) -> Entry {
    Entry { name, kind, help, aliases: &[], flag: None }
}

impl Entry {
    const fn also(self, aliases: &'static [&'static str]) -> Entry {
        Entry { aliases, ..self }
    }

    const fn flag(self, flag: &'static str, value: &'static str) -> Entry {
        Entry { flag: Some((flag, value)), ..self }
    }

    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        let name = self.name.replace('*', "NAME").replace('.', "__");
        format!("{ENV_PREFIX}{}", name.to_ascii_uppercase())
    }

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
pub(crate) fn find(name: &str) -> Option<(&'static Entry, &str)> {
    OPTIONS.iter().find_map(|entry| entry.matches(name).map(|word| (entry, word)))
}

/// All options, sorted by area.
pub(crate) static OPTIONS: &[Entry] = &[
    option(
        "listen",
        Kind::Address(|o| &mut o.server.listen),
        "Address and port of the API; port 0 picks one.",
    )
    .flag("listen", "ADDR:PORT"),
    option(name::DATA, Kind::Path(|o| &mut o.data), "Directory that holds everything.")
        .flag("data", "DIR"),
    option(
        "memory",
        Kind::Switch(|o| &mut o.memory),
        "Keep everything in memory; gone when the process ends.",
    )
    .flag("memory", ""),
    option(
        "limits",
        Kind::Choice(&[
            ("aws", |o| o.streams.limits = Limits::Aws),
            ("hardware", |o| o.streams.limits = Limits::Hardware),
        ]),
        "Per-shard rates: AWS's, or whatever the machine gives.",
    )
    .flag("limits", "aws|hardware"),
    option(
        "auth",
        Kind::Choice(&[
            ("any", |o| o.server.auth = AuthMode::Any),
            ("required", |o| o.server.auth = AuthMode::Required),
        ]),
        "`any`: a signature must be there; `required`: it must be right.",
    )
    .flag("auth", "any|required"),
    option(
        "allow_insecure",
        Kind::Switch(|o| &mut o.allow_insecure),
        "Listen off loopback without authentication or TLS.",
    )
    .flag("allow-insecure", ""),
    option(
        "region",
        Kind::Region(|o| &mut o.region),
        "Region that the banner names; its partition is that of ARNs without a region.",
    )
    .also(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
    option(
        name::ACCOUNT,
        Kind::Account(|o| &mut o.server.account),
        "Account of keys that name no other.",
    )
    .also(&["AWS_ACCOUNT_ID"]),
    option(
        "durability",
        Kind::Choice(&[
            ("always", |o| o.storage.durability = Durability::Always),
            ("relaxed", |o| o.storage.durability = Durability::Relaxed),
        ]),
        "`always`: on disk before it is acknowledged; `relaxed`: a power cut may lose the newest.",
    ),
    option(name::ACCESS_KEY_ID, Kind::Text, "Access key id."),
    option(name::ACCESS_KEY_SECRET, Kind::Secret, "Its secret; better in `secret_file`."),
    option(name::ACCESS_KEY_SECRET_FILE, Kind::File, "File that holds the secret."),
    option(name::ACCESS_KEY_TOKEN, Kind::Secret, "Session token it must come with."),
    option(name::ACCESS_KEY_TOKEN_FILE, Kind::File, "File that holds the token."),
    option(
        name::ACCESS_KEY_EXPIRES,
        Kind::Time,
        "When its session token stops being good under `auth = \"required\"`.",
    ),
    option(name::ACCESS_KEY_ACCOUNT, Kind::Text, "Its account, twelve digits."),
    option(
        name::ACCESS_KEY_POLICIES,
        Kind::Policies,
        "What it may do: admin, read-only, producer, consumer; unset without a file: everything.",
    ),
    option(
        name::ACCESS_KEY_POLICY_FILE,
        Kind::File,
        "File with a policy of IAM's kind, beside those of `policies`.",
    ),
    option(
        "tls.mode",
        Kind::Choice(&[
            ("optional", |o| o.server.tls_only = false),
            ("required", |o| o.server.tls_only = true),
        ]),
        "`optional`: plain and TLS on one port; `required`: TLS only.",
    )
    .flag("tls", "optional|required"),
    option(name::TLS_CERT_FILE, Kind::File, "Certificate chain (PEM) to serve instead of our own."),
    option(name::TLS_KEY_FILE, Kind::File, "Private key (PEM) of `tls.cert_file`."),
    option(
        name::TLS_NAMES,
        Kind::Names(|o| &mut o.tls.names),
        "More host names and addresses for our own certificate.",
    ),
    option(
        name::ENCRYPTION_KEYS_FILE,
        Kind::File,
        "Where made encryption keys are kept; `encryption-keys` in the data directory when unset.",
    ),
    option(
        "encryption.make_keys",
        Kind::Switch(|o| &mut o.encryption.make_keys),
        "Make a key for each `KeyId` that a client names first; else only given ones work.",
    ),
    option(name::ENCRYPTION_KEY_ID, Kind::Text, "`KeyId` of a given key, as `alias/orders`."),
    option(name::ENCRYPTION_KEY, Kind::Secret, "The key, 64 hexadecimal digits."),
    option(name::ENCRYPTION_KEY_FILE, Kind::File, "File that holds the digits."),
    option(
        "server.connections_max",
        Kind::Count(MANY, |o| &mut o.server.limits.connections_max),
        "Open connections; for one more an idle one is closed.",
    ),
    option(
        "server.memory",
        Kind::Size(CLIENT_MEMORY, |o| &mut o.server.limits.memory_bytes_max),
        "Memory that all clients together may cause; one of them has three quarters at most.",
    ),
    option(
        "server.header_timeout",
        Kind::Duration(TIMEOUT, |o| &mut o.server.limits.header_timeout),
        "Time for a request's head and for a TLS handshake.",
    ),
    option(
        "server.body_timeout",
        Kind::Duration(TIMEOUT, |o| &mut o.server.limits.body_timeout),
        "Time in which a body must bring another 16 KiB, or end.",
    ),
    option(
        "server.idle_timeout",
        Kind::Duration(TIMEOUT, |o| &mut o.server.limits.idle_timeout),
        "Time after which a silent connection is closed.",
    ),
    option(
        "server.shutdown_timeout",
        Kind::Duration(SHUTDOWN, |o| &mut o.server.limits.shutdown_timeout),
        "Time that requests in flight have when the server stops.",
    ),
    option(
        "server.host_names",
        Kind::Names(|o| &mut o.server.host_names),
        "More names under which a server on loopback may be addressed.",
    ),
    option(
        name::PUBLIC_URL,
        Kind::Text,
        "Where endpoints of SNS find this server, as `https://millweir.example`; unset: its address.",
    ),
    option(
        "server.cors_origins",
        Kind::Names(|o| &mut o.server.cors_origins),
        "Origins of web pages that may call under `auth = \"required\"`; `*` for all.",
    ),
    option(
        name::METRICS_TOKEN_FILE,
        Kind::File,
        "File of the bearer token with which metrics are read; asked for on loopback, too.",
    ),
    option(
        "server.open_metrics",
        Kind::Switch(|o| &mut o.server.open_metrics),
        "Let other machines read metrics where there is no token.",
    ),
    option(
        "storage.cache",
        Kind::Size(Range::of(0, MEMORY_MAX), |o| &mut o.storage.cache_bytes_max),
        "Memory for the newest records, which readers at the tip are served from.",
    ),
    option(
        "storage.journal_first",
        Kind::Size(FILE, |o| &mut o.storage.journal_first_bytes),
        "First journal file, written before an empty directory serves.",
    ),
    option(
        "storage.journal_file",
        Kind::Size(FILE, |o| &mut o.storage.journal_file_bytes_max),
        "Largest journal files.",
    ),
    option(
        "storage.journal_files",
        Kind::Count(Range::of(3, JOURNAL_FILES_LIMIT as u64), |o| &mut o.storage.journal_files_max),
        "Most journal files.",
    ),
    option(
        "storage.direct",
        Kind::Switch(|o| &mut o.storage.direct),
        "Write journal and segments past the page cache where the file system can.",
    ),
    option(
        "storage.segment",
        Kind::Size(FILE, |o| &mut o.storage.segment_bytes_max),
        "Size at which a shard's segment is sealed; retention frees whole segments.",
    ),
    option(
        "storage.readers",
        Kind::Count(Range::of(1, 256), |o| &mut o.storage.readers),
        "Threads that read older records.",
    ),
    option(
        "storage.no_space_percent",
        Kind::Count(Range::of(1, 100), |o| &mut o.storage.no_space_percent),
        "Used part of the disk at which writes are refused.",
    ),
    option(
        "storage.cut_damaged_journal",
        Kind::Switch(|o| &mut o.storage.cut_damaged_journal),
        "Start on a damaged journal, or one with less than its segments, and give up \
         what is lost.",
    ),
    option(
        "storage.memory",
        Kind::Size(Range::of(1 << 20, MEMORY_MAX), |o| &mut o.memory_engine.bytes_max),
        "Most records held with `memory = true`.",
    ),
    option(
        "lifecycle.creating",
        Kind::Duration(PASSING, |o| &mut o.streams.lifecycle.creating),
        "How long streams and consumers stay CREATING. 0ms: it is never seen.",
    ),
    option(
        "lifecycle.updating",
        Kind::Duration(PASSING, |o| &mut o.streams.lifecycle.updating),
        "How long streams stay UPDATING. 0ms: it is never seen.",
    ),
    option(
        "lifecycle.deleting",
        Kind::Duration(PASSING, |o| &mut o.streams.lifecycle.deleting),
        "How long streams and consumers stay DELETING. 0ms: it is never seen.",
    ),
    option(
        "streams.shards_max",
        Kind::Count(MANY, |o| &mut o.streams.shards_max),
        "Most open shards of one account and region; regions that AWS does not have count as one.",
    ),
    option(
        "streams.stream_shards_max",
        Kind::Count(MANY, |o| &mut o.streams.stream_shards_max),
        "Most open shards of one stream.",
    ),
    option(
        "streams.on_demand_streams_max",
        Kind::Count(Range::of(0, 1_000_000), |o| &mut o.streams.on_demand_streams_max),
        "Most on-demand streams of one account and region.",
    ),
    option(
        "streams.scaling_limits",
        Kind::Switch(|o| &mut o.streams.scaling_limits),
        "Ration changes as AWS does, as UpdateShardCount to the double, ten times a day.",
    ),
    option(
        "streams.subscription",
        Kind::Duration(Range::span(Duration::from_secs(1), DAY), |o| &mut o.streams.subscription),
        "Longest fan-out subscription.",
    ),
    option(
        "streams.shard_metrics_max",
        Kind::Count(Range::of(0, 10_000), |o| &mut o.streams.shard_metrics_max),
        "Most shards of a stream with metrics of their own; those of a larger one share them.",
    ),
    option(
        "cloudwatch.metrics_max",
        Kind::Count(Range::of(10, 10_000_000), |o| &mut o.cloudwatch.series_max),
        "Most metrics, each in each unit; of one account four fifths. Ten thousand take 50 MB.",
    ),
    option(
        "cloudwatch.head_bytes_max",
        Kind::Size(Range::of(1 << 20, MEMORY_MAX), |o| &mut o.cloudwatch.head_bytes_max),
        "Most bytes of points of this hour, which are in memory; from half of it on they go to disk.",
    ),
    option(
        "cloudwatch.points_bytes_max",
        Kind::Size(Range::of(1 << 20, MEMORY_MAX), |o| &mut o.cloudwatch.points_bytes_max),
        "Most bytes of older points on the disk; beyond it the oldest of one resolution go.",
    ),
    option(
        "cloudwatch.alarms_max",
        Kind::Count(Range::of(1, 100_000), |o| &mut o.cloudwatch.alarms_max),
        "Most alarms of an account in a region.",
    ),
    option(
        "cloudwatch.dashboards_bytes_max",
        Kind::Size(Range::of(1 << 10, MEMORY_MAX), |o| &mut o.cloudwatch.dashboards_bytes_max),
        "Most bytes of an account's dashboards.",
    ),
    option(
        name::WEBHOOK_SECRET_FILE,
        Kind::File,
        "File with the secret that calls of alarms' web hooks are signed with; without it none is called.",
    ),
    option(
        "outgoing.allow",
        Kind::Names(|o| &mut o.outgoing_allow),
        "Internal addresses (10.0.0.0/8) and host names that topics and alarms may post to.",
    ),
    option(
        "logs.groups_max",
        Kind::Count(Range::of(1, 1_000_000), |o| &mut o.logs.groups_max),
        "Most log groups of an account in a region.",
    ),
    option(
        "logs.streams_max",
        Kind::Count(Range::of(10, 10_000_000), |o| &mut o.logs.streams_max),
        "Most log streams, of one account four fifths.",
    ),
    option(
        "logs.bytes_max",
        Kind::Size(Range::of(1 << 20, MEMORY_MAX), |o| &mut o.logs.bytes_max),
        "Most bytes of log events; beyond it the oldest of the account that has most go.",
    ),
    option(
        "logs.filter_bytes_max",
        Kind::Size(Range::of(1 << 20, MEMORY_MAX), |o| &mut o.logs.filter_bytes_max),
        "Most bytes of log events that wait for one subscription filter's destination.",
    ),
    option(
        "sns.topics_max",
        Kind::Count(Range::of(1, 1_000_000), |o| &mut o.sns.topics_max),
        "Most topics of an account in a region.",
    ),
    option(
        "sns.subscriptions_max",
        Kind::Count(Range::of(1, 1_000_000), |o| &mut o.sns.subscriptions_max),
        "Most subscriptions of a topic.",
    ),
    option(
        "sns.deliveries_max",
        Kind::Count(Range::of(1, 10_000_000), |o| &mut o.sns.deliveries_max),
        "Most deliveries that wait, of one account four fifths.",
    ),
    option(
        "sns.outbox_bytes_max",
        Kind::Size(Range::of(1 << 10, MEMORY_MAX), |o| &mut o.sns.outbox_bytes_max),
        "Most bytes of messages that wait to be delivered, of one account four fifths.",
    ),
    option(
        "iam.roles_max",
        Kind::Count(Range::of(1, 100_000), |o| &mut o.iam.roles_max),
        "Most roles of an account.",
    ),
    option(
        "iam.users_max",
        Kind::Count(Range::of(1, 100_000), |o| &mut o.iam.users_max),
        "Most users of an account.",
    ),
    option(
        "iam.policies_max",
        Kind::Count(Range::of(1, 100_000), |o| &mut o.iam.policies_max),
        "Most managed policies of an account.",
    ),
    option(
        "dynamodb.items_bytes_max",
        Kind::Size(Range::of(1 << 20, MEMORY_MAX), |o| &mut o.dynamodb.items_bytes_max),
        "Most bytes of the items of all tables, which are in memory.",
    ),
    option(
        "log.level",
        Kind::Level(|o| &mut o.log_level),
        "error, warn, info, debug, trace of our own lines, or a filter as RUST_LOG has it.",
    )
    .flag("log-level", "LEVEL")
    .also(&["RUST_LOG"]),
    option(
        "log.format",
        Kind::Choice(&[
            ("auto", |o| o.log_format = LogFormat::Auto),
            ("text", |o| o.log_format = LogFormat::Text),
            ("json", |o| o.log_format = LogFormat::Json),
        ]),
        "`auto`: text on a terminal, JSON lines elsewhere.",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_default_is_legal() {
        for Entry { name, kind, help, .. } in OPTIONS {
            let text = kind.default_text();
            assert!(text.is_empty() || kind.check(&text) == Ok(text.clone()), "{name}");
            assert!(help.ends_with('.'), "{name}");
        }
    }

    /// Were one place given to two options, the server would look the same with either.
    #[test]
    fn every_place_is_of_one_option() {
        let mut seen = BTreeSet::from([format!("{:?}", Options::default())]);
        for Entry { name, kind, .. } in OPTIONS {
            let other = match kind {
                Kind::Text | Kind::Secret | Kind::File | Kind::Policies | Kind::Time => continue,
                Kind::Switch(at) => (!*at(&mut Options::default())).to_string(),
                Kind::Choice(words) => words.last().unwrap().0.to_owned(),
                Kind::Count(..) => "77".into(),
                Kind::Size(..) => "777MiB".into(),
                Kind::Duration(..) => "7s".into(),
                Kind::Address(_) => "127.0.0.1:1".into(),
                Kind::Account(_) => "123456789012".into(),
                Kind::Path(_) | Kind::Region(_) | Kind::Names(_) | Kind::Level(_) => "off".into(),
            };
            let mut options = Options::default();
            kind.set(&mut options, &kind.check(&other).unwrap()).unwrap();
            assert!(seen.insert(format!("{options:?}")), "{name}");
        }
    }

    #[test]
    fn the_owners_word_is_found() {
        assert_eq!(find("listen").map(|(entry, _)| entry.name), Some("listen"));
        let (entry, word) = find("access_keys.ci.secret_file").unwrap();
        assert_eq!((entry.name, word), ("access_keys.*.secret_file", "ci"));
        assert!(find("access_keys..id").is_none());
        assert!(find("access_keys.a.b.id").is_none());
        assert!(find("access_keys.ci.color").is_none());
    }
}
