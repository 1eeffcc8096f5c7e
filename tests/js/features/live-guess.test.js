import assert from "node:assert/strict";
import test from "node:test";

import { guessText } from "../../../static/js/features/guesser.js";
import { boundingBox } from "../../../static/js/features/rasterize.js";

const words = { guess: "Looks like an 8 · > 99.9 %", guess_short: "Looks like an 8" };

test("a guess is shown in the server's words", () => {
  assert.equal(guessText({ digit: 8, words }), "Looks like an 8 · > 99.9 %");
  assert.equal(guessText(null), "");
  assert.equal(guessText({ digit: 8 }), "");
});

test("no percentage while the pen is down", () => {
  assert.equal(guessText({ digit: 8, words }, true), "Looks like an 8");
});

test("the bounding box includes the width of the ink", () => {
  const strokes = [{ width: 20, points: [[100, 100], [100, 200]] }, { width: 10, points: [[150, 60]] }];
  assert.deepEqual(boundingBox(strokes), { x: 90, y: 55, width: 65, height: 155 });
});

test("pressure makes the bounding box larger", () => {
  assert.deepEqual(boundingBox([{ width: 20, points: [[100, 100, 1]] }]), { x: 85, y: 85, width: 30, height: 30 });
});

test("the bounding box is clipped to the slate", () => {
  assert.deepEqual(boundingBox([{ width: 20, points: [[0, 0], [280, 300]] }]), { x: 0, y: 0, width: 280, height: 280 });
  assert.equal(boundingBox([{ width: 20, points: [[300, 100]] }]), null);
  assert.equal(boundingBox([]), null);
});
