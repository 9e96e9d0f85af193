//! A service over a catalog in memory, which can be stopped and started again over what it stored.

use base::Cx;
use base::policy::{Permissions, Policy};
use neighbors::dynamodb::{DynamoDb, Options, Parts, SERVICE};
use serde_json::Value;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use store::{Catalog, Store};
use testkit::script::{Dialect, Names, Stage, answer, caller, cx, members, with_names};
use testkit::{FakeEnv, fake_env};
use wire::Refusal;

static DIALECT: LazyLock<Dialect> =
    LazyLock::new(|| Dialect::of(include_str!("../../../../model/dynamodb.json")));

/// DynamoDB and everything that outlives it.
pub(crate) struct House {
    fake: FakeEnv,
    catalog: Arc<MemoryCatalog>,
    store: Arc<Store>,
    pub(crate) tables: DynamoDb,
    options: Options,
    names: Names,
    /// What the caller's policies are, when he has any.
    permissions: Permissions,
}

/// Tests that are scripts: its name, maybe other options than the defaults, its lines. Beside the
/// operations there are `restart`, `pass TIME_MS`, `settle`, `rows [PREFIX]` (how many the catalog
/// has) and `allow ACTION RESOURCE`, which is all that the caller may do from then on.
macro_rules! cases {
    ($($(#[$doc:meta])* $name:ident $(($options:expr))?: $script:literal)*) => {
        $($(#[$doc])* #[test] fn $name() {
            crate::house::check_with(cases!(@ $($options)?), $script);
        })*
    };
    (@) => { neighbors::dynamodb::Options::default() };
    (@ $options:expr) => { $options };
}
pub(crate) use cases;

/// Does what a script says.
pub(crate) fn check_with(options: Options, script: &str) {
    run_with(options, async |house| house.check(script).await);
}

/// Runs a test with a service of its own.
pub(crate) fn run_with<F: AsyncFnOnce(&mut House)>(options: Options, test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut house = House::open(options);
        test(&mut house).await;
        house.tables.close().await;
    });
}

impl House {
    fn open(options: Options) -> Self {
        let (fake, catalog) = (fake_env(1), MemoryCatalog::new());
        let logs = MemoryLog::new(fake.env(), MemoryOptions::default());
        let store = Store::open(catalog.clone(), logs, false).unwrap();
        let tables = open(&fake, &store, options);
        let (names, permissions) = (Names::new(), Permissions::All);
        Self { fake, catalog, store, tables, options, names, permissions }
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

fn open(fake: &FakeEnv, store: &Arc<Store>, options: Options) -> DynamoDb {
    let parts = Parts { env: fake.env(), store: store.part(SERVICE) };
    DynamoDb::open(parts, options).unwrap()
}

impl Stage for House {
    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    async fn act(&mut self, call: &str) -> Result<Value, Refusal> {
        let call = &*with_names(&self.names, call);
        match *call.split(' ').collect::<Vec<_>>() {
            ["restart"] => {
                self.tables.close().await;
                self.tables = open(&self.fake, &self.store, self.options);
            }
            ["settle"] => self.settle().await,
            ["pass", ms] => self.fake.clock.advance(Duration::from_millis(ms.parse().unwrap())),
            ["rows", ref prefix @ ..] => {
                let prefix = format!("{SERVICE}/{}", prefix.concat());
                return Ok(self.catalog.scan(prefix.as_bytes(), None, 99_999).len().into());
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
                let body = members(&DIALECT, &self.names, body);
                let service = api::dynamodb::Server::new(Arc::new(self.tables.clone()));
                let answer = answer(&service, cx, operation, &body).await?;
                return Ok(serde_json::from_slice(&answer).unwrap());
            }
        }
        Ok(Value::Null)
    }
}
