import assert from "node:assert/strict";
import test from "node:test";

import { words } from "../../../static/js/features/live-guess.js";
import { covered } from "../../../static/js/features/rasterize.js";

test("a guess is a few words", () => {
  assert.equal(words({ digit: 7, confidence: 0.984 }), "Looks like a 7 · 98 %");
  assert.equal(words({ digit: 8, confidence: 0.9999 }), "Looks like an 8 · 99 %");
  assert.equal(words({ digit: 0, confidence: 0.52 }), "Perhaps a 0 · 52 %");
  assert.equal(words({ digit: null, confidence: 0.9 }), "Nothing I know yet");
  assert.equal(words(null), "");
});

test("while the pen is down it says no figure", () => {
  assert.equal(words({ digit: 7, confidence: 0.984 }, true), "Looks like a 7");
  assert.equal(words({ digit: null, confidence: 0.9 }, true), "Nothing I know yet");
});

test("what strokes cover includes the width of the ink", () => {
  const strokes = [{ width: 20, points: [[100, 100], [100, 200]] }, { width: 10, points: [[150, 60]] }];
  assert.deepEqual(covered(strokes), { x: 90, y: 55, width: 65, height: 155 });
});

test("a pen pressed hard covers more", () => {
  assert.deepEqual(covered([{ width: 20, points: [[100, 100, 1]] }]), { x: 85, y: 85, width: 30, height: 30 });
});

test("only what lies on the slate counts", () => {
  assert.deepEqual(covered([{ width: 20, points: [[0, 0], [280, 300]] }]), { x: 0, y: 0, width: 280, height: 280 });
  assert.equal(covered([{ width: 20, points: [[300, 100]] }]), null);
  assert.equal(covered([]), null);
});
