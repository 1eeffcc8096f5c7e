import { isStep, SIZE } from "./geometry.js";

/**
 * A drawing as data: finished strokes `{width, points}`, the one being drawn, and the undo history.
 *
 * Dispatches "change" when finished strokes change. Lists of strokes are immutable, so the history is a stack of them.
 */
export class Drawing extends EventTarget {
  #strokes = [];
  #current = null;
  #past = [];
  #future = [];

  /** The finished strokes and the one being drawn. */
  get strokes() {
    return this.#current ? [...this.#strokes, this.#current] : this.#strokes;
  }

  get empty() {
    return this.strokes.length === 0;
  }

  get drawing() {
    return this.#current !== null;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Put the pen down. */
  begin(point, width) {
    this.#current = { width, points: [point] };
  }

  /** Add a point to the current stroke; true when it is far enough to draw. */
  extend(point) {
    const { points } = this.#current;
    if (!isStep(points.at(-1), point)) return false;
    points.push(point);
    return true;
  }

  /** Lift the pen and finish the stroke. */
  end() {
    if (!this.#current) return;
    const stroke = this.#current;
    this.#current = null;
    this.#become([...this.#strokes, stroke]);
  }

  /** Lift the pen and discard the stroke. */
  cancel() {
    this.#current = null;
  }

  /** Remove all strokes; undo restores them. */
  clear() {
    this.#current = null;
    if (!this.empty) this.#become([]);
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  /** `{size, strokes}` in slate units, the format that is sent and stored. */
  toJSON() {
    return { size: SIZE, strokes: this.#strokes };
  }

  /** Load the strokes of a `toJSON()` object, and clear the undo history. */
  restore({ strokes }) {
    this.#strokes = strokes;
    this.#past = [];
    this.#future = [];
    this.#changed();
  }

  #become(strokes) {
    this.#past.push(this.#strokes);
    this.#future = [];
    this.#strokes = strokes;
    this.#changed();
  }

  #step(from, to) {
    if (this.#current || from.length === 0) return;
    to.push(this.#strokes);
    this.#strokes = from.pop();
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
