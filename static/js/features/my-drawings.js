import { fetched, Refusal, replace } from "../lib/fragments.js";

/**
 * Delete the visitor's drawings, and correct what they said of them, without leaving the page.
 *
 * `say` tells screen readers; `gone()` is called when the drawing whose answer is shown was deleted. Returns the
 * teardown.
 */
export function enhanceOwn(root, { say, gone }) {
  const listening = new AbortController();
  const on = (type, listener) => root.addEventListener(type, listener, { signal: listening.signal });
  const shown = () => document.getElementById("answer").dataset.predictionId;
  const row = (id) => root.querySelector(`[data-prediction-row="${id}"]`);
  const asking = () => root.querySelector("[data-relabel-form]");

  on("submit", (event) => {
    const act = event.target.matches("[data-delete]") ? remove : event.target.matches("[data-relabel-form]") ? relabel : null;
    if (!act) return;
    event.preventDefault();
    act(event.target, event.submitter);
  });

  on("click", (event) => {
    const link = event.target.closest("[data-relabel]");
    if (event.target.closest("[data-relabel-close]")) return close();
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ask(link);
  });

  // While it is asked what a drawing was, keys answer that, and nothing else on the page.
  on("keydown", (event) => {
    const form = event.target.closest("[data-relabel-form]");
    if (!form || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = /^[0-9]$/.test(event.key) && form.querySelector(`[value="${event.key}"]`);
    if (!button && event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault();
    if (button) form.requestSubmit(button);
    else close();
  });

  function ask(link) {
    const again = asking()?.closest("tr").previousElementSibling === link.closest("tr");
    close();
    if (again) return;
    const asked = root.querySelector("[data-relabel-row]").content.firstElementChild.cloneNode(true);
    const form = asked.querySelector("form");
    form.action = link.dataset.relabel;
    for (const button of form.querySelectorAll("[name=label]")) {
      button.setAttribute("aria-pressed", String(button.value === link.dataset.label));
    }
    link.closest("tr").after(asked);
    (form.querySelector("[aria-pressed=true]") ?? form.querySelector("button")).focus();
  }

  function close() {
    const asked = asking()?.closest("tr");
    const link = asked?.previousElementSibling.querySelector("[data-relabel]");
    asked?.remove();
    link?.focus();
  }

  async function relabel(form, submitter) {
    const id = form.closest("tr").previousElementSibling.dataset.predictionRow;
    const page = await sent(form.action, form, submitter);
    if (!page) return;
    const answer = page.querySelector("#answer");
    replace(page.querySelector("#own"));
    if (answer.dataset.predictionId === shown()) replace(answer);
    row(id)?.querySelector("[data-relabel]").focus({ preventScroll: true });
    say(answer.dataset.announcement);
  }

  async function remove(form, submitter) {
    const mine = submitter.closest("[data-prediction-row]");
    const next = mine?.nextElementSibling ?? mine?.previousElementSibling;
    const page = await sent(submitter.formAction, form, submitter);
    if (!page) return;
    replace(page.querySelector("#own"));
    if (!mine || mine.dataset.predictionRow === shown()) gone();
    (row(next?.dataset.predictionRow)?.querySelector("button") ?? root.querySelector("#own-title")).focus();
    say(mine ? "The drawing is deleted" : "All your drawings are deleted");
  }

  async function sent(url, form, submitter) {
    try {
      return await fetched(url, new FormData(form, submitter), "#own");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      root.querySelector("#own .slip")?.remove();
      root.querySelector("#own .section-head").after(error.slip);
      return null;
    }
  }

  return () => listening.abort();
}
