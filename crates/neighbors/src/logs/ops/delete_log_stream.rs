//! `DeleteLogStream`.

use super::shapes;
use crate::logs::access::own;
use crate::logs::errors::{Result, fail};
use crate::logs::service::Logs;
use api::logs::DeleteLogStreamRequest;
use base::Cx;
use store::Transaction;

/// Removes a stream with its events.
///
/// # Errors
/// `ResourceNotFound`; `AccessDenied`; what the store says.
pub(super) async fn delete_log_stream(
    service: Logs,
    cx: Cx,
    input: DeleteLogStreamRequest,
) -> Result<()> {
    let inner = &service.inner;
    let id = own(&cx, &input.log_group_name);
    let (group, stream) = inner.stream(&cx, "DeleteLogStream", (&id, &input.log_stream_name))?;
    let mut transaction = Transaction::default();
    shapes::remove_stream(&mut transaction, &service, &stream);
    inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    group.forget(&stream.name);
    Ok(())
}
