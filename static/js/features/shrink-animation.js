import { reducedMotion } from "../lib/motion.js";

const DURATION = 700; // ms
const SIDES = [280, 140, 96, 70, 56, 40, 28];

/**
 * Animate the drawing from `slate` into `box` while its pixels grow coarser, down to the 28x28 shown there.
 *
 * Does nothing with reduced motion. Nothing waits for the animation.
 */
export function shrinkInto(canvas, slate, box) {
  if (!box?.firstElementChild || reducedMotion()) return;
  const from = canvas.getBoundingClientRect();
  const to = box.getBoundingClientRect();
  const flight = document.createElement("canvas");
  flight.className = "flight";
  Object.assign(flight.style, { left: `${to.left}px`, top: `${to.top}px`, width: `${to.width}px`, height: `${to.height}px` });
  document.body.append(flight);
  const context = flight.getContext("2d");
  const start = `translate(${from.left - to.left}px, ${from.top - to.top}px) scale(${from.width / to.width})`;
  flight.style.transformOrigin = "0 0";
  const motion = flight.animate(
    [{ transform: start, opacity: 0.85 }, { transform: "none", opacity: 1, offset: 0.9 }, { transform: "none", opacity: 0 }],
    { duration: DURATION, easing: "cubic-bezier(0.5, 0, 0.2, 1)" },
  );
  let drawn = 0;
  const coarsen = () => {
    const progress = Math.min(1, (motion.currentTime ?? 0) / (DURATION * 0.8));
    const size = SIDES[Math.round(progress * (SIDES.length - 1))];
    if (size !== drawn) {
      drawn = flight.width = flight.height = size;
      slate.paint(context, size);
    }
    if (motion.playState !== "finished") requestAnimationFrame(coarsen);
  };
  coarsen();
  motion.finished.finally(() => flight.remove());
}
