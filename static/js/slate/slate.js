import { SIZE } from "./geometry.js";
import { followKeyboard } from "./keyboard.js";
import { followPointer } from "./pointer.js";
import { renderSegments, renderSheet, renderStrokes } from "./render.js";

/** The slate on screen: it shows a drawing or a picture, and draws with the pointer or the keyboard. */
export class Slate {
  #canvas;
  #context;
  #drawing;
  #brush;
  #cursor = null;
  #ink;
  #ratio = 0;
  #keyboard;
  #teardown;

  /** `brush()` returns the width of the next stroke; `submit()` predicts. */
  constructor(canvas, drawing, { brush, submit }) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#drawing = drawing;
    this.#brush = brush;
    this.#ink = getComputedStyle(canvas).getPropertyValue("--chalk");
    const pen = {
      begin: (point) => this.#begin(point),
      extend: (points) => this.#extend(points),
      end: () => drawing.end(),
      cancel: () => this.#cancel(),
      hover: (point) => this.#hover(point),
    };
    const change = () => {
      this.#keyboard.lifted();
      this.render();
    };
    drawing.addEventListener("change", change);
    const watching = new ResizeObserver(() => this.#fit());
    watching.observe(canvas);
    this.#keyboard = followKeyboard(canvas, pen, submit);
    const stops = [
      followPointer(canvas, pen),
      this.#keyboard.stop,
      () => drawing.removeEventListener("change", change),
      () => watching.disconnect(),
    ];
    this.#teardown = () => stops.forEach((stop) => stop());
  }

  /** Enable or disable a tool, which then leaves the focus to the slate. */
  enable(tool, enabled) {
    if (!enabled && tool === document.activeElement) this.#canvas.focus({ preventScroll: true });
    tool.disabled = !enabled;
  }

  /** Redraw everything. */
  render() {
    if (this.#ratio !== devicePixelRatio) return this.#fit();
    const size = this.#canvas.width;
    this.paint(this.#context, size);
    if (this.#cursor) this.#paintCursor(size / SIZE);
    this.#showDrawn();
  }

  /** Paint the drawing or picture into a context of `size` x `size` pixels. */
  paint(context, size) {
    context.clearRect(0, 0, size, size);
    renderSheet(context, this.#drawing, size, this.#ink);
  }

  /** Put the keyboard's pen back in the middle. */
  recentre() {
    this.#keyboard.recentre();
  }

  /** Remove all listeners; the slate keeps its content. */
  destroy() {
    this.#teardown();
  }

  // While the pen is down only new segments are drawn; the whole is redrawn when it is lifted.
  #begin(point) {
    const { picture } = this.#drawing;
    this.#drawing.begin(point, this.#brush());
    if (picture || this.#cursor) return this.render();
    renderStrokes(this.#context, this.#drawing.strokes.slice(-1), this.#canvas.width, this.#ink);
    this.#showDrawn();
  }

  #extend(points) {
    if (!this.#drawing.drawing) return; // the stroke was cleared or replaced
    const stroke = this.#drawing.strokes.at(-1);
    const from = stroke.points.length - 1;
    let inked = false;
    for (const point of points) inked = this.#drawing.extend(point) || inked;
    if (inked) renderSegments(this.#context, stroke, from, this.#canvas.width, this.#ink);
  }

  #cancel() {
    this.#drawing.cancel();
    this.render();
  }

  #hover(point) {
    if (!point && !this.#cursor) return;
    this.#cursor = point;
    this.render();
  }

  // Match the screen's resolution. Reading clientWidth forces a layout, so not at each render.
  #fit() {
    const canvas = this.#canvas;
    this.#ratio = devicePixelRatio;
    const size = Math.round(canvas.clientWidth * this.#ratio);
    if (canvas.width !== size) canvas.width = canvas.height = size;
    this.render();
  }

  #showDrawn() {
    this.#canvas.parentElement.toggleAttribute("data-drawn", !this.#drawing.empty || this.#cursor !== null);
  }

  #paintCursor(scale) {
    const context = this.#context;
    const down = this.#drawing.drawing;
    context.save();
    context.scale(scale, scale);
    // Dark below light, so that the ring is visible on the slate and on the ink.
    for (const [style, width] of [["#000", 4], [down ? "#fff" : this.#ink, 2]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.setLineDash(down || width === 4 ? [] : [4, 3]);
      context.beginPath();
      context.arc(...this.#cursor, this.#brush() / 2 + 3, 0, 2 * Math.PI);
      context.stroke();
    }
    context.restore();
  }
}
