import { listen } from "../lib/events.js";

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
 * Show the chosen model's guess on the slate while the visitor draws. Guesses are not logged.
 *
 * A worker rasterizes the strokes and sends the request. Only the latest request counts, and failures show nothing.
 * After Predict the text agrees with the answer. Returns the teardown.
 */
export function enhanceLiveGuess(root, canvas, drawing, slate) {
  const line = root.querySelector("[data-guess]");
  const toggle = root.querySelector("[data-guess-switch]");
  const select = root.querySelector("#network");
  const { on, stop } = listen();
  let worker = null;
  let number = 0;
  let waiting = false;
  let next = 0;
  let answered = "";

  toggle.checked = isEnabled();

  function show(text) {
    if (line.textContent !== text) line.textContent = text;
  }

  function startWorker() {
    const started = new Worker(new URL("live-guess-worker.js", import.meta.url), { type: "module" });
    started.addEventListener("message", ({ data }) => {
      if (data.number !== number || !waiting) return;
      waiting = false;
      show(guessText(data.guess, drawing.drawing));
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

  function guess() {
    const local = !select?.selectedOptions[0]?.hasAttribute("data-elsewhere");
    if (!toggle.checked || !local || slate.picture || drawing.empty) {
      cancel();
      return show("");
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

  // The answer replaces the guess until the drawing changes. Feedback brings no new answer.
  function showAnswer() {
    const { guessText: text, predictionId } = document.getElementById("answer").dataset;
    if (predictionId && predictionId === answered) return;
    cancel();
    answered = predictionId;
    show((toggle.checked && text) || "");
  }

  on(drawing, "change", guess);
  on(canvas, "pointermove", guessWhileDrawing);
  on(canvas, "pointercancel", guess);
  on(root, "fragment", (event) => event.target.id === "answer" && showAnswer());
  on(toggle, "change", () => {
    keepEnabled(toggle.checked);
    guess();
  });
  if (select) on(select, "change", guess);
  if (document.getElementById("answer").dataset.prediction) showAnswer();
  else guess();

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
