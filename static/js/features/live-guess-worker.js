import { rasterizer } from "./rasterize.js";

// A worker, so that rasterizing never delays the pen. It receives `{number, url, model, strokes}` and posts
// `{number, guess}`. A later message aborts the request of the one before; one without strokes only aborts.
const rasterize = rasterizer();
let request = null;

addEventListener("message", async ({ data: { number, url, model, strokes } }) => {
  request?.abort();
  const mine = (request = new AbortController());
  const ink = rasterize(strokes);
  const guess = ink && (await fetchGuess(url, model, ink, mine.signal));
  if (request === mine) postMessage({ number, guess });
});

async function fetchGuess(url, model, { width, bytes }, signal) {
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
