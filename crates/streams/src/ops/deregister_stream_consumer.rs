//! `DeregisterStreamConsumer`.

use crate::consumer::Named;
use crate::errors::Result;
use crate::lifecycle;
use crate::rows::ConsumerStatus;
use crate::service::Streams;
use api::kinesis::DeregisterStreamConsumerInput;
use base::Cx;

/// Deregisters a consumer: `DELETING` at first, then gone, its subscriptions with it. One that is
/// being deleted already is fine.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` not named, or by names that do not agree.
pub(crate) async fn deregister_stream_consumer(
    streams: Streams,
    cx: Cx,
    input: DeregisterStreamConsumerInput,
) -> Result<()> {
    let inner = &streams.inner;
    let named = Named {
        stream_arn: input.stream_arn.as_ref(),
        name: input.consumer_name.as_ref(),
        arn: input.consumer_arn.as_ref(),
    };
    let (stream, consumer) = named.find(&streams, &cx, "DeregisterStreamConsumer")?;
    if consumer.row().status == ConsumerStatus::Deleting {
        return Ok(());
    }
    lifecycle::begin_deregister(inner, &cx, &stream, &consumer).await
}
