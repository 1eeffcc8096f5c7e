import { thumbnail } from "../slate/render.js";

/** What is said of a drawing that was read as no digit. */
const SPECIAL = new Map([["none", ["read as not a digit", "→?"]], [null, ["not saved", "✕"]]]);

/** Show the drawings of a round as they come: one place for each digit, with its picture and what was read. */
export function challengePlaces(list) {
  const blank = list.innerHTML;

  return {
    /** Empty all places. */
    clear() {
      list.innerHTML = blank;
    },

    /** Mark the place that is drawn now; null for none. */
    mark(index) {
      for (const [each, item] of [...list.children].entries()) item.toggleAttribute("data-current", each === index);
    },

    /** Show the drawing of a place. */
    fill({ index, prompt }, sheet) {
      const item = list.children[index];
      const picture = document.createElement("img");
      picture.src = thumbnail(sheet);
      picture.alt = `Your ${prompt}`;
      item.querySelector(".course-sheet").replaceChildren(picture);
      item.querySelector(".course-words").textContent = String(prompt);
    },

    /** Say what was read: a digit, "none", or null for a drawing that could not be saved. */
    judge({ index, prompt }, digit) {
      const item = list.children[index];
      const right = digit === String(prompt);
      item.dataset.right = String(right);
      const [words, sign] = SPECIAL.get(digit) ?? [`read as ${digit}`, `→${digit}`];
      item.querySelector("img").alt = `Your ${prompt}, ${words}`;
      if (!right) item.querySelector(".course-words").textContent = `${prompt}${sign}`;
    },
  };
}
