import { inkTaker } from "./ink.js";

/** While the pen moves, at most one guess in this time (ms). */
const PACE = 150;
/** Nor more than one in so many times as long as it takes to look at the ink: what a slow device has time for. */
const REST = 100;
/** Without so much time before the next frame the guess waits for the next move (ms); a slow device needs it. */
const SPARE = 6;
const KEY = "guess";
const SURE_ENOUGH = 0.7;
const soon = globalThis.requestIdleCallback ?? ((callback) => setTimeout(callback));

/** What the line says of `{digit, confidence}`, or of null where there is no guess. */
export function words(guess) {
  if (!guess) return "";
  if (guess.digit === null) return "Nothing I know yet";
  const article = guess.digit === 8 ? "an" : "a";
  const percent = Math.min(99, Math.round(guess.confidence * 100));
  return `${guess.confidence < SURE_ENOUGH ? "Perhaps" : "Looks like"} ${article} ${guess.digit} · ${percent} %`;
}

/**
 * Guess while the person draws: a line on the slate, from the chosen network, which logs nothing.
 *
 * Of several requests only the latest counts, and what goes wrong is not worth a word. Once there is an answer the
 * line agrees with it. Returns the teardown.
 */
export function enhanceGuess(root, canvas, drawing, slate) {
  const line = root.querySelector("[data-guess]");
  const toggle = root.querySelector("[data-guess-switch]");
  const select = root.querySelector("#network");
  const takeInk = inkTaker();
  const listening = new AbortController();
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: listening.signal });
  let asking = null;
  let waiting = false;
  let next = 0;
  let agreed = "";

  toggle.checked = recall();

  function show(guess) {
    const text = words(guess);
    if (line.textContent !== text) line.textContent = text;
  }

  function forget() {
    asking?.abort();
    asking = null;
  }

  async function ask() {
    forget();
    const local = !select?.selectedOptions[0]?.hasAttribute("data-elsewhere");
    const started = performance.now();
    const ink = toggle.checked && local && !slate.picture ? takeInk(drawing.strokes) : null;
    if (!ink) return show(null);
    const mine = (asking = new AbortController());
    next = started + Math.max(PACE, REST * (performance.now() - started));
    const guess = await read(ink, mine.signal);
    if (asking !== mine) return;
    asking = null;
    show(guess);
  }

  async function read({ width, bytes }, signal) {
    const query = new URLSearchParams({ width, ...(select && { model: select.value }) });
    try {
      const response = await fetch(`${line.dataset.guess}?${query}`, {
        method: "POST",
        body: bytes,
        headers: { "Content-Type": "application/octet-stream", Accept: "application/json" },
        signal,
      });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  // While the pen moves the next frame comes first.
  function askWhenIdle() {
    if (waiting || !toggle.checked || !drawing.drawing || performance.now() < next) return;
    waiting = true;
    soon((idle) => {
      waiting = false;
      if (drawing.drawing && (idle?.timeRemaining() ?? SPARE) >= SPARE) ask();
    });
  }

  // An answer is the last word on the drawing, until that is changed; feedback on it is no new answer.
  function agree() {
    const { prediction, predictionId, confidence } = document.getElementById("answer").dataset;
    if (predictionId && predictionId === agreed) return;
    forget();
    agreed = predictionId;
    const digit = prediction === "none" ? null : Number(prediction);
    show(toggle.checked && prediction ? { digit, confidence: Number(confidence) } : null);
  }

  on(drawing, "change", ask);
  on(canvas, "pointermove", askWhenIdle);
  on(canvas, "pointercancel", ask);
  on(root, "fragment", (event) => event.target.id === "answer" && agree());
  on(toggle, "change", () => {
    remember(toggle.checked);
    ask();
  });
  if (select) on(select, "change", ask);
  if (document.getElementById("answer").dataset.prediction) agree();
  else ask();

  return () => {
    listening.abort();
    forget();
  };
}

function recall() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

function remember(wanted) {
  try {
    localStorage.setItem(KEY, wanted ? "on" : "off");
  } catch {
    // Storage is forbidden: the switch holds until the page is left.
  }
}
