import { listen } from "../lib/events.js";
import { errorNotice, fetchFragment, inTurn, RequestError } from "../lib/fragments.js";
import { toDataURL } from "../slate/render.js";

/** The most strokes that the server stores. */
const MAX_STROKES = 200;

/**
 * Send the drawing without leaving the page. Without this module the form posts by itself.
 *
 * `done(sheet, page)` is called once the answer to `sheet` is there, `failed(notice)` after an error. A drawing whose
 * answer is on its way is not sent again, and one that was answered before is only looked up. Returns the teardown.
 */
export function enhancePredict(form, drawing, answers, { done, failed }) {
  const button = form.querySelector("#predict");
  const underWay = new Set();
  const { on, stop } = listen();

  on(form, "submit", (event) => {
    event.preventDefault();
    if (drawing.empty) return failed(errorNotice("The slate is empty.", "Draw a digit from 0 to 9, then press Predict."));
    if (!underWay.has(drawing.sheet)) predict(drawing.sheet);
  });
  on(drawing, "change", showBusy);

  async function predict(sheet) {
    const model = form.elements.model?.value ?? "";
    underWay.add(sheet);
    showBusy();
    try {
      const page = (await lookUp(sheet, model)) ?? (await send(sheet, model));
      answers.keep(sheet, model, page.querySelector("#answer").dataset.predictionId);
      done(sheet, page);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      failed(error.notice);
    } finally {
      underWay.delete(sheet);
      showBusy();
    }
  }

  /** The answer that was saved for `sheet`; null if there is none, or its drawing was deleted. */
  async function lookUp(sheet, model) {
    const id = answers.id(sheet, model);
    if (!id) return null;
    try {
      const page = await inTurn(() => fetchFragment(`${form.dataset.home}?answer=${id}`, null, "#answer"));
      return answers.has(sheet, id) ? page : null;
    } catch (error) {
      if (error.code !== "not_found") throw error;
      answers.forget(sheet, id);
      return null;
    }
  }

  function send(sheet, model) {
    return fetchFragment(form.action, requestBody(sheet), "#answer", { "Idempotency-Key": answers.key(sheet, model) });
  }

  function requestBody({ strokes, picture }) {
    if (picture) {
      const body = new FormData(form);
      body.set("file", picture.blob, "picture");
      return body;
    }
    const sent = strokes.length <= MAX_STROKES ? JSON.stringify({ size: drawing.toJSON().size, strokes }) : "";
    return { model: form.elements.model?.value ?? "", image: toDataURL(strokes), strokes: sent };
  }

  // aria-disabled only: a disabled button would lose the focus.
  function showBusy() {
    const busy = String(underWay.has(drawing.sheet));
    button.setAttribute("aria-disabled", busy);
    document.getElementById("answer").setAttribute("aria-busy", busy);
  }

  return stop;
}
