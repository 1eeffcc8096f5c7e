import { enhanceComparison } from "../features/comparison.js";
import { enhanceDeletion } from "../features/deletion.js";
import { enhanceFeedback, THANKS } from "../features/feedback.js";
import { enhanceFilm } from "../features/film.js";
import { enhanceReplay } from "../features/replay.js";
import { enhanceShare } from "../features/share.js";
import { announce } from "../lib/announce.js";
import { onLeave } from "../lib/events.js";
import { replace } from "../lib/fragments.js";

const root = document.querySelector("[data-leaf]");
const canvas = root.querySelector("[data-replay]");
const film = root.querySelector("[data-film]");

onLeave(enhanceFeedback(root, { done: showAnswer, gone: () => location.reload() }));
onLeave(enhanceDeletion(root));
onLeave(enhanceComparison(root));
if (film) onLeave(enhanceFilm(film, root, canvas));
onLeave(enhanceShare(root));
if (canvas) onLeave(enhanceReplay(canvas, root.querySelector("[data-replay-controls]")));

function showAnswer(page) {
  replace(page.querySelector("#answer"));
  announce(THANKS);
}
