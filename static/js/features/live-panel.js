import { liveBars, setText } from "./live-bars.js";

/**
 * Show guesses in the answer's place while the visitor draws, marked as provisional.
 *
 * `blank` is the template with an answer's moving words. The answer itself is put aside, and comes back with `hide()`.
 */
export function livePanel(blank) {
  const verdict = blank.content.firstElementChild.cloneNode(true);
  const parts = Object.fromEntries([...verdict.querySelectorAll("[data-live]")].map((part) => [part.dataset.live, part]));
  let aside = null;
  let bars = null;

  function show(guess) {
    const { words, seen } = guess;
    const answer = document.getElementById("answer");
    if (verdict.dataset.state !== words.state) verdict.dataset.state = words.state;
    setText(parts.sign, words.sign);
    setText(parts.second, words.second_sign);
    parts.or.hidden = !words.second_sign;
    setText(parts.headline, words.headline);
    setText(parts.percent, words.percent && `${words.percent} sure`);
    setText(parts.sentence, words.sentence);
    if (parts.seen.src !== seen) parts.seen.src = seen;
    if (!answer.hasAttribute("data-live")) open(answer);
    bars.show(guess);
  }

  function open(answer) {
    aside = answer.querySelector(".verdict");
    bars = liveBars(answer.querySelector(".bars"));
    aside.replaceWith(verdict);
    answer.setAttribute("data-live", "");
  }

  function hide() {
    const answer = document.getElementById("answer");
    if (!answer.hasAttribute("data-live")) return;
    verdict.replaceWith(aside);
    bars.restore();
    answer.removeAttribute("data-live");
  }

  return { show, hide };
}
