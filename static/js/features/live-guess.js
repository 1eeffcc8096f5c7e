import { listen } from "../lib/events.js";
import { livePanel } from "./live-panel.js";

/** The shortest time between two guesses while the pen moves (ms). */
const MIN_INTERVAL = 300;
/** The same, as a multiple of the time that sending takes: on a slow device drawing comes first. */
const INTERVAL_FACTOR = 1000;
/** A device that takes longer than this to show a guess is slow: there the next one waits until the pen is lifted (ms). */
const MAX_SHOWING = 12;
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
  let slow = false;

  toggle.checked = isEnabled();

  function showLine(text) {
    if (line.textContent !== text) line.textContent = text;
  }

  function show(guess) {
    showLine(guessText(guess, drawing.drawing));
    if (!guess?.shares) return panel.hide();
    panel.show(guess);
    timeFrame((duration) => (slow = duration > MAX_SHOWING));
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
    if (toggle.checked && drawing.drawing && !slow && !waiting && performance.now() >= next) guess();
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

/** Call `report` with the time that the next frame takes: styles, layout and paint. */
function timeFrame(report) {
  requestAnimationFrame(() => {
    const started = performance.now();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => report(performance.now() - started);
    port2.postMessage(null);
  });
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
