/* A server in place of fetch that answers when the test says so, in whatever order. */
import { mock } from "node:test";

const asIs = (body, status) => new Response(body, { status });

/** What has been asked, as it comes: {url, says(body, status)}. Until `mock.restoreAll()`. */
export function slowServer(respond = asIs) {
  const asked = [];
  mock.method(
    globalThis,
    "fetch",
    (url) =>
      new Promise((resolve) => {
        const says = (body, status = 200) => resolve(respond(body, status));
        asked.push({ url: String(url), says });
      }),
  );
  return asked;
}
