import { keepCookie } from "./cookies.js";
import { listen } from "./events.js";

/**
 * Let `button` switch between light and dark.
 *
 * A cookie keeps the choice, so that the server writes it into the page and nothing flashes. Choosing the system's
 * own theme deletes the cookie. Returns the teardown.
 */
export function enhanceTheme(button) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const { on, stop } = listen();

  on(button, "click", () => {
    const preferred = system.matches ? "dark" : "light";
    const other = (root.dataset.theme ?? preferred) === "dark" ? "light" : "dark";
    if (other === preferred) delete root.dataset.theme;
    else root.dataset.theme = other;
    for (const meta of document.querySelectorAll("meta[name=theme-color]")) meta.content = getComputedStyle(root).backgroundColor;
    keepCookie("theme", other, other === preferred ? 0 : undefined);
  });

  return stop;
}
