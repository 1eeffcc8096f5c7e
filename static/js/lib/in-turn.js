let last = Promise.resolve();

/** Start `task()` once all tasks before it are done, so that of two labels for a drawing the later one stays. */
export function inTurn(task) {
  const mine = last.then(task);
  last = mine.catch(() => {});
  return mine;
}
