import { announce } from "../lib/announce.js";
import { isShortcut, listen, opensNewTab } from "../lib/events.js";
import { fetchFragment, RequestError } from "../lib/fragments.js";
import { undoable } from "../lib/undoable.js";
import { findRow, mergeRows, removeRow } from "./drawing-rows.js";

/**
 * Delete the visitor's drawings and change their labels without leaving the page.
 *
 * `judged(page)` is called with the response to feedback, `deleted(id)` when a drawing was deleted.
 * Returns the teardown.
 */
export function enhanceMyDrawings(root, { judged, deleted }) {
  const { on, stop } = listen();
  const openForm = () => root.querySelector("[data-relabel-form]");
  let finishDeletion = () => {};

  on(root, "submit", (event) => {
    const form = event.target;
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
  on(window, "pagehide", () => finishDeletion());

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
    const link = formRow?.previousElementSibling.querySelector("[data-relabel]");
    formRow?.remove();
    link?.focus();
  }

  async function relabel(form, submitter) {
    const id = form.elements.prediction.value;
    try {
      const page = await fetchFragment(form.action, new FormData(form, submitter), "#answer");
      close();
      judged(page);
      findRow(id)?.querySelector("[data-relabel]").focus({ preventScroll: true });
    } catch (error) {
      showError(error);
      if (error.code === "not_found") gone(id);
    }
  }

  function remove(form, submitter) {
    const row = submitter.closest("[data-prediction-row]");
    finishDeletion();
    const id = row.dataset.predictionRow;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    const body = new FormData(form, submitter);
    const url = submitter.formAction;
    close();
    row.hidden = true;
    (next?.querySelector("button") ?? root.querySelector("#own-title")).focus();
    const finish = undoable(root.querySelector("[data-undo]"), "Drawing deleted.", {
      act: () => removeNow(url, body, row, id),
      undo: () => {
        row.hidden = false;
        row.querySelector("button").focus();
        announce("The drawing is back");
      },
    });
    // Where the page is left, the request outlives it.
    finishDeletion = () => finish();
  }

  async function removeNow(url, body, row, id) {
    try {
      const page = await fetchFragment(url, body, "#accuracy", {}, { keepalive: true });
      mergeRows(page);
      gone(id);
    } catch (error) {
      if (error.code === "not_found") return gone(id);
      row.hidden = false;
      showError(error);
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

  return stop;
}
