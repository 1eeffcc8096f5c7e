/** The shortest time between two guesses while the pen moves (ms). */
const MIN_INTERVAL = 300;
/** The same, as a multiple of the time that sending takes: on a slow device drawing comes first. */
const INTERVAL_FACTOR = 1000;

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
 * Asks the server for guesses about unfinished drawings, which are not logged.
 *
 * A worker rasterizes the strokes and sends the request to `url`. Only the latest request counts: `show(guess)` is
 * called with its answer, null after a failure.
 */
export class Guesser {
  #url;
  #show;
  #worker = null;
  #number = 0;
  #waiting = false;
  #next = 0;

  constructor(url, show) {
    this.#url = url;
    this.#show = show;
  }

  /** Whether a guess is on its way. */
  get waiting() {
    return this.#waiting;
  }

  /** Whether the next guess is due while the pen moves. One at a time: a slow server or device is asked less often. */
  get due() {
    return !this.#waiting && performance.now() >= this.#next;
  }

  /** Ask `model` about strokes; without a model, the site's own choice. */
  ask(strokes, model) {
    this.#worker ??= this.#start();
    const started = performance.now();
    this.#send(strokes, model);
    this.#next = started + Math.max(MIN_INTERVAL, INTERVAL_FACTOR * (performance.now() - started));
  }

  /** Forget the guess that is on its way. */
  cancel() {
    if (this.#waiting) this.#send([]);
  }

  /** Stop the worker. */
  stop() {
    this.#worker?.terminate();
  }

  #send(strokes, model) {
    this.#waiting = strokes.length > 0;
    this.#worker.postMessage({ number: ++this.#number, url: this.#url, model, strokes });
  }

  #start() {
    const worker = new Worker(new URL("live-guess-worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      if (data.number !== this.#number || !this.#waiting) return;
      this.#waiting = false;
      this.#show(data.guess);
    });
    return worker;
  }
}
