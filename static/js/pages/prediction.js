import { enhanceComparison } from "../features/comparison.js";
import { enhanceFeedback } from "../features/feedback.js";
import { enhanceReplay } from "../features/replay.js";
import { enhanceShare } from "../features/share.js";
import { announce } from "../lib/announce.js";
import { onLeave } from "../lib/events.js";

const root = document.querySelector("[data-leaf]");
const canvas = root.querySelector("[data-replay]");

onLeave(enhanceFeedback(root, () => announce(document.getElementById("answer").dataset.announcement)));
onLeave(enhanceComparison(root));
onLeave(enhanceShare(root));
if (canvas) onLeave(enhanceReplay(canvas, root.querySelector("[data-replay-controls]")));
