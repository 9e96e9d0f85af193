"""Records go in by both operations and come out by all five iterator types, byte for byte."""

import re
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError
from story import (
    AWKWARD,
    HASH_KEYS,
    assert_in_order_per_key,
    brief,
    drain,
    hash_key,
    iterator,
    numbered,
    owner,
    put_all,
)


def by_shard(records, placed):
    """{shard id: [(key, data, sequence number)] in the order of the numbers}"""
    shards = {}
    for (key, data), (shard, number) in zip(records, placed):
        shards.setdefault(shard, []).append((key, data, number))
    return {s: sorted(rs, key=lambda r: int(r[2])) for s, rs in shards.items()}


def one_by_one(client, stream, records):
    answers = [client.put_record(StreamName=stream, PartitionKey=k, Data=d) for k, d in records]
    assert all("EncryptionType" not in a or a["EncryptionType"] == "NONE" for a in answers)
    return [(a["ShardId"], a["SequenceNumber"]) for a in answers]


@pytest.mark.parametrize("put", [one_by_one, put_all])
def test_awkward_records_come_back_intact(both, stream, put):
    placed = put(both, stream, AWKWARD)
    shards = both.list_shards(StreamName=stream)["Shards"]
    for (key, _), (shard, number) in zip(AWKWARD, placed):
        assert shard == owner(shards, hash_key(key))
        assert re.fullmatch(r"\d{56}", number)
    for shard, want in by_shard(AWKWARD, placed).items():
        records, _ = drain(both, iterator(both, stream, shard))
        assert brief(records) == want


def test_every_iterator_type(both, stream):
    records = numbered(keys=5, rounds=8)
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    halves = (records[: len(records) // 2], records[len(records) // 2 :])
    placed = [p for half in halves for p in put_all(both, stream, half)]
    for shard, want in by_shard(records, placed).items():
        every, tip = drain(both, iterator(both, stream, shard))
        assert brief(every) == want
        stamps = [r["ApproximateArrivalTimestamp"] for r in every]
        assert stamps == sorted(stamps)

        third = want[2][2]
        at, _ = drain(both, iterator(both, stream, shard, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=third))
        assert brief(at) == want[2:]
        after, _ = drain(
            both, iterator(both, stream, shard, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=third)
        )
        assert brief(after) == want[3:]
        middle = stamps[-1]
        since, _ = drain(both, iterator(both, stream, shard, "AT_TIMESTAMP", Timestamp=middle))
        assert brief(since) == [w for w, stamp in zip(want, stamps) if stamp >= middle]
        oldest, _ = drain(both, iterator(both, stream, shard, "AT_TIMESTAMP", Timestamp=before))
        assert brief(oldest) == want
        assert_latest_is_a_fixed_position(both, stream, shard, want[0][0], tip)


def assert_latest_is_a_fixed_position(client, stream, shard, key, tip):
    latest = iterator(client, stream, shard, "LATEST")
    new = client.put_record(StreamName=stream, PartitionKey=key, Data=b"new")
    assert new["ShardId"] == shard
    want = [(key, b"new", new["SequenceNumber"])]
    assert brief(drain(client, latest)[0]) == want
    assert brief(drain(client, tip)[0]) == want


def test_pages_of_records(client, stream):
    records = [("one-key", str(n).encode()) for n in range(10)]
    placed = put_all(client, stream, records)
    found, _ = drain(client, iterator(client, stream, placed[0][0]), limit=3)
    assert [(r["PartitionKey"], r["Data"]) for r in found] == records


def test_order_within_each_key(client, stream):
    records = numbered(keys=20, rounds=25)
    for start in range(0, len(records), 100):
        put_all(client, stream, records[start : start + 100])
    found = []
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        found += drain(client, iterator(client, stream, shard["ShardId"]))[0]
    assert_in_order_per_key([(r["PartitionKey"], r["Data"]) for r in found], records)


def test_explicit_hash_key_overrules_the_partition_key(client, stream):
    for explicit, shard in [
        (0, "shardId-000000000000"),
        (2**127 - 1, "shardId-000000000000"),
        (2**127, "shardId-000000000001"),
        (HASH_KEYS - 1, "shardId-000000000001"),
    ]:
        placed = client.put_record(
            StreamName=stream, PartitionKey="same", ExplicitHashKey=str(explicit), Data=b"x"
        )
        assert placed["ShardId"] == shard
    with pytest.raises(client.exceptions.InvalidArgumentException) as refused:
        client.put_record(StreamName=stream, PartitionKey="k", ExplicitHashKey=str(HASH_KEYS), Data=b"x")
    assert refused.value.response["Error"]["Message"] == (
        "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
        f"Specified value was {HASH_KEYS}"
    )


def test_sequence_number_for_ordering(client, stream):
    number = None
    numbers = []
    for n in range(5):
        more = {} if number is None else {"SequenceNumberForOrdering": number}
        placed = client.put_record(StreamName=stream, PartitionKey="k", Data=str(n).encode(), **more)
        number = placed["SequenceNumber"]
        numbers.append(int(number))
    assert numbers == sorted(set(numbers))
    records, _ = drain(client, iterator(client, stream, placed["ShardId"]))
    assert [r["Data"] for r in records] == [b"0", b"1", b"2", b"3", b"4"]


def test_reads_by_arn_and_an_iterator_is_of_one_stream(client, stream):
    arn = client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    placed = client.put_records(StreamARN=arn, Records=[{"PartitionKey": "k", "Data": b"by arn"}])
    shard = placed["Records"][0]["ShardId"]
    at = client.get_shard_iterator(StreamARN=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    page = client.get_records(ShardIterator=at["ShardIterator"], StreamARN=arn)
    assert [r["Data"] for r in page["Records"]] == [b"by arn"]
    forged = at["ShardIterator"][:-8] + "AAAAAAA="
    with pytest.raises(ClientError) as refused:
        client.get_records(ShardIterator=forged)
    assert refused.value.response["Error"]["Code"] == "InvalidArgumentException"
