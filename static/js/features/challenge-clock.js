/** A clock of drawing time, in seconds, which can be paused, and switched off for good. */
export class Clock {
  #limit;
  #now;
  #spent = 0;
  #since = null;

  /** `limit` is the time of a round in seconds, null without a clock; `now()` returns milliseconds. */
  constructor(limit, now = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Whether time passes. */
  get running() {
    return this.#since !== null;
  }

  /** Whether there is a limit. */
  get on() {
    return this.#limit !== null;
  }

  /** The time that has passed. */
  get seconds() {
    return this.#spent + (this.running ? (this.#now() - this.#since) / 1000 : 0);
  }

  /** The time that is left, at least 0; Infinity without a limit. */
  get left() {
    return this.on ? Math.max(0, this.#limit - this.seconds) : Infinity;
  }

  /** The part of the time that is left, 0 to 1. */
  get share() {
    return this.on ? this.left / this.#limit : 1;
  }

  start() {
    this.#since ??= this.#now();
  }

  pause() {
    this.#spent = this.seconds;
    this.#since = null;
  }

  switchOff() {
    this.#limit = null;
  }
}
