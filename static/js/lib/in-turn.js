let last = Promise.resolve();

/**
 * Start `task()`, a request about labels, once all those before it are done.
 *
 * So of two labels for a drawing the later one stays, and no response is older than what the page says.
 */
export function inTurn(task) {
  const mine = last.then(task);
  last = mine.catch(() => {});
  return mine;
}
