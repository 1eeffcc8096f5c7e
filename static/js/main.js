import { startPage } from "./page.js";
import { enhanceTheme } from "./theme.js";
import { localTimes } from "./times.js";

const stops = [enhanceTheme(document.querySelector("[data-theme-switch]"))];
const workspace = document.querySelector("[data-workspace]");
if (workspace) stops.push(startPage(workspace));
const leaf = document.querySelector("[data-leaf]");
if (leaf) import("./leaf.js").then(({ startLeaf }) => stops.push(startLeaf(leaf)));

const inside = document.querySelector("[data-inside]");
if (inside) import("./inside.js").then(({ enhanceInside }) => enhanceInside(inside));

localTimes(document);
document.addEventListener("fragment", (event) => localTimes(event.target));

addEventListener("pagehide", (event) => {
  // A page that may come back by the back button (bfcache) comes back alive.
  if (!event.persisted) stops.forEach((stop) => stop());
});
