import { announce } from "../lib/announce.js";
import { forgetDeletion, noteDeletion, takeDeletions } from "../lib/draft-storage.js";
import { isShortcut, listen, opensNewTab } from "../lib/events.js";
import { fetchFragment, inTurn, RequestError } from "../lib/fragments.js";
import { undoable } from "../lib/undoable.js";
import { findRow, focusNear, mergeRows, removeRow } from "./drawing-rows.js";

/**
 * Delete the visitor's drawings and change their labels without leaving the page.
 *
 * `judged(page)` is called with the response to feedback, `deleted(id)` when a drawing was deleted. Returns
 * `keep(id)`, which undoes a deletion of prediction `id` that is under way, and the teardown `stop`.
 */
export function enhanceMyDrawings(root, { judged, deleted }) {
  const { on, stop } = listen();
  const openForm = () => root.querySelector("[data-relabel-form]");
  let deletion = null;

  on(root, "submit", (event) => {
    const form = event.target;
    // Who does something with an answer wants to keep its drawing.
    const answer = form.closest("#answer");
    if (answer) keep(answer.dataset.predictionId);
    const act = form.matches("[data-delete]") ? remove : form.matches("[data-relabel-form]") ? relabel : null;
    if (!act) return;
    event.preventDefault();
    act(form, event.submitter);
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
    const button = /^[0-9]$/.test(event.key) && form.querySelector(`.digit[value="${event.key}"]`);
    if (!button && event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault();
    if (button) form.requestSubmit(button);
    else close();
  });

  // A deletion that could still be undone is not forgotten when the page is left.
  on(window, "pagehide", () => deletion?.finish());
  takeDeletions().forEach(gone);

  function open(link) {
    const row = link.closest("tr");
    const again = openForm()?.closest("tr").previousElementSibling === row;
    close();
    if (again) return;
    const formRow = root.querySelector("[data-relabel-row]").content.firstElementChild.cloneNode(true);
    const form = formRow.querySelector("form");
    form.action = link.dataset.relabel;
    form.elements.prediction.value = row.dataset.predictionRow;
    form.querySelector("[data-right]").value = link.dataset.read;
    for (const button of form.querySelectorAll(".digit")) {
      button.setAttribute("aria-pressed", String(button.value === link.dataset.label));
    }
    row.after(formRow);
    (form.querySelector("[aria-pressed=true]") ?? form.querySelector("button")).focus();
  }

  function close() {
    const formRow = openForm()?.closest("tr");
    const link = formRow?.previousElementSibling?.querySelector("[data-relabel]");
    formRow?.remove();
    link?.focus();
  }

  async function relabel(form, submitter) {
    const id = form.elements.prediction.value;
    const body = new FormData(form, submitter);
    try {
      const page = await inTurn(() => fetchFragment(form.action, body, "#answer"));
      const isOpen = form.isConnected; // another row's form may be open by now
      if (isOpen) close();
      judged(page);
      if (isOpen) findRow(id)?.querySelector("[data-relabel]").focus({ preventScroll: true });
    } catch (error) {
      showError(error);
      if (error.code === "not_found") gone(id);
    }
  }

  function remove(form, submitter) {
    const row = submitter.closest("[data-prediction-row]");
    deletion?.finish();
    const id = row.dataset.predictionRow;
    const body = new FormData(form, submitter);
    const url = submitter.formAction;
    close();
    row.hidden = true;
    focusNear(row);
    const undo = undoable(root.querySelector("[data-undo]"), "Drawing deleted.", {
      act: () => removeNow(url, body, id),
      undo: () => {
        bringBack(id);
        findRow(id)?.querySelector("button").focus();
      },
    });
    deletion = { id, ...undo };
  }

  function keep(id) {
    if (deletion?.id === id && deletion.cancel()) bringBack(id);
  }

  function bringBack(id) {
    findRow(id)?.removeAttribute("hidden");
    announce("The drawing is back");
  }

  // Where the page is left, the request outlives it.
  async function removeNow(url, body, id) {
    noteDeletion(id);
    try {
      const page = await fetchFragment(url, body, "#accuracy", {}, { keepalive: true });
      mergeRows(page);
      gone(id);
    } catch (error) {
      if (error.code === "not_found") return gone(id);
      findRow(id)?.removeAttribute("hidden");
      showError(error);
    } finally {
      forgetDeletion(id);
    }
  }

  function gone(id) {
    removeRow(id);
    deleted(id);
  }

  function showError(error) {
    if (!(error instanceof RequestError)) throw error;
    root.querySelector("#own > .notice")?.remove();
    root.querySelector("#own .section-head").after(error.notice);
  }

  return { keep, stop };
}
