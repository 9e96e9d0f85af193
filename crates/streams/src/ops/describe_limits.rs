//! `DescribeLimits`.

use crate::directory::authorize;
use crate::errors::Result;
use crate::limits::Quota;
use crate::service::Streams;
use api::kinesis::{DescribeLimitsInput, DescribeLimitsOutput};
use base::Cx;

/// What the account has in this region and may have.
///
/// # Errors
/// `AccessDenied`.
pub(crate) fn describe_limits(
    streams: &Streams,
    cx: &Cx,
    _: &DescribeLimitsInput,
) -> Result<DescribeLimitsOutput> {
    authorize(cx, "DescribeLimits", "*")?;
    let options = &streams.inner.options;
    let quota = Quota::of(&streams.inner, cx);
    Ok(DescribeLimitsOutput {
        shard_limit: options.shards_max.cast_signed(),
        open_shard_count: quota.open_shards as i32,
        on_demand_stream_count: quota.on_demand as i32,
        on_demand_stream_count_limit: options.on_demand_streams_max.cast_signed(),
        channel_count: None,
        channel_count_limit: None,
    })
}
