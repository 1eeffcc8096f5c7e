import { isInField, isShortcut, listen } from "../lib/events.js";
import { postForFragments, RequestError } from "../lib/fragments.js";

/**
 * Give feedback without leaving the page: with the buttons, the number field, and the keys 0 to 9.
 *
 * `root` contains the answer and stays when the answer is replaced; `done()` is called once the feedback is saved.
 * Returns the teardown.
 */
export function enhanceFeedback(root, done) {
  const { on, stop } = listen();
  const field = () => root.querySelector("#correct-digit:enabled");

  on(root, "submit", (event) => {
    if (!event.target.matches("[data-feedback]")) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });

  on(root, "click", (event) => {
    if (event.target.closest("[data-wrong]")) field()?.select();
  });

  // Digits typed outside a form field, on the slate or a button, go to the number field.
  on(document, "keydown", (event) => {
    if (!/^[0-9]$/.test(event.key) || isShortcut(event) || isInField(event) || !field()) return;
    event.preventDefault();
    field().value = event.key;
    field().focus();
  });

  async function send(form, submitter) {
    try {
      await postForFragments(form.action, new FormData(form, submitter));
      done();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      showError(error.message);
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
