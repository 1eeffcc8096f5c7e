import { listen } from "../lib/events.js";
import { replayedAnswer } from "./replayed-answer.js";
import { drawRibbon } from "./ribbon.js";

/** The point that stands at `share` 0..1 of the way: the first one that isn't passed yet. */
export function pointAt(points, share) {
  return points.find(({ at }) => share <= at) ?? points.at(-1);
}

/** The film in sentences, one for each stretch with the same words: "0 to 35 %: Perhaps a one". */
export function sentences(points) {
  const stretches = [];
  let from = 0;
  for (const { at, words } of points) {
    if (stretches.at(-1)?.headline === words.headline) stretches.at(-1).to = at;
    else stretches.push({ from, to: at, headline: words.headline });
    from = at;
  }
  return stretches.map(({ from, to, headline }) => unbroken(`${whole(from)} to ${whole(to)} %: ${headline}`));
}

/**
 * Show below the replay on `canvas` what the model thought along the pen's way, and in the answer what it thinks
 * of the part that is drawn. At the end of the way the saved answer is back.
 *
 * `figure` is for the ribbon, and is hidden if there is no film. Returns the teardown.
 */
export function enhanceFilm(figure, root, canvas) {
  const range = root.querySelector("[data-replay-range]");
  const place = figure.querySelector("[data-film-ribbon]");
  const answer = replayedAnswer(root.querySelector("[data-blank-live]"));
  const { on, stop } = listen();
  let points = [];
  let ribbon = null;
  let share = 1;
  let loading = null;

  on(canvas, "replay", ({ detail }) => {
    share = detail;
    loading ??= load();
    show();
  });
  // Feedback brings a new copy of the answer.
  on(root, "fragment", (event) => event.target.id === "answer" && show());
  on(root, "click", (event) => {
    if (!event.target.closest("[data-film-end]")) return;
    scrub(1);
    range.focus();
  });
  on(place, "pointerdown", (event) => {
    if (!ribbon || event.button !== 0) return;
    place.setPointerCapture(event.pointerId);
    scrubTo(event);
  });
  on(place, "pointermove", (event) => place.hasPointerCapture(event.pointerId) && scrubTo(event));

  async function load() {
    const response = await fetch(figure.dataset.film).catch(() => null);
    const film = response?.ok ? await response.json().catch(() => null) : null;
    figure.hidden = film === null;
    if (film === null) return;
    ({ points } = film);
    ribbon = drawRibbon(points);
    place.replaceChildren(ribbon.svg);
    figure.querySelector("[data-film-list]").replaceChildren(...sentences(points).map(item));
    show();
  }

  function scrubTo({ clientX }) {
    const { left, width } = place.getBoundingClientRect();
    scrub(Math.min(1, Math.max(0, (clientX - left) / width)));
  }

  function scrub(to) {
    range.value = to;
    range.dispatchEvent(new Event("input"));
  }

  function show() {
    if (!ribbon) return;
    const point = pointAt(points, share);
    ribbon.move(share);
    range.setAttribute("aria-valuetext", unbroken(`${whole(share)} %: ${point.words.headline}`));
    if (share < 1) answer.show(point, unbroken(`Replay, ${whole(share)} % drawn.`));
    else answer.restore();
  }

  return stop;
}

function item(text) {
  const made = document.createElement("li");
  made.textContent = text;
  return made;
}

/** A share in whole percent; only the end is 100. */
function whole(share) {
  return share < 1 ? Math.min(99, Math.round(100 * share)) : 100;
}

function unbroken(text) {
  return text.replaceAll(" %", "\u00a0%").replaceAll(": a ", ": a\u00a0");
}
