import assert from "node:assert/strict";
import test from "node:test";

import { finishes, upTo } from "../../../static/js/features/replay.js";

const LINE = { width: 20, points: [[0, 0], [30, 0], [30, 40]] };
const DOT = { width: 10, points: [[30, 50]] };

test("the pen's way leads along the strokes and through the air between them", () => {
  assert.deepEqual(finishes([LINE, DOT]), [70, 80]);
  assert.deepEqual(finishes([DOT]), [0]);
});

test("nothing is drawn before the pen is down, and in the end everything", () => {
  assert.deepEqual(upTo([], 10), []);
  assert.deepEqual(upTo([LINE, DOT], 80), [LINE, DOT]);
  assert.deepEqual(upTo([LINE, DOT], 1000), [LINE, DOT]);
});

test("a stroke is cut where the pen has come to", () => {
  assert.deepEqual(upTo([LINE], 0), [{ width: 20, points: [[0, 0], [0, 0]] }]);
  assert.deepEqual(upTo([LINE], 50), [{ width: 20, points: [[0, 0], [30, 0], [30, 20]] }]);
});

test("while the pen is in the air the stroke before is whole and the next one not begun", () => {
  assert.deepEqual(upTo([LINE, DOT], 75), [LINE]);
});

test("the pressure is between that of the points around", () => {
  const pressed = { width: 20, points: [[0, 0, 0.2], [10, 0, 0.6]] };
  assert.deepEqual(upTo([pressed], 5)[0].points.at(-1), [5, 0, 0.4]);
});
