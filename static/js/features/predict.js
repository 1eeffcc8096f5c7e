import { post, Refusal } from "../lib/fragments.js";
import { toDataURL } from "../slate/render.js";

// randomUUID() is there under TLS alone.
const randomKey = () => crypto.getRandomValues(new Uint32Array(6)).join("-");

/** More than this the server does not store, and nobody draws. */
const MAX_STROKES = 200;

/**
 * Send the drawing without leaving the page: `done()` once the answer stands in the page, `failed(slip)` otherwise.
 *
 * Returns the teardown; without this module the form posts by itself.
 */
export function enhancePredict(form, drawing, slate, { done, failed }) {
  const button = form.querySelector("#predict");
  const listening = new AbortController();
  let busy = false;
  let sent = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!busy) predict();
  }, { signal: listening.signal });

  async function predict() {
    setBusy(true);
    try {
      const body = parcel();
      await post(form.action, body, { "Idempotency-Key": keyOf(body) });
      sent = null;
      done();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed(error.slip);
    } finally {
      setBusy(false);
    }
  }

  // The same drawing that is sent again, since its answer did not arrive, is to be kept once.
  function keyOf(body) {
    const content = [slate.picture, ...["image", "strokes", "model"].map((name) => body.get(name))];
    if (!sent?.content.every((part, place) => part === content[place])) sent = { content, key: randomKey() };
    return sent.key;
  }

  function parcel() {
    const body = new FormData(form);
    body.delete("file");
    if (slate.picture) body.set("file", slate.picture.blob, "picture");
    else {
      body.set("image", toDataURL(drawing.strokes));
      if (drawing.strokes.length <= MAX_STROKES) body.set("strokes", JSON.stringify(drawing));
    }
    return body;
  }

  // Disabled for the eye and for screen readers only: a button that is really disabled would lose the focus.
  function setBusy(value) {
    busy = value;
    button.setAttribute("aria-disabled", String(value));
    document.getElementById("answer").setAttribute("aria-busy", String(value));
  }

  return () => listening.abort();
}
