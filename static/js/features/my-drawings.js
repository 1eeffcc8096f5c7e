import { announce } from "../lib/announce.js";
import { isShortcut, listen, opensNewTab } from "../lib/events.js";
import { fetchFragment, replace, RequestError } from "../lib/fragments.js";

/**
 * Delete the visitor's drawings and change their labels without leaving the page.
 *
 * `onDelete()` is called when the drawing whose answer is shown is deleted. Returns the teardown.
 */
export function enhanceMyDrawings(root, onDelete) {
  const { on, stop } = listen();
  const shown = () => document.getElementById("answer").dataset.predictionId;
  const row = (id) => root.querySelector(`[data-prediction-row="${id}"]`);
  const openForm = () => root.querySelector("[data-relabel-form]");

  on(root, "submit", (event) => {
    const act = event.target.matches("[data-delete]") ? remove : event.target.matches("[data-relabel-form]") ? relabel : null;
    if (!act) return;
    event.preventDefault();
    act(event.target, event.submitter);
  });

  on(root, "click", (event) => {
    const link = event.target.closest("[data-relabel]");
    if (event.target.closest("[data-relabel-close]")) return close();
    if (!link || opensNewTab(event)) return;
    event.preventDefault();
    open(link);
  });

  // While the form is open its keys choose a label, and don't reach the rest of the page.
  on(root, "keydown", (event) => {
    const form = event.target.closest("[data-relabel-form]");
    if (!form || isShortcut(event)) return;
    const button = /^[0-9]$/.test(event.key) && form.querySelector(`[value="${event.key}"]`);
    if (!button && event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault();
    if (button) form.requestSubmit(button);
    else close();
  });

  function open(link) {
    const again = openForm()?.closest("tr").previousElementSibling === link.closest("tr");
    close();
    if (again) return;
    const formRow = root.querySelector("[data-relabel-row]").content.firstElementChild.cloneNode(true);
    const form = formRow.querySelector("form");
    form.action = link.dataset.relabel;
    for (const button of form.querySelectorAll("[name=label]")) {
      button.setAttribute("aria-pressed", String(button.value === link.dataset.label));
    }
    link.closest("tr").after(formRow);
    (form.querySelector("[aria-pressed=true]") ?? form.querySelector("button")).focus();
  }

  function close() {
    const formRow = openForm()?.closest("tr");
    const link = formRow?.previousElementSibling.querySelector("[data-relabel]");
    formRow?.remove();
    link?.focus();
  }

  async function relabel(form, submitter) {
    const id = form.closest("tr").previousElementSibling.dataset.predictionRow;
    const page = await send(form.action, form, submitter);
    if (!page) return;
    const answer = page.querySelector("#answer");
    replace(page.querySelector("#own"));
    if (answer.dataset.predictionId === shown()) replace(answer);
    row(id)?.querySelector("[data-relabel]").focus({ preventScroll: true });
    announce(answer.dataset.announcement);
  }

  async function remove(form, submitter) {
    const deleted = submitter.closest("[data-prediction-row]");
    const next = deleted?.nextElementSibling ?? deleted?.previousElementSibling;
    const page = await send(submitter.formAction, form, submitter);
    if (!page) return;
    replace(page.querySelector("#own"));
    if (!deleted || deleted.dataset.predictionRow === shown()) onDelete();
    (row(next?.dataset.predictionRow)?.querySelector("button") ?? root.querySelector("#own-title")).focus();
    announce(deleted ? "Drawing deleted" : "All your drawings are deleted");
  }

  async function send(url, form, submitter) {
    try {
      return await fetchFragment(url, new FormData(form, submitter), "#own");
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      root.querySelector("#own .notice")?.remove();
      root.querySelector("#own .section-head").after(error.notice);
      return null;
    }
  }

  return stop;
}
