//! Quotas of an account, rations of changes, and what only on-demand streams have.

use crate::errors::{Result, fail};
use crate::rows::{self, AccountRow, Mode, Status};
use crate::service::Inner;
use crate::stream::Stream;
use crate::texts;
use base::{AccountId, Cx};

/// Most streams in `CREATING` or `DELETING`, and most consumers of a stream in `CREATING`, at once.
pub(crate) const PASSING_MAX: usize = 5;

/// Most consumers of a stream.
const CONSUMERS_MAX: usize = 20;

/// Most consumers of an on-demand stream of an account that made the commitment (model: On-demand
/// Advantage).
const CONSUMERS_MAX_ADVANTAGE: usize = 50;

/// Most warm throughput of a stream: 10 GiB/s.
const WARM_MIBPS_MAX: u32 = 10_240;

const DAY_MS: i64 = 86_400_000;

/// What an account has in a region, or in all regions that AWS does not have: those are name spaces
/// that a client may make up, which must not bring it more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quota {
    pub(crate) open_shards: usize,
    /// Those that acknowledged changes bring; a change that takes some away counts when it is done.
    coming_shards: usize,
    pub(crate) on_demand: usize,
    /// Streams that are being made or deleted.
    pub(crate) passing: usize,
}

impl Quota {
    /// Counted now, of the caller's account and region.
    pub(crate) fn of(inner: &Inner, cx: &Cx) -> Self {
        let mut quota = Self::default();
        for stream in inner.directory.list_quota(cx.account, &cx.region) {
            let view = stream.view();
            let open = view.open.len();
            let coming = view.row.change.as_ref().map_or(0, |c| c.more_shards(open as u32));
            quota.open_shards += open;
            quota.coming_shards += coming as usize;
            quota.on_demand += usize::from(view.row.mode == Mode::OnDemand);
            let is_passing = matches!(view.row.status, Status::Creating | Status::Deleting);
            quota.passing += usize::from(is_passing);
        }
        quota
    }

    /// Open shards that the account may still have.
    pub(crate) fn shards_left(&self, inner: &Inner) -> u32 {
        inner.options.shards_max.saturating_sub(self.taken_shards() as u32)
    }

    fn taken_shards(&self) -> usize {
        self.open_shards + self.coming_shards
    }

    /// Whether the account may have this many open shards more.
    pub(crate) fn check_shards(&self, inner: &Inner, cx: &Cx, more: u32) -> Result<()> {
        let shards_max = inner.options.shards_max;
        let taken = self.taken_shards();
        if taken + more as usize <= shards_max as usize {
            return Ok(());
        }
        Err(texts::account_shards(cx, taken, shards_max, more))
    }

    /// Whether a stream may grow from `open` to `target` shards.
    ///
    /// # Errors
    /// `LimitExceeded` the stream, or the account with it, would have too many.
    pub(crate) fn check_growth(
        &self,
        inner: &Inner,
        cx: &Cx,
        open: u32,
        target: u32,
    ) -> Result<()> {
        let shards_max = inner.options.stream_shards_max;
        if target > shards_max {
            return Err(texts::stream_shards(shards_max, open, target));
        }
        self.check_shards(inner, cx, target.saturating_sub(open))
    }

    /// Whether the account may have one on-demand stream more.
    pub(crate) fn check_on_demand(&self, inner: &Inner, cx: &Cx) -> Result<()> {
        let streams_max = inner.options.on_demand_streams_max;
        if self.on_demand < streams_max as usize {
            return Ok(());
        }
        Err(texts::on_demand_streams(cx, self.on_demand, streams_max))
    }
}

/// Counts one more change of a kind into the last 24 hours' `done_ms`.
///
/// # Errors
/// `LimitExceeded` there were `changes_max` already.
pub(crate) fn ration(
    inner: &Inner,
    done_ms: &mut Vec<i64>,
    changes_max: usize,
    operation: &str,
) -> Result<()> {
    let now_ms = inner.now_ms();
    done_ms.retain(|at_ms| (now_ms - DAY_MS..=now_ms).contains(at_ms));
    if inner.options.scaling_limits && done_ms.len() >= changes_max {
        return Err(texts::rationed(operation, changes_max));
    }
    // Without rations the list is not read; the bound keeps the row small.
    if done_ms.len() >= changes_max {
        done_ms.remove(0);
    }
    done_ms.push(now_ms);
    Ok(())
}

/// Checks a `WarmThroughputMiBps`.
///
/// # Errors
/// `InvalidArgument` for a provisioned stream or above 10 GiB/s; `Validation` the account has made
/// no minimum throughput billing commitment.
pub(crate) fn warm(inner: &Inner, cx: &Cx, mode: Mode, mibps: i32) -> Result<u32> {
    if mode == Mode::Provisioned {
        return Err(texts::only_on_demand("WarmThroughputMiBps"));
    }
    let mibps = mibps.cast_unsigned();
    if mibps > WARM_MIBPS_MAX {
        return Err(texts::warm_above(mibps, WARM_MIBPS_MAX));
    }
    if !is_committed(inner, cx, cx.account)? {
        return Err(texts::warm_uncommitted());
    }
    Ok(mibps)
}

/// Most consumers of a stream, whoever registers them: the commitment is its owner's.
pub(crate) fn consumers_max(inner: &Inner, cx: &Cx, stream: &Stream) -> Result<usize> {
    let is_on_demand = stream.view().row.mode == Mode::OnDemand;
    let has_advantage = is_on_demand && is_committed(inner, cx, stream.key.account)?;
    Ok(if has_advantage { CONSUMERS_MAX_ADVANTAGE } else { CONSUMERS_MAX })
}

/// Whether the account's minimum throughput billing commitment runs.
fn is_committed(inner: &Inner, cx: &Cx, account: AccountId) -> Result<bool> {
    let now_ms = inner.now_ms();
    Ok(settings(inner, cx, account)?.commitment.is_some_and(|commitment| commitment.runs(now_ms)))
}

/// The caller's account settings.
pub(crate) fn account(inner: &Inner, cx: &Cx) -> Result<AccountRow> {
    settings(inner, cx, cx.account)
}

fn settings(inner: &Inner, cx: &Cx, account: AccountId) -> Result<AccountRow> {
    let row = rows::get(&inner.store, &AccountRow::key(account, &cx.region));
    Ok(row.map_err(|e| fail(cx, &e))?.unwrap_or_default())
}
