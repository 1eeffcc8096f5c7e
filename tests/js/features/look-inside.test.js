import assert from "node:assert/strict";
import test from "node:test";

import { mapAt, mapOrigin } from "../../../static/js/features/look-inside.js";

const layout = { count: 32, columns: 8, tile: 28, gap: 2 };

test("each map is found at its own place", () => {
  for (let index = 0; index < layout.count; index++) {
    const { x, y } = mapOrigin(index, layout);
    assert.equal(mapAt(x, y, layout), index);
    assert.equal(mapAt(x + 27.9, y + 27.9, layout), index);
  }
});

test("a position outside the sheet finds the nearest map", () => {
  assert.equal(mapAt(-1, -1, layout), 0);
  assert.equal(mapAt(1000, 1000, layout), 31);
});
