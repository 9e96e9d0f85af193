//! The configuration as plain data, read from the merged texts.

use super::policies;
use super::settings::{Origin, Problems, Settings};
use super::units;
use crate::files::Holds;
use crate::times;
use base::policy::{Permissions, Policy};
use base::{AccountId, Region};
use kit::GivenKey;
use server::tls::Pem;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::local::Durability;
use store::memory::MemoryOptions;
use streams::{Lifecycle, Limits};
use wire::sigv4::Secret;

/// Name of the file of made encryption keys in the data directory.
pub(crate) const KEYS_FILE: &str = "encryption-keys";

/// Whose signatures are accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Auth {
    /// Any signature; it is not verified.
    Any,
    /// A right signature of a known key.
    Required,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// An access key of the configuration.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct AccessKey {
    /// The owner's name for it, shown in error messages.
    pub(crate) name: String,
    /// Its id.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: Secret,
    /// The session token that must come along.
    pub(crate) session_token: Option<Secret>,
    /// When the session token stops being good, in milliseconds since the epoch.
    pub(crate) expires_ms: Option<i64>,
    /// Whose streams it reaches.
    pub(crate) account: AccountId,
    /// What it may do there.
    pub(crate) permissions: Permissions,
}

/// TLS on the API's port.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    /// Plain connections are refused.
    pub(crate) required: bool,
    /// Certificate chain and key in place of our own.
    pub(crate) files: Option<(PathBuf, PathBuf)>,
    /// More names for our own certificate.
    pub(crate) names: Vec<String>,
}

/// Encryption of records.
#[derive(Clone, Debug)]
pub(crate) struct Encryption {
    /// Where made keys are kept.
    pub(crate) keys_file: PathBuf,
    /// Whether keys are made on demand.
    pub(crate) make_keys: bool,
    /// Keys of the configuration.
    pub(crate) given: Vec<GivenKey>,
}

/// Everything `serve` is told.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The configuration's file, when there is one.
    pub(crate) file: Option<PathBuf>,
    /// Where the API listens.
    pub(crate) listen: SocketAddr,
    /// The data directory.
    pub(crate) data: PathBuf,
    /// Memory only.
    pub(crate) memory: bool,
    /// Signatures.
    pub(crate) auth: Auth,
    /// Off loopback without authentication or TLS.
    pub(crate) allow_insecure: bool,
    /// Region that the banner names.
    pub(crate) region: Region,
    /// Account of keys that name no other.
    pub(crate) account: AccountId,
    /// Known keys.
    pub(crate) access_keys: Vec<AccessKey>,
    /// TLS.
    pub(crate) tls: Tls,
    /// Data Streams.
    pub(crate) streams: streams::Options,
    /// The local engine; its key ring and metrics are wired later.
    pub(crate) storage: store::local::Options,
    /// The memory engine.
    pub(crate) memory_engine: MemoryOptions,
    /// Encryption of records.
    pub(crate) encryption: Encryption,
    /// Bounds of the sockets.
    pub(crate) limits: server::Limits,
    /// Origins of web pages that may call where signatures are verified.
    pub(crate) cors_origins: Vec<String>,
    /// More names for the server on loopback.
    pub(crate) host_names: Vec<String>,
    /// Bearer token of the metrics.
    pub(crate) metrics_token: Option<Secret>,
    /// Metrics for everybody.
    pub(crate) open_metrics: bool,
    /// Filter of the log.
    pub(crate) log_level: String,
    /// Form of the log.
    pub(crate) log_format: LogFormat,
}

impl Options {
    /// Reads the merged texts; `read_file` reads the files that they name.
    ///
    /// # Errors
    /// Every value that is wrong, and combinations that cannot be.
    pub(crate) fn read(settings: &Settings, read_file: impl ReadFile) -> Result<Self, Problems> {
        let mut reader = Reader { settings, read_file, problems: Problems::default() };
        let options = reader.options();
        reader.problems.check()?;
        options.check_exposure()?;
        Ok(options)
    }

    /// The access keys alone, and what is wrong with those that are missing.
    pub(crate) fn keys(
        settings: &Settings,
        read_file: impl ReadFile,
    ) -> (Vec<AccessKey>, Problems) {
        let mut reader = Reader { settings, read_file, problems: Problems::default() };
        let account = reader.account("account").unwrap_or(AccountId::DEFAULT);
        (reader.access_keys(account), reader.problems)
    }

    /// Off loopback a server asks for signatures and TLS, unless its owner says otherwise.
    fn check_exposure(&self) -> Result<(), Problems> {
        if self.listen.ip().is_loopback() || self.allow_insecure {
            return Ok(());
        }
        let mut missing = Vec::new();
        if self.auth == Auth::Any {
            missing.push("`--auth required` (authentication, with an access key configured)");
        }
        if !self.tls.required {
            missing.push("`--tls required` (no plain connections)");
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Problems::one(format!(
            "listening on {} can be reached from other machines and needs {}; \
             `--allow-insecure` serves without",
            self.listen,
            missing.join(" and ")
        )))
    }
}

/// Reads a file that the configuration names.
pub(crate) trait ReadFile: Fn(&Path, Holds) -> std::io::Result<Vec<u8>> {}

impl<F: Fn(&Path, Holds) -> std::io::Result<Vec<u8>>> ReadFile for F {}

struct Reader<'a, F> {
    settings: &'a Settings,
    read_file: F,
    problems: Problems,
}

impl<F: ReadFile> Reader<'_, F> {
    fn options(&mut self) -> Options {
        let account = self.account("account").unwrap_or(AccountId::DEFAULT);
        let access_keys = self.access_keys(account);
        let auth = if self.is("auth", "required") { Auth::Required } else { Auth::Any };
        if auth == Auth::Required && access_keys.is_empty() {
            self.problems.add(
                "`auth = \"required\"` needs an access key: set `access_keys.NAME.id` and \
                 `access_keys.NAME.secret_file`"
                    .into(),
            );
        }
        Options {
            file: self.settings.file().map(Path::to_owned),
            listen: self.parsed("listen", SocketAddr::from(([127, 0, 0, 1], 4566))),
            data: self.settings.text("data").into(),
            memory: self.is("memory", "true"),
            auth,
            allow_insecure: self.is("allow_insecure", "true"),
            region: self.region(),
            account,
            access_keys,
            tls: self.tls(),
            streams: self.streams(),
            storage: self.storage(),
            memory_engine: MemoryOptions {
                bytes_max: self.size("storage.memory") as usize,
                ..MemoryOptions::default()
            },
            encryption: self.encryption(),
            limits: self.limits(),
            cors_origins: self.names("server.cors_origins"),
            host_names: self.names("server.host_names"),
            metrics_token: self.metrics_token(),
            open_metrics: self.is("server.open_metrics", "true"),
            log_level: self.settings.text("log.level"),
            log_format: match self.settings.text("log.format").as_str() {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => LogFormat::Auto,
            },
        }
    }

    fn streams(&mut self) -> streams::Options {
        let default = streams::Options::default();
        streams::Options {
            limits: if self.is("limits", "hardware") { Limits::Hardware } else { Limits::Aws },
            lifecycle: Lifecycle {
                creating: self.duration("lifecycle.creating"),
                updating: self.duration("lifecycle.updating"),
                deleting: self.duration("lifecycle.deleting"),
            },
            shards_max: self.parsed("streams.shards_max", default.shards_max),
            stream_shards_max: self.parsed("streams.stream_shards_max", default.stream_shards_max),
            on_demand_streams_max: self
                .parsed("streams.on_demand_streams_max", default.on_demand_streams_max),
            scaling_limits: self.is("streams.scaling_limits", "true"),
            subscription: self.duration("streams.subscription"),
            shard_metrics_max: self.parsed("streams.shard_metrics_max", default.shard_metrics_max),
            ..default
        }
    }

    fn storage(&mut self) -> store::local::Options {
        let default = store::local::Options::default();
        let relaxed = self.is("durability", "relaxed");
        let options = store::local::Options {
            durability: if relaxed { Durability::Relaxed } else { Durability::Always },
            cache_bytes_max: self.size("storage.cache") as usize,
            journal_first_bytes: self.size("storage.journal_first"),
            journal_file_bytes_max: self.size("storage.journal_file"),
            journal_files_max: self.parsed("storage.journal_files", default.journal_files_max),
            direct: self.is("storage.direct", "true"),
            segment_bytes_max: self.size("storage.segment"),
            readers: self.parsed("storage.readers", default.readers),
            no_space_percent: self.parsed("storage.no_space_percent", default.no_space_percent),
            cut_damaged_journal: self.is("storage.cut_damaged_journal", "true"),
            ..default
        };
        if let Err(e) = options.check() {
            self.problems.add(format!("`storage`: {e}"));
        }
        options
    }

    fn limits(&mut self) -> server::Limits {
        let default = server::Limits::default();
        server::Limits {
            connections_max: self.parsed("server.connections_max", default.connections_max),
            memory_bytes_max: self.size("server.memory") as usize,
            header_timeout: self.duration("server.header_timeout"),
            body_timeout: self.duration("server.body_timeout"),
            idle_timeout: self.duration("server.idle_timeout"),
            shutdown_timeout: self.duration("server.shutdown_timeout"),
            ..default
        }
    }

    fn encryption(&mut self) -> Encryption {
        let data = PathBuf::from(self.settings.text("data"));
        let keys_file = self.settings.given("encryption.keys_file").map(PathBuf::from);
        let (mut given, mut taken) = (Vec::new(), BTreeMap::new());
        for name in self.settings.words("encryption.keys") {
            let of = |what: &str| format!("encryption.keys.{name}.{what}");
            let id = self.id(of("id"), &mut taken);
            let secret = self.secret(&of("key"), &of("key_file"));
            match (id, secret.and_then(|secret| base::hex::decode(secret.reveal()))) {
                (Some(id), Some(key)) => given.push(GivenKey { id, key }),
                (None, _) => self.problems.add(format!("`{}` is missing", of("id"))),
                (_, None) => {
                    let text = format!("`{}` needs 64 hexadecimal digits", of("key_file"));
                    self.problems.add(text);
                }
            }
        }
        Encryption {
            keys_file: keys_file.unwrap_or_else(|| data.join(KEYS_FILE)),
            make_keys: self.is("encryption.make_keys", "true"),
            given,
        }
    }

    fn tls(&mut self) -> Tls {
        let files =
            match (self.settings.given("tls.cert_file"), self.settings.given("tls.key_file")) {
                (Some(cert), Some(key)) => {
                    let files = (PathBuf::from(cert), PathBuf::from(key));
                    self.check_pair(&files.0, &files.1);
                    Some(files)
                }
                (None, None) => None,
                _ => {
                    self.problems.add("`tls.cert_file` and `tls.key_file` go together".into());
                    None
                }
            };
        let names = self.names("tls.names");
        for name in names.iter().filter(|name| !server::tls::is_name(name)) {
            self.wrong("tls.names", &format!("`{name}` is neither a host name nor an address"));
        }
        Tls { required: self.is("tls.mode", "required"), files, names }
    }

    fn check_pair(&mut self, certificate: &Path, key: &Path) {
        let mut pem = |name: &str, path: &Path, holds| match (self.read_file)(path, holds) {
            Ok(bytes) => Some(bytes),
            Err(e) => {
                self.wrong(name, &format!("cannot read `{}`: {e}", path.display()));
                None
            }
        };
        let chain = pem("tls.cert_file", certificate, Holds::NoSecret);
        let pems = (chain, pem("tls.key_file", key, Holds::Secret));
        if let (Some(chain), Some(secret)) = &pems
            && let Err(e) = server::tls::check_pair(
                Pem { path: certificate, bytes: chain },
                Pem { path: key, bytes: secret },
            )
        {
            self.wrong("tls.cert_file", &e);
        }
    }

    fn metrics_token(&mut self) -> Option<Secret> {
        self.secret_in("server.metrics_token_file")
    }

    fn access_keys(&mut self, default: AccountId) -> Vec<AccessKey> {
        let (mut keys, mut taken) = (Vec::new(), BTreeMap::new());
        for name in self.settings.words("access_keys") {
            let of = |what: &str| format!("access_keys.{name}.{what}");
            let id = self.id(of("id"), &mut taken);
            let secret = self.secret(&of("secret"), &of("secret_file"));
            let session_token = self.secret(&of("session_token"), &of("session_token_file"));
            let expires_ms = self.time(&of("expires"));
            if expires_ms.is_some() && session_token.is_none() {
                let token = of("session_token_file");
                let why = format!("only a session token expires, and `{token}` is missing");
                self.wrong(&of("expires"), &why);
            }
            let account = self.account(&of("account")).unwrap_or(default);
            let permissions = self.permissions(&of("policies"), &of("policy_file"));
            match (id, secret) {
                (Some(id), Some(secret)) => {
                    // A key whose policies are not understood may do nothing, so it is none.
                    keys.extend(permissions.map(|permissions| AccessKey {
                        name,
                        id,
                        secret,
                        session_token,
                        expires_ms,
                        account,
                        permissions,
                    }));
                }
                (None, _) => self.problems.add(format!("`{}` is missing", of("id"))),
                (_, None) => self.problems.add(format!(
                    "`{}` is missing, or `{}`",
                    of("secret_file"),
                    of("secret")
                )),
            }
        }
        keys
    }

    /// What the policies of these names and of a file allow; nothing when one is wrong.
    fn permissions(&mut self, names: &str, file: &str) -> Option<Permissions> {
        let path = self.settings.given(file);
        // An empty list allows nothing.
        if self.settings.origin(names) == Origin::Default && path.is_none() {
            return Some(Permissions::All);
        }
        let (mut policies, mut is_whole) = (Vec::new(), true);
        for name in self.names(names) {
            match policies::find(&name).map(Policy::parse_identity) {
                Some(Ok(policy)) => policies.push(policy),
                _ => {
                    is_whole = false;
                    let known = policies::names();
                    self.wrong(names, &format!("there is no policy `{name}`; there are: {known}"));
                }
            }
        }
        if let Some(path) = path {
            let read = (self.read_file)(Path::new(&path), Holds::NoSecret);
            let read = read.map_err(|e| format!("cannot read `{path}`: {e}"));
            let policy = read.and_then(|bytes| {
                let text = String::from_utf8_lossy(&bytes);
                Policy::parse_identity(&text).map_err(|e| format!("`{path}` is no policy: {e}"))
            });
            match policy {
                Ok(policy) => policies.push(policy),
                Err(why) => {
                    is_whole = false;
                    self.problems.add(format!("`{file}`: {why}"));
                }
            }
        }
        is_whole.then(|| Permissions::By(policies.into()))
    }

    /// The id of an entry; `taken` has those of the entries before it. Of two entries with one id
    /// only one would count.
    fn id(&mut self, name: String, taken: &mut BTreeMap<String, String>) -> Option<String> {
        let id = self.settings.given(&name)?;
        if let Some(other) = taken.get(&id) {
            self.wrong(&name, &format!("`{id}` is taken by `{other}`"));
        } else {
            taken.insert(id.clone(), name);
        }
        Some(id)
    }

    /// A secret given as text or in a file; a last line break in the file does not count.
    fn secret(&mut self, text: &str, file: &str) -> Option<Secret> {
        match (self.settings.given(text), self.settings.given(file)) {
            (Some(_), Some(_)) => {
                self.problems.add(format!("`{text}` and `{file}` are both set"));
                None
            }
            (Some(secret), None) => Some(Secret::new(secret)),
            (None, Some(_)) => self.secret_in(file),
            (None, None) => None,
        }
    }

    /// The secret in the file that an option names.
    fn secret_in(&mut self, file: &str) -> Option<Secret> {
        let path = self.settings.given(file)?;
        match (self.read_file)(Path::new(&path), Holds::Secret) {
            Ok(bytes) => {
                let secret = Secret::new(String::from_utf8_lossy(&bytes).trim_end());
                // A file that was not filled, or not mounted: everybody knows that secret.
                if secret.reveal().is_empty() {
                    self.problems.add(format!("`{file}`: `{path}` is empty"));
                }
                Some(secret)
            }
            Err(e) => {
                self.problems.add(format!("`{file}`: cannot read `{path}`: {e}"));
                None
            }
        }
    }

    fn account(&mut self, name: &str) -> Option<AccountId> {
        let text = self.settings.given(name)?;
        AccountId::parse(&text).map_err(|e| self.wrong(name, &e)).ok()
    }

    fn region(&mut self) -> Region {
        let text = self.settings.text("region");
        Region::parse(&text).map_err(|e| self.wrong("region", &e)).unwrap_or_default()
    }

    fn is(&self, name: &str, word: &str) -> bool {
        self.settings.text(name) == word
    }

    fn names(&self, name: &str) -> Vec<String> {
        let text = self.settings.text(name);
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }

    fn size(&mut self, name: &str) -> u64 {
        let read = units::parse_bytes(&self.settings.text(name));
        read.map_err(|e| self.wrong(name, &e)).unwrap_or_default()
    }

    fn duration(&mut self, name: &str) -> Duration {
        let read = units::parse_duration(&self.settings.text(name));
        read.map_err(|e| self.wrong(name, &e)).unwrap_or_default()
    }

    fn time(&self, name: &str) -> Option<i64> {
        self.settings.given(name).and_then(|text| times::parse(&text, 0))
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, name: &str, none: T) -> T {
        match self.settings.text(name).parse() {
            Ok(value) => value,
            Err(e) => {
                self.wrong(name, &e);
                none
            }
        }
    }

    fn wrong(&mut self, name: &str, why: &dyn std::fmt::Display) {
        let origin = self.settings.origin(name);
        self.problems.add(format!("{origin}: `{name}`: {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Sources;
    use super::*;

    fn read(file: &str) -> Result<Options, String> {
        let sources =
            Sources { file: Some(("m.toml".into(), file.to_owned())), ..Sources::default() };
        let settings = Settings::merge(sources).map_err(|e| e.to_string())?;
        let secrets = |path: &Path, _: Holds| match path.to_str() {
            Some("/run/secret") => Ok(b"hush\n".to_vec()),
            Some("/run/empty") => Ok(b"\n".to_vec()),
            Some("/run/policy") => Ok(br#"{"Statement":{"Effect":"Allow","Action":"kinesis:*",
                "Resource":"arn:aws:kinesis:*:*:stream/clicks"}}"#
                .to_vec()),
            _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
        };
        Options::read(&settings, secrets).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_are_the_crates_own() {
        let options = read("").unwrap();
        assert_eq!(options.listen.to_string(), super::super::keys::LISTEN);
        assert_eq!(options.auth, Auth::Any);
        assert_eq!(format!("{:?}", options.streams), format!("{:?}", streams::Options::default()));
    }

    #[test]
    fn a_key_has_policies_of_its_own() {
        let permissions = |given: &str| {
            let file =
                format!("[access_keys.ci]\nid = 'AKCI'\nsecret_file = '/run/secret'\n{given}");
            let mut options = read(&file)?;
            Ok::<_, String>(options.access_keys.remove(0).permissions)
        };
        let count = |given: &str| match permissions(given).unwrap() {
            Permissions::All => None,
            Permissions::By(policies) => Some(policies.len()),
        };
        assert_eq!(count(""), None);
        assert_eq!(count("policies = []"), Some(0), "nothing at all");
        assert_eq!(count("policies = ['producer', 'read-only']"), Some(2));
        assert_eq!(count("policies = ['producer']\npolicy_file = '/run/policy'"), Some(2));
        assert_eq!(count("policy_file = '/run/policy'"), Some(1));
        for (given, want) in [
            ("policies = ['root']", "there is no policy `root`; there are: admin, read-only"),
            ("policy_file = '/gone'", "`access_keys.ci.policy_file`: cannot read `/gone`"),
            ("policy_file = '/run/secret'", "`/run/secret` is no policy"),
        ] {
            let said = permissions(given).unwrap_err();
            assert!(said.contains(want), "{said}");
        }
    }

    #[test]
    fn values_arrive() {
        let options = read(
            "limits = 'hardware'\nmemory = true\naccount = '123456789012'\n[lifecycle]\n\
             creating = '2s'\n[tls]\nmode = 'required'\nnames = ['a.test', '10.0.0.1']\n[streams]\n\
             shards_max = 7\nshard_metrics_max = 8",
        )
        .unwrap();
        assert_eq!(options.streams.limits, Limits::Hardware);
        assert_eq!(options.streams.lifecycle.creating, Duration::from_secs(2));
        assert_eq!((options.streams.shards_max, options.streams.shard_metrics_max), (7, 8));
        assert!(options.memory && options.tls.required);
        assert_eq!(options.tls.names, ["a.test", "10.0.0.1"]);
        assert_eq!(options.account.as_str(), "123456789012");
    }

    #[test]
    fn secrets_come_from_files_and_stay_hidden() {
        let options = read(
            "auth = 'required'\n[access_keys.ci]\nid = 'AKCI'\nsecret_file = '/run/secret'\n\
             account = '111122223333'",
        )
        .unwrap();
        let key = &options.access_keys[0];
        assert_eq!((key.secret.reveal(), key.account.as_str()), ("hush", "111122223333"));
        assert!(!format!("{options:?}").contains("hush"));
        let said = read("[access_keys.ci]\nid = 'AKCI'\nsecret_file = '/gone'").unwrap_err();
        assert!(said.contains("/gone"), "{said}");
        let said = read("[access_keys.ci]\nsecret = 'hush'").unwrap_err();
        assert!(
            said.contains("`access_keys.ci.id` is missing") && !said.contains("hush"),
            "{said}"
        );
    }

    #[test]
    fn an_empty_secret_is_none() {
        for (given, name) in [
            ("secret_file = '/run/empty'", "secret_file"),
            ("secret = 's'\nsession_token_file = '/run/empty'", "session_token_file"),
        ] {
            let said = read(&format!("[access_keys.ci]\nid = 'AKCI'\n{given}")).unwrap_err();
            assert!(
                said.contains(&format!("`access_keys.ci.{name}`: `/run/empty` is empty")),
                "{said}"
            );
        }
        let said = read("[server]\nmetrics_token_file = '/run/empty'").unwrap_err();
        assert!(said.contains("`server.metrics_token_file`: `/run/empty` is empty"), "{said}");
        let said = read("[access_keys.ci]\nid = 'AKCI'\nsecret = ''").unwrap_err();
        assert!(said.contains("`access_keys.ci.secret_file` is missing"), "{said}");
    }

    #[test]
    fn metrics_have_a_token_from_a_file() {
        let options = read("[server]\nmetrics_token_file = '/run/secret'\nopen_metrics = true");
        let options = options.unwrap();
        assert_eq!(options.metrics_token.as_ref().map(Secret::reveal), Some("hush"));
        assert!(options.open_metrics && !format!("{options:?}").contains("hush"));
        let none = read("").unwrap();
        assert!(none.metrics_token.is_none() && !none.open_metrics);
        let said = read("[server]\nmetrics_token_file = '/gone'").unwrap_err();
        assert!(said.contains("/gone"), "{said}");
    }

    #[test]
    fn off_loopback_needs_authentication_and_tls() {
        let said = read("listen = '0.0.0.0:1'").unwrap_err();
        for flag in ["`--auth required`", "`--tls required`", "`--allow-insecure`"] {
            assert!(said.contains(flag), "{said}");
        }
        assert!(read("listen = '0.0.0.0:1'\nallow_insecure = true").is_ok());
        assert!(read("listen = '[::1]:1'").is_ok());
        let key = "[access_keys.a]\nid = 'k'\nsecret = 's'\n[tls]\nmode = 'required'";
        assert!(read(&format!("listen = '10.0.0.1:1'\nauth = 'required'\n{key}")).is_ok());
    }

    #[test]
    fn ids_are_of_one_key() {
        let key =
            |name: &str, id: &str| format!("[access_keys.{name}]\nid = '{id}'\nsecret = 's'\n");
        assert!(read(&(key("a", "AK1") + &key("b", "AK2"))).is_ok());
        assert_eq!(
            read(&(key("a", "AK1") + &key("b", "AK1"))).unwrap_err(),
            "file m.toml: `access_keys.b.id`: `AK1` is taken by `access_keys.a.id`"
        );
        let digits = "0".repeat(64);
        let key = |name| format!("[encryption.keys.{name}]\nid = 'alias/a'\nkey = '{digits}'\n");
        let said = read(&(key("a") + &key("b"))).unwrap_err();
        assert!(said.contains("`alias/a` is taken by `encryption.keys.a.id`"), "{said}");
    }

    #[test]
    fn session_tokens_expire() {
        let key = "[access_keys.a]\nid = 'k'\nsecret = 's'\nexpires = 1970-01-01T00:00:01Z\n";
        let options = read(&format!("{key}session_token = 't'")).unwrap();
        assert_eq!(options.access_keys[0].expires_ms, Some(1000));
        let said = read(key).unwrap_err();
        assert!(said.contains("`access_keys.a.session_token_file` is missing"), "{said}");
    }

    #[test]
    fn names_of_certificates() {
        assert!(read("[tls]\nnames = ['a.test', '10.0.0.1', '::1']").is_ok());
        assert_eq!(
            read("[tls]\nnames = ['a.test', '!!']").unwrap_err(),
            "file m.toml: `tls.names`: `!!` is neither a host name nor an address"
        );
    }

    #[test]
    fn certificates_are_read() {
        let read = |cert: &str, key: &str| {
            read(&format!("[tls]\ncert_file = '{cert}'\nkey_file = '{key}'")).unwrap_err()
        };
        let said = read("/gone", "/lost");
        assert!(said.contains("`tls.cert_file`: cannot read `/gone`"), "{said}");
        assert!(said.contains("`tls.key_file`: cannot read `/lost`"), "{said}");
        let said = read("/run/secret", "/run/secret");
        assert!(said.starts_with("file m.toml: `tls.cert_file`: cannot use /run/secret"), "{said}");
    }

    #[test]
    fn what_does_not_go_together() {
        assert!(read("auth = 'required'").unwrap_err().contains("access key"));
        assert!(read("[tls]\ncert_file = 'a'").unwrap_err().contains("go together"));
        assert!(read("account = '12'").unwrap_err().contains("twelve digits"));
        assert!(read("region = 'e u'").unwrap_err().contains("region"));
    }
}
