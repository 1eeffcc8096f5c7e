import { moved, SIZE } from "./geometry.js";

/** How far an arrow key moves the pen, in slate units; with Shift, the second. */
const STEPS = [14, 4];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Draw with the keyboard while `canvas` has the focus: arrows move, Space puts the pen down and lifts it.
 *
 * `pen` is as in pointer.js, with `pen.hover(point or null, down)` to show where the pen is and `pen.say(text)`.
 * Returns the function that takes it all away again.
 */
export function followKeyboard(canvas, pen, submit) {
  let point = [SIZE / 2, SIZE / 2];
  let down = false;
  const listening = new AbortController();
  const on = (type, listener) => canvas.addEventListener(type, listener, { signal: listening.signal });

  function lift() {
    if (down) pen.end();
    down = false;
  }

  function move([dx, dy], step) {
    point = moved(point, dx * step, dy * step);
    if (down) pen.extend([point]);
    pen.hover(point, down);
  }

  function toggle() {
    if (down) lift();
    else {
      down = true;
      pen.begin(point);
    }
    pen.hover(point, down);
    pen.say(down ? "Pen down" : "Pen up");
  }

  on("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) move(ARROWS[event.key], STEPS[Number(event.shiftKey)]);
    else if (event.key === " ") toggle();
    else if (event.key === "Enter") {
      lift();
      submit();
    } else return;
    event.preventDefault();
  });

  const leave = () => {
    lift();
    pen.hover(null, false);
  };
  on("blur", leave);
  on("pointerdown", leave);

  return () => listening.abort();
}
