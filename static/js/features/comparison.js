import { announce } from "../lib/announce.js";
import { listen } from "../lib/events.js";
import { fetchFragment, replace, RequestError } from "../lib/fragments.js";
import { scrollTo } from "../lib/motion.js";

/**
 * Compare the answers of all models on the answered drawing, without leaving the page.
 *
 * Each model is asked by a request of its own, so that a slow one doesn't delay the others. Returns the teardown.
 */
export function enhanceComparison(root) {
  const blank = root.querySelector("[data-blank-comparison]")?.content.firstElementChild;
  const { on, stop } = listen();
  const place = () => document.getElementById("comparison");
  let compared = "";

  on(root, "submit", (event) => {
    if (!event.target.matches("[data-compare]")) return;
    event.preventDefault();
    compare(event.target);
  });

  // A comparison is closed when another drawing is answered. Feedback on the same drawing leaves it open.
  on(root, "fragment", (event) => {
    if (event.target.id === "answer" && event.target.dataset.predictionId !== compared) close();
  });

  on(root, "click", (event) => {
    if (!event.target.closest("#comparison [data-close]")) return;
    close();
    root.querySelector("[data-compare] button")?.focus({ preventScroll: true });
  });

  // Answers may still arrive, for a comparison that is no longer on the page.
  function close() {
    const empty = document.createElement("section");
    empty.id = "comparison";
    empty.hidden = true;
    place().replaceWith(empty);
  }

  async function compare(form) {
    const comparison = blank.cloneNode(true);
    compared = document.getElementById("answer").dataset.predictionId;
    replace(comparison);
    scrollTo(comparison, "nearest");
    const names = [...comparison.querySelectorAll("[data-opinion]")].map((opinion) => opinion.dataset.opinion);
    await Promise.all(names.map((name) => ask(comparison, form, name)));
    if (!comparison.isConnected) return;
    announce([...comparison.querySelectorAll("[data-words]")].map((opinion) => opinion.dataset.words).join(" "));
  }

  async function ask(comparison, form, name) {
    const selector = `#opinion-${CSS.escape(name)}`;
    const body = new FormData(form);
    body.set("model", name);
    try {
      const page = await fetchFragment(form.action, body, selector);
      if (comparison.isConnected) replace(page.querySelector(selector));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      showError(comparison.querySelector(selector), error.notice.querySelector("p").textContent);
    }
  }

  function showError(opinion, message) {
    opinion.dataset.state = "failed";
    opinion.removeAttribute("aria-busy");
    opinion.querySelector("[data-failure]").textContent = message;
  }

  return stop;
}
