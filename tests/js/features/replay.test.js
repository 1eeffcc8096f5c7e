import assert from "node:assert/strict";
import test from "node:test";

import { strokeEnds, strokesUpTo } from "../../../static/js/features/replay.js";

const LINE = { width: 20, points: [[0, 0], [30, 0], [30, 40]] };
const DOT = { width: 10, points: [[30, 50]] };

test("the distance includes moves in the air between strokes", () => {
  assert.deepEqual(strokeEnds([LINE, DOT]), [70, 80]);
  assert.deepEqual(strokeEnds([DOT]), [0]);
});

test("nothing is drawn without strokes, and everything at the end", () => {
  assert.deepEqual(strokesUpTo([], 10), []);
  assert.deepEqual(strokesUpTo([LINE, DOT], 80), [LINE, DOT]);
  assert.deepEqual(strokesUpTo([LINE, DOT], 1000), [LINE, DOT]);
});

test("a stroke is cut at the limit", () => {
  assert.deepEqual(strokesUpTo([LINE], 0), [{ width: 20, points: [[0, 0], [0, 0]] }]);
  assert.deepEqual(strokesUpTo([LINE], 50), [{ width: 20, points: [[0, 0], [30, 0], [30, 20]] }]);
});

test("while the pen is in the air no stroke is cut", () => {
  assert.deepEqual(strokesUpTo([LINE, DOT], 75), [LINE]);
});

test("pressure is interpolated", () => {
  const pressed = { width: 20, points: [[0, 0, 0.2], [10, 0, 0.6]] };
  assert.deepEqual(strokesUpTo([pressed], 5)[0].points.at(-1), [5, 0, 0.4]);
});
