import { onLeave } from "./lib/events.js";
import { enhanceTheme } from "./lib/theme.js";

// The script of every page; pages/ has those of single pages.
onLeave(enhanceTheme(document.querySelector("[data-theme-switch]")));
localTimes(document);
document.addEventListener("fragment", (event) => localTimes(event.target));

/** Show every time below `root` in the visitor's time zone, in the same format as the server's UTC times. */
function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const when = new Date(time.dateTime);
    const two = (number) => String(number).padStart(2, "0");
    const day = [when.getFullYear(), two(when.getMonth() + 1), two(when.getDate())].join("-");
    time.textContent = `${day} ${two(when.getHours())}:${two(when.getMinutes())}`;
  }
}
