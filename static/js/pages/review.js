import { enhanceReview } from "../features/review-grid.js";
import { onLeave } from "../lib/events.js";

const form = document.querySelector("[data-review]");
if (form) onLeave(enhanceReview(form, document.getElementById("review-undo")));
