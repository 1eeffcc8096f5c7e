import { keepChoice } from "../lib/model-choice.js";
import { enhanceComparison } from "../features/comparison.js";
import { enhanceFeedback } from "../features/feedback.js";
import { replace, slip } from "../lib/fragments.js";
import { enhanceGuess } from "../features/live-guess.js";
import { Notice } from "../lib/notice.js";
import { enhanceOwn } from "../features/my-drawings.js";
import { acceptPictures, readPicture } from "../features/upload.js";
import { enhancePredict } from "../features/predict.js";
import { shrinkInto } from "../features/shrink-animation.js";
import { Slate } from "../slate/slate.js";
import { isAnswered, keep, keepAnswered } from "../lib/draft-storage.js";
import { Drawing } from "../slate/drawing.js";

/** Bring the page with the slate to life; returns the function that undoes it. */
export function startPage(root) {
  const form = root.querySelector("[data-draw]");
  const canvas = root.querySelector("#slate");
  const board = root.querySelector("[data-board]");
  const notice = new Notice(root.querySelector("[data-notice]"));
  const announcement = document.getElementById("announcement");
  const say = (text) => (announcement.textContent = text);
  const answer = () => document.getElementById("answer");
  const drawing = new Drawing();
  const stopKeeping = keep(drawing);
  const slate = new Slate(canvas, drawing, {
    brush: () => Number(form.elements.brush.value),
    submit: () => form.requestSubmit(),
    say,
  });
  const listening = new AbortController();
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: listening.signal });

  // What is looked at by few is fetched by them alone.
  async function look(event) {
    if (!event.target.matches("[data-look]")) return;
    event.preventDefault();
    const { lookInside } = await import("./explain.js");
    await lookInside(event.target.action, say);
  }

  // A look inside belongs to one drawing, and goes with it.
  function closeLook(event) {
    const inside = document.getElementById("inside");
    if (event.target.id !== "answer" || event.target.dataset.predictionId === inside.dataset.predictionId) return;
    inside.replaceChildren();
    inside.hidden = true;
  }

  const acts = { undo: () => drawing.undo(), redo: () => drawing.redo(), clear };

  function clear() {
    drawing.clear();
    slate.picture = null;
    notice.hide();
    if (answer().dataset.prediction) {
      replace(root.querySelector("[data-blank-answer]").content.firstElementChild.cloneNode(true));
      history.replaceState(null, "", location.pathname);
    }
    say("Cleared");
  }

  function showTools() {
    form.querySelector("[data-do=undo]").disabled = !drawing.canUndo;
    form.querySelector("[data-do=redo]").disabled = !drawing.canRedo;
  }

  async function take(file) {
    const picture = await readPicture(file);
    if (!picture) return notice.show(slip("Not accepted.", "This file is not a picture that the browser can read."));
    slate.picture = picture;
    form.requestSubmit();
  }

  // An answer that was opened from the table, or that an uploaded picture got, brings its picture along.
  async function showPicture(url) {
    const response = await fetch(url);
    if (response.ok) slate.picture = await readPicture(await response.blob());
  }

  function answered() {
    notice.hide();
    const { predictionId, announcement } = answer().dataset;
    keepAnswered(slate.picture ? null : predictionId);
    history.replaceState(null, "", predictionId ? `?answer=${predictionId}` : location.pathname);
    say(announcement);
    shrinkInto(canvas, slate, root.querySelector("[data-seen]"));
  }

  on(form, "click", (event) => acts[event.target.closest("[data-do]")?.dataset.do]?.());
  on(drawing, "change", showTools);
  on(root, "submit", look);
  on(root, "fragment", closeLook);
  on(canvas, "pointerdown", () => notice.hide());
  on(document, "keydown", (event) => {
    if (event.target.matches("input:not([type=radio]), select, textarea")) return;
    const act = shortcut(event);
    if (!act) return;
    event.preventDefault();
    acts[act]();
  });
  showTools();
  if (canvas.dataset.picture && !isAnswered(answer().dataset.predictionId)) showPicture(canvas.dataset.picture);

  const stops = [
    () => listening.abort(),
    () => slate.destroy(),
    stopKeeping,
    enhancePredict(form, drawing, slate, { done: answered, failed: (message) => notice.show(message) }),
    enhanceFeedback(root, () => say(answer().dataset.announcement)),
    enhanceComparison(root, say),
    enhanceGuess(root, canvas, drawing, slate),
    enhanceOwn(root, { say, gone: clear }),
    form.elements.model ? keepChoice(form.elements.model) : () => {},
    acceptPictures(form.elements.file, board, take),
  ];
  return () => stops.forEach((stop) => stop());
}

function shortcut(event) {
  if (event.key === "Escape") return "clear";
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" ? "redo" : null;
}
