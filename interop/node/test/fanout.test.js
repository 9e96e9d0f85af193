// SubscribeToShard over HTTP/2, with and without TLS, and resharding under it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TRANSPORTS, consumer, kinesis, owner, text, withStream } from "../story.js";

const SHARD = "shardId-000000000000";

/** Takes events until `enough(records)`; the records and the last event. */
async function take(events, enough) {
  const records = [];
  for (;;) {
    const { value, done } = await events.next();
    assert.equal(done, false, "the subscription ended early");
    const event = value.SubscribeToShardEvent;
    records.push(...event.Records);
    if (enough(records, event)) return { records, event };
  }
}

for (const [transport, endpoint] of Object.entries(TRANSPORTS)) {
  test(`events are pushed, ${transport}`, async () => {
    const client = kinesis(endpoint);
    await withStream(client, 2, async (StreamName, arn) => {
      const ConsumerARN = await consumer(client, arn, "reader");
      const { Shards } = await client.listShards({ StreamName });
      const put = (n) => client.putRecord({ StreamName, PartitionKey: "k", Data: Buffer.from(`n${n}`) });
      await put(0);
      const subscribed = await client.subscribeToShard({
        ConsumerARN,
        ShardId: owner(Shards, "k"),
        StartingPosition: { Type: "TRIM_HORIZON" },
      });
      const events = subscribed.EventStream[Symbol.asyncIterator]();
      const first = await take(events, (records) => records.length === 1);
      assert.equal(text(first.records[0].Data), "n0");
      assert.ok(BigInt(first.event.ContinuationSequenceNumber) >= BigInt(first.records[0].SequenceNumber));
      const placed = await put(1);
      const started = Date.now();
      const second = await take(events, (records) => records.length === 1);
      assert.ok(Date.now() - started < 2000, "pushed, not polled");
      assert.equal(second.records[0].SequenceNumber, placed.SequenceNumber);
      await assert.rejects(
        client.subscribeToShard({
          ConsumerARN: ConsumerARN.replace("/reader:", "/nobody:"),
          ShardId: SHARD,
          StartingPosition: { Type: "LATEST" },
        }),
        { name: "ResourceNotFoundException" },
      );
    });
  });

  test(`a subscription ends with the children of its shard, ${transport}`, async () => {
    const client = kinesis(endpoint);
    await withStream(client, 1, async (StreamName, arn) => {
      const ConsumerARN = await consumer(client, arn, "reader");
      for (let n = 0; n < 3; n++)
        await client.putRecord({ StreamName, PartitionKey: "k", Data: Buffer.from(`${n}`) });
      const subscribed = await client.subscribeToShard({
        ConsumerARN,
        ShardId: SHARD,
        StartingPosition: { Type: "TRIM_HORIZON" },
      });
      const events = subscribed.EventStream[Symbol.asyncIterator]();
      const before = await take(events, (records) => records.length === 3);
      await client.splitShard({
        StreamName,
        ShardToSplit: SHARD,
        NewStartingHashKey: String(2n ** 127n),
      });
      const { records, event } = await take(events, (_, e) => e.ChildShards?.length > 0);
      assert.deepEqual([...before.records, ...records].map((r) => text(r.Data)), ["0", "1", "2"]);
      assert.equal(event.ContinuationSequenceNumber ?? null, null);
      assert.deepEqual(
        event.ChildShards.map((c) => [c.ParentShards, c.HashKeyRange.StartingHashKey]),
        [
          [[SHARD], "0"],
          [[SHARD], String(2n ** 127n)],
        ],
      );
      assert.equal((await events.next()).done, true);
    });
  });
}
