//! The configuration as plain data, read from the merged texts.
//!
//! The table puts most options in their places. Here stand the defaults, and what is read with
//! files: secrets, keys, certificates, policies; and what must go together.

use super::kinds;
use super::policies;
use super::settings::{Origin, Problems, Settings};
use super::table::{OPTIONS, name};
use crate::files::Holds;
use crate::times;
use base::policy::{Permissions, Policy};
use base::{AccountId, Region};
use http::uri::Authority;
use kit::GivenKey;
use server::AuthMode;
use server::tls::Pem;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use store::memory::MemoryOptions;
use wire::sigv4::Secret;

/// The data directory when nobody names one.
const DATA: &str = "./millweir-data";
/// Name of the file of made encryption keys in the data directory.
const KEYS_FILE: &str = "encryption-keys";

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
#[derive(Clone, Default, Debug)]
pub(crate) struct Tls {
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
    /// The sockets; the source of certificates is chosen later, from `tls`.
    pub(crate) server: server::Options,
    /// The data directory.
    pub(crate) data: PathBuf,
    /// Memory only.
    pub(crate) memory: bool,
    /// Off loopback without authentication or TLS.
    pub(crate) allow_insecure: bool,
    /// Region that the banner names.
    pub(crate) region: Region,
    /// Where others find this server, without a slash at the end.
    pub(crate) public_url: Option<String>,
    /// Known keys.
    pub(crate) access_keys: Vec<AccessKey>,
    /// TLS.
    pub(crate) tls: Tls,
    /// Data Streams.
    pub(crate) streams: streams::Options,
    /// CloudWatch.
    pub(crate) cloudwatch: neighbors::cloudwatch::Options,
    /// What calls of web hooks are signed with; without one none is called.
    pub(crate) webhook_secret: Option<Secret>,
    /// CloudWatch Logs.
    pub(crate) logs: neighbors::logs::Options,
    /// SNS.
    pub(crate) sns: neighbors::sns::Options,
    /// IAM.
    pub(crate) iam: neighbors::iam::Options,
    /// Internal addresses and names that may be posted to.
    pub(crate) outgoing_allow: Vec<String>,
    /// DynamoDB.
    pub(crate) dynamodb: neighbors::dynamodb::Options,
    /// The local engine; its key ring and metrics are wired later.
    pub(crate) storage: store::local::Options,
    /// The memory engine.
    pub(crate) memory_engine: MemoryOptions,
    /// Encryption of records.
    pub(crate) encryption: Encryption,
    /// Filter of the log.
    pub(crate) log_level: String,
    /// Form of the log.
    pub(crate) log_format: LogFormat,
}

impl Default for Options {
    fn default() -> Self {
        let data = PathBuf::from(DATA);
        Self {
            file: None,
            server: server::Options::default(),
            memory: false,
            allow_insecure: false,
            region: Region::default(),
            public_url: None,
            access_keys: Vec::new(),
            tls: Tls::default(),
            streams: streams::Options::default(),
            cloudwatch: neighbors::cloudwatch::Options::default(),
            webhook_secret: None,
            logs: neighbors::logs::Options::default(),
            sns: neighbors::sns::Options::default(),
            iam: neighbors::iam::Options::default(),
            outgoing_allow: Vec::new(),
            dynamodb: neighbors::dynamodb::Options::default(),
            storage: store::local::Options::default(),
            memory_engine: MemoryOptions::default(),
            encryption: Encryption {
                keys_file: data.join(KEYS_FILE),
                make_keys: true,
                given: Vec::new(),
            },
            data,
            log_level: "info".into(),
            log_format: LogFormat::Auto,
        }
    }
}

/// The file of made encryption keys, of a server with this data directory.
pub(crate) fn keys_file(settings: &Settings, data: &Path) -> PathBuf {
    let given = settings.given(name::ENCRYPTION_KEYS_FILE).map(PathBuf::from);
    given.unwrap_or_else(|| data.join(KEYS_FILE))
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
        let account = reader.account(name::ACCOUNT).unwrap_or(AccountId::DEFAULT);
        (reader.access_keys(account), reader.problems)
    }

    /// Off loopback a server asks for signatures and TLS, unless its owner says otherwise.
    fn check_exposure(&self) -> Result<(), Problems> {
        if self.server.listen.ip().is_loopback() || self.allow_insecure {
            return Ok(());
        }
        let mut missing = Vec::new();
        if self.server.auth == AuthMode::Any {
            missing.push("`--auth required` (authentication, with an access key configured)");
        }
        if !self.server.tls_only {
            missing.push("`--tls required` (no plain connections)");
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Problems::one(format!(
            "listening on {} can be reached from other machines and needs {}; \
             `--allow-insecure` serves without",
            self.server.listen,
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
        let file = self.settings.file().map(Path::to_owned);
        let mut options = Options { file, ..Options::default() };
        for entry in OPTIONS {
            if let Err(e) = entry.kind.set(&mut options, &self.settings.text(entry.name)) {
                self.wrong(entry.name, &e);
            }
        }
        options.server.partition = options.region.partition();
        options.access_keys = self.access_keys(options.server.account);
        if options.server.auth == AuthMode::Required && options.access_keys.is_empty() {
            self.problems.add(
                "`auth = \"required\"` needs an access key: set `access_keys.NAME.id` and \
                 `access_keys.NAME.secret_file`"
                    .into(),
            );
        }
        options.public_url = self.public_url();
        options.tls.files = self.certificate();
        for name in options.tls.names.iter().filter(|name| !server::tls::is_name(name)) {
            self.wrong(name::TLS_NAMES, &format!("`{name}` is neither a host name nor an address"));
        }
        if let Err(e) = options.storage.check() {
            self.problems.add(format!("`storage`: {e}"));
        }
        options.encryption.keys_file = keys_file(self.settings, &options.data);
        options.encryption.given = self.encryption_keys();
        options.server.metrics_token = self.secret_in(name::METRICS_TOKEN_FILE);
        options.webhook_secret = self.secret_in(name::WEBHOOK_SECRET_FILE);
        options
    }

    fn public_url(&mut self) -> Option<String> {
        let given = self.settings.given(name::PUBLIC_URL)?;
        let url = given.strip_suffix('/').unwrap_or(&given).to_owned();
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if !host.is_some_and(|host| host.parse::<Authority>().is_ok_and(|a| !a.host().is_empty())) {
            self.wrong(name::PUBLIC_URL, &"it must be as `https://millweir.example:4566`");
            return None;
        }
        Some(url)
    }

    fn encryption_keys(&mut self) -> Vec<GivenKey> {
        let (mut given, mut taken) = (Vec::new(), BTreeMap::new());
        for word in self.settings.words(name::ENCRYPTION_KEY_ID) {
            let of = |option: &str| option.replacen('*', &word, 1);
            let (id_name, file) = (of(name::ENCRYPTION_KEY_ID), of(name::ENCRYPTION_KEY_FILE));
            let id = self.id(id_name.clone(), &mut taken);
            let secret = self.secret(&of(name::ENCRYPTION_KEY), &file);
            match (id, secret.and_then(|secret| base::hex::decode(secret.reveal()))) {
                (Some(id), Some(key)) => given.push(GivenKey { id, key }),
                (None, _) => self.problems.add(format!("`{id_name}` is missing")),
                (_, None) => self.problems.add(format!("`{file}` needs 64 hexadecimal digits")),
            }
        }
        given
    }

    /// The files of a certificate and its key.
    fn certificate(&mut self) -> Option<(PathBuf, PathBuf)> {
        let names = (name::TLS_CERT_FILE, name::TLS_KEY_FILE);
        match (self.settings.given(names.0), self.settings.given(names.1)) {
            (Some(certificate), Some(key)) => {
                let files = (PathBuf::from(certificate), PathBuf::from(key));
                self.check_pair(&files.0, &files.1);
                Some(files)
            }
            (None, None) => None,
            _ => {
                self.problems.add(format!("`{}` and `{}` go together", names.0, names.1));
                None
            }
        }
    }

    fn check_pair(&mut self, certificate: &Path, key: &Path) {
        let mut pem = |name: &str, path: &Path, holds| match (self.read_file)(path, holds) {
            Ok(bytes) => Some(bytes),
            Err(e) => {
                self.wrong(name, &format!("cannot read `{}`: {e}", path.display()));
                None
            }
        };
        let chain = pem(name::TLS_CERT_FILE, certificate, Holds::NoSecret);
        let pems = (chain, pem(name::TLS_KEY_FILE, key, Holds::Secret));
        if let (Some(chain), Some(secret)) = &pems
            && let Err(e) = server::tls::check_pair(
                Pem { path: certificate, bytes: chain },
                Pem { path: key, bytes: secret },
            )
        {
            self.wrong(name::TLS_CERT_FILE, &e);
        }
    }

    fn access_keys(&mut self, default: AccountId) -> Vec<AccessKey> {
        let (mut keys, mut taken) = (Vec::new(), BTreeMap::new());
        for word in self.settings.words(name::ACCESS_KEY_ID) {
            let of = |option: &str| option.replacen('*', &word, 1);
            let id = self.id(of(name::ACCESS_KEY_ID), &mut taken);
            let (text, file) = (of(name::ACCESS_KEY_SECRET), of(name::ACCESS_KEY_SECRET_FILE));
            let secret = self.secret(&text, &file);
            let token_file = of(name::ACCESS_KEY_TOKEN_FILE);
            let session_token = self.secret(&of(name::ACCESS_KEY_TOKEN), &token_file);
            let expires = of(name::ACCESS_KEY_EXPIRES);
            let expires_ms = self.settings.given(&expires).and_then(|text| times::parse(&text, 0));
            if expires_ms.is_some() && session_token.is_none() {
                let why = format!("only a session token expires, and `{token_file}` is missing");
                self.wrong(&expires, &why);
            }
            let account = self.account(&of(name::ACCESS_KEY_ACCOUNT)).unwrap_or(default);
            let policies = (of(name::ACCESS_KEY_POLICIES), of(name::ACCESS_KEY_POLICY_FILE));
            let permissions = self.permissions(&policies.0, &policies.1);
            match (id, secret) {
                (Some(id), Some(secret)) => {
                    // A key whose policies are not understood may do nothing, so it is none.
                    keys.extend(permissions.map(|permissions| AccessKey {
                        name: word,
                        id,
                        secret,
                        session_token,
                        expires_ms,
                        account,
                        permissions,
                    }));
                }
                (None, _) => {
                    self.problems.add(format!("`{}` is missing", of(name::ACCESS_KEY_ID)));
                }
                (_, None) => self.problems.add(format!("`{file}` is missing, or `{text}`")),
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
        for name in kinds::names(&self.settings.text(names)) {
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

    fn wrong(&mut self, name: &str, why: &dyn std::fmt::Display) {
        let origin = self.settings.origin(name);
        self.problems.add(format!("{origin}: `{name}`: {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Sources;
    use super::*;
    use std::time::Duration;
    use streams::Limits;

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
        let options = Options { file: Some("m.toml".into()), ..Options::default() };
        assert_eq!(format!("{:?}", read("").unwrap()), format!("{options:?}"));
        assert_eq!(format!("{:?}", options.streams), format!("{:?}", streams::Options::default()));
    }

    #[test]
    fn where_others_find_the_server() {
        let read = |url: &str| read(&format!("[server]\npublic_url = '{url}'"));
        for (given, url) in [
            ("https://m.example/", "https://m.example"),
            ("http://10.0.0.1:80", "http://10.0.0.1:80"),
        ] {
            assert_eq!(read(given).unwrap().public_url.as_deref(), Some(url));
        }
        for wrong in
            ["m.example", "https://", "ftp://m.example", "https://m.example/path", "https://a b"]
        {
            assert!(read(wrong).unwrap_err().contains("server.public_url"), "{wrong}");
        }
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
            Permissions::Within(_) => unreachable!("the configuration knows no limits"),
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
        assert!(options.memory && options.server.tls_only);
        assert_eq!(options.tls.names, ["a.test", "10.0.0.1"]);
        assert_eq!(options.server.account.as_str(), "123456789012");
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
        assert_eq!(options.server.metrics_token.as_ref().map(Secret::reveal), Some("hush"));
        assert!(options.server.open_metrics && !format!("{options:?}").contains("hush"));
        let none = read("").unwrap();
        assert!(none.server.metrics_token.is_none() && !none.server.open_metrics);
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
