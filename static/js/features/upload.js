import { listen } from "../lib/events.js";
import { errorNotice, onDemand, RequestError, unreachable } from "../lib/fragments.js";

const pictureFile = onDemand("../features/picture-file.js");

/** Read a picture file as `{image, blob}`. Few visitors have one, so its module is loaded on demand. */
export async function readPicture(file) {
  const { paintPicture } = await pictureFile().catch(() => {
    throw new RequestError(unreachable());
  });
  return paintPicture(file);
}

/**
 * Read each picture that is chosen, dropped or pasted, and call `load({image, blob})`; `refuse(notice)` if there is none.
 *
 * Pictures are dropped on the whole page, and `board` shows that it takes them. Returns the teardown.
 */
export function acceptPictures(input, board, { load, refuse }) {
  const { on, stop } = listen();
  let latest = 0;

  // Of two files in quick succession the second counts, even if it is read first.
  async function accept(files) {
    const number = ++latest;
    if (files.length !== 1) return refuse(files.length ? tooMany() : missing());
    try {
      const picture = await readPicture(files[0]);
      if (number === latest) load(picture);
    } catch (error) {
      if (!error.notice) throw error;
      if (number === latest) refuse(error.notice);
    }
  }

  // Text that is pasted or dropped into a text field belongs there.
  function take(event, transfer) {
    const files = [...(transfer?.files ?? [])];
    if (!files.length && isEditable(event.target)) return;
    event.preventDefault();
    accept(files);
  }

  // Only the plain form needs a file: here there is a slate.
  input.required = false;
  on(input, "change", () => {
    if (input.files.length) accept([...input.files]);
    input.value = "";
  });
  on(document, "paste", (event) => take(event, event.clipboardData));
  on(board, "dragleave", () => board.removeAttribute("data-dropping"));
  on(document, "dragover", (event) => {
    if (isEditable(event.target) && !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    board.toggleAttribute("data-dropping", board.contains(event.target));
  });
  on(document, "drop", (event) => {
    board.removeAttribute("data-dropping");
    take(event, event.dataTransfer);
  });
  return stop;
}

function isEditable(target) {
  return target instanceof Element && target.matches(":read-write");
}

function tooMany() {
  return errorNotice("One picture at a time, please.", "I read one digit at a time. Choose one of these files.");
}

function missing() {
  return errorNotice("That’s not a picture.", "Choose, drop or paste a picture of one digit.");
}
