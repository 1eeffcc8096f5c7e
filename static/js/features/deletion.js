import { announce } from "../lib/announce.js";
import { noteDeletion } from "../lib/draft-storage.js";
import { listen } from "../lib/events.js";
import { undoable } from "../lib/undoable.js";

/** Delete the drawing of this page some seconds after the button was pressed, unless it is undone. Returns the teardown. */
export function enhanceDeletion(root) {
  const form = root.querySelector("[data-delete-one]");
  if (!form) return () => {};
  const { on, stop } = listen();
  const button = form.querySelector("button");
  const waits = () => button.getAttribute("aria-disabled") === "true";
  // A disabled button would lose the focus.
  const wait = (waiting) => button.setAttribute("aria-disabled", String(waiting));
  let deletion = null;

  on(form, "submit", (event) => {
    event.preventDefault();
    if (waits()) return;
    wait(true);
    deletion = undoable(root.querySelector("[data-undo]"), "This drawing will be deleted.", {
      act: () => form.submit(),
      undo: () => {
        wait(false);
        button.focus();
      },
    });
  });

  // Who does something with the answer wants to keep its drawing.
  on(root, "submit", (event) => {
    if (!event.target.closest("#answer") || !deletion?.cancel()) return;
    wait(false);
    announce("The drawing is not deleted");
  });

  // Who leaves the page has not undone it.
  on(window, "pagehide", () => {
    if (!deletion?.cancel()) return;
    navigator.sendBeacon(form.action, new FormData(form));
    noteDeletion(document.getElementById("answer").dataset.predictionId);
  });

  // The back button may show the page as it was, though its drawing is gone.
  on(window, "pageshow", (event) => event.persisted && waits() && location.reload());

  return stop;
}
