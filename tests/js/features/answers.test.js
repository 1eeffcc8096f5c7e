import assert from "node:assert/strict";
import test from "node:test";

import { Answers } from "../../../static/js/features/answers.js";
import { Drawing } from "../../../static/js/slate/drawing.js";

function answered() {
  const drawing = new Drawing();
  const answers = new Answers(drawing);
  drawing.begin([1, 1], 20);
  drawing.end();
  answers.keep(drawing.sheet, "cnn", "one");
  answers.show(drawing.sheet);
  return { drawing, answers };
}

test("an answer is current until the pen is down, and again after undo", () => {
  const { drawing, answers } = answered();
  assert.equal(answers.current, true);
  drawing.begin([2, 2], 20);
  assert.equal(answers.current, false);
  drawing.cancel();
  assert.equal(answers.current, true);
  drawing.begin([2, 2], 20);
  drawing.end();
  assert.equal(answers.current, false);
  drawing.undo();
  assert.equal(answers.current, true);
});

test("each drawing and model has one key, until its prediction is deleted", () => {
  const { drawing, answers } = answered();
  const key = answers.key(drawing.sheet, "cnn");
  assert.equal(answers.key(drawing.sheet, "cnn"), key);
  assert.notEqual(answers.key(drawing.sheet, "vit"), key);
  answers.forget(drawing.sheet, "one");
  assert.equal(answers.id(drawing.sheet, "cnn"), "");
  assert.notEqual(answers.key(drawing.sheet, "cnn"), key);
});

test("what is known of a drawing survives a reload", () => {
  const { drawing, answers } = answered();
  answers.key(drawing.sheet, "cnn");
  const kept = JSON.parse(JSON.stringify(answers.entries(drawing.sheet)));
  const again = new Drawing();
  const restored = new Answers(again);
  again.restore(drawing.toJSON());
  restored.restore(again.sheet, kept);
  assert.equal(restored.id(again.sheet, "cnn"), "one");
  assert.equal(restored.has(again.sheet, "one"), true);
  assert.equal(restored.key(again.sheet, "cnn"), answers.key(drawing.sheet, "cnn"));
});

test("an answer that was not saved is known of no drawing", () => {
  const { drawing, answers } = answered();
  answers.key(drawing.sheet, "vit");
  assert.equal(answers.has(drawing.sheet, ""), false);
  assert.equal(answers.has(drawing.sheet, "one"), true);
});
