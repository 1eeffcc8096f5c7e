import { inkWidth, SIZE } from "../slate/geometry.js";
import { renderStrokes } from "../slate/render.js";

/** The longer side of the raster in pixels: four times the 20 pixels that a digit has in the model's input. */
const SIDE = 80;

/** The bounding box of the ink, `{x, y, width, height}` in slate units, clipped to the slate; null when empty. */
export function boundingBox(strokes) {
  let [left, top, right, bottom] = [SIZE, SIZE, 0, 0];
  for (const { width, points } of strokes) {
    for (const point of points) {
      const radius = inkWidth(width, point) / 2;
      left = Math.min(left, point[0] - radius);
      top = Math.min(top, point[1] - radius);
      right = Math.max(right, point[0] + radius);
      bottom = Math.max(bottom, point[1] + radius);
    }
  }
  [left, top, right, bottom] = [Math.max(0, left), Math.max(0, top), Math.min(SIZE, right), Math.min(SIZE, bottom)];
  return left < right && top < bottom ? { x: left, y: top, width: right - left, height: bottom - top } : null;
}

/** A function from strokes to `{width, bytes}`: the ink cropped to its box, one byte a pixel; null without ink. */
export function rasterizer() {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  // Its pixels are read each time, which is slow from a graphics card.
  const context = canvas.getContext("2d", { willReadFrequently: true });

  return (strokes) => {
    const box = boundingBox(strokes);
    if (!box) return null;
    const scale = SIDE / Math.max(box.width, box.height);
    const width = Math.max(1, Math.round(box.width * scale));
    const height = Math.max(1, Math.round(box.height * scale));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    context.setTransform(scale, 0, 0, scale, -box.x * scale, -box.y * scale);
    renderStrokes(context, strokes, SIZE);
    const { data } = context.getImageData(0, 0, width, height);
    const bytes = new Uint8Array(width * height);
    for (let pixel = 0; pixel < bytes.length; pixel++) bytes[pixel] = data[4 * pixel + 3];
    return { width, bytes };
  };
}
