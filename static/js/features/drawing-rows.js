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
  for (const row of page.querySelectorAll("[data-rows] [data-prediction-row]")) mergeRow(own, row);
  showEmpty(own);
}

/** Remove the row of prediction `id`. */
export function removeRow(id) {
  const own = document.getElementById("own");
  rowOf(own, id)?.remove();
  showEmpty(own);
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
