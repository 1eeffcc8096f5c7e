const DRAFT = "drawing";
const ANSWERED = "answered";

/** Keep `drawing` in this tab's session storage, so that a reload loses nothing. Returns the teardown. */
export function keepDraft(drawing) {
  const saved = read();
  if (saved) drawing.restore(saved);
  const write = () => {
    try {
      sessionStorage.setItem(DRAFT, JSON.stringify(drawing));
    } catch {
      // Storage is full or forbidden: drawing still works, but a reload can't restore it.
    }
  };
  drawing.addEventListener("change", write);
  return () => drawing.removeEventListener("change", write);
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT));
  } catch {
    return null;
  }
}

/** Remember that the strokes in this tab belong to prediction `id` (null: to none). */
export function keepAnswered(id) {
  try {
    sessionStorage.setItem(ANSWERED, id ?? "");
  } catch {
    // Storage is full or forbidden.
  }
}

/** Whether the strokes in this tab belong to prediction `id`. */
export function isAnswered(id) {
  try {
    return sessionStorage.getItem(ANSWERED) === id;
  } catch {
    return false;
  }
}
