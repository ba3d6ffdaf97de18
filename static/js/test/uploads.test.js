/* A file on its way: how far it is, and what the server says of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkError, ServerError } from "../page/errors.js";
import { sendFile } from "../page/uploads.js";

/** @type {any} */
let request;
Object.assign(globalThis, {
  fetch: () => Promise.reject(new TypeError("Failed to fetch")),
  reportError() {}, // what tells that the server is away has no document here
  XMLHttpRequest: class {
    upload = {};
    constructor() {
      request = this;
    }
    open(/** @type {string[]} */ ...what) {
      this.opened = what;
    }
    send(/** @type {unknown} */ body) {
      this.sent = body;
    }
  },
});

/** What the server answers. @param {number} status @param {string} responseText */
const says = (status, responseText) => Object.assign(request, { status, responseText }).onload();

test("a file is sent, its progress is told, and the answer is read", async () => {
  /** @type {number[]} */
  const told = [];
  const answer = sendFile("runs/pictures", "body", (share) => told.push(share));
  assert.deepEqual([request.opened, request.sent], [["POST", "runs/pictures"], "body"]);
  request.upload.onprogress({ loaded: 25, total: 100 });
  request.upload.onprogress({ loaded: 0, total: 0 });
  assert.deepEqual(told, [0.25, 0]);
  says(200, '{"pictures": 3}');
  assert.deepEqual(await answer, { pictures: 3 });
});

for (const [status, words] of /** @type {const} */ ([
  [422, "This zip is empty."],
  [413, "Too large."],
  [500, ""],
]))
  test(`a refusal (${status}) is the server's own sentence`, async () => {
    const answer = sendFile("runs/pictures", "body");
    says(status, words);
    await assert.rejects(answer, (error) => {
      assert.ok(error instanceof ServerError);
      assert.equal(error.status, status);
      assert.equal(error.message, words || `The server answered with an error (${status}).`);
      return true;
    });
  });

test("a server that is away is told as that", async () => {
  const answer = sendFile("runs/pictures", "body");
  void request.onerror({});
  await assert.rejects(answer, NetworkError);
});
