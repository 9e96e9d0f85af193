//! Making, describing, changing and deleting streams.

use crate::house::*;
use api::kinesis::*;
use api::{Text, Timestamp};
use std::time::Duration;
use streams::{Lifecycle, Options};

const INVALID: &str = "InvalidArgumentException";
const HOUR: Duration = Duration::from_hours(1);

async fn describe(house: &House, input: DescribeStreamInput) -> StreamDescription {
    house.streams.describe_stream(&house.cx, input).await.unwrap().stream_description
}

fn named(name: &str) -> DescribeStreamInput {
    DescribeStreamInput { stream_name: Some(name.into()), ..DescribeStreamInput::default() }
}

#[test]
fn a_stream_is_made_used_and_deleted() {
    run(async |house| {
        house.streams.create_stream(&house.cx, create("s", 3)).await.unwrap();
        let made = describe(house, named("s")).await;
        assert_eq!(made.stream_status, StreamStatus::Creating);
        assert_eq!(made.shards, [], "no shards before it is active");
        refused(
            house.put("s", "k", "d").await,
            "ResourceNotFoundException",
            "Stream s under account 000000000000 not found.",
        );
        let list = ListShardsInput { stream_name: Some("s".into()), ..ListShardsInput::default() };
        refused(
            house.streams.list_shards(&house.cx, list).await,
            "ResourceInUseException",
            "Stream s under account 000000000000 not ACTIVE, instead in state CREATING",
        );
        refused(
            house.streams.create_stream(&house.cx, create("s", 1)).await,
            "ResourceInUseException",
            "Stream s under account 000000000000 already exists.",
        );
        house.rest().await;
        let active = describe(house, named("s")).await;
        assert_eq!(active.stream_status, StreamStatus::Active);
        assert_eq!(active.stream_arn, stream_arn("s"));
        assert_eq!(active.retention_period_hours, 24);
        assert_eq!(active.encryption_type, Some(EncryptionType::None));
        assert_eq!(active.key_id, None);
        assert_eq!(active.enhanced_monitoring[0].shard_level_metrics, Some(vec![]));
        assert_eq!(active.stream_mode_details.unwrap().stream_mode, StreamMode::Provisioned);
        assert_eq!(
            active
                .shards
                .iter()
                .map(|s| s.hash_key_range.ending_hash_key.as_str())
                .collect::<Vec<_>>(),
            [
                "113427455640312821154458202477256070484",
                "226854911280625642308916404954512140969",
                "340282366920938463463374607431768211455",
            ]
        );
        house.put("s", "k", "d").await.unwrap();
        house.delete("s").await.unwrap();
        assert_eq!(house.status("s").await, Some(StreamStatus::Deleting));
        house.delete("s").await.unwrap();
        house.rest().await;
        refused(
            house.delete("s").await,
            "ResourceNotFoundException",
            "Stream s under account 000000000000 not found.",
        );
        assert_eq!(house.logs.used_bytes(), 0, "its records are freed");
        assert_eq!(house.rows("kinesis/s"), ["kinesis/secret/tokens"]);
        assert_eq!(house.rows("store/"), ["store/next-log"]);
        assert!(!house.registry.render().contains("stream=\"s\""));
    });
}

#[test]
fn a_name_can_be_used_again_and_is_another_stream() {
    run(async |house| {
        house.create("s", 1).await;
        house.put("s", "k", "old").await.unwrap();
        house.delete("s").await.unwrap();
        house.rest().await;
        house.create("s", 2).await;
        assert_eq!(house.read("s", "shardId-000000000000").await, [""; 0]);
        house.put("s", "k", "new").await.unwrap();
    });
}

#[test]
fn a_stream_without_a_number_has_four_shards() {
    run(async |house| {
        for (name, mode) in [("p", None), ("o", Some(StreamMode::OnDemand))] {
            let stream_mode_details = mode.map(|stream_mode| StreamModeDetails { stream_mode });
            let input = CreateStreamInput {
                stream_name: name.into(),
                stream_mode_details,
                ..CreateStreamInput::default()
            };
            house.streams.create_stream(&house.cx, input).await.unwrap();
        }
        house.rest().await;
        assert_eq!(house.summary("p").await.unwrap().open_shard_count, 4);
        let on_demand = house.summary("o").await.unwrap();
        assert_eq!(on_demand.open_shard_count, 4);
        assert_eq!(
            on_demand.record_distribution_strategy,
            Some(RecordDistributionStrategy::UserPartitionKey)
        );
        refused(
            house.scale("o", 5).await,
            "ValidationException",
            "Request is invalid. Stream o under account 000000000000 is in On-Demand mode.",
        );
    });
}

#[test]
fn five_streams_are_made_at_once_and_no_more() {
    run(async |house| {
        for name in ["a", "b", "c", "d", "e"] {
            house.streams.create_stream(&house.cx, create(name, 1)).await.unwrap();
        }
        let text = "This request would have exceed the limit on the number  of streams that can \
                    simultaneously be in CREATING or DELETING for the account 000000000000. \
                    Limit: 5.";
        let outcome = house.streams.create_stream(&house.cx, create("f", 1)).await;
        refused(outcome, "LimitExceededException", text);
        let elsewhere = cx(ACCOUNT, "eu-west-1");
        house.streams.create_stream(&elsewhere, create("f", 1)).await.unwrap();
        house.rest().await;
        house.streams.create_stream(&house.cx, create("f", 1)).await.unwrap();
        house.rest().await;

        for name in ["a", "b", "c", "d"] {
            house.delete(name).await.unwrap();
        }
        house.streams.create_stream(&house.cx, create("a2", 1)).await.unwrap();
        let outcome = house.streams.create_stream(&house.cx, create("a3", 1)).await;
        refused(outcome, "LimitExceededException", text);
        house.rest().await;
        house.streams.create_stream(&house.cx, create("a3", 1)).await.unwrap();
    });
}

#[test]
fn an_account_has_so_many_shards_and_no_more() {
    run_with(Options { shards_max: 5, ..Options::default() }, async |house| {
        house.create("a", 3).await;
        let text = |count, more| {
            format!(
                "This request would exceed the shard limit for the account 000000000000 in \
                 us-east-1. Current shard count for the account: {count}. Limit: 5. Number of \
                 additional shards that would have resulted from this request: {more}. Refer to \
                 the AWS Service Limits page \
                 (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for \
                 current limits and how to request higher limits."
            )
        };
        let outcome = house.streams.create_stream(&house.cx, create("b", 3)).await;
        refused(outcome, "LimitExceededException", &text(3, 3));
        let outcome = house.streams.create_stream(&house.cx, create("b", 100_000)).await;
        refused(outcome, "LimitExceededException", &text(3, 100_000));
        refused(house.scale("a", 6).await, "LimitExceededException", &text(3, 3));
        house.create("b", 2).await;
        let outcome = house.split("a", "0", 7).await;
        refused(outcome, "LimitExceededException", &text(5, 1));
        let limits = house.streams.describe_limits(&house.cx, DescribeLimitsInput::default()).await;
        let limits = limits.unwrap();
        assert_eq!((limits.shard_limit, limits.open_shard_count), (5, 5));
        assert_eq!((limits.on_demand_stream_count, limits.on_demand_stream_count_limit), (0, 1000));
    });
}

#[test]
fn shards_on_their_way_count_against_the_account() {
    run_with(Options { shards_max: 7, ..Options::default() }, async |house| {
        for name in ["a", "b", "c"] {
            house.create(name, if name == "c" { 1 } else { 2 }).await;
        }
        house.scale("a", 4).await.unwrap();
        let (full, updating) = ("LimitExceededException", "ResourceInUseException");
        assert_eq!(house.split("a", "0", 1000).await.unwrap_err().code(), updating);
        assert_eq!(house.scale("b", 4).await.unwrap_err().code(), full);
        assert_eq!(house.split("b", "0", 1000).await.unwrap_err().code(), full);
        let more = house.streams.create_stream(&house.cx, create("d", 1)).await;
        assert_eq!(more.unwrap_err().code(), full);
        house.rest().await;
        assert_eq!(house.scale("b", 3).await.unwrap_err().code(), full, "and when they came");
        house.scale("a", 3).await.unwrap();
        house.rest().await;
        house.split("b", "0", 1000).await.unwrap();
        assert_eq!(house.split("c", "0", 1000).await.unwrap_err().code(), full);
    });
}

/// Ten thousand tasks at once filled the queue of readers, and the log with their warnings.
#[test]
fn the_logs_of_a_large_stream_go_together() {
    run_with(free(), async |house| {
        house.create("s", 3000).await;
        let before = house.catalog.commits();
        house.delete("s").await.unwrap();
        house.rest().await;
        assert_eq!(house.rows("store/removal/"), [""; 0]);
        assert!(house.catalog.commits() <= before + 5, "acknowledged, gone, and three pages");
        house.create("s", 1).await;
        house.delete("s").await.unwrap();
        house.rest().await;
        assert_eq!(house.rows("store/removal/"), [""; 0], "told again");
    });
}

/// What could not be removed is tried again, also by the next life.
#[test]
fn logs_are_removed_when_the_catalog_takes_it() {
    run(async |house| {
        house.create("s", 3).await;
        house.crash_after(2, false).await;
        house.delete("s").await.unwrap();
        house.rest().await;
        assert_eq!(house.rows("store/removal/").len(), 3);
        house.restart().await;
        house.settle().await;
        assert_eq!(house.rows("store/removal/"), [""; 0]);
        house.create("s", 2).await;
        house.delete("s").await.unwrap();
        house.pass(Duration::from_millis(19)).await;
        house.pass(Duration::from_millis(1)).await;
        assert_eq!(house.rows("store/removal/"), [""; 0]);
    });
}

#[test]
fn retention_goes_up_and_down() {
    run(async |house| {
        house.create("s", 1).await;
        let up = async |hours| {
            let input = IncreaseStreamRetentionPeriodInput {
                stream_name: Some("s".into()),
                retention_period_hours: hours,
                ..IncreaseStreamRetentionPeriodInput::default()
            };
            house.streams.increase_stream_retention_period(&house.cx, input).await
        };
        let down = async |hours| {
            let input = DecreaseStreamRetentionPeriodInput {
                stream_name: Some("s".into()),
                retention_period_hours: hours,
                ..DecreaseStreamRetentionPeriodInput::default()
            };
            house.streams.decrease_stream_retention_period(&house.cx, input).await
        };
        up(24).await.unwrap();
        up(48).await.unwrap();
        refused(
            up(47).await,
            INVALID,
            "Requested retention period (47 hours) for stream s can not be shorter than existing \
             retention period (48 hours). Use DecreaseRetentionPeriod API.",
        );
        refused(
            down(49).await,
            INVALID,
            "Requested retention period (49 hours) for stream s can not be longer than existing \
             retention period (48 hours). Use IncreaseRetentionPeriod API.",
        );
        refused(
            up(8761).await,
            INVALID,
            "Maximum allowed retention period is 8760 hours. Requested retention period (8761 \
             hours) is too long.",
        );
        for hours in [23, 0, -1] {
            refused(
                down(hours).await,
                INVALID,
                &format!(
                    "Minimum allowed retention period is 24 hours. Requested retention period \
                     ({hours} hours) is too short."
                ),
            );
        }
        down(24).await.unwrap();
        assert_eq!(house.summary("s").await.unwrap().retention_period_hours, 24);
    });
}

#[test]
fn expired_records_and_shards_go_and_stay_gone() {
    run(async |house| {
        house.create("s", 1).await;
        house.put("s", "k", "old").await.unwrap();
        house.split("s", "0", 1000).await.unwrap();
        house.rest().await;
        house.pass(HOUR * 12).await;
        house.put("s", "k", "new").await.unwrap();
        assert_eq!(numbers(&house.list("s", None).await), [0, 1, 2]);
        house.pass(HOUR * 13).await;
        assert_eq!(numbers(&house.list("s", None).await), [1, 2]);
        house.pass(Duration::from_secs(10)).await;
        assert_eq!(house.rows("kinesis/shard/").len(), 2);
        assert_eq!(house.rows("store/removal/"), [""; 0]);
        assert_eq!(house.read("s", "shardId-000000000002").await, ["new"]);
        house.pass(HOUR * 12).await;
        house.pass(Duration::from_secs(10)).await;
        assert_eq!(house.read("s", "shardId-000000000002").await, [""; 0]);
        let input = IncreaseStreamRetentionPeriodInput {
            stream_name: Some("s".into()),
            retention_period_hours: 8760,
            ..IncreaseStreamRetentionPeriodInput::default()
        };
        house.streams.increase_stream_retention_period(&house.cx, input).await.unwrap();
        house.restart().await;
        assert_eq!(house.read("s", "shardId-000000000002").await, [""; 0]);
    });
}

/// Terraform asks for the period that there is: no reason to note a horizon, least of all one of a
/// clock that is ahead.
#[test]
fn a_clock_that_was_ahead_takes_nothing_later() {
    run(async |house| {
        house.create("s", 1).await;
        house.put("s", "k", "before").await.unwrap();
        house.split("s", "0", 1000).await.unwrap();
        house.rest().await;
        let three_days_ms = 3 * 24 * 3_600_000;
        let up = async |hours| {
            let input = IncreaseStreamRetentionPeriodInput {
                stream_name: Some("s".into()),
                retention_period_hours: hours,
                ..IncreaseStreamRetentionPeriodInput::default()
            };
            house.streams.increase_stream_retention_period(&house.cx, input).await.unwrap();
        };
        for hours in [24, 48] {
            house.fake.clock.jump_by(three_days_ms);
            up(hours).await;
            assert_eq!(numbers(&house.list("s", None).await), [0, 1, 2], "nothing expires");
            let horizon = ShardFilter {
                type_: ShardFilterType::AtTrimHorizon,
                shard_id: None,
                timestamp: None,
            };
            assert_eq!(numbers(&house.list("s", Some(horizon)).await), [0]);
            assert_eq!(numbers(&describe(house, named("s")).await.shards), [0, 1, 2]);
            house.fake.clock.jump_by(-three_days_ms);
            house.pass(Duration::from_secs(30)).await;
        }
        house.put("s", "k", "after").await.unwrap();
        house.pass(Duration::from_secs(30)).await;
        assert_eq!(house.read("s", "shardId-000000000000").await, ["before"]);
        assert_eq!(house.read("s", "shardId-000000000002").await, ["after"]);
        house.restart().await;
        assert_eq!(house.read("s", "shardId-000000000000").await, ["before"]);
        assert_eq!(house.read("s", "shardId-000000000002").await, ["after"]);
    });
}

/// Within one second, and under a clock that was set back: numbers and ARNs of the old stream mean
/// nothing to the new one.
#[test]
fn a_name_made_again_at_once_shares_nothing_with_the_old_stream() {
    run(async |house| {
        let start = async |house: &House| {
            house.create("s", 1).await;
            let consumer = house.register("s", "c").await.unwrap();
            house.rest().await;
            let shard = house.list("s", None).await.remove(0);
            (shard.sequence_number_range.starting_sequence_number, consumer.consumer_arn)
        };
        let mut seen = Vec::new();
        for round in 0..4 {
            let identity = start(house).await;
            house.put("s", "k", "x").await.unwrap();
            if round == 2 {
                house.split("s", "0", 1000).await.unwrap();
                house.rest().await;
            }
            for (number, arn) in &seen {
                assert_ne!(number, &identity.0, "round {round}");
                assert_ne!(arn, &identity.1, "round {round}");
                let input = GetShardIteratorInput {
                    stream_name: Some("s".into()),
                    shard_id: "0".into(),
                    shard_iterator_type: ShardIteratorType::AtSequenceNumber,
                    starting_sequence_number: Some(Text::clone(number)),
                    ..GetShardIteratorInput::default()
                };
                let old = house.streams.get_shard_iterator(&house.cx, input).await;
                assert_eq!(old.unwrap_err().code(), INVALID, "round {round}");
            }
            seen.push(identity);
            let input = DeleteStreamInput {
                stream_name: Some("s".into()),
                enforce_consumer_deletion: Some(true),
                ..DeleteStreamInput::default()
            };
            house.streams.delete_stream(&house.cx, input).await.unwrap();
            house.rest().await;
            if round == 0 {
                house.fake.clock.jump_by(-100_000);
            }
            house.restart().await;
        }
        assert_eq!(house.rows("kinesis/predecessor/").len(), 1);
        house.settle().await;
        house.pass(HOUR).await;
        assert_eq!(
            house.rows("kinesis/predecessor/"),
            [""; 0],
            "forgotten when the clock has passed it"
        );
    });
}

#[test]
fn a_stream_deleted_before_it_was_active_shows_no_shards() {
    run(async |house| {
        house.streams.create_stream(&house.cx, create("s", 3)).await.unwrap();
        house.delete("s").await.unwrap();
        let shown = describe(house, named("s")).await;
        assert_eq!((shown.stream_status, shown.shards), (StreamStatus::Deleting, vec![]));
        assert_eq!(house.summary("s").await.unwrap().open_shard_count, 0);
        assert_eq!(house.list("s", None).await, vec![]);
        house.restart().await;
        assert_eq!(house.status("s").await, Some(StreamStatus::Deleting));
        house.rest().await;
        assert_eq!(house.status("s").await, None);
        assert_eq!(house.rows("kinesis/shard/"), [""; 0]);
        house.create("s", 1).await;
        house.put("s", "k", "x").await.unwrap();
    });
}

fn at_once() -> Options {
    let lifecycle = streams::Lifecycle {
        creating: Duration::ZERO,
        updating: Duration::ZERO,
        deleting: Duration::ZERO,
    };
    Options { lifecycle, ..free() }
}

/// No task runs between an answer and the look at what it left.
#[test]
fn states_of_no_length_are_not_seen() {
    run_with(at_once(), async |house| {
        house.streams.create_stream(&house.cx, create("s", 2)).await.unwrap();
        let shown = describe(house, named("s")).await;
        assert_eq!((shown.stream_status, shown.shards.len()), (StreamStatus::Active, 2));
        house.split("s", "0", 1000).await.unwrap();
        let shown = describe(house, named("s")).await;
        assert_eq!((shown.stream_status, shown.shards.len()), (StreamStatus::Active, 4));
        house.scale("s", 5).await.unwrap();
        let shown = house.summary("s").await.unwrap();
        assert_eq!((shown.stream_status, shown.open_shard_count), (StreamStatus::Active, 5));
        let consumer = house.register("s", "c").await.unwrap();
        assert_eq!(consumer.consumer_status, ConsumerStatus::Active);
        let input = DeregisterStreamConsumerInput {
            consumer_arn: Some(consumer.consumer_arn),
            ..DeregisterStreamConsumerInput::default()
        };
        house.streams.deregister_stream_consumer(&house.cx, input).await.unwrap();
        assert_eq!(house.summary("s").await.unwrap().consumer_count, Some(0));
        house.delete("s").await.unwrap();
        assert_eq!(house.status("s").await, None);
    });
}

#[test]
fn a_change_that_is_refused_half_way_is_acknowledged_and_done_later() {
    run_with(at_once(), async |house| {
        house.streams.create_stream(&house.cx, create("s", 2)).await.unwrap();
        house.catalog.refuse_after(1);
        house.scale("s", 3).await.unwrap();
        house.pass(Duration::from_secs(1)).await;
        let shown = house.summary("s").await.unwrap();
        assert_eq!((shown.stream_status, shown.open_shard_count), (StreamStatus::Active, 3));
    });
}

/// A reshard that the catalog refused leaves nothing open, and others their logs.
#[test]
fn a_refused_reshard_leaves_no_log() {
    run(async |house| {
        house.create("a", 4).await;
        house.scale("a", 5).await.unwrap();
        let before = house.logs.open_logs();
        house.catalog.refuse_next();
        house.pass(Duration::from_millis(20)).await;
        assert_eq!(house.status("a").await, Some(StreamStatus::Updating), "tried in vain");
        assert_eq!(house.logs.open_logs(), before);
        house.catalog.refuse_next();
        house.streams.create_stream(&house.cx, create("b", 4)).await.unwrap_err();
        assert_eq!(house.logs.open_logs(), before);
        house.streams.create_stream(&house.cx, create("b", 4)).await.unwrap();
        house.pass(Duration::from_millis(20)).await;
        for shard in house.list("b", None).await {
            let input = PutRecordInput {
                stream_name: Some("b".into()),
                data: "d".into(),
                partition_key: Some("k".into()),
                explicit_hash_key: Some(shard.hash_key_range.starting_hash_key),
                ..PutRecordInput::default()
            };
            // Time for a write to give up in; one that is accepted at once does not need it.
            let put = house.streams.put_record(&house.cx, input);
            let (outcome, ()) = tokio::join!(put, house.pass(Duration::from_secs(6)));
            assert_eq!(outcome.unwrap().shard_id, shard.shard_id);
        }
        assert_eq!(house.status("a").await, Some(StreamStatus::Active), "tried again");
        let shards = house.list("a", None).await;
        check_cover(&shards);
        assert_eq!(shards.len(), 15);
    });
}

#[test]
fn describe_shows_a_hundred_shards_at_most() {
    run(async |house| {
        house.create("s", 150).await;
        let page = describe(house, DescribeStreamInput { limit: Some(10_000), ..named("s") }).await;
        assert_eq!((page.shards.len(), page.has_more_shards), (100, true));
    });
}

#[test]
fn encryption_starts_changes_and_stops() {
    run(async |house| {
        house.create("s", 1).await;
        let start = async |encryption_type, key: &str| {
            let input = StartStreamEncryptionInput {
                stream_name: Some("s".into()),
                encryption_type,
                key_id: key.into(),
                ..StartStreamEncryptionInput::default()
            };
            house.streams.start_stream_encryption(&house.cx, input).await
        };
        let kms = EncryptionType::Kms;
        for (key, code, text) in [
            ("alias/none", "KMSNotFoundException", "Key 'alias/none' does not exist."),
            ("alias/off", "KMSDisabledException", "Key 'alias/off' is disabled."),
            ("alias/broken", "KMSInvalidStateException", "Key 'alias/broken' cannot be used now."),
        ] {
            refused(start(kms, key).await, code, text);
        }
        let outcome = start(EncryptionType::None, "alias/a").await;
        assert_eq!(outcome.unwrap_err().code(), "InvalidArgumentException");
        start(kms, "alias/aws/kinesis").await.unwrap();
        let updating = house.summary("s").await.unwrap();
        assert_eq!(updating.stream_status, StreamStatus::Updating);
        assert_eq!(updating.encryption_type, Some(EncryptionType::None));
        house.rest().await;
        let active = house.summary("s").await.unwrap();
        assert_eq!(active.encryption_type, Some(kms));
        assert_eq!(active.key_id, Some("alias/aws/kinesis".into()));
        let input = StopStreamEncryptionInput {
            stream_name: Some("s".into()),
            encryption_type: kms,
            key_id: "alias/aws/kinesis".into(),
            ..StopStreamEncryptionInput::default()
        };
        house.streams.stop_stream_encryption(&house.cx, input).await.unwrap();
        house.rest().await;
        assert_eq!(house.summary("s").await.unwrap().encryption_type, Some(EncryptionType::None));
        for _ in 0..23 {
            start(kms, "alias/a").await.unwrap();
            house.rest().await;
        }
        assert_eq!(start(kms, "alias/a").await.unwrap_err().code(), "LimitExceededException");
    });
}

#[test]
fn monitoring_levels_are_kept() {
    run(async |house| {
        house.create("s", 1).await;
        let input = EnableEnhancedMonitoringInput {
            stream_name: Some("s".into()),
            shard_level_metrics: vec![MetricsName::All],
            ..EnableEnhancedMonitoringInput::default()
        };
        let on = house.streams.enable_enhanced_monitoring(&house.cx, input).await.unwrap();
        assert_eq!(on.current_shard_level_metrics, Some(vec![]));
        assert_eq!(on.desired_shard_level_metrics.as_ref().unwrap().len(), 7);
        house.rest().await;
        let input = DisableEnhancedMonitoringInput {
            stream_arn: Some(stream_arn("s")),
            shard_level_metrics: vec![MetricsName::OutgoingBytes, MetricsName::IncomingBytes],
            ..DisableEnhancedMonitoringInput::default()
        };
        let off = house.streams.disable_enhanced_monitoring(&house.cx, input).await.unwrap();
        assert_eq!(off.current_shard_level_metrics, on.desired_shard_level_metrics);
        house.restart().await;
        house.rest().await;
        let shown = house.summary("s").await.unwrap();
        assert_eq!(shown.stream_status, StreamStatus::Active);
        assert_eq!(
            shown.enhanced_monitoring[0].shard_level_metrics,
            Some(vec![
                MetricsName::IncomingRecords,
                MetricsName::OutgoingRecords,
                MetricsName::WriteProvisionedThroughputExceeded,
                MetricsName::ReadProvisionedThroughputExceeded,
                MetricsName::IteratorAgeMilliseconds,
            ])
        );
    });
}

#[test]
fn record_size_mode_and_strategy_change() {
    run(async |house| {
        house.create("s", 1).await;
        let arn = stream_arn("s");
        let size = |stream_arn: Option<Text>| UpdateMaxRecordSizeInput {
            stream_arn,
            max_record_size_in_kib: 2048,
        };
        let outcome = house.streams.update_max_record_size(&house.cx, size(None)).await;
        assert_eq!(outcome.unwrap_err().code(), "InvalidArgumentException");
        house.streams.update_max_record_size(&house.cx, size(Some(arn.clone()))).await.unwrap();
        house.rest().await;
        assert_eq!(house.summary("s").await.unwrap().max_record_size_in_kib, Some(2048));

        let strategy = async |record_distribution_strategy| {
            let input = UpdateStreamRecordDistributionStrategyInput {
                stream_arn: arn.clone(),
                record_distribution_strategy,
            };
            house.streams.update_stream_record_distribution_strategy(&house.cx, input).await
        };
        let auto = RecordDistributionStrategy::Auto;
        assert_eq!(strategy(auto).await.unwrap_err().code(), "InvalidArgumentException");
        let mode = async |stream_mode| {
            let input = UpdateStreamModeInput {
                stream_arn: arn.clone(),
                stream_mode_details: StreamModeDetails { stream_mode },
                warm_throughput_mibps: None,
            };
            let outcome = house.streams.update_stream_mode(&house.cx, input).await;
            house.rest().await;
            outcome
        };
        mode(StreamMode::OnDemand).await.unwrap();
        strategy(auto).await.unwrap();
        let shown = house.summary("s").await.unwrap();
        assert_eq!(shown.record_distribution_strategy, Some(auto));
        assert_eq!(shown.open_shard_count, 1, "the shards stay");
        mode(StreamMode::OnDemand).await.unwrap();
        mode(StreamMode::Provisioned).await.unwrap();
        assert_eq!(house.summary("s").await.unwrap().record_distribution_strategy, None);
        let third = mode(StreamMode::OnDemand).await;
        assert_eq!(third.unwrap_err().code(), "LimitExceededException");
    });
}

#[test]
fn passing_states_last_as_long_as_asked() {
    let lifecycle = Lifecycle {
        creating: Duration::from_secs(10),
        updating: Duration::from_secs(20),
        deleting: Duration::from_secs(30),
    };
    run_with(Options { lifecycle, ..Options::default() }, async |house| {
        house.streams.create_stream(&house.cx, create("s", 1)).await.unwrap();
        let check = async |seconds: u64, before: StreamStatus, after: Option<StreamStatus>| {
            house.settle().await;
            house.pass(Duration::from_millis(seconds * 1000 - 1)).await;
            assert_eq!(house.status("s").await, Some(before));
            house.pass(Duration::from_millis(1)).await;
            assert_eq!(house.status("s").await, after);
        };
        check(10, StreamStatus::Creating, Some(StreamStatus::Active)).await;
        house.split("s", "0", 1000).await.unwrap();
        check(20, StreamStatus::Updating, Some(StreamStatus::Active)).await;
        house.delete("s").await.unwrap();
        check(30, StreamStatus::Deleting, None).await;
    });
}

#[test]
fn describe_pages_through_shards() {
    run(async |house| {
        house.create("s", 5).await;
        let page = async |after: Option<&str>, limit| {
            let input = DescribeStreamInput {
                limit: Some(limit),
                exclusive_start_shard_id: after.map(Text::from),
                ..named("s")
            };
            let page = describe(house, input).await;
            (numbers(&page.shards), page.has_more_shards)
        };
        assert_eq!(page(None, 2).await, (vec![0, 1], true));
        assert_eq!(page(Some("shardId-000000000001"), 2).await, (vec![2, 3], true));
        assert_eq!(page(Some("3"), 1).await, (vec![4], false));
        assert_eq!(page(None, 5).await, (vec![0, 1, 2, 3, 4], false));
        assert_eq!(page(Some("4"), 5).await, (vec![], false));
    });
}

#[test]
fn the_creation_time_is_a_whole_second_and_stays() {
    run(async |house| {
        house.pass(Duration::from_millis(123)).await;
        house.create("s", 1).await;
        let made = house.summary("s").await.unwrap().stream_creation_timestamp;
        assert_eq!(made, Timestamp(testkit::env::START_MS));
        house.pass(HOUR).await;
        house.restart().await;
        assert_eq!(house.summary("s").await.unwrap().stream_creation_timestamp, made);
    });
}

#[test]
fn queues_and_channels_are_refused() {
    run(async |house| {
        let outcome = house.streams.list_queues(&house.cx, ListQueuesInput::default()).await;
        refused(
            outcome,
            "InvalidArgumentException",
            "This operation is not supported by this server yet.",
        );
    });
}
