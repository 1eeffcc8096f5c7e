import { announce } from "../lib/announce.js";
import { reducedMotion } from "../lib/motion.js";

/** Seconds before the end at which the clock warns. */
const LAST_SECONDS = 10;

/** The parts of the page that say what is to be done: the state, the prompt, and the clock. */
export function challengePanel(root) {
  const part = (name) => root.querySelector(`[data-${name}]`);
  const clockPart = part("clock");
  const bar = part("clock-bar");
  let warned = false;

  /** Show the parts of a state, and move the focus to its title if `focus`. */
  function show(state, focus = false) {
    root.dataset.state = state;
    for (const each of root.querySelectorAll("[data-when]")) each.hidden = !each.dataset.when.split(" ").includes(state);
    if (focus) root.querySelector(`[data-when="${state}"] [data-title]`).focus({ preventScroll: true });
  }

  /** Ask for a digit; `said` comes before it for screen readers. */
  function ask(digit, index, number, said) {
    const words = `${digit === 8 ? "an" : "a"} ${digit}`;
    part("article").textContent = digit === 8 ? "an" : "a";
    part("prompt").textContent = String(digit);
    part("hint").textContent = `Draw ${words}`;
    announce(`${said} Draw ${words}. ${index + 1} of ${number}.`.trim());
  }

  /** Show a clock. */
  function time(clock) {
    clockPart.hidden = !clock.on;
    part("hint-clock").hidden = !clock.on || clock.seconds > 0;
    if (!clock.on) return;
    const seconds = Math.ceil(clock.left);
    const text = `${seconds} s`;
    const changed = part("clock-time").textContent !== text;
    if (changed) part("clock-time").textContent = text;
    if (changed || !reducedMotion()) bar.style.transform = `scaleX(${clock.share})`;
    clockPart.toggleAttribute("data-short", seconds <= LAST_SECONDS);
    if (seconds > LAST_SECONDS) warned = false;
    else if (!warned && clock.running) {
      warned = true;
      announce(`${seconds} seconds left`);
    }
  }

  /** Empty the hint on the slate. */
  function hush() {
    part("hint").textContent = "";
    part("hint-clock").hidden = true;
  }

  return { show, ask, time, hush, title: (text) => (root.querySelector("[data-when=done] [data-title]").textContent = text), part };
}
