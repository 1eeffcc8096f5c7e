import { keepCookie } from "./cookies.js";
import { listen } from "./events.js";

/**
 * Keep the model chosen in `select` in a cookie, so that the server selects it in every page.
 *
 * An address that names a model (`?model=`) chooses it, too. Returns the teardown.
 */
export function keepModelChoice(select) {
  const { on, stop } = listen();
  const keep = () => keepCookie("network", select.value);

  if (new URLSearchParams(location.search).has("model")) keep();
  on(select, "change", keep);
  return stop;
}
