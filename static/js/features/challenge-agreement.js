import { listen } from "../lib/events.js";
import { Guesser, guessText } from "./guesser.js";

/** How long an agreement must last (ms): a seven may still get its bar. */
const GRACE = 500;

/**
 * Guess the drawing of a challenge, and notice when the guess is sure of the digit that was asked for.
 *
 * `prompt()` returns that digit. `agreeing(true or false)` is called when the guess to a finished stroke agrees, and
 * when a further stroke ends that; `agreed()` once it has lasted; `seen(guess)` when it does not agree. Guesses are
 * shown in `line`.
 */
export function watchAgreement(canvas, line, drawing, { prompt, agreeing, agreed, seen }) {
  const guesser = new Guesser(line.dataset.guess, show);
  const { on, stop } = listen();
  let asked = null;
  let timer = 0;

  function show(guess) {
    line.textContent = guessText(guess, true);
    if (!guess || drawing.drawing || drawing.sheet !== asked) return;
    if (guess.certainty !== "sure" || guess.digit !== prompt()) return seen(guess);
    timer = setTimeout(finish, GRACE);
    agreeing(true);
  }

  function finish() {
    timer = 0;
    agreeing(false);
    agreed();
  }

  function disagree() {
    if (!timer) return;
    clearTimeout(timer);
    timer = 0;
    agreeing(false);
  }

  function ask() {
    asked = drawing.drawing ? null : drawing.sheet;
    guesser.ask(drawing.strokes);
  }

  on(drawing, "pen", () => {
    disagree();
    if (!drawing.drawing && !drawing.empty) ask(); // the stroke was discarded
  });
  on(drawing, "change", () => {
    disagree();
    if (!drawing.empty) return ask();
    guesser.cancel();
    line.textContent = "";
  });
  on(canvas, "pointermove", () => drawing.drawing && guesser.due && ask());

  return {
    /** Whether a guess is on its way, or agrees. */
    get open() {
      return guesser.waiting || timer !== 0;
    },
    stop() {
      stop();
      clearTimeout(timer);
      guesser.stop();
    },
  };
}
