/** Photographs are shrunk to this many pixels on their longer side before they travel. */
const LONGEST_SIDE = 1024;

/** A picture file as `{image, blob}`: what to show, and what to send; null when the browser can't read it. */
export async function readPicture(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return null;
  const scale = LONGEST_SIDE / Math.max(image.width, image.height);
  return { image, blob: scale < 1 ? await shrunk(image, scale) : file };
}

/** Take pictures that are chosen, dropped on `board` or pasted; `take(file)` gets each. Returns the teardown. */
export function acceptPictures(input, board, take) {
  const listening = new AbortController();
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: listening.signal });
  const first = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));

  on(input, "change", () => {
    if (input.files.length) take(input.files[0]);
    input.value = "";
  });
  on(document, "paste", (event) => {
    const file = first(event.clipboardData);
    if (file) take(file);
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
    if (file) take(file);
  });
  return () => listening.abort();
}

async function shrunk(image, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
