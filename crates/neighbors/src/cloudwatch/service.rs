//! The service: what it is made of, how it starts and ends, what it does by itself.
//!
//! ```text
//! open: rows and the log of puts -> series, head, alarms
//! every ten seconds: alarms whose turn it is; every minute: the server's own numbers -> points;
//! every hour, or when the head is half full: points -> blocks
//! ```

use super::alarm::{Actions, Alarms, Doers, do_actions};
use super::errors::Result;
use super::options::Options;
use super::own::Own;
use super::points::Points;
use super::series::Metrics;
use super::texts;
use super::upkeep;
use base::metrics::Registry;
use base::{AccountId, Cx, Env, Region};
use kit::{Changes, Secret, Shared, Tasks, TokenKey, Undone};
use std::future::Future;
use std::sync::Arc;
use store::Part;

/// AWS's name of the service in policies, whose part of a store it needs.
pub const SERVICE: &str = "cloudwatch";

/// How long a paging token lives.
const TOKEN_LIFE_MS: i64 = 24 * 3_600_000;

/// What the service is built upon.
#[derive(Clone)]
pub struct Parts {
    /// Time, randomness and files.
    pub env: Env,
    /// Points, alarms, dashboards: the part of [`SERVICE`].
    pub store: Part,
    /// The numbers of the server itself, which become metrics of AWS's.
    pub registry: Registry,
    /// Who does what alarms want done; without any their histories tell that nobody does.
    pub doers: Option<Doers>,
}

/// CloudWatch; cheap to clone.
#[derive(Clone)]
pub struct CloudWatch {
    pub(super) inner: Arc<Inner>,
}

/// What all handles share.
pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) options: Options,
    pub(super) store: Part,
    pub(super) metrics: Metrics,
    pub(super) points: Points,
    pub(super) alarms: Alarms,
    pub(super) actions: Actions,
    pub(super) tokens: TokenKey,
    tasks: Tasks,
    changes: Changes,
}

impl CloudWatch {
    /// Opens the service over its catalog and its logs.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Corrupt` a row or a record cannot be read; any failure of the first start's commit.
    pub async fn open(parts: Parts, options: Options) -> store::Result<Self> {
        let Parts { env, store, registry, doers } = parts;
        let secret = Secret::open(&env, &store).await?;
        let inner = Arc::new(Inner {
            metrics: Metrics::open(store.clone(), &options)?,
            points: Points::open(store.clone(), options).await?,
            alarms: Alarms::open(&store)?,
            actions: Actions::open(&store, doers)?,
            tokens: TokenKey::new(&secret.derive(b"paging tokens"), TOKEN_LIFE_MS),
            env,
            options,
            store,
            tasks: Tasks::new(),
            changes: Changes::default(),
        });
        inner.see_points();
        inner.tasks.spawn(do_actions(Arc::downgrade(&inner), inner.env.clock.clone()));
        let (service, clock) = (Arc::downgrade(&inner), inner.env.clock.clone());
        inner.tasks.spawn(upkeep::run(service.clone(), clock.clone(), Own::new(registry)));
        inner.tasks.spawn(upkeep::run_rolls(service, clock));
        Ok(Self { inner })
    }

    /// Stops what runs in the background; it goes on at the next start.
    pub async fn close(&self) {
        self.inner.tasks.close().await;
    }

    /// Makes one change of alarms or dashboards, under the lock of all such changes, to its end.
    pub(super) async fn change<I, T, F>(
        &self,
        cx: &Cx,
        input: I,
        op: impl FnOnce(CloudWatch, Cx, I) -> F + Send + 'static,
    ) -> Result<T>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (service, cx, inner) = (self.clone(), cx.clone(), &self.inner);
        let change = async move { op(service, cx, input).await };
        match inner.changes.make(&inner.tasks, change).await {
            Ok(changed) => changed,
            Err(Undone::Closed) => Err(texts::stopping()),
            Err(Undone::Busy) => Err(texts::too_many_changes()),
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.inner.now_ms()
    }
}

impl Inner {
    /// By the clock that records are stamped with: alarms and points must agree with it.
    pub(super) fn now_ms(&self) -> i64 {
        self.store.clock().now_ms()
    }

    /// Waits until nobody else changes alarms, and keeps it so.
    pub(super) async fn lock_changes(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changes.lock().await
    }

    /// Remembers when series of the head had points.
    pub(super) fn see_points(&self) {
        for (id, at_s) in self.points.newest() {
            if let Some(series) = self.metrics.get(id) {
                series.seen(at_s);
            }
        }
    }
}

const SHARED: Shared = Shared { service: SERVICE, others: &[], owners: &[] };

/// Whether the caller's policies let him do this.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn authorize(cx: &Cx, action: &str, arn: &str) -> Result<()> {
    SHARED.authorize(cx, action, arn).map_err(|denial| texts::denied(cx, action, arn, denial))
}

/// The ARN of an alarm.
pub(super) fn alarm_arn(account: AccountId, region: &Region, name: &str) -> String {
    let resource = format!("alarm:{name}");
    kit::Arn { service: SERVICE, region, account, resource: &resource }.to_string()
}

/// The ARN of a dashboard, which has no region.
pub(super) fn dashboard_arn(cx: &Cx, name: &str) -> String {
    let partition = cx.partition;
    format!("arn:{partition}:{SERVICE}::{}:dashboard/{name}", cx.account)
}
