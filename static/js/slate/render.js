import { contained, inkWidth, SIZE } from "./geometry.js";

/** The side of a thumbnail: twice that in the table of drawings, for dense screens (px). */
const THUMBNAIL = 144;

/**
 * Draw `strokes` onto a canvas context of `size` x `size` pixels, over its content.
 *
 * Segments are straight, caps and joins round. A stroke of one point is a dot.
 */
export function renderStrokes(context, strokes, size, ink = "#fff") {
  inSlateUnits(context, size, ink, () => {
    for (const { width, points } of strokes) renderStroke(context, width, points);
  });
}

/** Draw the segments of `stroke` after point `from`: enough while the pen moves. */
export function renderSegments(context, { width, points }, from, size, ink) {
  inSlateUnits(context, size, ink, () => renderFrom(context, width, points, from));
}

/** Draw a sheet, strokes or a picture, onto a canvas context of `size` x `size` pixels, over its content. */
export function renderSheet(context, { strokes, picture }, size, ink) {
  if (!picture) return renderStrokes(context, strokes, size, ink);
  const { x, y, width, height } = contained(picture.image.width, picture.image.height, size);
  context.drawImage(picture.image, x, y, width, height);
}

/** Encode the picture that is sent: SIZE x SIZE pixels, white ink on black, as a PNG data URL. */
export function toDataURL(strokes) {
  return encode({ strokes, picture: null }, SIZE);
}

/** Encode a small picture of a sheet, for tables, as a PNG data URL. */
export function thumbnail(sheet) {
  return encode(sheet, THUMBNAIL);
}

function encode(sheet, size) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, size, size);
  renderSheet(context, sheet, size);
  return canvas.toDataURL("image/png");
}

function inSlateUnits(context, size, ink, draw) {
  context.save();
  context.scale(size / SIZE, size / SIZE);
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = ink;
  draw();
  context.restore();
}

function renderStroke(context, width, points) {
  // A line of length 0 draws nothing, so the first point is a dot.
  context.beginPath();
  context.arc(points[0][0], points[0][1], inkWidth(width, points[0]) / 2, 0, 2 * Math.PI);
  context.fill();
  if (points.length > 1) renderFrom(context, width, points, 0);
}

function renderFrom(context, width, points, from) {
  (points[0].length < 3 ? renderLine : renderPressure)(context, width, points, from);
}

function renderLine(context, width, points, from) {
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(points[from][0], points[from][1]);
  for (let i = from + 1; i < points.length; i++) context.lineTo(points[i][0], points[i][1]);
  context.stroke();
}

function renderPressure(context, width, points, from) {
  for (let i = from + 1; i < points.length; i++) {
    context.lineWidth = (inkWidth(width, points[i - 1]) + inkWidth(width, points[i])) / 2;
    context.beginPath();
    context.moveTo(points[i - 1][0], points[i - 1][1]);
    context.lineTo(points[i][0], points[i][1]);
    context.stroke();
  }
}
