import { post, Refusal } from "./fragments.js";
import { toDataURL } from "./render.js";

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

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!busy) predict();
  }, { signal: listening.signal });

  async function predict() {
    setBusy(true);
    try {
      await post(form.action, parcel());
      done();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed(error.slip);
    } finally {
      setBusy(false);
    }
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
