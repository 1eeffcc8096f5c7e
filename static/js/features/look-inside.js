import { announce } from "../lib/announce.js";
import { opensNewTab } from "../lib/events.js";
import { fetchFragment, replace, RequestError } from "../lib/fragments.js";
import { scrollTo } from "../lib/motion.js";

/** Load the style sheet at `url`, once. Returns a promise, or null when it is loaded already. */
function loadStyle(url) {
  if (document.querySelector(`link[href="${url}"]`)) return null;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = url;
  document.head.append(link);
  return new Promise((resolve) => (link.onload = link.onerror = resolve));
}

/** Fetch the explanation at `url` and show it in place of `#inside`, unless another drawing is answered meanwhile. */
export async function lookInside(url) {
  const id = document.getElementById("answer").dataset.predictionId;
  const place = document.getElementById("inside");
  const { style } = place.dataset;
  place.setAttribute("aria-busy", "true");
  try {
    const [page] = await Promise.all([fetchFragment(url, null, "#inside"), style && loadStyle(style)]);
    if (document.getElementById("answer").dataset.predictionId !== id) return;
    const section = page.querySelector("#inside");
    section.dataset.predictionId = id;
    section.dataset.style = style;
    replace(section);
    enhanceInside(section);
    section.addEventListener("click", switchModel);
    section.addEventListener("click", close);
    scrollTo(section, "start");
    section.querySelector("h2").focus({ preventScroll: true });
    announce(section.dataset.announcement);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    place.removeAttribute("aria-busy");
    place.hidden = false;
    place.replaceChildren(error.notice);
  }
}

function switchModel(event) {
  const link = event.target.closest("[data-look]");
  if (!link || opensNewTab(event)) return;
  event.preventDefault();
  lookInside(link.href);
}

function close(event) {
  const section = event.currentTarget;
  if (!event.target.closest("[data-close]")) return;
  section.hidden = true;
  section.replaceChildren();
  document.querySelector("#answer [data-look] button")?.focus({ preventScroll: true });
}

/** Magnify one map at a time of each contact sheet in `section`. */
export function enhanceInside(section) {
  const loupes = section.querySelectorAll("[data-loupe]");
  section.querySelectorAll("[data-sheet]").forEach((sheet, index) => enhanceLoupe(sheet, loupes[index]));
}

/** The index of the map at `x`, `y` (pixels of the sheet), counted from 0. */
export function mapAt(x, y, { count, columns, tile, gap }) {
  const step = tile + gap;
  const column = Math.min(columns - 1, Math.max(0, Math.floor(x / step)));
  const row = Math.min(count / columns - 1, Math.max(0, Math.floor(y / step)));
  return row * columns + column;
}

/** The top left corner of map `index`, in pixels of the sheet. */
export function mapOrigin(index, { columns, tile, gap }) {
  const step = tile + gap;
  return { x: (index % columns) * step, y: Math.floor(index / columns) * step };
}

function enhanceLoupe(sheet, loupe) {
  const layout = Object.fromEntries(["count", "columns", "tile", "gap"].map((key) => [key, Number(sheet.dataset[key])]));
  const canvas = loupe.querySelector("canvas");
  const range = loupe.querySelector("input");
  const number = loupe.querySelector("[data-number]");
  const context = canvas.getContext("2d");
  const mark = document.createElement("span");
  mark.className = "sheet-mark";
  sheet.after(mark);

  let kept = false;

  function show(index = range.value - 1) {
    const { tile } = layout;
    const { x, y } = mapOrigin(index, layout);
    context.clearRect(0, 0, tile, tile);
    context.drawImage(sheet, x, y, tile, tile, 0, 0, tile, tile);
    number.textContent = index + 1;
    const scale = sheet.clientWidth / sheet.naturalWidth;
    const box = { left: sheet.offsetLeft + x * scale, top: sheet.offsetTop + y * scale, width: tile * scale, height: tile * scale };
    for (const [side, length] of Object.entries(box)) mark.style[side] = `${length}px`;
  }

  /** The index of the map below the pointer. */
  function pointed(event) {
    const scale = sheet.naturalWidth / sheet.clientWidth;
    return mapAt(event.offsetX * scale, event.offsetY * scale, layout);
  }

  function keep(index) {
    kept = true;
    mark.dataset.kept = "";
    range.value = index + 1;
    show();
  }

  function release() {
    kept = false;
    delete mark.dataset.kept;
  }

  // A map that the pointer only passes is shown until the pointer leaves; a click keeps it, or lets it go again.
  sheet.addEventListener("pointermove", (event) => {
    if (!kept && event.pointerType !== "touch") show(pointed(event));
  });
  sheet.addEventListener("pointerleave", () => show());
  sheet.addEventListener("click", (event) => {
    const index = pointed(event);
    if (kept && index === range.value - 1) release();
    else keep(index);
  });
  range.addEventListener("input", () => keep(range.value - 1));
  // The sheet's size is known once it is decoded, and changes with the window's.
  sheet.decode().then(() => new ResizeObserver(() => show()).observe(sheet), () => {});
}
