//! `DescribeAccountSettings`.

use crate::account::commitment;
use crate::directory::authorize;
use crate::errors::Result;
use crate::limits::account;
use crate::service::Streams;
use api::kinesis::{DescribeAccountSettingsInput, DescribeAccountSettingsOutput};
use base::Cx;

/// The account's settings in this region.
pub(crate) fn describe_account_settings(
    streams: &Streams,
    cx: &Cx,
    _: &DescribeAccountSettingsInput,
) -> Result<DescribeAccountSettingsOutput> {
    authorize(cx, "DescribeAccountSettings", "*")?;
    let row = account(&streams.inner, cx)?;
    let shown = commitment(&row, streams.inner.now_ms());
    Ok(DescribeAccountSettingsOutput { minimum_throughput_billing_commitment: Some(shown) })
}
