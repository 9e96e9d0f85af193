//! `CreateLogStream`.

use crate::logs::access::{authorize_new_stream, own};
use crate::logs::errors::{Result, fail};
use crate::logs::rows::StreamRow;
use crate::logs::service::{Inner, Logs};
use crate::logs::stream::Stream;
use crate::logs::texts;
use api::logs::CreateLogStreamRequest;
use base::{AccountId, Cx};
use kit::rows;
use std::sync::Arc;
use store::{LogId, Transaction};

/// Makes a stream in a group.
///
/// # Errors
/// `ResourceNotFound` no such group; `ResourceAlreadyExists`; `ServiceUnavailable` there are too
/// many; `AccessDenied`; what the store says.
pub(super) async fn create_log_stream(
    service: Logs,
    cx: Cx,
    input: CreateLogStreamRequest,
) -> Result<()> {
    let inner = &service.inner;
    let id = own(&cx, &input.log_group_name);
    authorize_new_stream(&cx, "CreateLogStream", (&id, &input.log_stream_name))?;
    let group = inner.groups.get(&id).ok_or_else(texts::no_such_group)?;
    if group.stream(&input.log_stream_name).is_some() {
        return Err(texts::stream_exists());
    }
    check_count(inner, id.account)?;
    let row = StreamRow {
        account: id.account.as_str().into(),
        region: id.region.as_str().into(),
        group: id.name.as_ref().into(),
        name: input.log_stream_name.as_str().into(),
        created_ms: service.now_ms(),
    };
    let made = make(inner, &row).await.map_err(|e| fail(cx.request_id, &e))?;
    group.show(Arc::new(made));
    Ok(())
}

/// Refuses a stream that is one too many.
fn check_count(inner: &Inner, account: AccountId) -> Result<()> {
    let most = inner.options.streams_max;
    let (mut all, mut own) = (0, 0);
    for group in inner.groups.all() {
        let count = group.stream_count();
        all += count;
        own += if group.id.account == account { count } else { 0 };
    }
    if all >= most || own >= most / 5 * 4 {
        return Err(texts::too_many_streams(most));
    }
    Ok(())
}

async fn make(inner: &Inner, row: &StreamRow) -> store::Result<Stream> {
    let logs = inner.store.take_logs(1).await?;
    let log = logs.first().copied().unwrap_or(LogId(0));
    let stream = Stream::open(&inner.store, (log, row), Vec::new()).await?;
    let mut transaction = Transaction::default();
    transaction.own(log);
    rows::put(&mut transaction, StreamRow::key(log.0), row);
    if let Err(e) = inner.store.commit(transaction).await {
        inner.store.abandon_logs(&logs).await;
        return Err(e);
    }
    Ok(stream)
}
