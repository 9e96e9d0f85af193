//! Answers through both formats, as a server writes and a client reads them.

use crate::vectors::IGNORED;
use api::Operation;
use api::kinesis::*;
use bytes::Bytes;
use proptest::prelude::*;
use testkit::vectors::{Lengths, Value, Vectors};
use wire::{Format, Text, Timestamp, Writer};

/// Reads `body` as an answer of `O`, writes it in both formats and reads it again.
macro_rules! check_output {
    ($vectors:expr, $($operation:ident => $output:ident),* $(,)?) => {$(
        for sample in $vectors.output_samples(stringify!($operation)).expect("it has an output") {
            let json = ops::$operation::decode(Format::Json, sample.to_json().into()).unwrap();
            let body = sample.to_cbor(Lengths::Indefinite);
            let cbor = ops::$operation::decode(Format::Cbor, body.into()).unwrap();
            assert_eq!(json, cbor);
            for format in [Format::Json, Format::Cbor] {
                let mut w = Writer::new(format, 64);
                json.write(&mut w);
                let read = ops::$operation::decode(format, w.finish()).unwrap();
                assert_eq!(read, json, "{format:?}");
            }
        }
    )*};
}

#[test]
fn answers_come_back() {
    let vectors = Vectors::of("kinesis", IGNORED);
    check_output!(
        vectors,
        CreateChannel => CreateChannelOutput,
        DescribeAccountSettings => DescribeAccountSettingsOutput,
        DescribeLimits => DescribeLimitsOutput,
        DescribeStream => DescribeStreamOutput,
        DescribeStreamConsumer => DescribeStreamConsumerOutput,
        DescribeStreamSummary => DescribeStreamSummaryOutput,
        DisableEnhancedMonitoring => EnhancedMonitoringOutput,
        GetRecords => GetRecordsOutput,
        GetResourcePolicy => GetResourcePolicyOutput,
        GetShardIterator => GetShardIteratorOutput,
        ListShards => ListShardsOutput,
        ListStreamConsumers => ListStreamConsumersOutput,
        ListStreams => ListStreamsOutput,
        ListTagsForResource => ListTagsForResourceOutput,
        ListTagsForStream => ListTagsForStreamOutput,
        PutRecord => PutRecordOutput,
        PutRecords => PutRecordsOutput,
        ReceiveQueueRecords => ReceiveQueueRecordsOutput,
        RegisterStreamConsumer => RegisterStreamConsumerOutput,
        UpdateAccountSettings => UpdateAccountSettingsOutput,
        UpdateShardCount => UpdateShardCountOutput,
        UpdateStreamWarmThroughput => UpdateStreamWarmThroughputOutput,
    );
}

#[test]
fn absent_members_are_not_written() {
    let entry = PutRecordsResultEntry { shard_id: Some("s".into()), ..Default::default() };
    let mut w = Writer::new(Format::Json, 0);
    entry.write(&mut w);
    assert_eq!(w.finish(), r#"{"ShardId":"s"}"#);
}

#[test]
fn clients_are_lenient() {
    let read = |body: &'static str| {
        ops::DescribeStreamSummary::decode(Format::Json, Bytes::from_static(body.as_bytes()))
    };
    let summary = read(
        r#"{"StreamDescriptionSummary":{"StreamName":"","StreamStatus":"ACTIVE","EncryptionType":"NEW",
            "EnhancedMonitoring":[{"ShardLevelMetrics":["ALL","NEW"]}],"OpenShardCount":-1}}"#,
    )
    .unwrap()
    .stream_description_summary;
    assert_eq!((summary.encryption_type, summary.open_shard_count), (None, -1));
    assert_eq!(summary.enhanced_monitoring[0].shard_level_metrics, Some(vec![MetricsName::All]));
    let unknown = read(r#"{"StreamDescriptionSummary":{"StreamStatus":"MELTING"}}"#);
    assert_eq!(unknown.unwrap_err().code, "SerializationException");
}

#[test]
fn blobs_are_not_printed() {
    let record = Record { data: Bytes::from_static(b"secret"), ..Default::default() };
    let printed = format!("{record:?}");
    assert!(printed.contains("data: [6 bytes]") && !printed.contains("secret"), "{printed}");
}

#[test]
fn no_answer_has_room_for_a_stream_id() {
    let vectors = Vectors::of("kinesis", IGNORED);
    let [whole, _] = vectors.output_samples("DescribeStreamSummary").unwrap();
    assert!(format!("{whole:?}").contains("StreamId"), "the model has it");
    let body: Bytes = whole.to_json().into();
    let read = ops::DescribeStreamSummary::decode(Format::Json, body).unwrap();
    let mut w = Writer::new(Format::Json, 0);
    read.write(&mut w);
    assert!(!String::from_utf8_lossy(&w.finish()).contains("StreamId"));
}

fn text() -> impl Strategy<Value = Text> {
    any::<String>().prop_map(Text::from)
}

prop_compose! {
    fn record()(
        data in prop::collection::vec(any::<u8>(), 0..100),
        sequence_number in text(),
        partition_key in prop::option::of(text()),
        at in prop::option::of(any::<i64>()),
        encryption in any::<bool>(),
    ) -> Record {
        Record {
            data: data.into(),
            sequence_number,
            partition_key,
            approximate_arrival_timestamp: at.map(|ms| Timestamp(ms.clamp(-1 << 60, 1 << 60))),
            encryption_type: encryption.then_some(EncryptionType::Kms),
        }
    }
}

proptest! {
    #[test]
    fn records_come_back(
        records in prop::collection::vec(record(), 0..8),
        behind in prop::option::of(any::<i64>()),
    ) {
        let output = GetRecordsOutput {
            records,
            millis_behind_latest: behind,
            ..Default::default()
        };
        for format in [Format::Json, Format::Cbor] {
            let mut w = Writer::new(format, output.bytes_hint());
            output.write(&mut w);
            let read = ops::GetRecords::decode(format, w.finish()).unwrap();
            prop_assert_eq!(&read, &output);
        }
    }

    #[test]
    fn json_is_what_others_read(records in prop::collection::vec(record(), 0..4)) {
        let output = GetRecordsOutput { records, ..Default::default() };
        let mut w = Writer::new(Format::Json, 0);
        output.write(&mut w);
        let read: serde_json::Value = serde_json::from_slice(&w.finish()).unwrap();
        for (i, record) in output.records.iter().enumerate() {
            let seen = &read["Records"][i];
            prop_assert_eq!(seen["SequenceNumber"].as_str(), Some(record.sequence_number.as_str()));
            prop_assert_eq!(seen["PartitionKey"].as_str(), record.partition_key.as_deref());
        }
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), cbor in any::<bool>()) {
        let format = if cbor { Format::Cbor } else { Format::Json };
        let _outcome = ops::GetRecords::decode(format, bytes.into());
    }
}

#[test]
fn samples_are_values() {
    assert_eq!(Value::Blob(b"Man".to_vec()).to_json(), b"\"TWFu\"");
    assert_eq!(Value::Blob(b"Ma".to_vec()).to_json(), b"\"TWE=\"");
    assert_eq!(Value::Time(1500).to_cbor(Lengths::Definite), b"\xc1\x19\x05\xdc");
}
