import { post, Refusal } from "../lib/fragments.js";

/**
 * Judge the answer without leaving the page: the buttons, the number field, and the keys 0 to 9.
 *
 * `root` holds the answer and keeps standing when the answer is replaced. Returns the teardown.
 */
export function enhanceFeedback(root, done) {
  const listening = new AbortController();
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: listening.signal });
  const field = () => root.querySelector("#correct-digit:enabled");

  on(root, "submit", (event) => {
    if (!event.target.matches("[data-feedback]")) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });

  on(root, "click", (event) => {
    if (event.target.closest("[data-wrong]")) field()?.select();
  });

  // Only where nothing else would take the key: on the page itself, the slate and the buttons around it.
  on(document, "keydown", (event) => {
    if (!/^[0-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=radio]), select, textarea") || !field()) return;
    event.preventDefault();
    field().value = event.key;
    field().focus();
  });

  async function send(form, submitter) {
    try {
      await post(form.action, new FormData(form, submitter));
      done();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      tell(error.message);
    }
  }

  function tell(message) {
    const status = root.querySelector("[data-feedback-status]");
    status.dataset.failed = "";
    status.setAttribute("role", "alert");
    status.textContent = message;
  }

  return () => listening.abort();
}
