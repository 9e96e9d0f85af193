//! `DeleteResourcePolicy`.

use crate::errors::Result;
use crate::policies::Guarded;
use crate::service::Streams;
use crate::texts;
use api::kinesis::DeleteResourcePolicyInput;
use base::Cx;
use store::Transaction;

/// Removes the policy of a stream or a consumer.
///
/// # Errors
/// `ResourceNotFound` no such resource, or it has no policy (observed).
pub(crate) async fn delete_resource_policy(
    streams: Streams,
    cx: Cx,
    input: DeleteResourcePolicyInput,
) -> Result<()> {
    let guarded = Guarded::find(&streams, &cx, "DeleteResourcePolicy", &input.resource_arn)?;
    if streams.inner.store.get(&guarded.key()).is_none() {
        return Err(texts::no_policy(guarded.arn()));
    }
    let mut transaction = Transaction::default();
    transaction.remove(guarded.key());
    streams.inner.commit(&cx, transaction).await?;
    guarded.replace(None);
    Ok(())
}
