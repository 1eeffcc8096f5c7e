import assert from "node:assert/strict";
import test from "node:test";

import { contained, inkWidth, isStep, moved, SIZE, toSlate } from "../../../static/js/slate/geometry.js";

const BOX = { left: 100, top: 50, width: 560, height: 560 };

test("CSS pixels become slate units wherever the slate stands and however large it is", () => {
  assert.deepEqual(toSlate(100, 50, BOX), [0, 0]);
  assert.deepEqual(toSlate(660, 610, BOX), [SIZE, SIZE]);
  assert.deepEqual(toSlate(380, 190, BOX), [140, 70]);
  assert.deepEqual(toSlate(60, 35, { left: 10, top: 10, width: 100, height: 100 }), [140, 70]);
});

test("a stroke that leaves the slate keeps its true direction", () => {
  assert.deepEqual(toSlate(90, 50, BOX), [-5, 0]);
});

test("places are kept to a hundredth of a unit", () => {
  assert.deepEqual(toSlate(1, 2, { left: 0, top: 0, width: 300, height: 300 }), [0.93, 1.87]);
});

test("a step must be at least half a unit", () => {
  assert.equal(isStep([10, 10], [10.3, 10.3]), false);
  assert.equal(isStep([10, 10], [10.3, 10.4]), true);
});

test("only pressure changes the width, from half to one and a half", () => {
  assert.equal(inkWidth(20, [1, 2]), 20);
  assert.equal(inkWidth(20, [1, 2, 0.5]), 20);
  assert.equal(inkWidth(20, [1, 2, 0]), 10);
  assert.equal(inkWidth(20, [1, 2, 1]), 30);
});

test("the keyboard's pen stays on the slate", () => {
  assert.deepEqual(moved([100, 100], 14, -4), [114, 96]);
  assert.deepEqual(moved([5, 275], -14, 14), [0, SIZE]);
});

test("a picture lies whole in the middle of the slate", () => {
  assert.deepEqual(contained(400, 200, 100), { x: 0, y: 25, width: 100, height: 50 });
  assert.deepEqual(contained(20, 40, 100), { x: 25, y: 0, width: 50, height: 100 });
});
