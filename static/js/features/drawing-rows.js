/** Ids of rows that were removed: a response that was under way doesn't bring them back. */
const removed = new Set();
const rowOf = (root, id) => root.querySelector(`[data-prediction-row="${id}"]`);

/** The row of prediction `id` in the table of the visitor's drawings; null if it is not on this page. */
export function findRow(id) {
  return rowOf(document, id);
}

/** Put the rows and the accuracy of a response in the table of the visitor's drawings, if this page has one. */
export function mergeRows(page) {
  const own = document.getElementById("own");
  if (!own) return;
  showAccuracy(own, page.querySelector("#accuracy"));
  for (const row of page.querySelectorAll("[data-rows] [data-prediction-row]")) {
    if (!removed.has(row.dataset.predictionRow)) mergeRow(own, row);
  }
  showEmpty(own);
}

/** Remove the row of prediction `id` and the form below it. The focus goes from there to a row nearby. */
export function removeRow(id) {
  removed.add(id);
  const row = findRow(id);
  if (!row) return;
  const below = row.nextElementSibling;
  const parts = below?.matches(".relabel-row") ? [row, below] : [row];
  if (parts.some((part) => part.contains(document.activeElement))) focusNear(row);
  for (const part of parts) part.remove();
  showEmpty(document.getElementById("own"));
}

/** Focus the next row that is to be seen, or else the one before `row`, or else the title. */
export function focusNear(row) {
  const rows = [...row.parentElement.querySelectorAll("[data-prediction-row]")];
  const at = rows.indexOf(row);
  const next = [...rows.slice(at + 1), ...rows.slice(0, at).reverse()].find((each) => !each.hidden);
  (next?.querySelector("button") ?? document.getElementById("own-title")).focus();
}

function showAccuracy(own, accuracy) {
  if (!accuracy) return;
  own.dataset.labelled = accuracy.dataset.labelled;
  own.dataset.accuracy = accuracy.dataset.accuracy;
  own.querySelector("#accuracy").replaceWith(accuracy);
}

function mergeRow(own, row) {
  const old = rowOf(own, row.dataset.predictionRow);
  if (old) {
    row.querySelector("img").src = old.querySelector("img").src;
    row.hidden = old.hidden;
    old.replaceWith(row);
  }
  // A page of older drawings doesn't get the new ones.
  else if (own.hasAttribute("data-newest")) insertByTime(own.querySelector("tbody"), row);
  row.dispatchEvent(new CustomEvent("fragment", { bubbles: true }));
}

// Answers may arrive in another order than their drawings were sent.
function insertByTime(body, row) {
  const time = (each) => each.querySelector("time").dateTime;
  const rows = [...body.querySelectorAll("[data-prediction-row]")];
  body.insertBefore(row, rows.find((each) => time(each) <= time(row)) ?? null);
}

function showEmpty(own) {
  const empty = !own.querySelector("[data-prediction-row]");
  for (const part of own.querySelectorAll("[data-with-rows]")) part.hidden = empty;
  for (const part of own.querySelectorAll("[data-without-rows]")) part.hidden = !empty;
}
