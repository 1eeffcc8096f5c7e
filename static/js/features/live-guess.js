/** While the pen moves, at most one guess in this time (ms). */
const PACE = 300;
/** Nor more than one in so many times as long as it takes to ask: on a slow device the pen comes first. */
const REST = 1000;
const KEY = "guess";
const SURE_ENOUGH = 0.7;

/**
 * What the line says of `{digit, confidence}`, or of null where there is no guess.
 *
 * No figure while the pen is down: one that jumps about is no use to the eye, and each jump is work for the browser.
 */
export function words(guess, drawing = false) {
  if (!guess) return "";
  if (guess.digit === null) return "Nothing I know yet";
  const article = guess.digit === 8 ? "an" : "a";
  const said = `${guess.confidence < SURE_ENOUGH ? "Perhaps" : "Looks like"} ${article} ${guess.digit}`;
  return drawing ? said : `${said} · ${Math.min(99, Math.round(guess.confidence * 100))} %`;
}

/**
 * Guess while the person draws: a line on the slate, from the chosen network, which logs nothing.
 *
 * Another thread looks at the ink and asks. Of several requests only the latest counts, and what goes wrong is not
 * worth a word. Once there is an answer the line agrees with it. Returns the teardown.
 */
export function enhanceGuess(root, canvas, drawing, slate) {
  const line = root.querySelector("[data-guess]");
  const toggle = root.querySelector("[data-guess-switch]");
  const select = root.querySelector("#network");
  const listening = new AbortController();
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: listening.signal });
  let guesser = null;
  let number = 0;
  let waiting = false;
  let next = 0;
  let agreed = "";

  toggle.checked = recall();

  function show(guess) {
    const text = words(guess, drawing.drawing);
    if (line.textContent !== text) line.textContent = text;
  }

  function start() {
    const worker = new Worker(new URL("live-guess-worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      if (data.number !== number || !waiting) return;
      waiting = false;
      show(data.guess);
    });
    return worker;
  }

  function send(strokes) {
    waiting = strokes.length > 0;
    guesser.postMessage({ number: ++number, url: line.dataset.guess, model: select?.value, strokes });
  }

  function forget() {
    if (waiting) send([]);
  }

  function ask() {
    const local = !select?.selectedOptions[0]?.hasAttribute("data-elsewhere");
    if (!toggle.checked || !local || slate.picture || drawing.empty) {
      forget();
      return show(null);
    }
    guesser ??= start();
    const started = performance.now();
    send(drawing.strokes);
    next = started + Math.max(PACE, REST * (performance.now() - started));
  }

  // A slow server or device is not asked again before it has answered.
  function askMeanwhile() {
    if (toggle.checked && drawing.drawing && !waiting && performance.now() >= next) ask();
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
  on(canvas, "pointermove", askMeanwhile);
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
    guesser?.terminate();
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
