import { startPage } from "./pages/draw.js";
import { enhanceTheme } from "./lib/theme.js";
import { localTimes } from "./lib/local-times.js";

const stops = [enhanceTheme(document.querySelector("[data-theme-switch]"))];
const workspace = document.querySelector("[data-workspace]");
if (workspace) stops.push(startPage(workspace));
const leaf = document.querySelector("[data-leaf]");
if (leaf) import("./pages/prediction.js").then(({ startLeaf }) => stops.push(startLeaf(leaf)));

const inside = document.querySelector("[data-inside]");
if (inside) import("./pages/explain.js").then(({ enhanceInside }) => enhanceInside(inside));

localTimes(document);
document.addEventListener("fragment", (event) => localTimes(event.target));

addEventListener("pagehide", (event) => {
  // A page that may come back by the back button (bfcache) comes back alive.
  if (!event.persisted) stops.forEach((stop) => stop());
});
