import { isInField, isShortcut, listen } from "../lib/events.js";
import { errorNotice, fetchFragment, inTurn, RequestError } from "../lib/fragments.js";

/** What screen readers say of feedback that is saved. */
export const THANKS = "Thank you, your feedback is saved.";

/**
 * Give feedback without leaving the page: with the buttons, the number field, and the keys 0 to 9.
 *
 * `root` contains the answer and stays when the answer is replaced. `done(page)` is called once the feedback is saved,
 * `gone(id)` when the drawing was deleted meanwhile, and `failed(notice)` after another error if by then another answer
 * is in the page. Returns the teardown.
 */
export function enhanceFeedback(root, { done, gone, failed }) {
  const { on, stop } = listen();
  const field = () => root.querySelector("#correct-digit:enabled");

  on(root, "submit", (event) => {
    if (!event.target.matches("[data-feedback]")) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });

  on(root, "click", (event) => {
    const button = event.target.closest("[data-wrong]");
    if (!button) return;
    const open = button.getAttribute("aria-expanded") !== "true";
    const place = root.querySelector("#which-digit");
    if (place.childElementCount === 0) place.append(...copyDigits());
    button.setAttribute("aria-expanded", String(open));
    if (open) place.firstElementChild.focus();
  });

  // Digits typed outside a form field, on the slate or a button, go to the number field.
  on(document, "keydown", (event) => {
    if (!/^[0-9]$/.test(event.key) || isShortcut(event) || isInField(event) || !field()) return;
    event.preventDefault();
    field().value = event.key;
    field().focus();
  });

  // An answer that the script asked for comes without the ten digits, which are in the page already.
  function copyDigits() {
    const { label } = document.getElementById("answer").dataset;
    return [...root.querySelector("[data-digits]").content.children].map((digit) => {
      const copy = digit.cloneNode(true);
      if (copy.value === label) copy.setAttribute("aria-pressed", "true");
      return copy;
    });
  }

  async function send(form, submitter) {
    const id = form.elements.prediction.value;
    const body = new FormData(form, submitter);
    try {
      done(await inTurn(() => fetchFragment(form.action, body, "#answer")));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code === "not_found") gone(id);
      else if (document.getElementById("answer").dataset.predictionId === id) showError(error.message);
      else failed(errorNotice("Your feedback on the previous drawing wasn’t saved.", error.message));
    }
  }

  function showError(message) {
    const status = root.querySelector("[data-feedback-status]");
    status.dataset.failed = "";
    status.setAttribute("role", "alert");
    status.textContent = message;
  }

  return stop;
}
