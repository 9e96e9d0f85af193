//! `DeleteLogGroup`.

use super::shapes;
use crate::logs::errors::{Result, fail};
use crate::logs::groups::GroupId;
use crate::logs::rows::{GroupRow, tags_key};
use crate::logs::service::Logs;
use api::logs::DeleteLogGroupRequest;
use base::Cx;
use store::Transaction;

/// Removes a group with its streams, its events, its filters and its tags. What waits for
/// destinations is given up.
///
/// # Errors
/// `ResourceNotFound`; `AccessDenied`; what the store says.
pub(super) async fn delete_log_group(
    service: Logs,
    cx: Cx,
    input: DeleteLogGroupRequest,
) -> Result<()> {
    let inner = &service.inner;
    let group = inner.group(&cx, "DeleteLogGroup", &input.log_group_name)?;
    let GroupId { account, region, name } = &group.id;
    let mut transaction = Transaction::default();
    transaction.frees_room();
    transaction.remove(GroupRow::key(*account, region, name));
    transaction.remove(tags_key(*account, region, name));
    for stream in group.streams() {
        shapes::remove_stream(&mut transaction, &service, &stream);
    }
    for filter in group.filters() {
        shapes::remove_filter(&mut transaction, filter.log_id);
    }
    inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    inner.groups.remove(&group.id);
    group.filters().iter().for_each(|filter| filter.end());
    inner.metrics.forget(&group.id);
    Ok(())
}
