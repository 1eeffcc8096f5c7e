import { listen } from "../lib/events.js";
import { livePanel } from "./live-panel.js";

/** The shortest time between two guesses while the pen moves (ms). */
const MIN_INTERVAL = 300;
/** The same, as a multiple of the time that sending takes: on a slow device drawing comes first. */
const INTERVAL_FACTOR = 1000;
const KEY = "guess";

/**
 * The text for a guess with the server's `words`, empty for null.
 *
 * While the pen is down (`drawing`) it has no percentage: a changing one distracts, and costs a repaint each time.
 */
export function guessText(guess, drawing = false) {
  if (!guess?.words) return "";
  return drawing ? guess.words.guess_short : guess.words.guess;
}

/**
 * Show the chosen model's guess while the visitor draws, on the slate and in the answer's place. It is not logged.
 *
 * A worker rasterizes the strokes and sends the request. Only the latest request counts, and failures show nothing.
 * The answer in the page stands instead while it is `answers.current`. Returns the teardown.
 */
export function enhanceLiveGuess(root, canvas, drawing, answers) {
  const line = root.querySelector("[data-guess]");
  const toggle = root.querySelector("[data-guess-switch]");
  const select = root.querySelector("#network");
  const panel = livePanel(root.querySelector("[data-blank-live]"));
  const { on, stop } = listen();
  let worker = null;
  let number = 0;
  let waiting = false;
  let next = 0;

  toggle.checked = isEnabled();

  function showLine(text) {
    if (line.textContent !== text) line.textContent = text;
  }

  function show(guess) {
    showLine(guessText(guess, drawing.drawing));
    if (guess?.shares) panel.show(guess);
    else panel.hide();
  }

  function startWorker() {
    const started = new Worker(new URL("live-guess-worker.js", import.meta.url), { type: "module" });
    started.addEventListener("message", ({ data }) => {
      if (data.number !== number || !waiting) return;
      waiting = false;
      show(data.guess);
    });
    return started;
  }

  function send(strokes) {
    waiting = strokes.length > 0;
    worker.postMessage({ number: ++number, url: line.dataset.guess, model: select?.value, strokes });
  }

  function cancel() {
    if (waiting) send([]);
  }

  function isPossible() {
    const local = !select?.selectedOptions[0]?.hasAttribute("data-elsewhere");
    return toggle.checked && local && !drawing.picture && !drawing.empty;
  }

  function guess() {
    if (!isPossible()) {
      cancel();
      return show(null);
    }
    worker ??= startWorker();
    const started = performance.now();
    send(drawing.strokes);
    next = started + Math.max(MIN_INTERVAL, INTERVAL_FACTOR * (performance.now() - started));
  }

  // One request at a time: a slow server or device gets the next one after it has answered.
  function guessWhileDrawing() {
    if (toggle.checked && drawing.drawing && !waiting && performance.now() >= next) guess();
  }

  function update() {
    if (!answers.current) return guess();
    cancel();
    panel.hide();
    showLine((toggle.checked && document.getElementById("answer").dataset.guessText) || "");
  }

  on(drawing, "change", update);
  on(canvas, "pointermove", guessWhileDrawing);
  on(canvas, "pointercancel", update);
  on(root, "fragment", (event) => event.target.id === "answer" && update());
  on(toggle, "change", () => {
    keepEnabled(toggle.checked);
    update();
  });
  if (select) on(select, "change", update);
  update();

  return () => {
    stop();
    worker?.terminate();
  };
}

function isEnabled() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

function keepEnabled(enabled) {
  try {
    localStorage.setItem(KEY, enabled ? "on" : "off");
  } catch {
    // Storage is forbidden: the setting lasts until the page is left.
  }
}
