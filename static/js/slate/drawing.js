import { isStep, SIZE } from "./geometry.js";

/** How many steps can be undone: a picture takes up to 4 MB. */
export const MAX_STEPS = 200;
const EMPTY = { strokes: [], picture: null };

/**
 * A drawing as data: the sheet on the slate, the stroke under the pen, and the undo history.
 *
 * A sheet is `{strokes, picture}`: finished strokes `{width, points}`, or the picture `{image, blob}` that was put on
 * the slate instead. Sheets are immutable, so the history is a stack of them, and the same sheet is the same drawing.
 * Dispatches "change" when the sheet changes, or a stroke that is under the pen is cleared. Dispatches "pen" when the
 * pen is put down, or its stroke is discarded.
 */
export class Drawing extends EventTarget {
  #sheet = EMPTY;
  #current = null;
  #past = [];
  #future = [];

  /** The finished drawing, to compare by identity. */
  get sheet() {
    return this.#sheet;
  }

  /** The finished strokes and the one being drawn. */
  get strokes() {
    return this.#current ? [...this.#sheet.strokes, this.#current] : this.#sheet.strokes;
  }

  /** The picture on the slate; a stroke over a picture starts a drawing of its own. */
  get picture() {
    return this.#current ? null : this.#sheet.picture;
  }

  /** The sheets from which the one on the slate grew by strokes alone, and which undo brings back. */
  get earlier() {
    const { strokes } = this.#sheet;
    return this.#past.filter((sheet) => !sheet.picture && sheet.strokes.every((stroke, index) => stroke === strokes[index]));
  }

  get empty() {
    return this.strokes.length === 0 && !this.picture;
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
    this.dispatchEvent(new Event("pen"));
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
    const { strokes } = this;
    this.#current = null;
    this.#become({ strokes, picture: null });
  }

  /** Lift the pen and discard the stroke. */
  cancel() {
    this.#current = null;
    this.dispatchEvent(new Event("pen"));
  }

  /** Put a picture on the slate; undo brings back what it replaced. */
  place(picture) {
    this.#current = null;
    this.#become({ strokes: [], picture });
  }

  /** Put a finished drawing on the slate; undo takes back its strokes, then brings back what it replaced. */
  open(strokes) {
    this.#current = null;
    this.#remember(...(this.empty ? [] : [this.#sheet]), ...prefixes(strokes));
    this.#replace({ strokes, picture: null });
  }

  /** Remove everything; undo brings it back. */
  clear() {
    if (this.empty) return;
    this.#current = null;
    if (this.empty) this.#replace(this.#sheet);
    else this.#become(EMPTY);
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  /** `{size, strokes}` in slate units, the format that is sent and stored. */
  toJSON() {
    return { size: SIZE, strokes: this.#sheet.strokes };
  }

  /** Load the strokes of a `toJSON()` object; undo takes back its strokes. */
  restore({ strokes }) {
    this.#past = [];
    this.#remember(...prefixes(strokes));
    this.#replace({ strokes, picture: null });
  }

  #become(sheet) {
    this.#remember(this.#sheet);
    this.#replace(sheet);
  }

  #remember(...sheets) {
    this.#past = [...this.#past, ...sheets].slice(-MAX_STEPS);
    this.#future = [];
  }

  #step(from, to) {
    if (this.#current || from.length === 0) return;
    to.push(this.#sheet);
    this.#replace(from.pop());
  }

  #replace(sheet) {
    this.#sheet = sheet;
    this.dispatchEvent(new Event("change"));
  }
}

/** The sheets from which `strokes` grew, stroke by stroke. */
function prefixes(strokes) {
  return strokes.map((_, index) => (index ? { strokes: strokes.slice(0, index), picture: null } : EMPTY));
}
