import assert from "node:assert/strict";
import test from "node:test";

import { guessText } from "../../../static/js/features/live-guess.js";
import { boundingBox } from "../../../static/js/features/rasterize.js";

test("the text of a guess", () => {
  assert.equal(guessText({ digit: 7, confidence: 0.984 }), "Looks like a 7 · 98 %");
  assert.equal(guessText({ digit: 8, confidence: 0.9999 }), "Looks like an 8 · 99 %");
  assert.equal(guessText({ digit: 0, confidence: 0.52 }), "Perhaps a 0 · 52 %");
  assert.equal(guessText({ digit: null, confidence: 0.9 }), "Nothing I know yet");
  assert.equal(guessText(null), "");
});

test("no percentage while the pen is down", () => {
  assert.equal(guessText({ digit: 7, confidence: 0.984 }, true), "Looks like a 7");
  assert.equal(guessText({ digit: null, confidence: 0.9 }, true), "Nothing I know yet");
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
