import assert from "node:assert/strict";
import test from "node:test";

import { Clock } from "../../../static/js/features/challenge-clock.js";

function clockOf(limit) {
  const time = { now: 5000 };
  return { time, clock: new Clock(limit, () => time.now) };
}

test("time passes only while the clock runs", () => {
  const { time, clock } = clockOf(30);
  time.now += 4000;
  assert.equal(clock.seconds, 0);
  clock.start();
  time.now += 2500;
  clock.start(); // it runs already
  time.now += 500;
  assert.equal(clock.seconds, 3);
  assert.equal(clock.left, 27);
  clock.pause();
  time.now += 10_000;
  clock.pause();
  assert.equal(clock.seconds, 3);
  clock.start();
  time.now += 12_000;
  assert.equal(clock.seconds, 15);
  assert.equal(clock.share, 0.5);
});

test("no time is left after the end", () => {
  const { time, clock } = clockOf(30);
  clock.start();
  time.now += 31_000;
  assert.equal(clock.left, 0);
  assert.equal(clock.share, 0);
});

test("a clock that is off never ends", () => {
  const { time, clock } = clockOf(30);
  clock.start();
  time.now += 29_000;
  clock.switchOff();
  time.now += 60_000;
  assert.equal(clock.on, false);
  assert.equal(clock.left, Infinity);
  assert.equal(clock.share, 1);
  assert.equal(clockOf(null).clock.left, Infinity);
});
