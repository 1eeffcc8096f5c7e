import { inkTaker } from "./rasterize.js";

// The guess's own thread, so that it never holds up the pen. It gets `{number, url, model, strokes}` and posts
// `{number, guess}`; a later message, if only of no strokes, aborts what is under way.
const takeInk = inkTaker();
let asking = null;

addEventListener("message", async ({ data: { number, url, model, strokes } }) => {
  asking?.abort();
  const mine = (asking = new AbortController());
  const ink = takeInk(strokes);
  const guess = ink && (await read(url, model, ink, mine.signal));
  if (asking === mine) postMessage({ number, guess });
});

async function read(url, model, { width, bytes }, signal) {
  try {
    const response = await fetch(`${url}?${new URLSearchParams({ width, ...(model && { model }) })}`, {
      method: "POST",
      body: bytes,
      headers: { "Content-Type": "application/octet-stream", Accept: "application/json" },
      signal,
    });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
