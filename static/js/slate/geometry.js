/** A point is `[x, y]` or `[x, y, pressure]` in slate units: x and y from 0 to SIZE, y down, pressure from 0 to 1. */

/** The side of the slate in slate units, and of the picture that is sent in pixels. */
export const SIZE = 280;

/** The shortest visible step between two points. */
const MIN_STEP = 0.5;

/** Convert a position in the window (CSS pixels) to slate units, to a hundredth. `box` is the slate's rectangle. */
export function toSlate(clientX, clientY, box) {
  return [
    hundredths(((clientX - box.left) / box.width) * SIZE),
    hundredths(((clientY - box.top) / box.height) * SIZE),
  ];
}

/** Whether `point` is far enough from `last` to be kept. */
export function isStep(last, point) {
  return Math.hypot(point[0] - last[0], point[1] - last[1]) >= MIN_STEP;
}

/** The width of the ink at `point`: half pressure draws the stroke's own width. */
export function inkWidth(width, point) {
  return point.length < 3 ? width : width * (0.5 + point[2]);
}

/** `point` moved by `dx`, `dy`, clamped to the slate. */
export function moved(point, dx, dy) {
  return [clamp(point[0] + dx), clamp(point[1] + dy)];
}

/** The largest rectangle with the aspect ratio `width`:`height`, centred in a square of `side`. */
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
