// Records go in by both operations and come out by all five iterator types, byte for byte.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AWKWARD,
  HASH_KEYS,
  TRANSPORTS,
  brief,
  drain,
  iterator,
  kinesis,
  numbered,
  owner,
  putAll,
  withStream,
} from "../story.js";

/** { shard: [brief record, ...] } in the order of the sequence numbers. */
function byShard(records, placed) {
  const shards = {};
  placed.forEach(({ shard, number }, i) => {
    const [PartitionKey, Data] = records[i];
    (shards[shard] ??= []).push(brief({ PartitionKey, Data, SequenceNumber: number }));
  });
  for (const list of Object.values(shards)) list.sort((a, b) => (BigInt(a[2]) < BigInt(b[2]) ? -1 : 1));
  return shards;
}

async function oneByOne(client, StreamName, records) {
  const placed = [];
  for (const [PartitionKey, Data] of records) {
    const answer = await client.putRecord({ StreamName, PartitionKey, Data });
    placed.push({ shard: answer.ShardId, number: answer.SequenceNumber });
  }
  return placed;
}

for (const [transport, endpoint] of Object.entries(TRANSPORTS)) {
  for (const [way, put] of Object.entries({ PutRecord: oneByOne, PutRecords: putAll })) {
    test(`awkward records come back intact, ${way}, ${transport}`, async () => {
      const client = kinesis(endpoint);
      await withStream(client, 2, async (stream) => {
        const placed = await put(client, stream, AWKWARD);
        const { Shards } = await client.listShards({ StreamName: stream });
        placed.forEach(({ shard, number }, i) => {
          assert.equal(shard, owner(Shards, AWKWARD[i][0]));
          assert.match(number, /^\d{56}$/);
        });
        for (const [shard, want] of Object.entries(byShard(AWKWARD, placed))) {
          const { records } = await drain(client, await iterator(client, stream, shard));
          assert.deepEqual(records.map(brief), want);
        }
      });
    });
  }

  test(`every iterator type, ${transport}`, async () => {
    const client = kinesis(endpoint);
    await withStream(client, 2, async (stream) => {
      const records = numbered(5, 8);
      const shards = byShard(records, await putAll(client, stream, records));
      for (const [shard, want] of Object.entries(shards)) {
        const read = async (type, more) =>
          (await drain(client, await iterator(client, stream, shard, type, more))).records;
        const every = await read("TRIM_HORIZON");
        assert.deepEqual(every.map(brief), want);
        const third = { StartingSequenceNumber: want[2][2] };
        assert.deepEqual((await read("AT_SEQUENCE_NUMBER", third)).map(brief), want.slice(2));
        assert.deepEqual((await read("AFTER_SEQUENCE_NUMBER", third)).map(brief), want.slice(3));
        const stamp = every.at(-1).ApproximateArrivalTimestamp;
        const since = every.filter((r) => r.ApproximateArrivalTimestamp >= stamp).map(brief);
        assert.deepEqual((await read("AT_TIMESTAMP", { Timestamp: stamp })).map(brief), since);

        const latest = await iterator(client, stream, shard, "LATEST");
        const Data = Buffer.from("new");
        const placed = await client.putRecord({ StreamName: stream, PartitionKey: want[0][0], Data });
        assert.deepEqual((await drain(client, latest)).records.map(brief), [
          [want[0][0], Data.toString("hex"), placed.SequenceNumber],
        ]);
      }
    });
  });
}

test("pages of records", async () => {
  const client = kinesis(TRANSPORTS.h2c);
  await withStream(client, 1, async (stream) => {
    const records = numbered(1, 10);
    const [{ shard }] = await putAll(client, stream, records);
    const { records: found } = await drain(client, await iterator(client, stream, shard), { Limit: 3 });
    assert.deepEqual(
      found.map((r) => Buffer.from(r.Data).toString()),
      records.map(([, data]) => Buffer.from(data).toString()),
    );
  });
});

test("explicit hash keys", async () => {
  const client = kinesis(TRANSPORTS.h2c);
  await withStream(client, 2, async (StreamName) => {
    const put = (ExplicitHashKey) =>
      client.putRecord({ StreamName, PartitionKey: "same", ExplicitHashKey, Data: Buffer.from("x") });
    assert.equal((await put(String(2n ** 127n - 1n))).ShardId, "shardId-000000000000");
    assert.equal((await put(String(2n ** 127n))).ShardId, "shardId-000000000001");
    await assert.rejects(put(String(HASH_KEYS)), { name: "InvalidArgumentException" });
  });
});

test("many sessions at once", async () => {
  const client = kinesis(TRANSPORTS.h2c);
  await withStream(client, 2, async (StreamName) => {
    const puts = Array.from({ length: 50 }, (_, i) =>
      client.putRecord({ StreamName, PartitionKey: `k${i}`, Data: Buffer.from(String(i)) }),
    );
    const numbers = new Set((await Promise.all(puts)).map((p) => p.SequenceNumber));
    assert.equal(numbers.size, 50);
  });
});
