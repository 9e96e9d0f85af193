//! `GetResourcePolicy`.

use crate::errors::{Result, fail};
use crate::policies::Guarded;
use crate::rows;
use crate::service::Streams;
use api::Text;
use api::kinesis::{GetResourcePolicyInput, GetResourcePolicyOutput};
use base::Cx;
use kit::PolicyRow;

/// The policy of a stream or a consumer, as it was put; `{}` when it has none (observed).
///
/// # Errors
/// `ResourceNotFound`.
pub(crate) fn get_resource_policy(
    streams: &Streams,
    cx: &Cx,
    input: &GetResourcePolicyInput,
) -> Result<GetResourcePolicyOutput> {
    let guarded = Guarded::find(streams, cx, "GetResourcePolicy", &input.resource_arn)?;
    let row = rows::get(&streams.inner.store, &guarded.key()).map_err(|e| fail(cx, &e))?;
    let policy = row.map_or(Text::from_static("{}"), |PolicyRow(policy)| policy.into());
    Ok(GetResourcePolicyOutput { policy })
}
