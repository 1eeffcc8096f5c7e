import { fetchFragment, RequestError } from "../lib/fragments.js";
import { toDataURL } from "../slate/render.js";

/** The most strokes that the server stores. */
const MAX_STROKES = 200;
/** The pauses before a drawing is sent again that did not arrive (ms). */
const PAUSES = [1000, 3000];
/** Errors that another attempt may not meet: the server or the network was away, or busy. */
const PASSING = ["", "overloaded", "rate_limited", "database_unavailable", "internal_error", "csrf", "cookie_missing"];

/**
 * Sends the drawings of a round while the next one is drawn.
 *
 * `answered(place, digit)` is called with what was read: a digit, "none", or null if it is refused for good. A drawing
 * may be sent more often: it is saved once.
 */
export class ChallengeSender {
  #answered;
  #unsent = new Map();
  #underWay = new Set();
  #problem = null;

  constructor(answered) {
    this.#answered = answered;
  }

  /** The number of drawings that did not arrive. */
  get unsent() {
    return this.#unsent.size;
  }

  /** Why the last of them did not arrive; "" if all did. */
  get problem() {
    return this.unsent ? this.#problem.message : "";
  }

  /** Send the finished drawing `{size, strokes}` for a place `{index, prompt, address}`. */
  send(place, drawing) {
    this.#unsent.set(place.index, { place, drawing });
    const sending = this.#try(place, drawing).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }

  /** Wait until every drawing has arrived, or has failed. */
  async settled() {
    while (this.#underWay.size) await Promise.all(this.#underWay);
  }

  /** Send the drawings again that did not arrive. */
  again() {
    for (const { place, drawing } of [...this.#unsent.values()]) this.send(place, drawing);
  }

  async #try(place, drawing) {
    const { size, strokes } = drawing;
    const body = {
      prompt: String(place.prompt),
      image: toDataURL(strokes),
      strokes: strokes.length <= MAX_STROKES ? JSON.stringify({ size, strokes }) : "",
    };
    for (const pause of [...PAUSES, null]) {
      try {
        const page = await fetchFragment(place.address, body, "#reading");
        this.#unsent.delete(place.index);
        return this.#answered(place, page.querySelector("#reading").dataset.digit);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        this.#problem = error;
        if (!isPassing(error)) {
          this.#unsent.delete(place.index);
          return this.#answered(place, null);
        }
        if (pause === null) return;
        await new Promise((then) => setTimeout(then, pause));
      }
    }
  }
}

function isPassing({ code }) {
  return PASSING.includes(code) || code.startsWith("model_");
}
