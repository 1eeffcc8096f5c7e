const KEY = "drawing";
const ANSWERED = "answered";

/** Keep `drawing` in this tab, so that an accidental reload loses nothing; returns the function that stops it. */
export function keep(drawing) {
  const saved = read();
  if (saved) drawing.restore(saved);
  const write = () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(drawing));
    } catch {
      // Storage is full or forbidden: drawing goes on, a reload just can't bring it back.
    }
  };
  drawing.addEventListener("change", write);
  return () => drawing.removeEventListener("change", write);
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

/** Remember that the strokes in this tab are those of prediction `id` (null: of none). */
export function keepAnswered(id) {
  try {
    sessionStorage.setItem(ANSWERED, id ?? "");
  } catch {
    // As above.
  }
}

/** Whether the strokes in this tab are those of prediction `id`. */
export function isAnswered(id) {
  try {
    return sessionStorage.getItem(ANSWERED) === id;
  } catch {
    return false;
  }
}
