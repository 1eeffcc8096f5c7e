import { enhanceComparison } from "../features/comparison.js";
import { enhanceFeedback } from "../features/feedback.js";
import { enhanceLiveGuess } from "../features/live-guess.js";
import { enhanceMyDrawings } from "../features/my-drawings.js";
import { enhancePredict } from "../features/predict.js";
import { shrinkInto } from "../features/shrink-animation.js";
import { acceptPictures, readPicture } from "../features/upload.js";
import { announce } from "../lib/announce.js";
import { isAnswered, keepAnswered, keepDraft } from "../lib/draft-storage.js";
import { isInField, listen, onLeave } from "../lib/events.js";
import { replace } from "../lib/fragments.js";
import { keepModelChoice } from "../lib/model-choice.js";
import { Drawing } from "../slate/drawing.js";
import { Slate } from "../slate/slate.js";

start(document.querySelector("[data-workspace]"));

function start(root) {
  const form = root.querySelector("[data-draw]");
  const canvas = root.querySelector("#slate");
  const board = root.querySelector("[data-board]");
  const notices = root.querySelector("[data-notice]");
  const answer = () => document.getElementById("answer");
  const drawing = new Drawing();
  const stopKeeping = keepDraft(drawing);
  const slate = new Slate(canvas, drawing, {
    brush: () => Number(form.elements.brush.value),
    submit: () => form.requestSubmit(),
  });
  const { on, stop } = listen();
  const actions = { undo: () => drawing.undo(), redo: () => drawing.redo(), clear };

  // Few visitors look inside, so its module is loaded on demand.
  async function look(event) {
    if (!event.target.matches("[data-look]")) return;
    event.preventDefault();
    const { lookInside } = await import("../features/look-inside.js");
    await lookInside(event.target.action);
  }

  // The explanation belongs to one drawing, and is closed when another is answered.
  function closeLook(event) {
    const inside = document.getElementById("inside");
    if (event.target.id !== "answer" || event.target.dataset.predictionId === inside.dataset.predictionId) return;
    inside.replaceChildren();
    inside.hidden = true;
  }

  function clear() {
    drawing.clear();
    slate.picture = null;
    hideNotice();
    if (answer().dataset.prediction) {
      replace(root.querySelector("[data-blank-answer]").content.firstElementChild.cloneNode(true));
      history.replaceState(null, "", location.pathname);
    }
    announce("Cleared");
  }

  function showNotice(notice) {
    notices.replaceChildren(notice);
  }

  function hideNotice() {
    notices.replaceChildren();
  }

  function updateTools() {
    form.querySelector("[data-do=undo]").disabled = !drawing.canUndo;
    form.querySelector("[data-do=redo]").disabled = !drawing.canRedo;
  }

  function load(picture) {
    slate.picture = picture;
    form.requestSubmit();
  }

  async function showPicture(url) {
    const response = await fetch(url);
    if (response.ok) slate.picture = await readPicture(await response.blob());
  }

  function onAnswer() {
    hideNotice();
    const { predictionId, announcement } = answer().dataset;
    keepAnswered(slate.picture ? null : predictionId);
    history.replaceState(null, "", predictionId ? `?answer=${predictionId}` : location.pathname);
    announce(announcement);
    shrinkInto(canvas, slate, root.querySelector("[data-seen]"));
  }

  on(form, "click", (event) => actions[event.target.closest("[data-do]")?.dataset.do]?.());
  on(drawing, "change", updateTools);
  on(root, "submit", look);
  on(root, "fragment", closeLook);
  on(canvas, "pointerdown", hideNotice);
  on(document, "keydown", (event) => {
    const action = !isInField(event) && actionFor(event);
    if (!action) return;
    event.preventDefault();
    actions[action]();
  });
  updateTools();
  // The page of an answer whose strokes are not in this tab shows its picture.
  if (canvas.dataset.picture && !isAnswered(answer().dataset.predictionId)) showPicture(canvas.dataset.picture);

  const stops = [
    stop,
    () => slate.destroy(),
    stopKeeping,
    enhancePredict(form, drawing, slate, { done: onAnswer, failed: showNotice }),
    enhanceFeedback(root, () => announce(answer().dataset.announcement)),
    enhanceComparison(root),
    enhanceLiveGuess(root, canvas, drawing, slate),
    enhanceMyDrawings(root, clear),
    form.elements.model ? keepModelChoice(form.elements.model) : () => {},
    acceptPictures(form.elements.file, board, { load, refuse: showNotice }),
  ];
  onLeave(() => stops.forEach((each) => each()));
}

/** The action of a key: Escape, or the platform's shortcuts for undo and redo. */
function actionFor(event) {
  if (event.key === "Escape") return "clear";
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" ? "redo" : null;
}
