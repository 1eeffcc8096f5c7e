import assert from "node:assert/strict";
import test from "node:test";

import { pointAt, sentences } from "../../../static/js/features/film.js";
import { bands, kinds, labels } from "../../../static/js/features/ribbon.js";

function point(at, said, share, headline = `a ${said}`) {
  const shares = Array(11).fill(0);
  shares[said] = share;
  shares[10] = 1 - share;
  return { at, shares, words: { headline, index: said } };
}

const ONE = point(0.25, 1, 0.6, "Perhaps a one");
const STILL_ONE = point(0.5, 1, 0.7, "Perhaps a one");
const SEVEN = point(1, 7, 1, "Certainly a seven");

test("a point stands until the pen has passed its place", () => {
  const points = [ONE, SEVEN];
  assert.equal(pointAt(points, 0), ONE);
  assert.equal(pointAt(points, 0.25), ONE);
  assert.equal(pointAt(points, 0.26), SEVEN);
  assert.equal(pointAt(points, 1), SEVEN);
});

test("points with the same words make one sentence", () => {
  assert.deepEqual(sentences([ONE, STILL_ONE, SEVEN]), [
    "0 to 50\u00a0%: Perhaps a one",
    "50 to 100\u00a0%: Certainly a seven",
  ]);
});

test("bands are stacked in the order of the classes, and fill the ribbon", () => {
  const found = bands([ONE, SEVEN]);
  assert.deepEqual(
    found.map(({ of, x, y, width }) => [of, x, y, width]),
    [[1, 0, 0, 0.25], [10, 0, 0.6, 0.25], [7, 0.25, 0, 0.75]],
  );
  const area = found.reduce((total, { width, height }) => total + width * height, 0);
  assert.ok(Math.abs(area - 1) < 1e-9);
});

test("each stretch has one label in its middle", () => {
  assert.deepEqual(labels([ONE, STILL_ONE, SEVEN]), [{ of: 1, x: 0.25, y: 0.3 }, { of: 7, x: 0.75, y: 0.5 }]);
});

test("a narrow stretch has no label, nor has one in which nothing is likely", () => {
  const hesitant = { ...point(1, 4, 0), shares: [...Array(10).fill(0.1), 0] };
  assert.deepEqual(labels([point(0.02, 1, 1), hesitant]), []);
});

test("neighbouring stretches have different tints, the answer and none their own kinds", () => {
  const found = kinds([point(0.2, 9, 1), point(0.4, 3, 1), point(0.6, 0, 1), point(0.8, 10, 1), point(1, 8, 1)]);
  assert.deepEqual([9, 3, 0, 10, 8].map((of) => found[of]), ["tint-0", "tint-1", "tint-2", "none", "answer"]);
  assert.equal(kinds([point(1, 10, 1)])[10], "answer");
});
