"""A stream's life: create, describe, list, resize, retain, tag, encrypt, delete."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION, kinesis, wait_active, wait_gone
from story import HASH_KEYS, put_all


def summary(client, stream):
    return client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]


def open_shards(client, stream):
    filtered = client.list_shards(StreamName=stream, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    return sorted(filtered, key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))


def assert_covers_everything(shards):
    edge = 0
    for shard in shards:
        assert int(shard["HashKeyRange"]["StartingHashKey"]) == edge
        edge = int(shard["HashKeyRange"]["EndingHashKey"]) + 1
    assert edge == HASH_KEYS


def test_life_of_a_stream(both, name):
    both.create_stream(StreamName=name, ShardCount=2)
    wait_active(both, name)
    described = both.describe_stream(StreamName=name)["StreamDescription"]
    arn = described["StreamARN"]
    assert arn == f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"
    assert described["StreamStatus"] == "ACTIVE"
    assert described["RetentionPeriodHours"] == 24
    assert described["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    assert "StreamId" not in described
    assert [s["ShardId"] for s in described["Shards"]] == ["shardId-000000000000", "shardId-000000000001"]
    assert described["Shards"][0]["HashKeyRange"]["EndingHashKey"] == str(2**127 - 1)
    assert_covers_everything(described["Shards"])
    short = summary(both, name)
    assert short["OpenShardCount"] == 2 and short["ConsumerCount"] == 0
    assert short["StreamCreationTimestamp"] == described["StreamCreationTimestamp"]
    assert name in both.list_streams(Limit=1000)["StreamNames"]
    with pytest.raises(both.exceptions.ResourceInUseException):
        both.create_stream(StreamName=name, ShardCount=1)
    both.delete_stream(StreamARN=arn)
    wait_gone(both, name)
    assert name not in both.list_streams(Limit=1000)["StreamNames"]


def test_lists_in_pages(client, name):
    names = [f"{name}-{i}" for i in range(3)]
    for each in names:
        client.create_stream(StreamName=each, ShardCount=1)
    for each in names:
        wait_active(client, each)
    pages = client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 1})
    found = [n for page in pages for n in page["StreamNames"]]
    assert [n for n in found if n in names] == names
    for each in names:
        client.delete_stream(StreamName=each)
        wait_gone(client, each)


def test_shards_in_pages_and_by_filter(client, name):
    client.create_stream(StreamName=name, ShardCount=5)
    wait_active(client, name)
    whole = client.list_shards(StreamName=name)["Shards"]
    assert len(whole) == 5
    first = client.list_shards(StreamName=name, MaxResults=2)
    found = first["Shards"]
    while "NextToken" in first:
        first = client.list_shards(NextToken=first["NextToken"], MaxResults=2)
        found += first["Shards"]
    assert found == whole
    after = client.list_shards(StreamName=name, ExclusiveStartShardId=whole[2]["ShardId"])
    assert after["Shards"] == whole[3:]
    described = client.describe_stream(StreamName=name, Limit=2)["StreamDescription"]
    assert len(described["Shards"]) == 2 and described["HasMoreShards"]
    paged = client.get_paginator("describe_stream").paginate(StreamName=name)
    assert [s for p in paged for s in p["StreamDescription"]["Shards"]] == whole
    client.delete_stream(StreamName=name)


def test_regions_and_accounts_are_name_spaces(client, stream):
    for other in (kinesis(account="444455556666"), kinesis(region="us-west-2")):
        assert stream not in other.list_streams()["StreamNames"]
        with pytest.raises(other.exceptions.ResourceNotFoundException):
            other.describe_stream_summary(StreamName=stream)


def test_retention(client, stream):
    client.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=24)
    client.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=48)
    wait_active(client, stream)
    assert summary(client, stream)["RetentionPeriodHours"] == 48
    with pytest.raises(client.exceptions.InvalidArgumentException):
        client.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=36)
    client.decrease_stream_retention_period(StreamName=stream, RetentionPeriodHours=24)
    wait_active(client, stream)
    assert summary(client, stream)["RetentionPeriodHours"] == 24


def test_tags_by_both_families(both, stream):
    arn = summary(both, stream)["StreamARN"]
    both.add_tags_to_stream(StreamName=stream, Tags={"team": "data", "ключ": "значение"})
    both.tag_resource(ResourceARN=arn, Tags={"env": "test", "team": "core"})
    want = [
        {"Key": "env", "Value": "test"},
        {"Key": "team", "Value": "core"},
        {"Key": "ключ", "Value": "значение"},
    ]
    assert both.list_tags_for_stream(StreamName=stream)["Tags"] == want
    assert sorted(both.list_tags_for_resource(ResourceARN=arn)["Tags"], key=lambda t: t["Key"]) == want
    page = both.list_tags_for_stream(StreamName=stream, Limit=1)
    assert page["Tags"] == want[:1] and page["HasMoreTags"]
    both.remove_tags_from_stream(StreamName=stream, TagKeys=["env"])
    both.untag_resource(ResourceARN=arn, TagKeys=["ключ"])
    assert both.list_tags_for_stream(StreamName=stream)["Tags"] == want[1:2]


def test_encryption_starts_and_stops(client, stream):
    key = "alias/aws/kinesis"
    client.start_stream_encryption(StreamName=stream, EncryptionType="KMS", KeyId=key)
    wait_active(client, stream)
    described = summary(client, stream)
    assert described["EncryptionType"] == "KMS" and described["KeyId"] == key
    placed = client.put_record(StreamName=stream, PartitionKey="k", Data=b"secret")
    assert placed["EncryptionType"] == "KMS"
    at = client.get_shard_iterator(
        StreamName=stream, ShardId=placed["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    record = client.get_records(ShardIterator=at)["Records"][0]
    assert record["Data"] == b"secret" and record["EncryptionType"] == "KMS"
    client.stop_stream_encryption(StreamName=stream, EncryptionType="KMS", KeyId=key)
    wait_active(client, stream)
    assert summary(client, stream)["EncryptionType"] == "NONE"
    assert client.put_record(StreamName=stream, PartitionKey="k", Data=b"x").get("EncryptionType", "NONE") == "NONE"


@pytest.mark.parametrize("target, total", [(4, 6), (1, 3)])
def test_update_shard_count(client, stream, target, total):
    answer = client.update_shard_count(
        StreamName=stream, TargetShardCount=target, ScalingType="UNIFORM_SCALING"
    )
    assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (2, target)
    wait_active(client, stream)
    shards = open_shards(client, stream)
    assert len(shards) == target
    assert_covers_everything(shards)
    every = client.list_shards(StreamName=stream)["Shards"]
    assert len(every) == total
    assert {s["ParentShardId"] for s in shards} <= {s["ShardId"] for s in every}
    assert summary(client, stream)["OpenShardCount"] == target
    placed = put_all(client, stream, [(f"k{i}", b"x") for i in range(20)])
    assert {shard for shard, _ in placed} <= {s["ShardId"] for s in shards}


def test_modes_of_capacity(client, stream):
    arn = summary(client, stream)["StreamARN"]
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    wait_active(client, stream)
    assert summary(client, stream)["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    with pytest.raises(ClientError):
        client.update_shard_count(StreamName=stream, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    limits = client.describe_limits()
    assert limits["OnDemandStreamCount"] >= 1 and limits["ShardLimit"] >= limits["OpenShardCount"] >= 0


def test_larger_records(client, stream):
    arn = summary(client, stream)["StreamARN"]
    big = bytes(range(256)) * 4 * 2048
    with pytest.raises(ClientError) as refused:
        client.put_record(StreamName=stream, PartitionKey="k", Data=big)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    client.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=4096)
    wait_active(client, stream)
    assert summary(client, stream)["MaxRecordSizeInKiB"] == 4096
    placed = client.put_record(StreamName=stream, PartitionKey="k", Data=big)
    at = client.get_shard_iterator(
        StreamName=stream, ShardId=placed["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert client.get_records(ShardIterator=at)["Records"][0]["Data"] == big


def test_monitoring_levels(client, stream):
    answer = client.enable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=["IncomingBytes"])
    assert answer["CurrentShardLevelMetrics"] == [] and answer["DesiredShardLevelMetrics"] == ["IncomingBytes"]
    wait_active(client, stream)
    assert summary(client, stream)["EnhancedMonitoring"] == [{"ShardLevelMetrics": ["IncomingBytes"]}]
    client.disable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=["ALL"])
    wait_active(client, stream)
    assert summary(client, stream)["EnhancedMonitoring"] == [{"ShardLevelMetrics": []}]


def test_resource_policy(client, stream):
    arn = summary(client, stream)["StreamARN"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "reader",
                "Effect": "Allow",
                "Principal": {"AWS": "444455556666"},
                "Action": ["kinesis:DescribeStreamSummary", "kinesis:GetRecords"],
                "Resource": arn,
            }
        ],
    }
    assert client.get_resource_policy(ResourceARN=arn)["Policy"] == "{}"
    client.put_resource_policy(ResourceARN=arn, Policy=json.dumps(policy))
    assert json.loads(client.get_resource_policy(ResourceARN=arn)["Policy"]) == policy
    client.delete_resource_policy(ResourceARN=arn)
    assert client.get_resource_policy(ResourceARN=arn)["Policy"] == "{}"


def test_account_settings_and_warm_throughput(name):
    client = kinesis(account="777788889999")
    answer = client.update_account_settings(MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    assert answer["MinimumThroughputBillingCommitment"]["Status"] == "ENABLED"
    described = client.describe_account_settings()["MinimumThroughputBillingCommitment"]
    assert described["Status"] == "ENABLED" and described["StartedAt"]
    client.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    wait_active(client, name)
    answer = client.update_stream_warm_throughput(StreamName=name, WarmThroughputMiBps=20)
    assert answer["WarmThroughput"]["TargetMiBps"] == 20
    wait_active(client, name)
    assert summary(client, name)["WarmThroughput"] == {"TargetMiBps": 20, "CurrentMiBps": 20}
    client.delete_stream(StreamName=name)


def test_record_distribution_strategy(client, stream):
    arn = summary(client, stream)["StreamARN"]
    with pytest.raises(client.exceptions.InvalidArgumentException):
        client.update_stream_record_distribution_strategy(StreamARN=arn, RecordDistributionStrategy="AUTO")
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    wait_active(client, stream)
    client.update_stream_record_distribution_strategy(StreamARN=arn, RecordDistributionStrategy="AUTO")
    wait_active(client, stream)
    assert summary(client, stream)["RecordDistributionStrategy"] == "AUTO"
    shards = {client.put_record(StreamName=stream, Data=b"x")["ShardId"] for _ in range(40)}
    assert len(shards) == 2
