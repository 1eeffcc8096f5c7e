const KEY = "deleting";

/**
 * Note that prediction `id` is being deleted.
 *
 * If its page is left meanwhile, the next one in this tab may have been sent before, and still show the drawing.
 */
export function noteDeletion(id) {
  keep([...noted(), id]);
}

/** Forget prediction `id`, whose deletion was answered. */
export function forgetDeletion(id) {
  keep(noted().filter((each) => each !== id));
}

/** The ids whose deletion was not answered before the page before this one was left. They are forgotten. */
export function takeDeletions() {
  const ids = noted();
  if (ids.length) keep([]);
  return ids;
}

function noted() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function keep(ids) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(ids));
  } catch {
    // Storage is full or forbidden: the drawing is shown until it is used.
  }
}
