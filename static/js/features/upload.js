import { listen } from "../lib/events.js";

/** The longer side in pixels to which photographs are shrunk before they are sent. */
const LONGEST_SIDE = 1024;

/** Decode a picture file to `{image, blob}`: the image to show, the blob to send. Null when it can't be decoded. */
export async function readPicture(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return null;
  const scale = LONGEST_SIDE / Math.max(image.width, image.height);
  return { image, blob: scale < 1 ? await resize(image, scale) : file };
}

/** Call `load(file)` for each picture that is chosen, dropped on `board` or pasted. Returns the teardown. */
export function acceptPictures(input, board, load) {
  const { on, stop } = listen();
  const first = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));

  on(input, "change", () => {
    if (input.files.length) load(input.files[0]);
    input.value = "";
  });
  on(document, "paste", (event) => {
    const file = first(event.clipboardData);
    if (file) load(file);
  });
  on(board, "dragleave", () => board.removeAttribute("data-dropping"));
  on(document, "dragover", (event) => {
    event.preventDefault();
    board.toggleAttribute("data-dropping", board.contains(event.target));
  });
  on(document, "drop", (event) => {
    // A picture that misses the slate must not replace the page.
    event.preventDefault();
    board.removeAttribute("data-dropping");
    const file = first(event.dataTransfer);
    if (file) load(file);
  });
  return stop;
}

async function resize(image, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
