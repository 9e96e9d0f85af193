//! `DeleteSubscriptionFilter`.

use super::shapes;
use crate::logs::errors::{Result, fail};
use crate::logs::service::Logs;
use crate::logs::texts;
use api::logs::DeleteSubscriptionFilterRequest;
use base::Cx;
use store::Transaction;

/// Removes a subscription filter; what waits for its destination is given up.
///
/// # Errors
/// `ResourceNotFound`; `AccessDenied`; what the store says.
pub(super) async fn delete_subscription_filter(
    service: Logs,
    cx: Cx,
    input: DeleteSubscriptionFilterRequest,
) -> Result<()> {
    let inner = &service.inner;
    let group = inner.group(&cx, "DeleteSubscriptionFilter", &input.log_group_name)?;
    let filter = group.filter(&input.filter_name).ok_or_else(texts::no_such_filter)?;
    let mut transaction = Transaction::default();
    shapes::remove_filter(&mut transaction, filter.log_id);
    inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    group.forget_filter(&filter.name);
    filter.end();
    Ok(())
}
