import { listen } from "../lib/events.js";
import { postForFragments, RequestError } from "../lib/fragments.js";
import { toDataURL } from "../slate/render.js";

// crypto.randomUUID() exists in secure contexts only.
const randomKey = () => crypto.getRandomValues(new Uint32Array(6)).join("-");

/** The most strokes that the server stores. */
const MAX_STROKES = 200;

/**
 * Send the drawing without leaving the page. Without this module the form posts by itself.
 *
 * `done()` is called once the answer is in the page, `failed(notice)` after an error. Returns the teardown.
 */
export function enhancePredict(form, drawing, slate, { done, failed }) {
  const button = form.querySelector("#predict");
  const { on, stop } = listen();
  let busy = false;
  let pending = null;

  on(form, "submit", (event) => {
    event.preventDefault();
    if (!busy) predict();
  });

  async function predict() {
    setBusy(true);
    try {
      const body = requestBody();
      await postForFragments(form.action, body, { "Idempotency-Key": idempotencyKey(body) });
      pending = null;
      done();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      failed(error.notice);
    } finally {
      setBusy(false);
    }
  }

  // A drawing that is sent again because its answer didn't arrive keeps its key, so that it is saved once.
  function idempotencyKey(body) {
    const content = [slate.picture, ...["image", "strokes", "model"].map((name) => body.get(name))];
    if (!pending?.content.every((part, index) => part === content[index])) pending = { content, key: randomKey() };
    return pending.key;
  }

  function requestBody() {
    const body = new FormData(form);
    body.delete("file");
    if (slate.picture) body.set("file", slate.picture.blob, "picture");
    else {
      body.set("image", toDataURL(drawing.strokes));
      if (drawing.strokes.length <= MAX_STROKES) body.set("strokes", JSON.stringify(drawing));
    }
    return body;
  }

  // aria-disabled only: a disabled button would lose the focus.
  function setBusy(value) {
    busy = value;
    button.setAttribute("aria-disabled", String(value));
    document.getElementById("answer").setAttribute("aria-busy", String(value));
  }

  return stop;
}
