// Shards are split and merged under a reader that follows the lineage, and nothing is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Lineage, TRANSPORTS, active, assertInOrderPerKey, kinesis, numbered, putAll, withStream } from "../story.js";

const shard = (n) => `shardId-00000000000${n}`;

for (const [transport, endpoint] of Object.entries(TRANSPORTS)) {
  test(`split and merge while reading, ${transport}`, async () => {
    const client = kinesis(endpoint);
    await withStream(client, 2, async (StreamName) => {
      const reader = new Lineage(kinesis(endpoint), StreamName);
      await reader.start([shard(0), shard(1)]);
      const records = [];
      let writing = true;
      const reading = (async () => {
        while (writing) await reader.round();
        for (let more = 0; more < 60 && reader.records.length < records.length; more++) await reader.round();
        reader.client.destroy();
      })();
      const write = async (start) => {
        const batch = numbered(16, 10, start);
        await putAll(client, StreamName, batch);
        records.push(...batch);
      };
      await write(0);
      await client.splitShard({
        StreamName,
        ShardToSplit: shard(0),
        NewStartingHashKey: String(2n ** 126n),
      });
      await write(10);
      await active(client, StreamName);
      await client.mergeShards({ StreamName, ShardToMerge: shard(3), AdjacentShardToMerge: shard(1) });
      await write(20);
      await active(client, StreamName);
      await write(30);
      writing = false;
      await reading;
      assertInOrderPerKey(reader.records, records);
      assert.deepEqual([...reader.closed].sort(), [shard(0), shard(1), shard(3)]);
      assert.deepEqual(reader.children, {
        [shard(2)]: [shard(0)],
        [shard(3)]: [shard(0)],
        [shard(4)]: [shard(3), shard(1)],
      });
    });
  });
}
