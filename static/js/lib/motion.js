/** Whether the visitor's system asks for less motion. */
export function reducedMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Scroll `element` into view, smoothly unless less motion is wanted; `block` as in `Element.scrollIntoView`. */
export function scrollTo(element, block) {
  element.scrollIntoView({ block, behavior: reducedMotion() ? "auto" : "smooth" });
}
