// Clients of a running server, and what every test needs to know about records.
//
// `MILLWEIR_ENDPOINT` (http://HOST:PORT) and `MILLWEIR_CA` name the server; the same port speaks TLS,
// which Node trusts through NODE_EXTRA_CA_CERTS. For http the SDK speaks HTTP/2 with prior knowledge.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  Kinesis,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
} from "@aws-sdk/client-kinesis";

export const ACCOUNT = "222233334444";
export const REGION = "ap-southeast-2";
export const ENDPOINT = process.env.MILLWEIR_ENDPOINT;
export const TLS_ENDPOINT = `https://localhost:${new URL(ENDPOINT).port}`;
export const TRANSPORTS = { h2c: ENDPOINT, tls: TLS_ENDPOINT };
export const HASH_KEYS = 2n ** 128n;

export function kinesis(endpoint, account = ACCOUNT) {
  return new Kinesis({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: account, secretAccessKey: "any" },
    maxAttempts: 12,
  });
}

let streams = 0;
export const freshName = () => `js-${process.pid}-${++streams}`;

/** Runs `body` with an ACTIVE stream of `shards` shards, and deletes it. */
export async function withStream(client, shards, body) {
  const name = freshName();
  await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
  try {
    await body(name, await active(client, name));
  } finally {
    await client.send(new DeleteStreamCommand({ StreamName: name, EnforceConsumerDeletion: true }));
    client.destroy();
  }
}

/** Waits until the stream is ACTIVE; its ARN. */
export async function active(client, name) {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName: name }));
    const { StreamStatus, StreamARN } = answer.StreamDescriptionSummary;
    if (StreamStatus === "ACTIVE") return StreamARN;
    await pause(200);
  }
  assert.fail("the stream does not become ACTIVE");
}

/** Registers a consumer and waits until it is ACTIVE; its ARN. */
export async function consumer(client, arn, name) {
  const registered = await client.send(
    new RegisterStreamConsumerCommand({ StreamARN: arn, ConsumerName: name }),
  );
  const { ConsumerARN } = registered.Consumer;
  for (let tries = 0; tries < 100; tries++) {
    const answer = await client.send(new DescribeStreamConsumerCommand({ ConsumerARN }));
    if (answer.ConsumerDescription.ConsumerStatus === "ACTIVE") return ConsumerARN;
    await pause(200);
  }
  assert.fail("the consumer does not become ACTIVE");
}

const utf8 = new TextEncoder();
export const bytes = (text) => utf8.encode(text);
export const text = (data) => Buffer.from(data).toString("utf8");
export const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);

/** [key, data] pairs that a careless codec would alter. */
export const AWKWARD = [
  ["plain", bytes("text")],
  ["ключ", bytes("значение")],
  ["鍵🌊", everyByte],
  ['quo"te\\and\ttab', Uint8Array.of(0, 255, 0, 255)],
  ["k".repeat(256), new Uint8Array(0)],
  ["я".repeat(256), bytes("\r\n\0")],
  [" ", Buffer.concat(Array(200).fill(everyByte))],
  ["e\u0301", Uint8Array.of(0xc3, 0x28)],
];

/** `rounds` records for each key; the payload tells key and number. */
export function numbered(keys, rounds, start = 0) {
  const records = [];
  for (let n = start; n < start + rounds; n++)
    for (let k = 0; k < keys; k++) records.push([`key-${k}`, bytes(`key-${k}:${n}`)]);
  return records;
}

/** The id of the one open shard that owns a partition key. */
export function owner(shards, key) {
  const hash = BigInt("0x" + createHash("md5").update(key, "utf8").digest("hex"));
  const holders = shards.filter(
    ({ HashKeyRange, SequenceNumberRange }) =>
      SequenceNumberRange.EndingSequenceNumber === undefined &&
      BigInt(HashKeyRange.StartingHashKey) <= hash &&
      hash <= BigInt(HashKeyRange.EndingHashKey),
  );
  assert.equal(holders.length, 1);
  return holders[0].ShardId;
}

/** PutRecords until each record is taken; `{ shard, number }` of each, in order. */
export async function putAll(client, stream, records) {
  const placed = Array(records.length);
  let left = records.map((_, i) => i);
  for (let tries = 0; left.length > 0; tries++) {
    assert.ok(tries < 60, `${left.length} records are refused`);
    if (tries > 0) await pause(200);
    const Records = left.map((i) => ({ PartitionKey: records[i][0], Data: records[i][1] }));
    const answer = await client.send(new PutRecordsCommand({ StreamName: stream, Records }));
    assert.equal(answer.Records.length, left.length);
    const refused = [];
    answer.Records.forEach((result, at) => {
      if (result.ErrorCode === undefined)
        placed[left[at]] = { shard: result.ShardId, number: result.SequenceNumber };
      else refused.push(left[at]);
    });
    assert.equal(answer.FailedRecordCount, refused.length);
    left = refused;
  }
  return placed;
}

export async function iterator(client, stream, shard, type = "TRIM_HORIZON", more = {}) {
  const answer = await client.send(
    new GetShardIteratorCommand({ StreamName: stream, ShardId: shard, ShardIteratorType: type, ...more }),
  );
  return answer.ShardIterator;
}

/** Reads to the tip or the end of the shard; the records and the iterator that follows. */
export async function drain(client, at, more = {}) {
  const records = [];
  for (let pages = 0; pages < 200; pages++) {
    const page = await client.send(new GetRecordsCommand({ ShardIterator: at, ...more }));
    records.push(...page.Records);
    if (page.NextShardIterator === undefined || page.MillisBehindLatest === 0)
      return { records, next: page.NextShardIterator };
    at = page.NextShardIterator;
  }
  assert.fail("the tip is not reached");
}

/** What must be equal between a record put and a record read. */
export const brief = (r) => [r.PartitionKey, Buffer.from(r.Data).toString("hex"), r.SequenceNumber];

/** The same records, once each, in order within each key. */
export function assertInOrderPerKey(found, expected) {
  const perKey = (records) => {
    const keys = {};
    for (const [key, data] of records) (keys[key] ??= []).push(text(data));
    return keys;
  };
  assert.equal(found.length, expected.length);
  assert.deepEqual(perKey(found), perKey(expected));
}

/** Reads a whole stream, opening a shard only when all its parents are drained. */
export class Lineage {
  records = [];
  closed = [];
  children = {};
  open = new Map();

  constructor(client, stream) {
    Object.assign(this, { client, stream });
  }

  async start(shards) {
    for (const shard of shards) this.open.set(shard, await iterator(this.client, this.stream, shard));
  }

  async round() {
    for (const [shard, at] of [...this.open]) {
      const page = await this.client.send(new GetRecordsCommand({ ShardIterator: at }));
      this.records.push(...page.Records.map((r) => [r.PartitionKey, r.Data]));
      if (page.NextShardIterator === undefined) await this.close(shard, page.ChildShards);
      else {
        assert.equal(page.ChildShards?.length ?? 0, 0);
        this.open.set(shard, page.NextShardIterator);
      }
    }
  }

  async close(shard, children) {
    assert.ok(children?.length > 0, "a shard ends with its children");
    this.open.delete(shard);
    this.closed.push(shard);
    for (const { ShardId, ParentShards } of children) {
      assert.ok(ParentShards.includes(shard));
      this.children[ShardId] = ParentShards;
    }
    for (const [child, parents] of Object.entries(this.children)) {
      const ready = parents.every((p) => this.closed.includes(p));
      if (ready && !this.open.has(child) && !this.closed.includes(child))
        this.open.set(child, await iterator(this.client, this.stream, child));
    }
  }
}
