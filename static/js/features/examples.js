import { listen } from "../lib/events.js";

const WIDTH = 20;

/** Put the example that is pressed on the slate: its strokes are the polylines in the button. Returns the teardown. */
export function enhanceExamples(root, drawing) {
  const { on, stop } = listen();

  on(root, "click", (event) => {
    const button = event.target.closest("[data-example]");
    if (!button) return;
    drawing.open([...button.querySelectorAll("polyline")].map((line) => ({ width: WIDTH, points: pointsOf(line) })));
    root.querySelector("#slate").focus({ preventScroll: true });
  });

  return stop;
}

function pointsOf(line) {
  return [...line.points].map(({ x, y }) => [x, y]);
}
