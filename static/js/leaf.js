import { enhanceComparison } from "./compare.js";
import { enhanceFeedback } from "./feedback.js";
import { enhanceReplay } from "./replay.js";

/** Bring the page of one prediction to life; returns the function that undoes it. */
export function startLeaf(root) {
  const announcement = document.getElementById("announcement");
  const say = (text) => (announcement.textContent = text);
  const canvas = root.querySelector("[data-replay]");
  const stops = [
    enhanceFeedback(root, () => say(document.getElementById("answer").dataset.announcement)),
    enhanceComparison(root, say),
    canvas ? enhanceReplay(canvas, root.querySelector("[data-replay-controls]")) : () => {},
  ];
  return () => stops.forEach((stop) => stop());
}
