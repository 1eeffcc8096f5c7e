import { errorNotice } from "../lib/fragments.js";

/** The longer side in pixels of the picture that is sent. */
const LONGEST_SIDE = 1024;
/** The most pixels that are decoded, at four bytes each. The largest photographs of phones have 200 million. */
const MAX_PIXELS = 256e6;
const SVG = "image/svg+xml";
const PNG = "image/png";
const JPEG = "image/jpeg";
const JPEG_QUALITY = 0.95;

/** A file that can't be read as a picture. `notice` is an element that tells the visitor why. */
class PictureError extends Error {
  constructor(title, text) {
    super(title);
    this.notice = errorNotice(title, text);
  }
}

/**
 * Paint a picture file anew. Returns `{image, blob}`, the image to show and the file to send.
 *
 * So every picture that this browser can show is accepted, and only its pixels are sent: upright, without metadata,
 * and the first frame of an animation. Throws PictureError.
 */
export async function paintPicture(file) {
  if (!file.size) throw new PictureError("This file is empty.", "Please choose another picture.");
  const url = URL.createObjectURL(file);
  try {
    const picture = await load(url);
    const scalable = file.type === SVG;
    if (!scalable && picture.naturalWidth * picture.naturalHeight > MAX_PIXELS) throw tooLarge(picture);
    const image = paint(picture, scalable);
    // A large photograph has a fifth of the bytes as a JPEG; any other picture keeps its very pixels.
    const shrunk = image.width < picture.naturalWidth || image.height < picture.naturalHeight;
    return { image, blob: await encode(image, shrunk && file.type === JPEG ? JPEG : PNG) };
  } catch (error) {
    throw error instanceof PictureError ? error : unreadable();
  } finally {
    URL.revokeObjectURL(url);
  }
}

// An <img> shows more than createImageBitmap() decodes, such as SVG, of which it runs no script and loads nothing else.
function load(url) {
  return new Promise((resolve, reject) => {
    const picture = new Image();
    picture.addEventListener("load", () => resolve(picture));
    picture.addEventListener("error", () => reject(unreadable()));
    picture.src = url;
  });
}

function paint(picture, scalable) {
  const canvas = document.createElement("canvas");
  // An SVG without a size has none in some browsers.
  const width = picture.naturalWidth || LONGEST_SIDE;
  const height = picture.naturalHeight || LONGEST_SIDE;
  const scale = LONGEST_SIDE / Math.max(width, height);
  const share = scalable ? scale : Math.min(1, scale);
  canvas.width = Math.max(1, Math.round(width * share));
  canvas.height = Math.max(1, Math.round(height * share));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

async function encode(canvas, type) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, JPEG_QUALITY));
  if (!blob) throw unreadable();
  return blob;
}

function tooLarge({ naturalWidth, naturalHeight }) {
  return new PictureError("This picture is too large.", `It is ${naturalWidth} × ${naturalHeight} pixels. Please make it smaller.`);
}

function unreadable() {
  return new PictureError("Can’t read this file.", "It’s not a picture that this browser can show. Please use a PNG, JPEG or WebP picture.");
}
