import { enhanceComparison } from "../features/comparison.js";
import { enhanceFeedback } from "../features/feedback.js";
import { enhanceFilm } from "../features/film.js";
import { enhanceReplay } from "../features/replay.js";
import { announce } from "../lib/announce.js";
import { onLeave } from "../lib/events.js";

const root = document.querySelector("[data-leaf]");
const canvas = root.querySelector("[data-replay]");
const film = root.querySelector("[data-film]");

onLeave(enhanceFeedback(root, () => announce(document.getElementById("answer").dataset.announcement)));
onLeave(enhanceComparison(root));
if (film) onLeave(enhanceFilm(film, root, canvas));
if (canvas) onLeave(enhanceReplay(canvas, root.querySelector("[data-replay-controls]")));
