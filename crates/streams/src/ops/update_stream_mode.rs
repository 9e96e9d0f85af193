//! `UpdateStreamMode`.

use crate::errors::Result;
use crate::lifecycle;
use crate::limits::{self, Quota, ration};
use crate::reshard::warm_shards;
use crate::rows::{Change, Mode};
use crate::service::Streams;
use api::kinesis::{StreamMode, UpdateStreamModeInput};
use base::Cx;

/// Mode switches of a stream in 24 hours (developer guide).
const SWITCHES_MAX: usize = 2;

/// Switches between provisioned and on-demand mode; the shards stay as they are.
///
/// # Errors
/// `ResourceNotFound`; `ResourceInUse` not `ACTIVE`; `LimitExceeded` two switches a day, the
/// account's on-demand streams, or the shards of stream or account; `InvalidArgument`, `Validation`
/// a warm throughput that cannot be.
pub(crate) async fn update_stream_mode(
    streams: Streams,
    cx: Cx,
    input: UpdateStreamModeInput,
) -> Result<()> {
    let inner = &streams.inner;
    let stream = inner.directory.find(&cx, "UpdateStreamMode", None, Some(&input.stream_arn))?;
    let mode = match input.stream_mode_details.stream_mode {
        StreamMode::Provisioned => Mode::Provisioned,
        StreamMode::OnDemand => Mode::OnDemand,
    };
    let warm = match input.warm_throughput_mibps {
        Some(mibps) => Some(limits::warm(inner, &cx, mode, mibps)?),
        None => None,
    };
    if mode == stream.view().row.mode && warm.is_none() {
        return Ok(());
    }
    let quota = Quota::of(inner, &cx);
    if mode == Mode::OnDemand && stream.view().row.mode == Mode::Provisioned {
        quota.check_on_demand(inner, &cx)?;
    }
    let open = stream.view().open.len() as u32;
    // A switch never takes shards away (observed).
    let target = warm.map_or(open, |mibps| warm_shards(mibps).max(open));
    if target > open {
        quota.check_growth(inner, &cx, open, target)?;
    }
    lifecycle::begin(inner, &cx, &stream, |row| {
        if mode != row.mode {
            ration(inner, &mut row.switched_ms, SWITCHES_MAX, "UpdateStreamMode")?;
        }
        row.mode = mode;
        if mode == Mode::Provisioned {
            row.auto_distribution = false;
            row.warm_mibps = None;
        }
        row.change = Some(warm.map_or(Change::Settle, |mibps| Change::Warm { mibps, target }));
        Ok(())
    })
    .await
}
