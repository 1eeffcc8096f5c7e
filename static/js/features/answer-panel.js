import { announce } from "../lib/announce.js";
import { listen } from "../lib/events.js";
import { errorNotice, fetchFragment, inTurn, replace, RequestError } from "../lib/fragments.js";
import { SIZE } from "../slate/geometry.js";
import { thumbnail } from "../slate/render.js";
import { mergeRows, removeRow } from "./drawing-rows.js";
import { THANKS } from "./feedback.js";
import { readPicture } from "./upload.js";

/**
 * Show answers, and say whether the one shown was given for what is on the slate.
 *
 * An answer to another drawing gets `data-stale` and can't be judged; the page's address names an answer only while
 * it is current. `notify(notice)` shows a notice. Returns the functions that change the panel, and the teardown `stop`.
 */
export function enhanceAnswer(root, drawing, answers, notify) {
  const blank = root.querySelector("[data-blank-answer]").content.firstElementChild;
  const notes = root.querySelector("[data-notes]").content;
  const canvas = root.querySelector("#slate");
  const select = root.querySelector("#network");
  const { on, stop } = listen();
  const home = root.querySelector("[data-draw]").dataset.home;
  const panel = () => document.getElementById("answer");

  function mark() {
    const answer = panel();
    const { prediction, predictionId } = answer.dataset;
    const stale = prediction !== undefined && !answers.current;
    if (stale) leave(answer);
    if (!answer.querySelector("[data-when]")) answer.querySelector(".answer-facts").after(notes.cloneNode(true));
    answer.toggleAttribute("data-stale", stale);
    for (const fieldset of answer.querySelectorAll("fieldset")) fieldset.disabled = stale || !predictionId;
    nameInAddress(stale ? "" : (predictionId ?? ""));
  }

  /** Take the focus out of an answer that is put away or can't be used any more. */
  function leave(answer) {
    if (answer.contains(document.activeElement)) canvas.focus({ preventScroll: true });
  }

  function nameInAddress(id) {
    const named = new URLSearchParams(location.search).get("answer") ?? "";
    if (named !== id) history.replaceState(null, "", id ? `${home}?answer=${id}` : home);
  }

  /** Show the answer to `sheet`, or only its row if something else is on the slate by now. Returns whether it is shown. */
  function show(sheet, page) {
    const answer = page.querySelector("#answer");
    const { announcement, predictionId } = answer.dataset;
    const onSlate = !drawing.drawing && drawing.sheet === sheet;
    for (const image of page.querySelectorAll("[data-rows] img")) image.src = thumbnail(sheet);
    mergeRows(page);
    if (onSlate) place(sheet, answer);
    else if (!predictionId) notify(errorNotice("Your previous drawing was not saved.", announcement));
    announce(onSlate ? announcement : `Your previous drawing: ${announcement}`);
    return onSlate;
  }

  function place(sheet, answer) {
    answers.show(sheet);
    replace(answer);
    mark();
  }

  /** Show what feedback changed. */
  function update(page) {
    const answer = page.querySelector("#answer");
    mergeRows(page);
    if (answer.dataset.predictionId === panel().dataset.predictionId) {
      replace(answer);
      mark();
    }
    announce(THANKS);
  }

  /** Put the answer away. */
  function close() {
    if (panel().dataset.prediction === undefined) return;
    leave(panel());
    answers.show(null);
    replace(blank.cloneNode(true));
    mark();
  }

  /** Put away what belongs to prediction `id`, which was deleted: its drawing too, unless another answer to it is left. */
  function deleted(id) {
    const { sheet } = drawing;
    const onSlate = answers.has(sheet, id);
    answers.forget(sheet, id);
    if (panel().dataset.predictionId === id) close();
    const answered = answers.entries(sheet).some((entry) => entry.id);
    if (onSlate && !answered && !drawing.drawing) drawing.clear();
  }

  /** Say that prediction `id` was deleted elsewhere. */
  function gone(id) {
    removeRow(id);
    deleted(id);
    notify(errorNotice("This drawing was deleted.", "So its answer can’t be rated any more."));
  }

  function lookUp(id) {
    return inTurn(() => fetchFragment(`${home}?answer=${id}`, null, "#answer"));
  }

  async function openAnswered(id) {
    const before = drawing.sheet;
    const found = await loadDrawing(canvas);
    const changed = drawing.drawing || drawing.sheet !== before || panel().dataset.predictionId !== id;
    if (!found || changed) return;
    if (found.strokes) drawing.open(found.strokes);
    else drawing.place(found.picture);
    answers.keep(drawing.sheet, select ? panel().dataset.model : "", id);
    answers.show(drawing.sheet);
  }

  // The drawing that is kept in this tab was answered before, on a page that was left since.
  async function showKept(sheet) {
    const id = answers.entries(sheet).find((entry) => entry.id)?.id;
    if (!id) return;
    try {
      const page = await lookUp(id);
      const changed = drawing.drawing || drawing.sheet !== sheet || panel().dataset.prediction !== undefined;
      if (!changed && answers.has(sheet, id)) place(sheet, page.querySelector("#answer"));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code === "not_found") answers.forget(sheet, id);
    }
  }

  // A page that the back button restores (bfcache) does not know of feedback and deletions on others.
  async function refresh({ persisted }) {
    const { predictionId } = panel().dataset;
    if (!persisted || !predictionId) return;
    try {
      update(await lookUp(predictionId));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code === "not_found") gone(predictionId);
    }
  }

  function start() {
    const { prediction, predictionId } = panel().dataset;
    if (prediction === undefined) showKept(drawing.sheet);
    else if (answers.has(drawing.sheet, predictionId)) answers.show(drawing.sheet);
    else openAnswered(predictionId);
  }

  for (const type of ["change", "pen"]) on(drawing, type, mark);
  on(answers, "change", mark);
  on(window, "pageshow", refresh);
  start();
  mark();

  return { show, update, close, deleted, gone, stop };
}

/** The answered drawing of the page, `{strokes}` in slate units or `{picture}`; null if it can't be loaded. */
async function loadDrawing({ dataset }) {
  try {
    const response = await fetch(dataset.strokes);
    const stored = response.ok ? await response.json() : null;
    if (stored?.strokes.length) return { strokes: scaled(stored) };
    const picture = await fetch(dataset.picture);
    return picture.ok ? { picture: await readPicture(await picture.blob()) } : null;
  } catch {
    return null;
  }
}

function scaled({ size, strokes }) {
  const scale = SIZE / size;
  return strokes.map(({ width, points }) => ({
    width: width * scale,
    points: points.map(([x, y, ...pressure]) => [x * scale, y * scale, ...pressure]),
  }));
}
