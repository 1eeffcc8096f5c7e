import assert from "node:assert/strict";
import test from "node:test";

import { Drawing, MAX_STEPS } from "../../../static/js/slate/drawing.js";

function drawn(...strokes) {
  const drawing = new Drawing();
  for (const [first, ...rest] of strokes) {
    drawing.begin(first, 20);
    rest.forEach((point) => drawing.extend(point));
    drawing.end();
  }
  return drawing;
}

const LINE = [[10, 10], [20, 20]];
const DOT = [[50, 50]];

test("a new drawing is empty, with nothing to undo or redo", () => {
  const drawing = new Drawing();
  assert.deepEqual([drawing.empty, drawing.canUndo, drawing.canRedo], [true, false, false]);
});

test("strokes are kept as data, in the form that is sent", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(drawn(LINE, DOT))), {
    size: 280,
    strokes: [{ width: 20, points: LINE }, { width: 20, points: DOT }],
  });
});

test("the stroke under the pen is seen, but is sent only when it is finished", () => {
  const drawing = drawn(LINE);
  drawing.begin([1, 1], 14);
  assert.equal(drawing.strokes.length, 2);
  assert.equal(drawing.toJSON().strokes.length, 1);
  assert.equal(drawing.empty, false);
});

test("points that add nothing are left out", () => {
  const drawing = new Drawing();
  drawing.begin([10, 10], 20);
  assert.equal(drawing.extend([10.1, 10.1]), false);
  assert.equal(drawing.extend([11, 10]), true);
  assert.deepEqual(drawing.strokes[0].points, [[10, 10], [11, 10]]);
});

test("undo takes back stroke by stroke, redo brings them again", () => {
  const drawing = drawn(LINE, DOT);
  drawing.undo();
  assert.deepEqual(drawing.strokes.map(({ points }) => points), [LINE]);
  drawing.undo();
  drawing.undo();
  assert.equal(drawing.empty, true);
  drawing.redo();
  drawing.redo();
  drawing.redo();
  assert.deepEqual(drawing.strokes.map(({ points }) => points), [LINE, DOT]);
});

test("what is cleared can be brought back", () => {
  const drawing = drawn(LINE, DOT);
  drawing.clear();
  assert.equal(drawing.empty, true);
  drawing.undo();
  assert.equal(drawing.strokes.length, 2);
});

test("clearing an empty slate is nothing to undo", () => {
  const drawing = new Drawing();
  drawing.clear();
  assert.equal(drawing.canUndo, false);
});

test("clearing wipes a stroke under the pen, and tells so", () => {
  const drawing = new Drawing();
  let changes = 0;
  drawing.addEventListener("change", () => changes++);
  drawing.begin([1, 1], 20);
  drawing.clear();
  assert.deepEqual([drawing.drawing, drawing.empty, drawing.canUndo, changes], [false, true, false, 1]);
  drawing.clear();
  assert.equal(changes, 1);
});

test("clearing with the pen down brings back the finished strokes alone", () => {
  const drawing = drawn(LINE);
  drawing.begin([1, 1], 20);
  drawing.clear();
  assert.equal(drawing.empty, true);
  drawing.undo();
  assert.deepEqual(drawing.strokes.map(({ points }) => points), [LINE]);
});

test("a new stroke ends what could be redone", () => {
  const drawing = drawn(LINE);
  drawing.undo();
  drawing.begin([1, 1], 20);
  drawing.end();
  assert.equal(drawing.canRedo, false);
});

test("a cancelled stroke leaves no trace", () => {
  const drawing = drawn(LINE);
  drawing.begin([1, 1], 20);
  drawing.cancel();
  drawing.end();
  assert.equal(drawing.strokes.length, 1);
  drawing.undo();
  assert.equal(drawing.canUndo, false);
});

test("history waits while the pen is down", () => {
  const drawing = drawn(LINE);
  drawing.begin([1, 1], 20);
  drawing.undo();
  drawing.end();
  assert.equal(drawing.strokes.length, 2);
});

test("a kept drawing is restored, and undo takes back its strokes", () => {
  const drawing = new Drawing();
  drawing.restore(JSON.parse(JSON.stringify(drawn(LINE, DOT))));
  assert.deepEqual(drawing.toJSON(), drawn(LINE, DOT).toJSON());
  drawing.undo();
  assert.deepEqual(drawing.strokes.map(({ points }) => points), [LINE]);
  drawing.undo();
  assert.deepEqual([drawing.empty, drawing.canUndo], [true, false]);
});

test("undo and redo lead back to the same sheet", () => {
  const drawing = drawn(LINE);
  const { sheet } = drawing;
  drawing.begin([1, 1], 20);
  assert.equal(drawing.sheet, sheet);
  drawing.end();
  assert.notEqual(drawing.sheet, sheet);
  drawing.undo();
  assert.equal(drawing.sheet, sheet);
});

test("a stroke over a picture starts a drawing, and undo brings the picture back", () => {
  const picture = { image: {}, blob: {} };
  const drawing = drawn(LINE);
  drawing.place(picture);
  assert.deepEqual([drawing.picture, drawing.strokes.length, drawing.empty], [picture, 0, false]);
  drawing.begin([1, 1], 20);
  assert.equal(drawing.picture, null);
  drawing.end();
  assert.equal(drawing.strokes.length, 1);
  drawing.undo();
  assert.equal(drawing.picture, picture);
  drawing.undo();
  assert.deepEqual([drawing.picture, drawing.strokes.length], [null, 1]);
});

test("an opened drawing is undone stroke by stroke, then the former one is back", () => {
  const drawing = drawn(DOT);
  drawing.open(drawn(LINE, LINE).strokes);
  assert.equal(drawing.strokes.length, 2);
  for (let times = 0; times < 3; times++) drawing.undo();
  assert.deepEqual(drawing.strokes.map(({ points }) => points), [DOT]);
});

test("a long session keeps as many steps to undo as it may", () => {
  const drawing = new Drawing();
  const pictures = Array.from({ length: MAX_STEPS + 10 }, () => ({ image: {}, blob: {} }));
  pictures.forEach((picture) => drawing.place(picture));
  const seen = [];
  while (drawing.canUndo) {
    drawing.undo();
    seen.push(drawing.picture);
  }
  assert.deepEqual(seen, pictures.slice(9, -1).reverse());
});

test("an opened drawing of many strokes keeps as many steps to undo as it may", () => {
  for (const way of ["open", "restore"]) {
    const drawing = new Drawing();
    const { strokes } = drawn(...Array(MAX_STEPS + 10).fill(LINE));
    if (way === "open") drawing.open(strokes);
    else drawing.restore({ strokes });
    while (drawing.canUndo) drawing.undo();
    assert.equal(drawing.strokes.length, 10);
  }
});

test("finished changes are told, a moving pen is not", () => {
  const drawing = new Drawing();
  let changes = 0;
  drawing.addEventListener("change", () => changes++);
  drawing.begin([1, 1], 20);
  drawing.extend([9, 9]);
  assert.equal(changes, 0);
  drawing.end();
  drawing.undo();
  drawing.redo();
  drawing.clear();
  assert.equal(changes, 4);
});
