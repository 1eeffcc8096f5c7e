import { unreachable } from "../lib/fragments.js";

let failures = 0;

/**
 * Load look-inside.js, which few visitors need, and show the explanation at `url`.
 *
 * Without a connection a notice is in its place.
 */
export async function lookInside(url) {
  let module;
  try {
    // Some browsers remember that an import failed, so each further attempt has another address.
    module = await import(`./look-inside.js${failures ? `?${failures}` : ""}`);
  } catch {
    failures += 1;
    const place = document.getElementById("inside");
    place.replaceChildren(unreachable());
    place.hidden = false;
    return;
  }
  await module.lookInside(url);
}
