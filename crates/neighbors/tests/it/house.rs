//! A service over a catalog in memory, which can be stopped and started again over what it stored.

use crate::sink::Sink;
use base::Cx;
use base::metrics::Registry;
use base::policy::{Attached, Context, Permissions, Policy, Request, decide};
use kit::{KMS, Secret};
use neighbors::cloudwatch::{self, CloudWatch};
use neighbors::dynamodb::{self, DynamoDb};
use neighbors::iam::{self, Iam};
use neighbors::logs::{self, Destinations, Logs};
use neighbors::sns::{self, Sns};
use neighbors::sts::{self, Sts};
use outgoing::{Found, Names as HostNames, Poster};
use serde_json::Value;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use store::{Catalog, Store, Transaction};
use testkit::script::{Dialect, Names, Stage, answer, caller, cx, members, with_names};
use testkit::{FakeEnv, fake_env};
use wire::{Refusal, Service};

/// A service that can live in a house.
pub(crate) trait Tenant: Clone + 'static {
    /// What its owner can choose.
    type Options: Clone;
    /// What its rows are behind.
    const NAME: &str;
    /// How its tests are written down.
    fn dialect() -> &'static Dialect;
    async fn open(home: &Home, options: Self::Options) -> Self;
    fn server(&self) -> Box<dyn Service>;
    /// The service that has an operation, where there are two.
    fn server_of(&self, _operation: &str) -> Box<dyn Service> {
        self.server()
    }
    /// Who signs with an access key, and a session token if he has one.
    fn caller(&self, _home: &Home, _credentials: &[String]) -> Result<Cx, Refusal> {
        panic!("the service knows nobody");
    }
    async fn close(&self);
}

impl Tenant for DynamoDb {
    type Options = dynamodb::Options;
    const NAME: &str = dynamodb::SERVICE;

    fn dialect() -> &'static Dialect {
        static DIALECT: LazyLock<Dialect> =
            LazyLock::new(|| Dialect::of(include_str!("../../../../model/dynamodb.json")));
        &DIALECT
    }

    async fn open(home: &Home, options: Self::Options) -> Self {
        let parts = dynamodb::Parts { env: home.fake.env(), store: home.store.part(Self::NAME) };
        Self::open(parts, options).unwrap()
    }

    fn server(&self) -> Box<dyn Service> {
        Box::new(api::dynamodb::Server::new(Arc::new(self.clone())))
    }

    async fn close(&self) {
        self.close().await;
    }
}

impl Tenant for CloudWatch {
    type Options = cloudwatch::Options;
    const NAME: &str = cloudwatch::SERVICE;

    fn dialect() -> &'static Dialect {
        static DIALECT: LazyLock<Dialect> =
            LazyLock::new(|| Dialect::of(include_str!("../../../../model/cloudwatch.json")));
        &DIALECT
    }

    async fn open(home: &Home, options: Self::Options) -> Self {
        let (env, store) = (home.fake.env(), home.store.part(Self::NAME));
        let registry = home.registry.clone();
        Self::open(cloudwatch::Parts { env, store, registry, doers: None }, options).await.unwrap()
    }

    fn server(&self) -> Box<dyn Service> {
        Box::new(api::cloudwatch::Server::new(Arc::new(self.clone())))
    }

    async fn close(&self) {
        self.close().await;
    }
}

impl Tenant for Iam {
    type Options = iam::Options;
    const NAME: &str = iam::SERVICE;

    fn dialect() -> &'static Dialect {
        static DIALECT: LazyLock<Dialect> =
            LazyLock::new(|| Dialect::of(include_str!("../../../../model/iam.json")));
        &DIALECT
    }

    async fn open(home: &Home, options: Self::Options) -> Self {
        let (env, store) = (home.fake.env(), home.store.part(Self::NAME));
        let parts = iam::Parts { env, store, secret: home.secret().await };
        Self::open(parts, options).await.unwrap()
    }

    fn server(&self) -> Box<dyn Service> {
        Box::new(api::iam::Server::new(Arc::new(self.clone())))
    }

    fn caller(&self, _: &Home, credentials: &[String]) -> Result<Cx, Refusal> {
        let unknown = || Refusal::client("UnrecognizedClientException", "no such key");
        let key = self.key(&credentials[0]).ok_or_else(unknown)?;
        Ok(Cx {
            caller_arn: key.user_arn,
            user_id: Some(key.user_id.into()),
            access_key: Some(credentials[0].as_str().into()),
            permissions: key.permissions,
            ..cx(key.account.as_str(), "us-east-1")
        })
    }

    async fn close(&self) {
        self.close().await;
    }
}

/// STS with the IAM whose roles it gives out.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) iam: Iam,
    pub(crate) sts: Sts,
}

impl Tenant for Tokens {
    type Options = ();
    const NAME: &str = sts::SERVICE;

    fn dialect() -> &'static Dialect {
        const MODELS: [&str; 2] = [
            include_str!("../../../../model/iam.json"),
            include_str!("../../../../model/sts.json"),
        ];
        static DIALECT: LazyLock<Dialect> = LazyLock::new(|| {
            let mut dialect = Dialect::of(MODELS[0]);
            dialect.model.extend(MODELS[1].split('"'));
            dialect
        });
        &DIALECT
    }

    async fn open(home: &Home, (): ()) -> Self {
        let iam = <Iam as Tenant>::open(home, iam::Options::default()).await;
        let (env, secret) = (home.fake.env(), home.secret().await);
        let parts = sts::Parts { env, secret, iam: iam.clone() };
        Self { iam, sts: Sts::new(parts) }
    }

    fn server(&self) -> Box<dyn Service> {
        Box::new(api::sts::Server::new(Arc::new(self.sts.clone())))
    }

    fn server_of(&self, operation: &str) -> Box<dyn Service> {
        match operation {
            "AssumeRole" | "GetCallerIdentity" => self.server(),
            _ => self.iam.server(),
        }
    }

    fn caller(&self, home: &Home, credentials: &[String]) -> Result<Cx, Refusal> {
        let [id, token] = credentials else { return self.iam.caller(home, credentials) };
        let now_ms = home.fake.env().clock.now_ms();
        let session = self.sts.session(id, token, now_ms);
        let session = session.map_err(|trouble| match trouble {
            sts::SessionTrouble::Unknown => Refusal::client("InvalidClientTokenId", ""),
            sts::SessionTrouble::Expired => Refusal::client("ExpiredToken", ""),
            sts::SessionTrouble::RoleGone => Refusal::client("RoleGone", ""),
        })?;
        assert_eq!(session.secret.len(), 40);
        let permissions = session.permissions;
        let (caller_arn, user_id) = (session.caller_arn, Some(session.user_id.into()));
        let role_arn = Some(session.role_arn);
        Ok(Cx {
            caller_arn,
            user_id,
            role_arn,
            permissions,
            ..cx(session.account.as_str(), "us-east-1")
        })
    }

    async fn close(&self) {
        self.iam.close().await;
    }
}

/// CloudWatch Logs with the IAM whose roles it takes on, and a stream that takes what it sends.
#[derive(Clone)]
pub(crate) struct Journals {
    pub(crate) iam: Iam,
    pub(crate) logs: Logs,
}

impl Tenant for Journals {
    type Options = logs::Options;
    const NAME: &str = logs::SERVICE;

    fn dialect() -> &'static Dialect {
        const MODELS: [&str; 2] = [
            include_str!("../../../../model/logs.json"),
            include_str!("../../../../model/iam.json"),
        ];
        static DIALECT: LazyLock<Dialect> = LazyLock::new(|| {
            let mut dialect = Dialect::of(MODELS[0]);
            dialect.model.extend(MODELS[1].split('"'));
            dialect
        });
        &DIALECT
    }

    async fn open(home: &Home, options: Self::Options) -> Self {
        let iam = <Iam as Tenant>::open(home, iam::Options::default()).await;
        let (env, store) = (home.fake.env(), home.store.part(Self::NAME));
        let registry = home.registry.clone();
        let destinations = Some(Destinations { kinesis: home.sink.clone(), iam: iam.clone() });
        let parts = logs::Parts { env, store, registry, destinations };
        Self { iam, logs: Logs::open(parts, options).await.unwrap() }
    }

    fn server(&self) -> Box<dyn Service> {
        Box::new(api::logs::Server::new(Arc::new(self.logs.clone())))
    }

    fn server_of(&self, operation: &str) -> Box<dyn Service> {
        if operation.contains("Role") { self.iam.server() } else { self.server() }
    }

    async fn close(&self) {
        self.logs.close().await;
        self.iam.close().await;
    }
}

/// Where endpoints find the server in tests.
pub(crate) const BASE_URL: &str = "http://sns.test:4566";

impl Tenant for Sns {
    type Options = sns::Options;
    const NAME: &str = sns::SERVICE;

    fn dialect() -> &'static Dialect {
        static DIALECT: LazyLock<Dialect> =
            LazyLock::new(|| Dialect::of(include_str!("../../../../model/sns.json")));
        &DIALECT
    }

    async fn open(home: &Home, options: Self::Options) -> Self {
        let (env, store) = (home.fake.env(), home.store.part(Self::NAME));
        let here = outgoing::Options { is_loopback_allowed: true, ..outgoing::Options::default() };
        let poster = Poster::new(env.clone(), &here).unwrap().with_names(Arc::new(Hosts));
        let registry = home.registry.clone();
        let base_url = Arc::new(|| format!("{BASE_URL}/"));
        let secret = home.secret().await;
        let parts = sns::Parts { env, store, secret, registry, poster, base_url };
        Self::open(parts, options).await.unwrap()
    }

    fn server(&self) -> Box<dyn Service> {
        Box::new(api::sns::Server::new(Arc::new(self.clone())))
    }

    async fn close(&self) {
        self.close().await;
    }
}

/// The hosts that tests know: `hook.test` and addresses are what they are, `inside.test` is in a
/// network of the server's, others are nowhere.
struct Hosts;

impl HostNames for Hosts {
    fn find<'a>(&'a self, host: &'a str) -> Found<'a> {
        let found = match host {
            "hook.test" => Some(Ipv4Addr::LOCALHOST.into()),
            "inside.test" => Some(Ipv4Addr::new(10, 0, 0, 1).into()),
            other => other.parse::<IpAddr>().ok(),
        };
        let nowhere = || io::Error::new(io::ErrorKind::NotFound, "no such host");
        Box::pin(async move { found.map(|address| vec![address]).ok_or_else(nowhere) })
    }
}

/// Everything that outlives a service.
pub(crate) struct Home {
    pub(crate) fake: FakeEnv,
    catalog: Arc<MemoryCatalog>,
    store: Arc<Store>,
    pub(crate) registry: Registry,
    /// What stands for Kinesis.
    pub(crate) sink: Arc<Sink>,
}

impl Home {
    /// The server's own.
    pub(crate) async fn secret(&self) -> Secret {
        Secret::open(&self.fake.env(), &self.store.part(KMS)).await.unwrap()
    }

    /// The first row of SNS under a prefix.
    pub(crate) fn row(&self, prefix: &str) -> Vec<u8> {
        let rows = self.catalog.scan(format!("{}/{prefix}", sns::SERVICE).as_bytes(), None, 1);
        rows[0].1.to_vec()
    }

    /// Changes a text in the rows of a service whose keys begin so, as a crash may have left them.
    pub(crate) async fn rewrite(&self, service: &'static str, prefix: &str, change: (&str, &str)) {
        let part = self.store.part(service);
        let mut transaction = Transaction::default();
        for (key, value) in part.scan(prefix.as_bytes(), None, 99_999) {
            let text = String::from_utf8_lossy(&value).replace(change.0, change.1);
            transaction.put(key.to_vec(), text.into_bytes());
        }
        part.commit(transaction).await.unwrap();
    }

    /// The values of all rows whose keys begin so, as text.
    pub(crate) fn rows(&self, prefix: &str) -> Vec<String> {
        let rows = self.catalog.scan(prefix.as_bytes(), None, 99_999);
        rows.iter().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }
}

/// A service and everything that outlives it.
pub(crate) struct House<T: Tenant> {
    pub(crate) home: Home,
    pub(crate) tenant: T,
    options: T::Options,
    names: Names,
    /// What the caller's policies are, when he has any.
    permissions: Permissions,
    /// What the caller signs with, when he is one that the service knows.
    credentials: Option<Vec<String>>,
}

/// Tests that are scripts: its name, maybe other options than the defaults, its lines. Beside the
/// operations there are `restart`, `crash`, `pass TIME_MS`, `settle`, `rows [PREFIX]` (how many the catalog
/// has), `now [SECONDS]` and `now_ms [MS]` (that many after now), `minute [SECONDS]` (after the minute's start) and
/// `allow ACTION RESOURCE`, which is all that the caller may do from then on, `deny ACTION RESOURCE`,
/// which is all that he may not. `as KEY [TOKEN]` lets
/// one ask who signs with these, bare `as` the first one again; `may ACTION RESOURCE` tells whether
/// his policies let him do something.
macro_rules! cases {
    ($tenant:ident $($(#[$doc:meta])* $name:ident $(($options:expr))?: $script:literal)*) => {
        $($(#[$doc])* #[test] fn $name() {
            crate::house::check_with::<$tenant>(cases!(@ $($options)?), $script);
        })*
    };
    (@) => { Default::default() };
    (@ $options:expr) => { $options };
}
pub(crate) use cases;

/// Does what a script says.
pub(crate) fn check_with<T: Tenant>(options: T::Options, script: &str) {
    run_with::<T, _>(options, async |house| house.check(script).await);
}

/// Runs a test with a service of its own.
pub(crate) fn run_with<T: Tenant, F: AsyncFnOnce(&mut House<T>)>(options: T::Options, test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut house = House::open(options).await;
        test(&mut house).await;
        house.tenant.close().await;
    });
}

impl<T: Tenant> House<T> {
    async fn open(options: T::Options) -> Self {
        let (fake, catalog) = (fake_env(1), MemoryCatalog::new());
        let logs = MemoryLog::new(fake.env(), MemoryOptions::default());
        let store = Store::open(catalog.clone(), logs, false).unwrap();
        let home =
            Home { fake, catalog, store, registry: Registry::default(), sink: Arc::default() };
        let tenant = T::open(&home, options.clone()).await;
        let (names, permissions) = (Names::new(), Permissions::All);
        Self { home, tenant, options, names, permissions, credentials: None }
    }

    fn now_s(&self) -> i64 {
        self.home.fake.env().clock.now_ms() / 1000
    }

    /// Lets everything go on that can without time passing.
    async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    /// A value that the script kept.
    pub(crate) fn named(&self, name: &str) -> String {
        self.names[name].clone()
    }

    /// Who asks.
    fn caller(&self) -> Result<Cx, Refusal> {
        match &self.credentials {
            None => Ok(self.cx()),
            Some(credentials) => self.tenant.caller(&self.home, credentials),
        }
    }

    pub(crate) fn cx(&self) -> Cx {
        Cx { permissions: self.permissions.clone(), ..cx("000000000000", "us-east-1") }
    }
}

impl<T: Tenant> Stage for House<T> {
    fn dialect(&self) -> &Dialect {
        T::dialect()
    }

    fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    async fn act(&mut self, call: &str) -> Result<Value, Refusal> {
        let call = &*with_names(&self.names, call);
        match *call.split(' ').collect::<Vec<_>>() {
            ["restart"] => {
                self.tenant.close().await;
                self.tenant = T::open(&self.home, self.options.clone()).await;
            }
            // As after `kill -9`: nothing is told that it ends.
            ["crash"] => self.tenant = T::open(&self.home, self.options.clone()).await,
            ["settle"] => self.settle().await,
            ["pass", ms] => {
                self.home.fake.clock.advance(Duration::from_millis(ms.parse().unwrap()));
            }
            ["rows", ref prefix @ ..] => {
                let prefix = format!("{}/{}", T::NAME, prefix.concat());
                return Ok(self.home.catalog.scan(prefix.as_bytes(), None, 99_999).len().into());
            }
            ["now_ms", ref after_ms @ ..] => {
                let now_ms = self.home.fake.env().clock.now_ms();
                return Ok((now_ms + after_ms.concat().parse().unwrap_or(0)).into());
            }
            ["now" | "minute", ref after_s @ ..] => {
                let (now_s, after_s) = (self.now_s(), after_s.concat().parse().unwrap_or(0));
                let into_s = if call.starts_with("now") { 0 } else { now_s % 60 };
                return Ok((now_s - into_s + after_s).into());
            }
            ["allow", action, resource] => {
                let statement =
                    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#);
                let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
                self.permissions = Permissions::By([Policy::parse_identity(&text).unwrap()].into());
            }
            ["deny", action, resource] => {
                let text = format!(
                    r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
                      {{"Effect":"Deny","Action":"{action}","Resource":"{resource}"}}]}}"#
                );
                self.permissions = Permissions::By([Policy::parse_identity(&text).unwrap()].into());
            }
            ["as"] => self.credentials = None,
            ["as", ref credentials @ ..] => {
                self.credentials = Some(credentials.iter().map(|&word| word.to_owned()).collect());
            }
            ["may", action, resource] => {
                let cx = self.caller()?;
                let context = Context::default();
                let decided =
                    decide(&Request { cx: &cx, action, resource, context }, Attached::OWNED);
                return Ok(decided.err().map_or("yes".into(), |denial| denial.to_string().into()));
            }
            _ => {
                let (who, call) = caller(call);
                let cx = match who {
                    Some((account, region)) => cx(account, region),
                    None => self.caller()?,
                };
                let (operation, body) = call.split_once(' ').unwrap_or((call, ""));
                let body = members(T::dialect(), &self.names, body);
                let answer =
                    answer(&*self.tenant.server_of(operation), cx, operation, &body).await?;
                // Operations without an output answer nothing.
                return Ok(serde_json::from_slice(&answer).unwrap_or_default());
            }
        }
        Ok(Value::Null)
    }
}
