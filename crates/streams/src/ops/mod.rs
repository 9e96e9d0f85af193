//! The operations: one file each, and the table that binds them to the wire.
//!
//! Reads look at views and rows. Changes run one after another and to their end. The data plane has
//! no lock but its shards'.

pub(crate) mod add_tags_to_stream;
pub(crate) mod create_stream;
pub(crate) mod decrease_stream_retention_period;
pub(crate) mod delete_resource_policy;
pub(crate) mod delete_stream;
pub(crate) mod deregister_stream_consumer;
pub(crate) mod describe_account_settings;
pub(crate) mod describe_limits;
pub(crate) mod describe_stream;
pub(crate) mod describe_stream_consumer;
pub(crate) mod describe_stream_summary;
pub(crate) mod disable_enhanced_monitoring;
pub(crate) mod enable_enhanced_monitoring;
pub(crate) mod get_records;
pub(crate) mod get_resource_policy;
pub(crate) mod get_shard_iterator;
pub(crate) mod increase_stream_retention_period;
pub(crate) mod list_shards;
pub(crate) mod list_stream_consumers;
pub(crate) mod list_streams;
pub(crate) mod list_tags_for_resource;
pub(crate) mod list_tags_for_stream;
pub(crate) mod merge_shards;
pub(crate) mod put_record;
pub(crate) mod put_records;
pub(crate) mod put_resource_policy;
pub(crate) mod register_stream_consumer;
pub(crate) mod remove_tags_from_stream;
pub(crate) mod split_shard;
pub(crate) mod start_stream_encryption;
pub(crate) mod stop_stream_encryption;
pub(crate) mod subscribe_to_shard;
pub(crate) mod tag_resource;
pub(crate) mod untag_resource;
pub(crate) mod update_account_settings;
pub(crate) mod update_max_record_size;
pub(crate) mod update_shard_count;
pub(crate) mod update_stream_mode;
pub(crate) mod update_stream_record_distribution_strategy;
pub(crate) mod update_stream_warm_throughput;

use crate::errors::Result;
use crate::service::Streams;
use crate::texts::not_yet;
use api::EventStream;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the table below names every shape of the API")
)]
use api::kinesis::*;
use base::Cx;

macro_rules! reads {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, &input)
        }
    )*};
}

macro_rules! changes {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            self.change(cx, input, $op::$op).await
        }
    )*};
}

macro_rules! data {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, input).await
        }
    )*};
}

macro_rules! refusals {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, _: &Cx, _: $input) -> Result<$output> {
            Err(not_yet())
        }
    )*};
}

impl Kinesis for Streams {
    reads! {
        describe_account_settings(DescribeAccountSettingsInput) -> DescribeAccountSettingsOutput;
        describe_limits(DescribeLimitsInput) -> DescribeLimitsOutput;
        describe_stream(DescribeStreamInput) -> DescribeStreamOutput;
        describe_stream_consumer(DescribeStreamConsumerInput) -> DescribeStreamConsumerOutput;
        describe_stream_summary(DescribeStreamSummaryInput) -> DescribeStreamSummaryOutput;
        get_resource_policy(GetResourcePolicyInput) -> GetResourcePolicyOutput;
        list_shards(ListShardsInput) -> ListShardsOutput;
        list_stream_consumers(ListStreamConsumersInput) -> ListStreamConsumersOutput;
        list_streams(ListStreamsInput) -> ListStreamsOutput;
        list_tags_for_resource(ListTagsForResourceInput) -> ListTagsForResourceOutput;
        list_tags_for_stream(ListTagsForStreamInput) -> ListTagsForStreamOutput;
    }

    changes! {
        add_tags_to_stream(AddTagsToStreamInput) -> ();
        create_stream(CreateStreamInput) -> ();
        decrease_stream_retention_period(DecreaseStreamRetentionPeriodInput) -> ();
        delete_resource_policy(DeleteResourcePolicyInput) -> ();
        delete_stream(DeleteStreamInput) -> ();
        deregister_stream_consumer(DeregisterStreamConsumerInput) -> ();
        disable_enhanced_monitoring(DisableEnhancedMonitoringInput) -> EnhancedMonitoringOutput;
        enable_enhanced_monitoring(EnableEnhancedMonitoringInput) -> EnhancedMonitoringOutput;
        increase_stream_retention_period(IncreaseStreamRetentionPeriodInput) -> ();
        merge_shards(MergeShardsInput) -> ();
        put_resource_policy(PutResourcePolicyInput) -> ();
        register_stream_consumer(RegisterStreamConsumerInput) -> RegisterStreamConsumerOutput;
        remove_tags_from_stream(RemoveTagsFromStreamInput) -> ();
        split_shard(SplitShardInput) -> ();
        start_stream_encryption(StartStreamEncryptionInput) -> ();
        stop_stream_encryption(StopStreamEncryptionInput) -> ();
        tag_resource(TagResourceInput) -> ();
        untag_resource(UntagResourceInput) -> ();
        update_account_settings(UpdateAccountSettingsInput) -> UpdateAccountSettingsOutput;
        update_max_record_size(UpdateMaxRecordSizeInput) -> ();
        update_shard_count(UpdateShardCountInput) -> UpdateShardCountOutput;
        update_stream_mode(UpdateStreamModeInput) -> ();
        update_stream_record_distribution_strategy(UpdateStreamRecordDistributionStrategyInput)
            -> ();
        update_stream_warm_throughput(UpdateStreamWarmThroughputInput)
            -> UpdateStreamWarmThroughputOutput;
    }

    data! {
        get_records(GetRecordsInput) -> GetRecordsOutput;
        get_shard_iterator(GetShardIteratorInput) -> GetShardIteratorOutput;
        put_record(PutRecordInput) -> PutRecordOutput;
        put_records(PutRecordsInput) -> PutRecordsOutput;
        subscribe_to_shard(SubscribeToShardInput)
            -> EventStream<SubscribeToShardEventStream, Error>;
    }

    refusals! {
        acknowledge_dead_letter_queue_records(AcknowledgeDeadLetterQueueRecordsInput)
            -> AcknowledgeDeadLetterQueueRecordsOutput;
        acknowledge_queue_records(AcknowledgeQueueRecordsInput) -> AcknowledgeQueueRecordsOutput;
        create_channel(CreateChannelInput) -> CreateChannelOutput;
        create_queue(CreateQueueInput) -> CreateQueueOutput;
        delete_channel(DeleteChannelInput) -> ();
        delete_queue(DeleteQueueInput) -> ();
        describe_channel(DescribeChannelInput) -> DescribeChannelOutput;
        describe_queue(DescribeQueueInput) -> DescribeQueueOutput;
        list_channels(ListChannelsInput) -> ListChannelsOutput;
        list_queues(ListQueuesInput) -> ListQueuesOutput;
        receive_dead_letter_queue_records(ReceiveDeadLetterQueueRecordsInput)
            -> ReceiveDeadLetterQueueRecordsOutput;
        receive_queue_records(ReceiveQueueRecordsInput) -> ReceiveQueueRecordsOutput;
        restore_dead_letter_queue_records(RestoreDeadLetterQueueRecordsInput)
            -> RestoreDeadLetterQueueRecordsOutput;
        update_channel(UpdateChannelInput) -> UpdateChannelOutput;
        update_dead_letter_queue_records_visibility(UpdateDeadLetterQueueRecordsVisibilityInput)
            -> UpdateDeadLetterQueueRecordsVisibilityOutput;
        update_queue(UpdateQueueInput) -> UpdateQueueOutput;
        update_queue_records_visibility(UpdateQueueRecordsVisibilityInput)
            -> UpdateQueueRecordsVisibilityOutput;
    }
}
