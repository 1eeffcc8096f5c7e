import { SIZE } from "../slate/geometry.js";
import { renderStrokes } from "../slate/render.js";

/** How fast the pen goes, on the stone and through the air, in slate units a second; points carry no times. */
const SPEED = 420;
/** No replay takes longer (s): a scribble is drawn faster. */
const LONGEST = 8;
/** With reduced motion whole strokes appear, one after each pause (ms). */
const PAUSE = 700;

/** How far the pen has come when each stroke is finished, its ways through the air included. */
export function finishes(strokes) {
  let way = 0;
  let last = null;
  return strokes.map(({ points }) => {
    for (const point of points) {
      if (last) way += distance(last, point);
      last = point;
    }
    return way;
  });
}

/** What is drawn when the pen has come `way` far: whole strokes, and the last one as far as it got. */
export function upTo(strokes, way) {
  const drawn = [];
  let last = strokes[0]?.points[0];
  for (const { width, points } of strokes) {
    const part = { width, points: [] };
    for (const point of points) {
      const step = distance(last, point);
      if (step > way) {
        if (part.points.length > 0) part.points.push(between(last, point, way / step));
        return part.points.length > 0 ? [...drawn, part] : drawn;
      }
      way -= step;
      part.points.push(point);
      last = point;
    }
    drawn.push(part);
  }
  return drawn;
}

/** Show the strokes of `canvas` and let them be drawn again; returns the teardown. */
export function enhanceReplay(canvas, controls) {
  const button = controls.querySelector("[data-replay-button]");
  const range = controls.querySelector("[data-replay-range]");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const ink = getComputedStyle(canvas).getPropertyValue("--chalk");
  const watching = new ResizeObserver(render);
  let size = SIZE;
  let strokes = [];
  let ends = [0];
  let way = 0;
  let frame = 0;
  let timer = 0;

  load();
  button.addEventListener("click", () => (playing() ? stop() : play()));
  range.addEventListener("input", () => {
    stop();
    to(Number(range.value) * ends.at(-1));
  });

  async function load() {
    const response = await fetch(canvas.dataset.replay).catch(() => null);
    if (!response?.ok) return showPicture();
    ({ size, strokes } = await response.json());
    ends = finishes(strokes);
    way = ends.at(-1);
    button.disabled = range.disabled = false;
    watching.observe(canvas);
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
    if (way >= ends.at(-1)) to(0);
    if (still.matches) return step();
    const speed = Math.max(SPEED * (size / SIZE), ends.at(-1) / LONGEST);
    let before = performance.now();
    frame = requestAnimationFrame(function next(now) {
      to(way + ((now - before) / 1000) * speed);
      before = now;
      frame = way < ends.at(-1) ? requestAnimationFrame(next) : 0;
      showState();
    });
    showState();
  }

  function step() {
    to(ends.find((end) => end > way) ?? ends.at(-1));
    timer = way < ends.at(-1) ? setTimeout(step, PAUSE) : 0;
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

  function to(where) {
    way = Math.min(Math.max(0, where), ends.at(-1));
    range.value = ends.at(-1) ? way / ends.at(-1) : 1;
    render();
  }

  function render() {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    renderStrokes(context, upTo(strokes, way), side * (SIZE / size), ink);
  }

  return () => {
    stop();
    watching.disconnect();
  };
}

function distance(a, b) {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

function between(a, b, share) {
  return a.map((value, i) => value + ((b[i] ?? value) - value) * share);
}
