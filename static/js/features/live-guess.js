import { listen } from "../lib/events.js";
import { Guesser, guessText } from "./guesser.js";
import { livePanel } from "./live-panel.js";

/** A device that takes longer than this to show a guess is slow: there the next one waits until the pen is lifted (ms). */
const MAX_SHOWING = 12;
const KEY = "guess";

/**
 * Show the chosen model's guess while the visitor draws, on the slate and in the answer's place. It is not logged.
 *
 * Failures show nothing. The answer in the page stands instead while it is `answers.current`. Returns the teardown.
 */
export function enhanceLiveGuess(root, canvas, drawing, answers) {
  const line = root.querySelector("[data-guess]");
  const toggle = root.querySelector("[data-guess-switch]");
  const select = root.querySelector("#network");
  const panel = livePanel(root.querySelector("[data-blank-live]"));
  const { on, stop } = listen();
  const guesser = new Guesser(line.dataset.guess, show);
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

  function isPossible() {
    const local = !select?.selectedOptions[0]?.hasAttribute("data-elsewhere");
    return toggle.checked && local && !drawing.picture && !drawing.empty;
  }

  function guess() {
    if (!isPossible()) {
      guesser.cancel();
      return show(null);
    }
    guesser.ask(drawing.strokes, select?.value);
  }

  function guessWhileDrawing() {
    if (toggle.checked && drawing.drawing && !slow && guesser.due) guess();
  }

  function update() {
    if (!answers.current) return guess();
    guesser.cancel();
    panel.hide();
    showLine((toggle.checked && document.getElementById("answer").dataset.guessText) || "");
  }

  on(drawing, "change", update);
  on(answers, "change", () => answers.current && update()); // a drawing is opened before its answer is current
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
    guesser.stop();
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
