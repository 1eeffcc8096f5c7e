import { isStep, SIZE } from "./geometry.js";

/**
 * A drawing as data: finished strokes `{width, points}`, the one being drawn, and what undo and redo need.
 *
 * Says "change" when finished strokes change. States are lists that are never altered, so history is a stack of them.
 */
export class Drawing extends EventTarget {
  #strokes = [];
  #current = null;
  #past = [];
  #future = [];

  /** Finished strokes and the one being drawn. */
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

  /** Move the pen that is down; true when that left ink. */
  extend(point) {
    const { points } = this.#current;
    if (!isStep(points.at(-1), point)) return false;
    points.push(point);
    return true;
  }

  /** Lift the pen: the stroke is finished. */
  end() {
    if (!this.#current) return;
    const stroke = this.#current;
    this.#current = null;
    this.#become([...this.#strokes, stroke]);
  }

  /** Lift the pen and forget the stroke. */
  cancel() {
    this.#current = null;
  }

  /** Wipe the slate; undo brings the strokes back. */
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

  /** `{size, strokes}` in slate units: what is sent, stored and restored. */
  toJSON() {
    return { size: SIZE, strokes: this.#strokes };
  }

  /** Take over what `toJSON` gave, with nothing to undo. */
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
