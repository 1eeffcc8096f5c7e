import { announce } from "./announce.js";

/** How long an action can be undone (ms). */
const UNDO_TIME = 8000;

/**
 * Say `text` in `place` with a button Undo, and delete by `act()` some seconds later, or `undo()` if it is pressed.
 *
 * The time stands still while the button has the focus. Returns `finish`, which acts at once, and `cancel`, which
 * prevents that and returns whether it was in time.
 */
export function undoable(place, text, { act, undo }) {
  const notice = document.createElement("p");
  const button = document.createElement("button");
  let timer = 0;
  let open = true;

  notice.className = "undo";
  button.className = "button";
  button.type = "button";
  button.textContent = "Undo";
  button.setAttribute("aria-label", "Undo the deletion");
  notice.append(text, " ", button);
  place.replaceChildren(notice);
  announce(text);

  /** Returns whether it was open. */
  function close() {
    const inTime = open;
    clearTimeout(timer);
    open = false;
    notice.remove();
    return inTime;
  }

  function finish() {
    if (close()) act();
  }

  const start = () => (timer = setTimeout(finish, UNDO_TIME));
  button.addEventListener("focus", () => clearTimeout(timer));
  button.addEventListener("blur", () => open && start());
  button.addEventListener("click", () => {
    close();
    undo();
  });
  start();
  return { finish, cancel: close };
}
