//! `RegisterStreamConsumer`.

use crate::consumer::Consumer;
use crate::errors::Result;
use crate::lifecycle;
use crate::limits::{self, PASSING_MAX};
use crate::rows::{self, ConsumerRow, ConsumerStatus, Status, tags_key};
use crate::service::Streams;
use crate::shapes;
use crate::stream::Stream;
use crate::tags;
use crate::texts::{self, stream_not_active};
use api::kinesis::{RegisterStreamConsumerInput, RegisterStreamConsumerOutput};
use base::Cx;
use std::sync::Arc;
use store::Transaction;

/// Registers a consumer for fan-out; it is `CREATING` at first.
///
/// # Errors
/// `ResourceNotFound` no such stream; `ResourceInUse` the name is taken, or the stream is being
/// made or deleted; `LimitExceeded` 20 consumers (50 with On-demand Advantage), or five of them in
/// `CREATING`; `InvalidArgument` tags that cannot be.
pub(crate) async fn register_stream_consumer(
    streams: Streams,
    cx: Cx,
    input: RegisterStreamConsumerInput,
) -> Result<RegisterStreamConsumerOutput> {
    let inner = &streams.inner;
    let arn = Some(&input.stream_arn);
    let stream = inner.directory.find(&cx, "RegisterStreamConsumer", None, arn)?;
    let row = stream.view().row.clone();
    if !matches!(row.status, Status::Active | Status::Updating) {
        return Err(stream_not_active(&stream.key, row.status));
    }
    let consumers_max = limits::consumers_max(inner, &cx, &stream)?;
    check(&stream, &input.consumer_name, consumers_max, inner.options.scaling_limits)?;
    let tags = tags::initial(input.tags, &stream.key)?;
    let now_s = inner.now_ms().div_euclid(1000);
    let row = ConsumerRow {
        name: input.consumer_name.to_string(),
        created_s: now_s.max(row.consumer_s + 1),
        status: lifecycle::first_consumer_status(inner),
    };
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, ConsumerRow::key(&stream.key, &row.name), &row);
    if !tags.is_empty() {
        rows::put(&mut transaction, tags_key(&stream.key, Some(&row.name)), &tags);
    }
    inner.commit(&cx, transaction).await?;
    let consumer = Arc::new(Consumer::new(row.of(&stream.key), row));
    stream.consumers.write().insert(consumer.key.name.clone(), consumer.clone());
    lifecycle::schedule_consumer(inner, &stream, &consumer);
    Ok(RegisterStreamConsumerOutput { consumer: shapes::consumer(&consumer) })
}

fn check(
    stream: &Stream,
    name: &str,
    consumers_max: usize,
    creating_is_bounded: bool,
) -> Result<()> {
    let consumers = stream.consumers.read();
    if consumers.contains_key(name) {
        return Err(texts::consumer_exists(&stream.key, name));
    }
    if consumers.len() >= consumers_max {
        return Err(texts::too_many_consumers(&stream.key, consumers_max));
    }
    let creating =
        consumers.values().filter(|c| c.row().status == ConsumerStatus::Creating).count();
    if creating_is_bounded && creating >= PASSING_MAX {
        return Err(texts::too_many_creating(&stream.key, PASSING_MAX));
    }
    Ok(())
}
