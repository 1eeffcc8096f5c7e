import { toSlate } from "./geometry.js";

/** For so long after a pen was near, a touch is taken for the palm of the hand that holds it (ms). */
const PALM_MS = 1000;

/**
 * Turn pointer events on `canvas` into `pen.begin(point)`, `pen.extend(points)`, `pen.end()`, `pen.cancel()`.
 *
 * One pointer at a time: further fingers are ignored, a pen takes over from the palm that came before it.
 * Returns the function that takes it all away again.
 */
export function followPointer(canvas, pen) {
  let active = null;
  let penSeen = -Infinity;
  const listening = new AbortController();
  const on = (type, listener) => canvas.addEventListener(type, listener, { signal: listening.signal });

  function pointOf(event, box = canvas.getBoundingClientRect()) {
    const point = toSlate(event.clientX, event.clientY, box);
    // A mouse always reports 0.5, and a finger nothing that is worth having.
    if (event.pointerType === "pen" && event.pressure > 0) point.push(Math.round(event.pressure * 1000) / 1000);
    return point;
  }

  function isPalm(event) {
    if (event.pointerType === "pen") penSeen = event.timeStamp;
    return event.pointerType === "touch" && event.timeStamp - penSeen < PALM_MS;
  }

  on("pointerdown", (event) => {
    if (event.button !== 0 || isPalm(event)) return;
    if (active) {
      if (event.pointerType !== "pen" || active.type !== "touch") return;
      pen.cancel();
    }
    active = { id: event.pointerId, type: event.pointerType };
    canvas.setPointerCapture(event.pointerId);
    pen.begin(pointOf(event));
  });

  on("pointermove", (event) => {
    if (isPalm(event) || event.pointerId !== active?.id) return;
    const box = canvas.getBoundingClientRect();
    const events = event.getCoalescedEvents?.() ?? [];
    pen.extend((events.length ? events : [event]).map((each) => pointOf(each, box)));
  });

  on("pointerup", (event) => finish(event, pen.end));
  on("pointercancel", (event) => finish(event, pen.cancel));

  function finish(event, how) {
    if (event.pointerId !== active?.id) return;
    active = null;
    how();
  }

  return () => listening.abort();
}
