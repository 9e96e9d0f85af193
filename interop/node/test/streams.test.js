// A stream's life over both transports: describe, list, tag, retain, encrypt, resize, delete.

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitUntilStreamExists, waitUntilStreamNotExists } from "@aws-sdk/client-kinesis";
import { ACCOUNT, HASH_KEYS, REGION, TRANSPORTS, active, freshName, kinesis, withStream } from "../story.js";

async function summary(client, StreamName) {
  return (await client.describeStreamSummary({ StreamName })).StreamDescriptionSummary;
}

for (const [transport, endpoint] of Object.entries(TRANSPORTS)) {
  test(`life of a stream, ${transport}`, async () => {
    const client = kinesis(endpoint);
    const name = freshName();
    const waiter = { client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 };
    await client.createStream({ StreamName: name, ShardCount: 2 });
    await waitUntilStreamExists(waiter, { StreamName: name });
    const { StreamDescription: described } = await client.describeStream({ StreamName: name });
    assert.equal(described.StreamARN, `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/${name}`);
    assert.equal(described.StreamStatus, "ACTIVE");
    assert.ok(described.StreamCreationTimestamp instanceof Date);
    assert.ok(Math.abs(Date.now() - described.StreamCreationTimestamp) < 60_000);
    assert.equal("StreamId" in described, false);
    let edge = 0n;
    for (const { HashKeyRange } of described.Shards) {
      assert.equal(BigInt(HashKeyRange.StartingHashKey), edge);
      edge = BigInt(HashKeyRange.EndingHashKey) + 1n;
    }
    assert.equal(edge, HASH_KEYS);
    const listed = await client.listStreams({ Limit: 1000 });
    assert.ok(listed.StreamNames.includes(name));
    assert.equal((await client.listShards({ StreamName: name })).Shards.length, 2);
    await assert.rejects(client.createStream({ StreamName: name, ShardCount: 1 }), {
      name: "ResourceInUseException",
    });
    await client.deleteStream({ StreamName: name });
    await waitUntilStreamNotExists(waiter, { StreamName: name });
    client.destroy();
  });

  test(`tags by both families, ${transport}`, async () => {
    const client = kinesis(endpoint);
    await withStream(client, 1, async (StreamName, ResourceARN) => {
      await client.addTagsToStream({ StreamName, Tags: { team: "data", ключ: "значение" } });
      await client.tagResource({ ResourceARN, Tags: { env: "test" } });
      assert.deepEqual((await client.listTagsForStream({ StreamName })).Tags, [
        { Key: "env", Value: "test" },
        { Key: "team", Value: "data" },
        { Key: "ключ", Value: "значение" },
      ]);
      await client.removeTagsFromStream({ StreamName, TagKeys: ["team"] });
      await client.untagResource({ ResourceARN, TagKeys: ["ключ"] });
      assert.deepEqual((await client.listTagsForResource({ ResourceARN })).Tags, [
        { Key: "env", Value: "test" },
      ]);
    });
  });

  test(`errors have their types and texts, ${transport}`, async () => {
    const client = kinesis(endpoint);
    await assert.rejects(client.describeStream({ StreamName: "nowhere" }), {
      name: "ResourceNotFoundException",
      message: `Stream nowhere under account ${ACCOUNT} not found.`,
    });
    await assert.rejects(client.createStream({ StreamName: "s", ShardCount: 0 }), {
      name: "ValidationException",
      message:
        "1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: " +
        "Member must have value greater than or equal to 1",
    });
    await assert.rejects(client.getRecords({ ShardIterator: "AAAA" }), {
      name: "InvalidArgumentException",
      message: "Invalid ShardIterator.",
    });
    client.destroy();
  });
}

test("retention", async () => {
  const client = kinesis(TRANSPORTS.h2c);
  await withStream(client, 1, async (StreamName) => {
    await client.increaseStreamRetentionPeriod({ StreamName, RetentionPeriodHours: 72 });
    await active(client, StreamName);
    assert.equal((await summary(client, StreamName)).RetentionPeriodHours, 72);
    await client.decreaseStreamRetentionPeriod({ StreamName, RetentionPeriodHours: 24 });
    await active(client, StreamName);
    assert.equal((await summary(client, StreamName)).RetentionPeriodHours, 24);
  });
});

test("encryption starts and stops", async () => {
  const client = kinesis(TRANSPORTS.tls);
  await withStream(client, 1, async (StreamName) => {
    const key = { StreamName, EncryptionType: "KMS", KeyId: "alias/aws/kinesis" };
    await client.startStreamEncryption(key);
    await active(client, StreamName);
    assert.equal((await summary(client, StreamName)).EncryptionType, "KMS");
    const placed = await client.putRecord({ StreamName, PartitionKey: "k", Data: Buffer.from("secret") });
    assert.equal(placed.EncryptionType, "KMS");
    const at = await client.getShardIterator({
      StreamName,
      ShardId: placed.ShardId,
      ShardIteratorType: "TRIM_HORIZON",
    });
    const { Records } = await client.getRecords({ ShardIterator: at.ShardIterator });
    assert.equal(Buffer.from(Records[0].Data).toString(), "secret");
    assert.equal(Records[0].EncryptionType, "KMS");
    await client.stopStreamEncryption(key);
    await active(client, StreamName);
    assert.equal((await summary(client, StreamName)).EncryptionType, "NONE");
  });
});

test("update shard count", async () => {
  const client = kinesis(TRANSPORTS.h2c);
  await withStream(client, 2, async (StreamName) => {
    const answer = await client.updateShardCount({
      StreamName,
      TargetShardCount: 4,
      ScalingType: "UNIFORM_SCALING",
    });
    assert.deepEqual([answer.CurrentShardCount, answer.TargetShardCount], [2, 4]);
    await active(client, StreamName);
    assert.equal((await summary(client, StreamName)).OpenShardCount, 4);
    const latest = await client.listShards({ StreamName, ShardFilter: { Type: "AT_LATEST" } });
    assert.equal(latest.Shards.length, 4);
    assert.equal((await client.listShards({ StreamName })).Shards.length, 6);
  });
});
