//! `DescribeStreamConsumer`.

use crate::consumer::Named;
use crate::errors::Result;
use crate::service::Streams;
use crate::shapes;
use api::Timestamp;
use api::kinesis::{
    ConsumerDescription, DescribeStreamConsumerInput, DescribeStreamConsumerOutput,
};
use base::Cx;

/// A consumer, named by its ARN or by its stream's ARN and its name.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` neither, or names that do not agree.
pub(crate) fn describe_stream_consumer(
    streams: &Streams,
    cx: &Cx,
    input: &DescribeStreamConsumerInput,
) -> Result<DescribeStreamConsumerOutput> {
    let named = Named {
        stream_arn: input.stream_arn.as_ref(),
        name: input.consumer_name.as_ref(),
        arn: input.consumer_arn.as_ref(),
    };
    let (stream, consumer) = named.find(streams, cx, "DescribeStreamConsumer")?;
    let row = consumer.row();
    let consumer_description = ConsumerDescription {
        consumer_name: shapes::text(&row.name),
        consumer_arn: shapes::text(&consumer.arn),
        consumer_status: shapes::consumer_status(row.status),
        consumer_creation_timestamp: Timestamp(row.created_s * 1000),
        stream_arn: shapes::text(&stream.arn),
    };
    Ok(DescribeStreamConsumerOutput { consumer_description })
}
