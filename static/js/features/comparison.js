import { fetched, Refusal, replace } from "../lib/fragments.js";

/**
 * Let every network read the drawing that was answered, without leaving the page.
 *
 * Each is asked by itself, so that a slow one holds up nobody. `say` tells screen readers. Returns the teardown.
 */
export function enhanceComparison(root, say) {
  const blank = root.querySelector("[data-blank-comparison]")?.content.firstElementChild;
  const listening = new AbortController();
  const on = (type, listener) => root.addEventListener(type, listener, { signal: listening.signal });
  const place = () => document.getElementById("comparison");
  let compared = "";

  on("submit", (event) => {
    if (!event.target.matches("[data-compare]")) return;
    event.preventDefault();
    compare(event.target);
  });

  // It belongs to one drawing, and goes with it; feedback on that drawing leaves it in place.
  on("fragment", (event) => {
    if (event.target.id !== "answer" || event.target.dataset.predictionId === compared) return;
    place().replaceChildren();
    place().hidden = true;
  });

  async function compare(form) {
    const mine = blank.cloneNode(true);
    compared = document.getElementById("answer").dataset.predictionId;
    replace(mine);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    mine.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
    const names = [...mine.querySelectorAll("[data-opinion]")].map((opinion) => opinion.dataset.opinion);
    await Promise.all(names.map((name) => ask(mine, form, name)));
    if (mine.isConnected) say([...mine.querySelectorAll("[data-words]")].map((each) => each.dataset.words).join(" "));
  }

  async function ask(mine, form, name) {
    const here = `#opinion-${CSS.escape(name)}`;
    const body = new FormData(form);
    body.set("model", name);
    try {
      const page = await fetched(form.action, body, here);
      mine.querySelector(here).replaceWith(page.querySelector(here));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fail(mine.querySelector(here), error.slip.querySelector("p").textContent);
    }
  }

  function fail(opinion, words) {
    opinion.dataset.state = "failed";
    opinion.removeAttribute("aria-busy");
    opinion.querySelector("[data-failure]").textContent = words;
  }

  return () => listening.abort();
}
