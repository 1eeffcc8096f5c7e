/** A ribbon along the pen's way: stacked bands of the eleven classes, and a playhead. */

const SVG = "http://www.w3.org/2000/svg";
const NOT_A_DIGIT = 10;
const TINTS = 3;
/** The smallest share of a class that gets a band. */
const MIN_SHARE = 0.005;
/** The narrowest and lowest place for a label, as a share of the ribbon. */
const MIN_LABEL = { width: 0.045, height: 0.3 };

/**
 * The bands of `points` as `{of, x, y, width, height}`, all in shares of the ribbon; `of` is the class.
 *
 * A point's bands reach from the point before to its own place, stacked in the order of the classes.
 */
export function bands(points) {
  const found = [];
  let x = 0;
  for (const { at, shares } of points) {
    let y = 0;
    for (const [of, share] of shares.entries()) {
      if (share >= MIN_SHARE) found.push({ of, x, y, width: at - x, height: share });
      y += share;
    }
    x = at;
  }
  return found;
}

/** The stretches in which one class is the likeliest: `{of, columns}`, with `{x, at, top, height}` of its bands. */
function stretches(points) {
  const found = [];
  let x = 0;
  for (const { at, shares } of points) {
    const of = shares.indexOf(Math.max(...shares));
    const column = { x, at, top: sum(shares.slice(0, of)), height: shares[of] };
    if (found.at(-1)?.of === of) found.at(-1).columns.push(column);
    else found.push({ of, columns: [column] });
    x = at;
  }
  return found;
}

/** One label for each stretch in which a class is the likeliest, where there is room: `{of, x, y}`, its middle. */
export function labels(points) {
  return stretches(points).flatMap(({ of, columns }) => {
    const [from, to] = [columns[0].x, columns.at(-1).at];
    const middle = (from + to) / 2;
    const { top, height } = columns.find(({ at }) => at >= middle);
    const fits = to - from >= MIN_LABEL.width && height >= MIN_LABEL.height;
    return fits ? [{ of, x: middle, y: top + height / 2 }] : [];
  });
}

/** The kind of each class: the answer, "none", or one of the tints, which differ from stretch to stretch. */
export function kinds(points) {
  const answer = points.at(-1).words.index;
  const digits = new Set([...stretches(points).map(({ of }) => of), ...Array(NOT_A_DIGIT).keys()]);
  const others = [...digits].filter((of) => of !== answer && of !== NOT_A_DIGIT);
  const kind = (of) => (of === NOT_A_DIGIT ? "none" : `tint-${others.indexOf(of) % TINTS}`);
  return Array.from({ length: NOT_A_DIGIT + 1 }, (_, of) => (of === answer ? "answer" : kind(of)));
}

/** Draw the ribbon of a film. Returns `{svg, move}`: `move(share)` moves the playhead. */
export function drawRibbon(points) {
  const kind = kinds(points);
  const playhead = element("rect", { class: "film-playhead", width: 5, height: "100%" });
  const svg = element("svg", { "aria-hidden": "true" });
  svg.append(
    hatching(),
    ...bands(points).map(({ of, x, y, width, height }) =>
      element("rect", {
        class: "film-band",
        "data-kind": kind[of],
        x: percent(x),
        y: percent(y),
        width: percent(width),
        height: percent(height),
        fill: "url(#film-hatch)", // the style sheet has another fill for digits
      }),
    ),
    ...labels(points).map(({ of, x, y }) => {
      const label = element("text", { class: "film-label", "data-kind": kind[of], x: percent(x), y: percent(y) });
      label.textContent = of === NOT_A_DIGIT ? "?" : of;
      return label;
    }),
    playhead,
  );
  const move = (share) => playhead.setAttribute("x", percent(share));
  move(1);
  return { svg, move };
}

function hatching() {
  const pattern = element("pattern", { id: "film-hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse" });
  pattern.append(
    element("rect", { class: "film-hatch-ground", width: 6, height: 6 }),
    element("path", { class: "film-hatch-line", d: "M-1 1l2-2M0 6l6-6M5 7l2-2" }),
  );
  return pattern;
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function percent(share) {
  return `${(100 * share).toFixed(2)}%`;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
