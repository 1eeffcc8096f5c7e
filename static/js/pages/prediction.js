import { enhanceComparison } from "../features/comparison.js";
import { enhanceFeedback } from "../features/feedback.js";
import { enhanceReplay } from "../features/replay.js";

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
