//! A service that notes each input it is handed, in every way that it can be written and read.

use api::EventStream;
use api::kinesis::*;
use base::{AccountId, Cx, Origin, Region, RequestId};
use bytes::Bytes;
use futures_util::FutureExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use wire::{Call, Payload, Protocol, Refusal, Service as _, Writer};

/// What a call came to.
pub(crate) enum Outcome {
    /// The handler was reached with this input, printed.
    Reached(String),
    /// The call was refused before.
    Refused(Refusal),
}

/// Hands `body` to the operation of this name.
pub(crate) fn call(operation: &str, protocol: Protocol, body: Bytes) -> Outcome {
    let probe = Arc::new(Probe::default());
    let server = Server::new(probe.clone());
    let operation = server.routes().find(operation).expect("an operation of the service");
    let answer = server
        .call(Call { cx: cx(), operation, protocol, head: None, body: Payload::Whole(body) })
        .now_or_never();
    let seen = probe.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (answer.expect("the probe never waits"), seen) {
        (_, Some(input)) => Outcome::Reached(input),
        (Err(refusal), None) => Outcome::Refused(refusal),
        (Ok(_), None) => panic!("an answer from nobody"),
    }
}

pub(crate) fn cx() -> Cx {
    Cx {
        request_id: RequestId::from_random([7; 16]),
        account: AccountId::DEFAULT,
        region: Region::default(),
        caller_arn: "arn:aws:iam::000000000000:root".into(),
        access_key: None,
        user_id: None,
        role_arn: None,
        partition: "aws",
        permissions: base::policy::Permissions::All,
        origin: Origin::default(),
        memory: base::budget::Share::unbounded(),
    }
}

/// Writes an input in both formats and reads it back, strictly.
macro_rules! comes_back {
    ($input:expr, $shape:ident) => {
        for format in [wire::Format::Json, wire::Format::Cbor] {
            let mut w = Writer::new(format, 64);
            $input.write(&mut w);
            let read = wire::decode(format, w.finish(), $shape::read);
            assert_eq!(read.as_ref(), Ok(&$input), "{format:?}");
        }
    };
}

#[derive(Default)]
struct Probe(Mutex<Option<String>>);

impl Probe {
    fn note(&self, input: String) -> Error {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(input);
        Error::DryRunOperation(String::new())
    }
}

macro_rules! probe {
    ($($method:ident: $input:ident => $output:ty,)*) => {
        impl Kinesis for Probe {
            $(
                async fn $method(&self, _cx: &Cx, input: $input) -> Result<$output, Error> {
                    comes_back!(input, $input);
                    Err(self.note(format!("{input:?}")))
                }
            )*
        }
    };
}

probe! {
    acknowledge_dead_letter_queue_records: AcknowledgeDeadLetterQueueRecordsInput => AcknowledgeDeadLetterQueueRecordsOutput,
    acknowledge_queue_records: AcknowledgeQueueRecordsInput => AcknowledgeQueueRecordsOutput,
    add_tags_to_stream: AddTagsToStreamInput => (),
    create_channel: CreateChannelInput => CreateChannelOutput,
    create_queue: CreateQueueInput => CreateQueueOutput,
    create_stream: CreateStreamInput => (),
    decrease_stream_retention_period: DecreaseStreamRetentionPeriodInput => (),
    delete_channel: DeleteChannelInput => (),
    delete_queue: DeleteQueueInput => (),
    delete_resource_policy: DeleteResourcePolicyInput => (),
    delete_stream: DeleteStreamInput => (),
    deregister_stream_consumer: DeregisterStreamConsumerInput => (),
    describe_account_settings: DescribeAccountSettingsInput => DescribeAccountSettingsOutput,
    describe_channel: DescribeChannelInput => DescribeChannelOutput,
    describe_limits: DescribeLimitsInput => DescribeLimitsOutput,
    describe_queue: DescribeQueueInput => DescribeQueueOutput,
    describe_stream: DescribeStreamInput => DescribeStreamOutput,
    describe_stream_consumer: DescribeStreamConsumerInput => DescribeStreamConsumerOutput,
    describe_stream_summary: DescribeStreamSummaryInput => DescribeStreamSummaryOutput,
    disable_enhanced_monitoring: DisableEnhancedMonitoringInput => EnhancedMonitoringOutput,
    enable_enhanced_monitoring: EnableEnhancedMonitoringInput => EnhancedMonitoringOutput,
    get_records: GetRecordsInput => GetRecordsOutput,
    get_resource_policy: GetResourcePolicyInput => GetResourcePolicyOutput,
    get_shard_iterator: GetShardIteratorInput => GetShardIteratorOutput,
    increase_stream_retention_period: IncreaseStreamRetentionPeriodInput => (),
    list_channels: ListChannelsInput => ListChannelsOutput,
    list_queues: ListQueuesInput => ListQueuesOutput,
    list_shards: ListShardsInput => ListShardsOutput,
    list_stream_consumers: ListStreamConsumersInput => ListStreamConsumersOutput,
    list_streams: ListStreamsInput => ListStreamsOutput,
    list_tags_for_resource: ListTagsForResourceInput => ListTagsForResourceOutput,
    list_tags_for_stream: ListTagsForStreamInput => ListTagsForStreamOutput,
    merge_shards: MergeShardsInput => (),
    put_record: PutRecordInput => PutRecordOutput,
    put_records: PutRecordsInput => PutRecordsOutput,
    put_resource_policy: PutResourcePolicyInput => (),
    receive_dead_letter_queue_records: ReceiveDeadLetterQueueRecordsInput => ReceiveDeadLetterQueueRecordsOutput,
    receive_queue_records: ReceiveQueueRecordsInput => ReceiveQueueRecordsOutput,
    register_stream_consumer: RegisterStreamConsumerInput => RegisterStreamConsumerOutput,
    remove_tags_from_stream: RemoveTagsFromStreamInput => (),
    restore_dead_letter_queue_records: RestoreDeadLetterQueueRecordsInput => RestoreDeadLetterQueueRecordsOutput,
    split_shard: SplitShardInput => (),
    start_stream_encryption: StartStreamEncryptionInput => (),
    stop_stream_encryption: StopStreamEncryptionInput => (),
    tag_resource: TagResourceInput => (),
    untag_resource: UntagResourceInput => (),
    update_account_settings: UpdateAccountSettingsInput => UpdateAccountSettingsOutput,
    update_channel: UpdateChannelInput => UpdateChannelOutput,
    update_dead_letter_queue_records_visibility: UpdateDeadLetterQueueRecordsVisibilityInput => UpdateDeadLetterQueueRecordsVisibilityOutput,
    update_max_record_size: UpdateMaxRecordSizeInput => (),
    update_queue: UpdateQueueInput => UpdateQueueOutput,
    update_queue_records_visibility: UpdateQueueRecordsVisibilityInput => UpdateQueueRecordsVisibilityOutput,
    update_shard_count: UpdateShardCountInput => UpdateShardCountOutput,
    update_stream_mode: UpdateStreamModeInput => (),
    update_stream_record_distribution_strategy: UpdateStreamRecordDistributionStrategyInput => (),
    update_stream_warm_throughput: UpdateStreamWarmThroughputInput => UpdateStreamWarmThroughputOutput,    subscribe_to_shard: SubscribeToShardInput => EventStream<SubscribeToShardEventStream, Error>,
}
