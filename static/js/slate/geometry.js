/** Points on the slate are `[x, y]` or `[x, y, pressure]` in slate units: 0..SIZE, y down, pressure 0..1. */

/** The slate's side in slate units, and the side in pixels of the picture that is sent. */
export const SIZE = 280;

/** Points nearer to the last one than this add nothing that could be seen. */
const MIN_STEP = 0.5;

/** A place in the window (CSS pixels) in slate units, to a hundredth. `box` is where the slate stands in the window. */
export function toSlate(clientX, clientY, box) {
  return [
    hundredths(((clientX - box.left) / box.width) * SIZE),
    hundredths(((clientY - box.top) / box.height) * SIZE),
  ];
}

/** Whether `point` is far enough from `last` to be worth keeping. */
export function isStep(last, point) {
  return Math.hypot(point[0] - last[0], point[1] - last[1]) >= MIN_STEP;
}

/** The width of the ink at `point`: a pen pressed half as hard as it can be draws the stroke's own width. */
export function inkWidth(width, point) {
  return point.length < 3 ? width : width * (0.5 + point[2]);
}

/** `point` moved by `dx`, `dy`, and kept on the slate. */
export function moved(point, dx, dy) {
  return [clamp(point[0] + dx), clamp(point[1] + dy)];
}

/** The largest `{x, y, width, height}` of the aspect ratio of `width` x `height` in the middle of a square of `side`. */
export function contained(width, height, side) {
  const scale = side / Math.max(width, height);
  return {
    x: (side - width * scale) / 2,
    y: (side - height * scale) / 2,
    width: width * scale,
    height: height * scale,
  };
}

function clamp(value) {
  return Math.min(SIZE, Math.max(0, value));
}

function hundredths(value) {
  return Math.round(value * 100) / 100;
}
