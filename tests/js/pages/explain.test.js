import assert from "node:assert/strict";
import test from "node:test";

import { mapAt, placeOf } from "../../../static/js/pages/explain.js";

const layout = { count: 32, columns: 8, tile: 28, gap: 2 };

test("each map of a sheet is found where it lies", () => {
  for (let index = 0; index < layout.count; index++) {
    const { x, y } = placeOf(index, layout);
    assert.equal(mapAt(x, y, layout), index);
    assert.equal(mapAt(x + 27.9, y + 27.9, layout), index);
  }
});

test("beside the sheet the nearest map is meant", () => {
  assert.equal(mapAt(-1, -1, layout), 0);
  assert.equal(mapAt(1000, 1000, layout), 31);
});
