// The toy service through the JavaScript SDK of version 2, which makes a client of any model: JSON,
// REST-JSON and query. It speaks neither of the CBORs and no event streams.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const { default: AWS } = await import("aws-sdk");

const root = new URL("../../../", import.meta.url);
const MODEL = JSON.parse(readFileSync(new URL("model/toy.json", root), "utf8"));
const PROTOCOLS = { json: "1.1", json10: "1.0", rest: "1.1", query: "1.1" };
const NAMES = { json: "json", json10: "json", rest: "rest-json", query: "query" };

/** The model as one protocol has it: places are REST's alone. */
function model(name) {
  const api = structuredClone(MODEL);
  Object.assign(api.metadata, { protocol: NAMES[name], jsonVersion: PROTOCOLS[name], signatureVersion: "v4" });
  api.metadata.serviceFullName = "Toy";
  if (name !== "rest") {
    for (const operation of Object.values(api.operations)) operation.http = { method: "POST", requestUri: "/" };
    for (const shape of Object.values(api.shapes)) {
      delete shape.payload;
      for (const member of Object.values(shape.members ?? {})) {
        delete member.location;
        delete member.locationName;
      }
    }
  }
  for (const [operation, facts] of Object.entries(api.operations)) facts.name = operation;
  return api;
}

let server;
let endpoint;

before(async () => {
  server = spawn(fileURLToPath(new URL("target/release/toy", root)), { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout })) {
    endpoint = line;
    break;
  }
});

after(async () => {
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.stdin.end();
  assert.equal(await ended, 0);
});

function client(name, secretAccessKey = "secret of the toy") {
  return new AWS.Service({
    apiConfig: model(name),
    endpoint,
    region: "eu-west-1",
    credentials: new AWS.Credentials("AKIDTOY", secretAccessKey),
    maxRetries: 0,
    paramValidation: false,
  });
}

for (const name of Object.keys(PROTOCOLS)) {
  test(`members come back, ${name}`, async () => {
    const sent = {
      Name: "A/b é&+%",
      Excited: true,
      Language: "de",
      Times: 2,
      Since: new Date("2026-01-02T03:04:05Z"),
      Guests: [{ Name: "one", Age: 7 }, { Name: "two <&>" }],
      Titles: { a: 'Dr. "x"', b: "y" },
      Badge: Buffer.from([0, 127, 255]),
    };
    const answer = await client(name).makeRequest("greet", sent).promise();
    assert.equal(answer.Text, "Hallo A/b é&+%! Hallo A/b é&+%!");
    assert.equal(Number(answer.Length), Buffer.byteLength(answer.Text));
    assert.deepEqual(answer.Since, sent.Since);
    assert.deepEqual(answer.Guests, sent.Guests);
    assert.deepEqual(answer.Titles, sent.Titles);
    assert.deepEqual(Buffer.from(answer.Badge), sent.Badge);
  });

  test(`an upload arrives, ${name}`, async () => {
    const Data = Buffer.alloc(200_000, 1);
    const answer = await client(name).makeRequest("upload", { Name: "up", Data }).promise();
    assert.equal(answer.Bytes, Data.length);
  });

  test(`errors have names and texts, ${name}`, async () => {
    const check = async (client, Name, code) => {
      await assert.rejects(client.makeRequest("greet", { Name }).promise(), (error) => {
        assert.equal(error.code, code);
        assert.ok(error.message.length > 0);
        return true;
      });
    };
    // Who knew the query protocol matches by the name that it had there.
    await check(client(name), "nobody", name === "rest" ? "GreetingRefusedException" : "GreetingRefused");
    // The query protocol has names of its own for errors that all services have.
    const own = (query, other) => (name === "query" ? query : other);
    await check(client(name), "x".repeat(21), own("ValidationError", "ValidationException"));
    const forged = own("SignatureDoesNotMatch", "InvalidSignatureException");
    await check(client(name, "another"), "x", forged);
  });
}
