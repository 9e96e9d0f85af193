"""What every test needs to know about records: where they must go, and how to read them back."""

import hashlib
import time

HASH_KEYS = 2**128

# Each key with a payload that a careless codec would alter.
AWKWARD = [
    ("plain", b"text"),
    ("ключ", "значение".encode()),
    ("鍵🌊", bytes(range(256))),
    ('quo"te\\and\ttab', b"\x00\xff\x00\xff"),
    ("k" * 256, b""),
    ("я" * 256, b"\r\n\x00"),
    (" ", bytes(range(256)) * 200),
    ("e\u0301", b"\xc3\x28"),
]


def hash_key(partition_key):
    return int.from_bytes(hashlib.md5(partition_key.encode()).digest(), "big")


def owner(shards, hashed):
    """The id of the one open shard that holds a hash key."""
    ids = [
        s["ShardId"]
        for s in shards
        if "EndingSequenceNumber" not in s["SequenceNumberRange"]
        and int(s["HashKeyRange"]["StartingHashKey"]) <= hashed <= int(s["HashKeyRange"]["EndingHashKey"])
    ]
    assert len(ids) == 1, f"{hashed} is held by {ids}"
    return ids[0]


def numbered(keys, rounds, start=0):
    """`rounds` records for each key; the payload tells key and number."""
    return [(f"key-{k}", f"key-{k}:{n}".encode()) for n in range(start, start + rounds) for k in range(keys)]


def put_all(client, stream, records):
    """PutRecords until each record is taken; returns [(shard id, sequence number)] in order."""
    placed = [None] * len(records)
    left = list(range(len(records)))
    deadline = time.monotonic() + 30
    while left:
        assert time.monotonic() < deadline, f"{len(left)} records are refused"
        entries = [{"PartitionKey": records[i][0], "Data": records[i][1]} for i in left]
        answer = client.put_records(StreamName=stream, Records=entries)
        assert len(answer["Records"]) == len(left)
        refused = []
        for i, result in zip(left, answer["Records"]):
            if "ErrorCode" in result:
                assert result["ErrorCode"] == "ProvisionedThroughputExceededException", result
                refused.append(i)
            else:
                placed[i] = (result["ShardId"], result["SequenceNumber"])
        assert answer["FailedRecordCount"] == len(refused)
        left = refused
    return placed


def iterator(client, stream, shard, kind="TRIM_HORIZON", **more):
    answer = client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=kind, **more)
    return answer["ShardIterator"]


def drain(client, shard_iterator, limit=None):
    """Reads to the tip or to the end of the shard; returns (records, next iterator or None)."""
    records = []
    deadline = time.monotonic() + 30
    more = {} if limit is None else {"Limit": limit}
    while time.monotonic() < deadline:
        page = client.get_records(ShardIterator=shard_iterator, **more)
        assert limit is None or len(page["Records"]) <= limit
        records += page["Records"]
        following = page.get("NextShardIterator")
        assert following != shard_iterator
        if following is None or page["MillisBehindLatest"] == 0:
            return records, following
        shard_iterator = following
    raise AssertionError(f"the tip is not reached, {len(records)} records read")


def brief(records):
    return [(r["PartitionKey"], r["Data"], r["SequenceNumber"]) for r in records]


def assert_in_order_per_key(records, expected):
    """`records` and `expected`: (key, data); the same ones, once each, in order within each key."""
    assert len(records) == len(expected)
    for key in {k for k, _ in expected}:
        assert [d for k, d in records if k == key] == [d for k, d in expected if k == key]


class Lineage:
    """A reader of a whole stream that opens a shard only when all its parents are drained."""

    def __init__(self, client, stream, family):
        self.client, self.stream = client, stream
        self.records = []
        self.closed = []
        self.children = {}
        self.open = {s: iterator(client, stream, s) for s in family}

    def round(self):
        """One GetRecords for each shard that is open to this reader."""
        for shard, at in list(self.open.items()):
            page = self.client.get_records(ShardIterator=at)
            self.records += [(r["PartitionKey"], r["Data"]) for r in page["Records"]]
            following = page.get("NextShardIterator")
            if following is not None:
                assert not page.get("ChildShards")
                self.open[shard] = following
                continue
            self.close(shard, page["ChildShards"])

    def close(self, shard, children):
        assert children, "a shard ends with its children"
        del self.open[shard]
        self.closed.append(shard)
        for child in children:
            assert shard in child["ParentShards"]
            self.children[child["ShardId"]] = child["ParentShards"]
        for child, parents in self.children.items():
            if child not in self.open and child not in self.closed and set(parents) <= set(self.closed):
                self.open[child] = iterator(self.client, self.stream, child)

    def read_until(self, count):
        deadline = time.monotonic() + 45
        while len(self.records) < count:
            assert time.monotonic() < deadline, f"{len(self.records)} of {count} records"
            self.round()
