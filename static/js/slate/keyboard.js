import { announce } from "../lib/announce.js";
import { isShortcut, listen } from "../lib/events.js";
import { moved, SIZE } from "./geometry.js";

/** Where the pen is at first. */
const MIDDLE = [SIZE / 2, SIZE / 2];
/** How far an arrow key moves the pen, without and with Shift, in slate units. */
const STEPS = [14, 4];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Draw with the keyboard while `canvas` has the focus: arrows move the pen, Space puts it down and lifts it.
 *
 * `pen` is as in pointer.js, with `pen.hover(point or null)` to show the pen. Enter calls `submit()`.
 * Returns `stop()`, the teardown, `recentre()`, which puts the pen back in the middle, and `lifted()`, which learns
 * that no stroke is under the pen any more.
 */
export function followKeyboard(canvas, pen, submit) {
  let point = MIDDLE;
  let shown = false;
  let down = false;
  const { on, stop } = listen();

  function lift() {
    if (down) pen.end();
    down = false;
  }

  function lifted() {
    down = false;
  }

  function move([dx, dy], step) {
    point = moved(point, dx * step, dy * step);
    if (down) pen.extend([point]);
    hover();
  }

  function hover() {
    shown = true;
    pen.hover(point);
  }

  function toggle() {
    if (down) lift();
    else {
      down = true;
      pen.begin(point);
    }
    hover();
    announce(down ? "Pen down" : "Pen up");
  }

  on(canvas, "keydown", (event) => {
    if (isShortcut(event)) return;
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
    shown = false;
    pen.hover(null);
  };
  on(canvas, "blur", leave);
  on(canvas, "pointerdown", leave);

  function recentre() {
    point = MIDDLE;
    if (shown) hover();
  }

  return { stop, recentre, lifted };
}
