const DRAFT = "drawing";

/**
 * Keep `drawing` and what `answers` knows of it in this tab's session storage, so that a reload loses nothing.
 *
 * What is known of earlier sheets is kept by their number of strokes.
 *
 * Returns the teardown.
 */
export function keepDraft(drawing, answers) {
  const saved = read();
  if (saved) {
    drawing.restore(saved);
    answers.restore(drawing.sheet, saved.answers);
    for (const sheet of drawing.earlier) answers.restore(sheet, saved.earlier?.[sheet.strokes.length]);
  }
  const write = () => {
    const { sheet } = drawing;
    const earlier = Object.fromEntries(drawing.earlier.map((each) => [each.strokes.length, answers.entries(each)]));
    try {
      sessionStorage.setItem(DRAFT, JSON.stringify({ ...drawing.toJSON(), answers: sheet.picture ? [] : answers.entries(sheet), earlier }));
    } catch {
      // Storage is full or forbidden: drawing still works, but a reload can't restore it.
    }
  };
  drawing.addEventListener("change", write);
  answers.addEventListener("change", write);
  return () => {
    drawing.removeEventListener("change", write);
    answers.removeEventListener("change", write);
  };
}

/** Forget the kept drawing. */
export function forgetDraft() {
  try {
    sessionStorage.removeItem(DRAFT);
  } catch {
    // Storage is forbidden, so nothing is kept.
  }
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT));
  } catch {
    return null;
  }
}
