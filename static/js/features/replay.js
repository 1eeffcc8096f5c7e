import { listen } from "../lib/events.js";
import { reducedMotion } from "../lib/motion.js";
import { SIZE } from "../slate/geometry.js";
import { renderStrokes } from "../slate/render.js";

/** The pen's speed, drawing and in the air, in slate units a second: points have no timestamps. */
const SPEED = 420;
/** The longest replay (s): a long drawing is replayed faster. */
const MAX_DURATION = 8;
/** The pause between strokes with reduced motion, which shows whole strokes (ms). */
const PAUSE = 700;

/** The distance the pen has travelled at the end of each stroke, in slate units, moves in the air included. */
export function strokeEnds(strokes) {
  let travelled = 0;
  let last = null;
  return strokes.map(({ points }) => {
    for (const point of points) {
      if (last) travelled += distance(last, point);
      last = point;
    }
    return travelled;
  });
}

/** The strokes drawn once the pen has travelled `limit` slate units; the last one may be cut. */
export function strokesUpTo(strokes, limit) {
  const drawn = [];
  let last = strokes[0]?.points[0];
  for (const { width, points } of strokes) {
    const part = { width, points: [] };
    for (const point of points) {
      const step = distance(last, point);
      if (step > limit) {
        if (part.points.length > 0) part.points.push(between(last, point, limit / step));
        return part.points.length > 0 ? [...drawn, part] : drawn;
      }
      limit -= step;
      part.points.push(point);
      last = point;
    }
    drawn.push(part);
  }
  return drawn;
}

/**
 * Show the strokes of the prediction on `canvas`, and replay them with `controls`. Returns the teardown.
 *
 * Dispatches "replay" on `canvas` with the share 0..1 of the pen's way that is drawn, first once it is ready.
 */
export function enhanceReplay(canvas, controls) {
  const button = controls.querySelector("[data-replay-button]");
  const range = controls.querySelector("[data-replay-range]");
  const ink = getComputedStyle(canvas).getPropertyValue("--chalk");
  const { on, stop: stopListening } = listen();
  const resizing = new ResizeObserver(render);
  let size = SIZE;
  let strokes = [];
  let ends = [0];
  let travelled = 0;
  let frame = 0;
  let timer = 0;

  load();
  on(button, "click", () => (playing() ? stop() : play()));
  on(range, "input", () => {
    stop();
    moveTo(Number(range.value) * ends.at(-1));
  });

  async function load() {
    const response = await fetch(canvas.dataset.replay).catch(() => null);
    if (!response?.ok) return showPicture();
    ({ size, strokes } = await response.json());
    ends = strokeEnds(strokes);
    button.disabled = range.disabled = false;
    moveTo(ends.at(-1));
    resizing.observe(canvas);
  }

  function showPicture() {
    const image = new Image(280, 280);
    image.className = "board-picture";
    image.alt = canvas.getAttribute("aria-label");
    image.src = canvas.dataset.picture;
    canvas.replaceWith(image);
    controls.hidden = true;
  }

  function play() {
    if (travelled >= ends.at(-1)) moveTo(0);
    if (reducedMotion()) return step();
    const speed = Math.max(SPEED * (size / SIZE), ends.at(-1) / MAX_DURATION);
    let before = performance.now();
    frame = requestAnimationFrame(function next(now) {
      moveTo(travelled + ((now - before) / 1000) * speed);
      before = now;
      frame = travelled < ends.at(-1) ? requestAnimationFrame(next) : 0;
      showState();
    });
    showState();
  }

  function step() {
    moveTo(ends.find((end) => end > travelled) ?? ends.at(-1));
    timer = travelled < ends.at(-1) ? setTimeout(step, PAUSE) : 0;
    showState();
  }

  function stop() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = timer = 0;
    showState();
  }

  function playing() {
    return frame !== 0 || timer !== 0;
  }

  function showState() {
    button.querySelector("[data-playing]").hidden = !playing();
    button.querySelector("[data-paused]").hidden = playing();
  }

  function moveTo(target) {
    travelled = Math.min(Math.max(0, target), ends.at(-1));
    const share = ends.at(-1) ? travelled / ends.at(-1) : 1;
    range.value = share;
    render();
    canvas.dispatchEvent(new CustomEvent("replay", { detail: share }));
  }

  function render() {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    renderStrokes(context, strokesUpTo(strokes, travelled), side * (SIZE / size), ink);
  }

  return () => {
    stop();
    stopListening();
    resizing.disconnect();
  };
}

function distance(a, b) {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

function between(a, b, share) {
  return a.map((value, i) => value + ((b[i] ?? value) - value) * share);
}
