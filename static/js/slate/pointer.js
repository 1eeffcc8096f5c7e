import { listen } from "../lib/events.js";
import { toSlate } from "./geometry.js";

/** How long after a pen event a touch counts as the palm of the hand that holds the pen (ms). */
const PALM_MS = 1000;

/**
 * Turn pointer events on `canvas` into `pen.begin(point)`, `pen.extend(points)`, `pen.end()`, `pen.cancel()`.
 *
 * One pointer at a time: further fingers are ignored, and a pen takes over from a palm. Returns the teardown.
 */
export function followPointer(canvas, pen) {
  let active = null;
  let penSeen = -Infinity;
  const { on, stop } = listen();

  function pointOf(event, box = canvas.getBoundingClientRect()) {
    const point = toSlate(event.clientX, event.clientY, box);
    // A mouse always reports 0.5, and the pressure of a finger is unreliable.
    if (event.pointerType === "pen" && event.pressure > 0) point.push(Math.round(event.pressure * 1000) / 1000);
    return point;
  }

  function isPalm(event) {
    if (event.pointerType === "pen") penSeen = event.timeStamp;
    return event.pointerType === "touch" && event.timeStamp - penSeen < PALM_MS;
  }

  on(canvas, "pointerdown", (event) => {
    if (event.button !== 0 || isPalm(event)) return;
    if (active) {
      if (event.pointerType !== "pen" || active.type !== "touch") return;
      pen.cancel();
    }
    active = { id: event.pointerId, type: event.pointerType };
    canvas.setPointerCapture(event.pointerId);
    pen.begin(pointOf(event));
  });

  on(canvas, "pointermove", (event) => {
    if (isPalm(event) || event.pointerId !== active?.id) return;
    const box = canvas.getBoundingClientRect();
    const events = event.getCoalescedEvents?.() ?? [];
    pen.extend((events.length ? events : [event]).map((each) => pointOf(each, box)));
  });

  // A quick stroke would count as a fling, and Chrome would take the next tap for what stops it.
  on(canvas, "touchmove", (event) => event.cancelable && event.preventDefault());
  on(canvas, "pointerup", (event) => finish(event, pen.end));
  on(canvas, "pointercancel", (event) => finish(event, pen.cancel));

  function finish(event, end) {
    if (event.pointerId !== active?.id) return;
    active = null;
    end();
  }

  return stop;
}
