const DRAFT = "drawing";
const DELETING = "deleting";

/**
 * Keep `drawing` and what `answers` knows of it in this tab's session storage, so that a reload loses nothing.
 *
 * What is known of earlier sheets is kept by their number of strokes.
 *
 * Returns the teardown.
 */
export function keepDraft(drawing, answers) {
  const saved = read(DRAFT);
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

/**
 * Note that prediction `id` is being deleted.
 *
 * If its page is left meanwhile, the next one in this tab may have been sent before, and still show the drawing.
 */
export function noteDeletion(id) {
  keepNoted([...noted(), id]);
}

/** Forget prediction `id`, whose deletion was answered. */
export function forgetDeletion(id) {
  keepNoted(noted().filter((each) => each !== id));
}

/** The ids whose deletion was not answered before the page before this one was left. They are forgotten. */
export function takeDeletions() {
  const ids = noted();
  if (ids.length) keepNoted([]);
  return ids;
}

function noted() {
  return read(DELETING) ?? [];
}

function keepNoted(ids) {
  try {
    sessionStorage.setItem(DELETING, JSON.stringify(ids));
  } catch {
    // Storage is full or forbidden: the next page may show the drawing.
  }
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}
