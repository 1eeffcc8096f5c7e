import { fetched, Refusal, replace } from "../lib/fragments.js";

/** Load what the look inside needs to be seen, once. */
function loadStyle(url) {
  if (document.querySelector(`link[href="${url}"]`)) return null;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = url;
  document.head.append(link);
  return new Promise((resolve) => (link.onload = link.onerror = resolve));
}

/**
 * Put the look inside a network at `url` into the page, in the place of `#inside`.
 *
 * It belongs to one drawing, and goes with it. `say` tells screen readers.
 */
export async function lookInside(url, say) {
  const id = document.getElementById("answer").dataset.predictionId;
  const place = document.getElementById("inside");
  const { style } = place.dataset;
  place.setAttribute("aria-busy", "true");
  try {
    const [page] = await Promise.all([fetched(url, null, "#inside"), style && loadStyle(style)]);
    if (document.getElementById("answer").dataset.predictionId !== id) return;
    const section = page.querySelector("#inside");
    section.dataset.predictionId = id;
    section.dataset.style = style;
    replace(section);
    enhanceInside(section, say);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    section.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
    section.querySelector("h2").focus({ preventScroll: true });
    say(section.dataset.announcement);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    place.removeAttribute("aria-busy");
    place.hidden = false;
    place.replaceChildren(error.slip);
  }
}

/** Bring a look inside to life: one detector at a time large, and, on the page with the slate, the other networks. */
export function enhanceInside(section, say) {
  const sheets = [...section.querySelectorAll("[data-sheet]")];
  sheets.forEach((sheet, index) => enlarge(sheet, section.querySelectorAll("[data-loupe]")[index]));
  if (!say) return;
  section.addEventListener("click", (event) => {
    const link = event.target.closest("[data-look]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    lookInside(link.href, say);
  });
}

/** Which map of a sheet lies at `x`, `y` (pixels of the picture), from 0. */
export function mapAt(x, y, { count, columns, tile, gap }) {
  const step = tile + gap;
  const column = Math.min(columns - 1, Math.max(0, Math.floor(x / step)));
  const row = Math.min(count / columns - 1, Math.max(0, Math.floor(y / step)));
  return row * columns + column;
}

/** Where map `index` of a sheet lies in it, in pixels of the picture. */
export function placeOf(index, { columns, tile, gap }) {
  const step = tile + gap;
  return { x: (index % columns) * step, y: Math.floor(index / columns) * step };
}

function enlarge(sheet, loupe) {
  const layout = Object.fromEntries(["count", "columns", "tile", "gap"].map((key) => [key, Number(sheet.dataset[key])]));
  const canvas = loupe.querySelector("canvas");
  const range = loupe.querySelector("input");
  const number = loupe.querySelector("[data-number]");
  const context = canvas.getContext("2d");
  const mark = document.createElement("span");
  mark.className = "sheet-mark";
  sheet.after(mark);

  function show() {
    const { tile } = layout;
    const { x, y } = placeOf(range.value - 1, layout);
    context.clearRect(0, 0, tile, tile);
    context.drawImage(sheet, x, y, tile, tile, 0, 0, tile, tile);
    number.textContent = range.value;
    const scale = sheet.clientWidth / sheet.naturalWidth;
    const box = { left: sheet.offsetLeft + x * scale, top: sheet.offsetTop + y * scale, width: tile * scale, height: tile * scale };
    for (const [side, length] of Object.entries(box)) mark.style[side] = `${length}px`;
  }

  function choose(event) {
    const scale = sheet.naturalWidth / sheet.clientWidth;
    range.value = mapAt(event.offsetX * scale, event.offsetY * scale, layout) + 1;
    show();
  }

  sheet.addEventListener("pointermove", choose);
  sheet.addEventListener("pointerdown", choose);
  range.addEventListener("input", show);
  // Its size is known once it is decoded, and changes with the window's.
  sheet.decode().then(() => new ResizeObserver(show).observe(sheet), () => {});
}
