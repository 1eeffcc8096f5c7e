import { onLeave } from "./lib/events.js";
import { localTimes } from "./lib/local-times.js";
import { enhanceTheme } from "./lib/theme.js";

// The script of every page; pages/ has those of single pages.
onLeave(enhanceTheme(document.querySelector("[data-theme-switch]")));
localTimes(document);
document.addEventListener("fragment", (event) => localTimes(event.target));
