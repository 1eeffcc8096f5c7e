import { listen } from "../lib/events.js";
import { undoable } from "../lib/undoable.js";

/** Delete the drawing of this page some seconds after the button was pressed, unless it is undone. Returns the teardown. */
export function enhanceDeletion(root) {
  const form = root.querySelector("[data-delete-one]");
  if (!form) return () => {};
  const { on, stop } = listen();
  const button = form.querySelector("button");
  let pending = false;

  on(form, "submit", (event) => {
    event.preventDefault();
    pending = button.disabled = true;
    undoable(root.querySelector("[data-undo]"), "This drawing will be deleted.", {
      act: () => {
        pending = false;
        form.submit();
      },
      undo: () => {
        pending = button.disabled = false;
        button.focus();
      },
    });
  });

  // Who leaves the page has not undone it.
  on(window, "pagehide", () => pending && navigator.sendBeacon(form.action, new FormData(form)));

  return stop;
}
