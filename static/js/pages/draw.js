import { enhanceAnswer } from "../features/answer-panel.js";
import { Answers } from "../features/answers.js";
import { enhanceComparison } from "../features/comparison.js";
import { enhanceExamples } from "../features/examples.js";
import { enhanceFeedback } from "../features/feedback.js";
import { enhanceLiveGuess } from "../features/live-guess.js";
import { lookInside } from "../features/look-inside-loader.js";
import { enhanceMyDrawings } from "../features/my-drawings.js";
import { enhancePredict } from "../features/predict.js";
import { enhanceShare } from "../features/share.js";
import { shrinkInto } from "../features/shrink-animation.js";
import { acceptPictures } from "../features/upload.js";
import { announce } from "../lib/announce.js";
import { keepDraft } from "../lib/draft-storage.js";
import { isInField, listen, onLeave } from "../lib/events.js";
import { keepModelChoice } from "../lib/model-choice.js";
import { Drawing } from "../slate/drawing.js";
import { Slate } from "../slate/slate.js";

start(document.querySelector("[data-workspace]"));

function start(root) {
  const form = root.querySelector("[data-draw]");
  const canvas = root.querySelector("#slate");
  const board = root.querySelector("[data-board]");
  const notices = root.querySelector("[data-notice]");
  const drawing = new Drawing();
  const answers = new Answers(drawing);
  const stopKeeping = keepDraft(drawing, answers);
  const slate = new Slate(canvas, drawing, {
    brush: () => Number(form.elements.brush.value),
    submit: () => form.requestSubmit(),
  });
  const panel = enhanceAnswer(root, drawing, answers, showNotice);
  const own = enhanceMyDrawings(root, { judged: panel.update, deleted: panel.deleted });
  const { on, stop } = listen();
  const actions = { undo: () => drawing.undo(), redo: () => drawing.redo(), clear, escape };

  function look(event) {
    if (!event.target.matches("[data-look]")) return;
    event.preventDefault();
    lookInside(event.target.action);
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
    hideNotice();
    panel.close();
    announce("Cleared");
  }

  /** Close what lies on top; with nothing on top, wipe the slate. */
  function escape() {
    if (notices.childElementCount > 0) return hideNotice();
    const section = ["inside", "comparison"].map((id) => document.getElementById(id)).find((each) => !each.hidden);
    if (!section) return clear();
    const button = section.querySelector("[data-close]");
    if (button) return button.click();
    section.replaceChildren();
    section.hidden = true;
  }

  function showNotice(notice) {
    notices.replaceChildren(notice);
  }

  function hideNotice() {
    notices.replaceChildren();
  }

  function updateTools() {
    slate.enable(form.querySelector("[data-do=undo]"), drawing.canUndo);
    slate.enable(form.querySelector("[data-do=redo]"), drawing.canRedo);
    slate.enable(form.querySelector("[data-do=clear]"), !drawing.empty);
  }

  function load(picture) {
    drawing.place(picture);
    form.requestSubmit();
  }

  function onAnswer(sheet, page) {
    if (!panel.show(sheet, page)) return;
    hideNotice();
    shrinkInto(canvas, slate, root.querySelector("[data-seen]"));
  }

  on(form, "click", (event) => actions[event.target.closest("[data-do]")?.dataset.do]?.());
  on(form, "submit", () => own.keep(answers.id(drawing.sheet, form.elements.model?.value ?? "")));
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

  const stops = [
    stop,
    () => slate.destroy(),
    stopKeeping,
    () => panel.stop(),
    enhancePredict(form, drawing, answers, { done: onAnswer, failed: showNotice }),
    enhanceFeedback(root, { done: panel.update, gone: panel.gone, failed: showNotice }),
    enhanceComparison(root),
    enhanceShare(root),
    enhanceLiveGuess(root, canvas, drawing, answers),
    own.stop,
    enhanceExamples(root, drawing),
    form.elements.model ? keepModelChoice(form.elements.model) : () => {},
    acceptPictures(form.elements.file, board, { load, refuse: showNotice }),
  ];
  onLeave(() => stops.forEach((each) => each()));
}

/** The action of a key: Escape, or the platform's shortcuts for undo and redo. */
function actionFor(event) {
  if (event.key === "Escape") return "escape";
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" ? "redo" : null;
}
