import { onDemand, unreachable } from "../lib/fragments.js";

const loadModule = onDemand("../features/look-inside.js");

/**
 * Load look-inside.js, which few visitors need, and show the explanation at `url`.
 *
 * Without a connection a notice is in its place.
 */
export async function lookInside(url) {
  let module;
  try {
    module = await loadModule();
  } catch {
    const place = document.getElementById("inside");
    place.replaceChildren(unreachable());
    place.hidden = false;
    return;
  }
  await module.lookInside(url);
}
