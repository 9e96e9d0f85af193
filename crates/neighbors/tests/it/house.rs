//! A service over a catalog in memory, which can be stopped and started again over what it stored.

use base::Cx;
use base::metrics::Registry;
use base::policy::{Permissions, Policy};
use neighbors::cloudwatch::{self, CloudWatch};
use neighbors::dynamodb::{self, DynamoDb};
use serde_json::Value;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use store::{Catalog, Store};
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
        Self::open(cloudwatch::Parts { env, store, registry }, options).await.unwrap()
    }

    fn server(&self) -> Box<dyn Service> {
        Box::new(api::cloudwatch::Server::new(Arc::new(self.clone())))
    }

    async fn close(&self) {
        self.close().await;
    }
}

/// Everything that outlives a service.
pub(crate) struct Home {
    fake: FakeEnv,
    catalog: Arc<MemoryCatalog>,
    store: Arc<Store>,
    pub(crate) registry: Registry,
}

/// A service and everything that outlives it.
pub(crate) struct House<T: Tenant> {
    pub(crate) home: Home,
    pub(crate) tenant: T,
    options: T::Options,
    names: Names,
    /// What the caller's policies are, when he has any.
    permissions: Permissions,
}

/// Tests that are scripts: its name, maybe other options than the defaults, its lines. Beside the
/// operations there are `restart`, `pass TIME_MS`, `settle`, `rows [PREFIX]` (how many the catalog
/// has), `now [SECONDS]` (that many after now), `minute [SECONDS]` (after the minute's start) and
/// `allow ACTION RESOURCE`, which is all that the caller may do from then on.
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
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
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
        let home = Home { fake, catalog, store, registry: Registry::default() };
        let tenant = T::open(&home, options.clone()).await;
        let (names, permissions) = (Names::new(), Permissions::All);
        Self { home, tenant, options, names, permissions }
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
            ["settle"] => self.settle().await,
            ["pass", ms] => {
                self.home.fake.clock.advance(Duration::from_millis(ms.parse().unwrap()));
            }
            ["rows", ref prefix @ ..] => {
                let prefix = format!("{}/{}", T::NAME, prefix.concat());
                return Ok(self.home.catalog.scan(prefix.as_bytes(), None, 99_999).len().into());
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
            _ => {
                let (who, call) = caller(call);
                let who = who.map(|(account, region)| cx(account, region));
                let cx = who.unwrap_or_else(|| self.cx());
                let (operation, body) = call.split_once(' ').unwrap_or((call, ""));
                let body = members(T::dialect(), &self.names, body);
                let answer = answer(&*self.tenant.server(), cx, operation, &body).await?;
                // Operations without an output answer nothing.
                return Ok(serde_json::from_slice(&answer).unwrap_or_default());
            }
        }
        Ok(Value::Null)
    }
}
