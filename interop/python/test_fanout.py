"""Registered consumers and SubscribeToShard: an event stream that botocore itself decodes."""

import queue
import threading
import time

import pytest
from botocore.exceptions import ClientError
from conftest import kinesis, wait_active
from story import hash_key, owner

SHARD = "shardId-000000000000"


def arn_of(client, stream):
    return client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]


@pytest.fixture
def consumer(client, stream):
    """An ACTIVE consumer of the stream, by its ARN."""
    arn = client.register_stream_consumer(StreamARN=arn_of(client, stream), ConsumerName="reader")
    return active(client, arn["Consumer"]["ConsumerARN"])


def active(client, consumer_arn):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        described = client.describe_stream_consumer(ConsumerARN=consumer_arn)["ConsumerDescription"]
        if described["ConsumerStatus"] == "ACTIVE":
            return consumer_arn
        time.sleep(0.2)
    raise AssertionError("the consumer does not become ACTIVE")


class Subscription:
    """Collects the events of one subscription on a thread of its own.

    It is not closed by the tests: that would wait for the thread's read. The end of the stream
    ends it.
    """

    def __init__(self, client, consumer_arn, shard, **position):
        self.events = queue.Queue()
        self.error = None
        answer = client.subscribe_to_shard(
            ConsumerARN=consumer_arn, ShardId=shard, StartingPosition=position
        )
        self.stream = answer["EventStream"]
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self):
        try:
            for event in self.stream:
                self.events.put(event["SubscribeToShardEvent"])
        except Exception as e:  # A closed socket ends the thread; modeled errors are looked at.
            self.error = e
        self.events.put(None)

    def records(self, count):
        """The next `count` records, and the last event seen."""
        found, event = [], None
        while len(found) < count:
            event = self.events.get(timeout=8)
            assert event is not None, f"ended early: {self.error}"
            found += event["Records"]
        return found, event


def test_life_of_a_consumer(both, stream):
    arn = arn_of(both, stream)
    registered = both.register_stream_consumer(StreamARN=arn, ConsumerName="one", Tags={"a": "b"})["Consumer"]
    assert registered["ConsumerARN"].startswith(f"{arn}/consumer/one:")
    active(both, registered["ConsumerARN"])
    assert both.list_tags_for_resource(ResourceARN=registered["ConsumerARN"])["Tags"] == [
        {"Key": "a", "Value": "b"}
    ]
    with pytest.raises(both.exceptions.ResourceInUseException):
        both.register_stream_consumer(StreamARN=arn, ConsumerName="one")
    both.register_stream_consumer(StreamARN=arn, ConsumerName="two")
    pages = both.get_paginator("list_stream_consumers").paginate(
        StreamARN=arn, PaginationConfig={"PageSize": 1}
    )
    assert sorted(c["ConsumerName"] for p in pages for c in p["Consumers"]) == ["one", "two"]
    by_name = both.describe_stream_consumer(StreamARN=arn, ConsumerName="one")["ConsumerDescription"]
    assert by_name["StreamARN"] == arn
    assert by_name["ConsumerCreationTimestamp"] == registered["ConsumerCreationTimestamp"]
    with pytest.raises(both.exceptions.ResourceInUseException):
        both.delete_stream(StreamName=stream)
    both.deregister_stream_consumer(ConsumerARN=registered["ConsumerARN"])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            both.describe_stream_consumer(ConsumerARN=registered["ConsumerARN"])
        except both.exceptions.ResourceNotFoundException:
            return
        time.sleep(0.2)
    raise AssertionError("the consumer stays")


def test_events_are_pushed(both, stream, consumer):
    shards = both.list_shards(StreamName=stream)["Shards"]
    shard = owner(shards, hash_key("k"))
    for n in range(3):
        both.put_record(StreamName=stream, PartitionKey="k", Data=f"before {n}".encode())
    subscription = Subscription(both, consumer, shard, Type="TRIM_HORIZON")
    found, event = subscription.records(3)
    assert [r["Data"] for r in found] == [b"before 0", b"before 1", b"before 2"]
    assert int(event["ContinuationSequenceNumber"]) >= int(found[-1]["SequenceNumber"])
    assert event["MillisBehindLatest"] == 0

    placed = both.put_record(StreamName=stream, PartitionKey="k", Data=bytes(range(256)))
    started = time.monotonic()
    (record,), event = subscription.records(1)
    assert time.monotonic() - started < 2, "pushed, not polled"
    assert record["Data"] == bytes(range(256)) and record["SequenceNumber"] == placed["SequenceNumber"]


def test_an_idle_subscription_is_kept_alive_and_its_position_holds(client, stream, consumer):
    subscription = Subscription(client, consumer, SHARD, Type="LATEST")
    subscription.events.get(timeout=6)
    started = time.monotonic()
    event = subscription.events.get(timeout=8)
    assert event["Records"] == []
    assert time.monotonic() - started < 6
    client.put_record(StreamName=stream, PartitionKey="k", ExplicitHashKey="0", Data=b"later")
    other = active(
        client,
        client.register_stream_consumer(StreamARN=arn_of(client, stream), ConsumerName="other")["Consumer"][
            "ConsumerARN"
        ],
    )
    resumed = Subscription(
        client,
        other,
        SHARD,
        Type="AFTER_SEQUENCE_NUMBER",
        SequenceNumber=event["ContinuationSequenceNumber"],
    )
    (record,), _ = resumed.records(1)
    assert record["Data"] == b"later"


def test_a_second_subscription_within_five_seconds_is_refused(client, stream, consumer):
    impatient = kinesis()
    subscription = Subscription(client, consumer, SHARD, Type="LATEST")
    with pytest.raises(ClientError) as refused:
        impatient.subscribe_to_shard(
            ConsumerARN=consumer, ShardId=SHARD, StartingPosition={"Type": "LATEST"}
        )
    assert refused.value.response["Error"]["Code"] == "ResourceInUseException"


def test_a_subscription_ends_with_the_children_of_its_shard(client, stream, consumer):
    for n in range(3):
        client.put_record(StreamName=stream, PartitionKey="k", ExplicitHashKey="7", Data=str(n).encode())
    subscription = Subscription(client, consumer, SHARD, Type="TRIM_HORIZON")
    found, _ = subscription.records(3)
    client.split_shard(StreamName=stream, ShardToSplit=SHARD, NewStartingHashKey=str(2**126))
    while True:
        event = subscription.events.get(timeout=8)
        found += event["Records"]
        if event.get("ChildShards"):
            break
    assert "ContinuationSequenceNumber" not in event
    assert [(c["ParentShards"], c["HashKeyRange"]["StartingHashKey"]) for c in event["ChildShards"]] == [
        ([SHARD], "0"),
        ([SHARD], str(2**126)),
    ]
    assert subscription.events.get(timeout=8) is None and subscription.error is None
    assert [r["Data"] for r in found] == [b"0", b"1", b"2"]
    wait_active(client, stream)
