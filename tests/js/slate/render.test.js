import assert from "node:assert/strict";
import test from "node:test";

import { renderSegments, renderStrokes } from "../../../static/js/slate/render.js";

/** A context that writes down what is drawn. */
function recorder() {
  const calls = [];
  const target = { lineWidth: 0 };
  const context = new Proxy(target, {
    get: (_, name) => (name in target ? target[name] : (...args) => void calls.push([name, ...args])),
  });
  return { context, calls, all: (name) => calls.filter(([each]) => each === name).map(([, ...args]) => args) };
}

test("a stroke of one point is a dot", () => {
  const { context, all } = recorder();
  renderStrokes(context, [{ width: 20, points: [[30, 40]] }], 280);
  assert.deepEqual(all("arc"), [[30, 40, 10, 0, 2 * Math.PI]]);
  assert.equal(all("fill").length, 1);
  assert.equal(all("stroke").length, 0);
});

test("a stroke is one line through its points, in slate units scaled to the picture", () => {
  const { context, all } = recorder();
  renderStrokes(context, [{ width: 20, points: [[0, 0], [10, 0], [10, 10]] }], 560);
  assert.deepEqual(all("scale"), [[2, 2]]);
  assert.deepEqual(all("moveTo"), [[0, 0]]);
  assert.deepEqual(all("lineTo"), [[10, 0], [10, 10]]);
  assert.equal(all("stroke").length, 1);
  assert.equal(context.lineWidth, 20);
});

test("pressure gives each segment its own width", () => {
  const { context, all } = recorder();
  renderStrokes(context, [{ width: 20, points: [[0, 0, 0], [10, 0, 1], [20, 0, 1]] }], 280);
  assert.equal(all("stroke").length, 2);
  assert.equal(context.lineWidth, 30);
});

test("what a stroke went on by is drawn from the last point that was there", () => {
  const { context, all } = recorder();
  renderSegments(context, { width: 20, points: [[0, 0], [10, 0], [10, 10], [0, 10]] }, 1, 280);
  assert.deepEqual(all("moveTo"), [[10, 0]]);
  assert.deepEqual(all("lineTo"), [[10, 10], [0, 10]]);
  assert.equal(all("arc").length, 0);
});

test("segments drawn one after the other have the widths of the whole stroke", () => {
  const stroke = { width: 20, points: [[0, 0, 0], [10, 0, 1], [20, 0, 1]] };
  const widths = (...ways) => {
    const found = [];
    const context = new Proxy({}, {
      get: () => () => {},
      set: (_, name, value) => (name === "lineWidth" && found.push(value), true),
    });
    for (const way of ways) way(context);
    return found;
  };
  assert.deepEqual(
    widths(
      (context) => renderSegments(context, { ...stroke, points: stroke.points.slice(0, 2) }, 0, 280),
      (context) => renderSegments(context, stroke, 1, 280),
    ),
    widths((context) => renderStrokes(context, [stroke], 280)),
  );
});
