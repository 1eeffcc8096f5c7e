import { inkWidth, SIZE } from "../slate/geometry.js";
import { renderStrokes } from "../slate/render.js";

/** The longer side in pixels of what is guessed from. The network's box has 20, so this is four times as fine. */
const SIDE = 80;

/** The part of the slate that `strokes` cover, `{x, y, width, height}` in slate units; null where that is none of it. */
export function covered(strokes) {
  let [left, top, right, bottom] = [SIZE, SIZE, 0, 0];
  for (const { width, points } of strokes) {
    for (const point of points) {
      const reach = inkWidth(width, point) / 2;
      left = Math.min(left, point[0] - reach);
      top = Math.min(top, point[1] - reach);
      right = Math.max(right, point[0] + reach);
      bottom = Math.max(bottom, point[1] + reach);
    }
  }
  [left, top, right, bottom] = [Math.max(0, left), Math.max(0, top), Math.min(SIZE, right), Math.min(SIZE, bottom)];
  return left < right && top < bottom ? { x: left, y: top, width: right - left, height: bottom - top } : null;
}

/** Takes the ink off a drawing: `(strokes) => {width, bytes}`, a byte for each pixel, or null where there is no ink. */
export function inkTaker() {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  // It is read each time, so it must not lie in the memory of a graphics card.
  const context = canvas.getContext("2d", { willReadFrequently: true });

  return (strokes) => {
    const part = covered(strokes);
    if (!part) return null;
    const scale = SIDE / Math.max(part.width, part.height);
    const width = Math.max(1, Math.round(part.width * scale));
    const height = Math.max(1, Math.round(part.height * scale));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    context.setTransform(scale, 0, 0, scale, -part.x * scale, -part.y * scale);
    renderStrokes(context, strokes, SIZE);
    const { data } = context.getImageData(0, 0, width, height);
    const bytes = new Uint8Array(width * height);
    for (let pixel = 0; pixel < bytes.length; pixel++) bytes[pixel] = data[4 * pixel + 3];
    return { width, bytes };
  };
}
