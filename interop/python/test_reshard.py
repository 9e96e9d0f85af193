"""Shards are split and merged under a reader that follows the lineage, and nothing is lost."""

import threading

import pytest
from conftest import kinesis, wait_active
from story import Lineage, assert_in_order_per_key, iterator, numbered, put_all


def test_split_and_merge_while_reading(both, stream):
    both_reader = kinesis("https")
    reader = Lineage(both_reader, stream, ["shardId-000000000000", "shardId-000000000001"])
    records = []

    def write(start):
        more = numbered(keys=16, rounds=10, start=start)
        put_all(both, stream, more)
        records.extend(more)

    stop, failure = threading.Event(), []

    def follow():
        try:
            while not stop.is_set():
                reader.round()
            reader.read_until(len(records))
        except BaseException as e:
            failure.append(e)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        write(0)
        both.split_shard(
            StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126)
        )
        write(10)
        wait_active(both, stream)
        write(20)
        both.merge_shards(
            StreamName=stream, ShardToMerge="shardId-000000000003", AdjacentShardToMerge="shardId-000000000001"
        )
        write(30)
        wait_active(both, stream)
        write(40)
    finally:
        stop.set()
        thread.join(60)
    assert not failure, failure
    assert_in_order_per_key(reader.records, records)
    assert sorted(reader.closed) == [f"shardId-00000000000{n}" for n in (0, 1, 3)]
    assert reader.children == {
        "shardId-000000000002": ["shardId-000000000000"],
        "shardId-000000000003": ["shardId-000000000000"],
        "shardId-000000000004": ["shardId-000000000003", "shardId-000000000001"],
    }
    assert_lineage_is_listed(both, stream)


def assert_lineage_is_listed(client, stream):
    shards = {s["ShardId"][-1]: s for s in client.list_shards(StreamName=stream)["Shards"]}
    assert sorted(shards) == ["0", "1", "2", "3", "4"]
    assert shards["2"]["ParentShardId"] == shards["3"]["ParentShardId"] == "shardId-000000000000"
    assert "AdjacentParentShardId" not in shards["2"]
    assert shards["4"]["ParentShardId"] == "shardId-000000000003"
    assert shards["4"]["AdjacentParentShardId"] == "shardId-000000000001"
    closed = {n for n, s in shards.items() if "EndingSequenceNumber" in s["SequenceNumberRange"]}
    assert closed == {"0", "1", "3"}
    for parent, child in [("0", "2"), ("0", "3"), ("3", "4"), ("1", "4")]:
        end = int(shards[parent]["SequenceNumberRange"]["EndingSequenceNumber"])
        assert end < int(shards[child]["SequenceNumberRange"]["StartingSequenceNumber"])
    latest = client.list_shards(StreamName=stream, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    assert sorted(s["ShardId"][-1] for s in latest) == ["2", "4"]


def test_a_closed_shard_can_still_be_read_from_its_advertised_start(client, stream):
    placed = put_all(client, stream, [(f"k{n}", b"x") for n in range(10)])
    client.split_shard(
        StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126)
    )
    wait_active(client, stream)
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        at = iterator(
            client,
            stream,
            shard["ShardId"],
            "AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=shard["SequenceNumberRange"]["StartingSequenceNumber"],
        )
        found = client.get_records(ShardIterator=at)["Records"]
        assert len(found) == sum(1 for s, _ in placed if s == shard["ShardId"])


def test_what_cannot_be_split_or_merged(client, stream):
    argument = client.exceptions.InvalidArgumentException
    with pytest.raises(argument) as refused:
        client.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey="1")
    assert "is not both greater than one plus the shard's StartingHashKey 0" in str(refused.value)
    with pytest.raises(argument) as refused:
        client.merge_shards(
            StreamName=stream, ShardToMerge="shardId-000000000001", AdjacentShardToMerge="shardId-000000000000"
        )
    assert "are not an adjacent pair of shards eligible for merging" in str(refused.value)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.split_shard(StreamName=stream, ShardToSplit="shardId-000000000009", NewStartingHashKey="9")
