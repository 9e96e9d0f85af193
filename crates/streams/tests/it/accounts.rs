//! Name spaces of accounts and regions, and an account's settings.

use crate::house::*;
use api::Timestamp;
use api::kinesis::*;
use base::Cx;
use std::time::Duration;
use streams::Options;

#[test]
fn accounts_and_regions_are_name_spaces() {
    run(async |house| {
        let spaces = [
            cx("000000000000", "us-east-1"),
            cx("000000000000", "eu-west-1"),
            cx("111111111111", "us-east-1"),
            cx("111111111111", "cn-north-1"),
        ];
        for (shards, cx) in (1..).zip(&spaces) {
            house.streams.create_stream(cx, create("s", shards)).await.unwrap();
        }
        house.rest().await;
        house.restart().await;
        let input = || DescribeStreamSummaryInput {
            stream_name: Some("s".into()),
            ..DescribeStreamSummaryInput::default()
        };
        for (shards, cx) in (1..).zip(&spaces) {
            let output = house.streams.describe_stream_summary(cx, input()).await.unwrap();
            let summary = output.stream_description_summary;
            assert_eq!(summary.open_shard_count, shards);
            let partition = if cx.region.as_str() == "cn-north-1" { "aws-cn" } else { "aws" };
            let arn = format!("arn:{partition}:kinesis:{}:{}:stream/s", cx.region, cx.account);
            assert_eq!(summary.stream_arn, arn.as_str());
            let streams = house.streams.list_streams(cx, ListStreamsInput::default()).await;
            assert_eq!(streams.unwrap().stream_names.len(), 1);
        }
        let delete =
            DeleteStreamInput { stream_name: Some("s".into()), ..DeleteStreamInput::default() };
        house.streams.delete_stream(&spaces[1], delete).await.unwrap();
        house.rest().await;
        for (i, cx) in spaces.iter().enumerate() {
            let found = house.streams.describe_stream_summary(cx, input()).await.is_ok();
            assert_eq!(found, i != 1);
        }
    });
}

#[test]
fn made_up_regions_share_one_quota() {
    let options = Options { shards_max: 4, ..free() };
    run_with(options, async |house| {
        let of = |region| cx(ACCOUNT, region);
        for (region, shards) in [("us-east-1", 4), ("eu-west-1", 4), ("x1", 3), ("x2", 1)] {
            house.streams.create_stream(&of(region), create("s", shards)).await.unwrap();
        }
        for region in ["us-east-1", "x1", "x2", "x3"] {
            let outcome = house.streams.create_stream(&of(region), create("t", 1)).await;
            assert_eq!(outcome.unwrap_err().code(), "LimitExceededException", "{region}");
            let limits = house.streams.describe_limits(&of(region), DescribeLimitsInput {}).await;
            assert_eq!(limits.unwrap().open_shard_count, 4, "{region}");
        }
        let other = cx("111111111111", "x3");
        house.streams.create_stream(&other, create("t", 4)).await.unwrap();
        // A space of its own all the same.
        let listed = house.streams.list_streams(&of("x2"), ListStreamsInput::default()).await;
        assert_eq!(listed.unwrap().stream_names.len(), 1);
    });
}

#[test]
fn names_and_arns_must_agree() {
    run(async |house| {
        house.create("s", 1).await;
        house.create("t", 1).await;
        let by = async |name: Option<&str>, arn: Option<&str>| {
            let input = DescribeStreamSummaryInput {
                stream_name: name.map(Into::into),
                stream_arn: arn.map(Into::into),
            };
            let output = house.streams.describe_stream_summary(&house.cx, input).await;
            output
                .map(|o| o.stream_description_summary.stream_name.to_string())
                .map_err(|e| e.code())
        };
        let arn = stream_arn("s");
        assert_eq!(by(Some("s"), None).await, Ok("s".into()));
        assert_eq!(by(None, Some(&arn)).await, Ok("s".into()));
        assert_eq!(by(Some("s"), Some(&arn)).await, Ok("s".into()));
        let invalid = Err("InvalidArgumentException");
        assert_eq!(by(None, None).await, invalid);
        assert_eq!(by(Some("t"), Some(&arn)).await, invalid);
        let elsewhere = "arn:aws:kinesis:eu-west-1:000000000000:stream/s";
        assert_eq!(by(None, Some(elsewhere)).await, invalid);
        let consumer = "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1";
        assert_eq!(by(None, Some(consumer)).await, invalid);
        let missing = "arn:aws:kinesis:us-east-1:000000000000:stream/u";
        assert_eq!(by(None, Some(missing)).await, Err("ResourceNotFoundException"));
    });
}

#[test]
fn a_commitment_lasts_a_day_at_least() {
    run(async |house| {
        use MinimumThroughputBillingCommitmentInputStatus as Wanted;
        use MinimumThroughputBillingCommitmentOutputStatus as Shown;
        let update = async |status| {
            let minimum_throughput_billing_commitment =
                MinimumThroughputBillingCommitmentInput { status };
            let input = UpdateAccountSettingsInput { minimum_throughput_billing_commitment };
            let output = house.streams.update_account_settings(&house.cx, input).await.unwrap();
            output.minimum_throughput_billing_commitment.unwrap()
        };
        let describe = async || {
            let input = DescribeAccountSettingsInput::default();
            let output = house.streams.describe_account_settings(&house.cx, input).await.unwrap();
            output.minimum_throughput_billing_commitment.unwrap()
        };
        let hour = Duration::from_hours(1);
        assert_eq!(describe().await.status, Shown::Disabled);
        assert_eq!(update(Wanted::Disabled).await.started_at, None);
        let on = update(Wanted::Enabled).await;
        let day_ms = 24 * 3_600_000;
        assert_eq!((on.status, on.ended_at), (Shown::Enabled, None));
        assert_eq!(
            on.earliest_allowed_end_at,
            on.started_at.map(|Timestamp(ms)| Timestamp(ms + day_ms))
        );
        house.pass(hour).await;
        let until = Shown::EnabledUntilEarliestAllowedEnd;
        assert_eq!(update(Wanted::Disabled).await.status, until);
        assert_eq!(update(Wanted::Enabled).await, on, "the end is taken back");
        assert_eq!(update(Wanted::Disabled).await.status, until);
        house.pass(hour * 23).await;
        let off = describe().await;
        assert_eq!((off.status, off.ended_at), (Shown::Disabled, on.earliest_allowed_end_at));
        let again = update(Wanted::Enabled).await;
        assert_ne!(again.started_at, on.started_at);
        house.pass(hour * 25).await;
        assert_eq!(update(Wanted::Disabled).await.status, Shown::Disabled);
    });
}

#[test]
fn warm_throughput_needs_a_commitment_and_makes_shards() {
    run(async |house| {
        let on_demand = |name: &str, mibps| CreateStreamInput {
            stream_mode_details: Some(StreamModeDetails { stream_mode: StreamMode::OnDemand }),
            warm_throughput_mibps: mibps,
            shard_count: None,
            ..create(name, 1)
        };
        let early = house.streams.create_stream(&house.cx, on_demand("s", Some(8))).await;
        assert_eq!(early.unwrap_err().code(), "ValidationException");
        commit(house).await;
        let provisioned = CreateStreamInput { warm_throughput_mibps: Some(8), ..create("p", 1) };
        let refused = house.streams.create_stream(&house.cx, provisioned).await;
        assert_eq!(refused.unwrap_err().code(), "InvalidArgumentException");
        house.streams.create_stream(&house.cx, on_demand("s", Some(8))).await.unwrap();
        house.rest().await;
        assert_eq!(house.summary("s").await.unwrap().open_shard_count, 8);
        let update = async |mibps| {
            let input = UpdateStreamWarmThroughputInput {
                stream_name: Some("s".into()),
                warm_throughput_mibps: mibps,
                ..UpdateStreamWarmThroughputInput::default()
            };
            house.streams.update_stream_warm_throughput(&house.cx, input).await
        };
        let warm = update(12).await.unwrap().warm_throughput.unwrap();
        assert_eq!((warm.target_mibps, warm.current_mibps), (Some(12), Some(8)));
        house.rest().await;
        let summary = house.summary("s").await.unwrap();
        assert_eq!(summary.open_shard_count, 12);
        check_cover(&house.list("s", None).await);
        let warm = summary.warm_throughput.unwrap();
        assert_eq!((warm.target_mibps, warm.current_mibps), (Some(12), Some(12)));
        assert_eq!(update(10_241).await.unwrap_err().code(), "InvalidArgumentException");
    });
}

async fn create_on_demand(house: &House, name: &str) {
    let input = CreateStreamInput {
        stream_mode_details: Some(StreamModeDetails { stream_mode: StreamMode::OnDemand }),
        shard_count: None,
        ..create(name, 1)
    };
    house.streams.create_stream(&house.cx, input).await.unwrap();
}

async fn commit(house: &House) {
    commit_as(house, &house.cx).await;
}

async fn commit_as(house: &House, cx: &Cx) {
    let minimum_throughput_billing_commitment = MinimumThroughputBillingCommitmentInput {
        status: MinimumThroughputBillingCommitmentInputStatus::Enabled,
    };
    let input = UpdateAccountSettingsInput { minimum_throughput_billing_commitment };
    house.streams.update_account_settings(cx, input).await.unwrap();
}

#[test]
fn warm_throughput_keeps_to_the_limits_and_takes_no_shard() {
    let options = Options { shards_max: 30, stream_shards_max: 25, ..free() };
    run_with(options, async |house| {
        commit(house).await;
        house.create("s", 20).await;
        let to = async |mode, mibps| {
            let input = UpdateStreamModeInput {
                stream_arn: stream_arn("s"),
                stream_mode_details: StreamModeDetails { stream_mode: mode },
                warm_throughput_mibps: mibps,
            };
            house.streams.update_stream_mode(&house.cx, input).await.map_err(|e| e.code())
        };
        let warm = async |mibps| {
            let input = UpdateStreamWarmThroughputInput {
                stream_name: Some("s".into()),
                warm_throughput_mibps: mibps,
                ..UpdateStreamWarmThroughputInput::default()
            };
            let output = house.streams.update_stream_warm_throughput(&house.cx, input).await;
            output.map(drop).map_err(|e| e.code())
        };
        let limit = Err("LimitExceededException");
        assert_eq!(to(StreamMode::OnDemand, Some(26)).await, limit, "of the stream");
        assert_eq!(to(StreamMode::OnDemand, Some(1)).await, Ok(()));
        house.rest().await;
        assert_eq!(house.summary("s").await.unwrap().open_shard_count, 20);
        house.create("t", 9).await;
        assert_eq!(warm(22).await, limit, "of the account");
        assert_eq!(warm(26).await, limit, "of the stream");
        assert_eq!(warm(21).await, Ok(()));
        house.rest().await;
        assert_eq!(house.summary("s").await.unwrap().open_shard_count, 21);
        assert_eq!(house.split("t", "0", 1000).await.map_err(|e| e.code()), limit);
    });
}

/// How often on-demand streams are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Writes more than it takes until the next look to one open shard of each `every`.
async fn overfill(house: &House, name: &str, every: usize) {
    let shards = house.list(name, None).await;
    for shard in shards.iter().filter(|shard| is_open(shard)).step_by(every) {
        let record = PutRecordsRequestEntry {
            data: vec![0; 1000 << 10].into(),
            partition_key: Some("k".into()),
            explicit_hash_key: Some(shard.hash_key_range.starting_hash_key.clone()),
        };
        for _ in 0..2 {
            let input = PutRecordsInput {
                stream_name: Some(name.into()),
                records: vec![record.clone(); 10],
                ..PutRecordsInput::default()
            };
            let output = house.streams.put_records(&house.cx, input).await.unwrap();
            assert!(output.failed_record_count.unwrap() > 0);
        }
    }
}

#[test]
fn an_on_demand_stream_grows_as_far_as_the_account_may() {
    run_with(Options { shards_max: 6, ..free() }, async |house| {
        create_on_demand(house, "s").await;
        house.rest().await;
        house.pass(LOOK).await;
        overfill(house, "s", 1).await;
        house.pass(LOOK).await;
        house.rest().await;
        assert_eq!(house.summary("s").await.unwrap().open_shard_count, 6);
    });
}

#[test]
fn an_on_demand_stream_with_a_commitment_has_fifty_consumers() {
    run_with(free(), async |house| {
        house.create("p", 1).await;
        create_on_demand(house, "o").await;
        house.rest().await;
        let fill = async |name: &str, count: usize| {
            for i in 0..count {
                house.register(name, &format!("{count}-{i}")).await.unwrap();
            }
            house.register(name, "more").await.unwrap_err().code()
        };
        assert_eq!(fill("o", 20).await, "LimitExceededException");
        commit(house).await;
        assert_eq!(fill("p", 20).await, "LimitExceededException");
        assert_eq!(fill("o", 30).await, "LimitExceededException");
    });
}

#[test]
fn consumers_of_a_shared_stream_are_limited_by_its_owners_commitment() {
    run_with(free(), async |house| {
        create_on_demand(house, "o").await;
        house.rest().await;
        let (arn, guest) = (stream_arn("o"), cx("111111111111", "us-east-1"));
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"kinesis:*",
                "Principal":{{"AWS":"111111111111"}},"Resource":"{arn}"}}]}}"#
        );
        let input = PutResourcePolicyInput { resource_arn: arn.clone(), policy: policy.into() };
        house.streams.put_resource_policy(&house.cx, input).await.unwrap();
        let register = async |consumer_name: String| {
            let input = RegisterStreamConsumerInput {
                stream_arn: arn.clone(),
                consumer_name: consumer_name.into(),
                tags: None,
            };
            let output = house.streams.register_stream_consumer(&guest, input).await;
            output.map(drop).map_err(|e| e.code())
        };
        commit_as(house, &guest).await;
        for i in 0..20 {
            register(format!("c{i}")).await.unwrap();
        }
        assert_eq!(register("more".into()).await, Err("LimitExceededException"));
        commit(house).await;
        assert_eq!(register("more".into()).await, Ok(()));
    });
}

#[test]
fn an_on_demand_stream_grows_when_it_refused_writes() {
    run(async |house| {
        create_on_demand(house, "s").await;
        house.create("p", 1).await;
        let open = async |name| house.summary(name).await.unwrap().open_shard_count;
        house.pass(LOOK).await;
        assert_eq!(open("s").await, 4);
        for stream in ["s", "p"] {
            overfill(house, stream, 1).await;
        }
        house.pass(LOOK).await;
        house.rest().await;
        assert_eq!((open("s").await, open("p").await), (8, 1));
        check_cover(&house.list("s", None).await);
        house.pass(LOOK).await;
        house.rest().await;
        assert_eq!(open("s").await, 8, "once for each refusal");
        overfill(house, "s", 2).await;
        house.pass(LOOK).await;
        house.rest().await;
        assert_eq!(open("s").await, 16, "half of its shards are enough");
    });
}

/// What one shard is asked for says little of what the stream is.
#[test]
fn a_hot_key_stays_throttled_and_makes_no_shards() {
    run(async |house| {
        create_on_demand(house, "s").await;
        house.rest().await;
        for _ in 0..6 {
            overfill(house, "s", usize::MAX).await;
            house.pass(LOOK).await;
            house.rest().await;
        }
        assert_eq!(house.summary("s").await.unwrap().open_shard_count, 4);
    });
}

/// Refusals of its time as a provisioned stream are no demand.
#[test]
fn a_stream_that_becomes_on_demand_grows_with_what_comes_then() {
    run(async |house| {
        house.create("s", 1).await;
        overfill(house, "s", 1).await;
        house.pass(LOOK * 2).await;
        let input = UpdateStreamModeInput {
            stream_arn: stream_arn("s"),
            stream_mode_details: StreamModeDetails { stream_mode: StreamMode::OnDemand },
            warm_throughput_mibps: None,
        };
        house.streams.update_stream_mode(&house.cx, input).await.unwrap();
        house.rest().await;
        house.pass(LOOK).await;
        house.rest().await;
        assert_eq!(house.summary("s").await.unwrap().open_shard_count, 1);
        overfill(house, "s", 1).await;
        house.pass(LOOK).await;
        house.rest().await;
        assert_eq!(house.summary("s").await.unwrap().open_shard_count, 2);
    });
}
