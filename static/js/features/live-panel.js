/**
 * Show guesses in the answer's place while the visitor draws, marked as provisional.
 *
 * `blank` is the template with an answer's moving parts. The answer itself is put aside, and comes back with `hide()`.
 */
export function livePanel(blank) {
  const parts = [...blank.content.firstElementChild.children].map((part) => part.cloneNode(true));
  const [verdict, bars] = parts;
  const find = (name) => verdict.querySelector(`[data-live="${name}"]`);
  const columns = [...bars.children].map((bar) => ({
    bar,
    value: bar.querySelector(".bar-value"),
    rect: bar.querySelector("rect"),
    words: bar.lastElementChild,
    name: bar.lastElementChild.textContent,
  }));
  const line = bars.querySelector("line");
  let aside = [];

  function show({ words, shares, bars: values, threshold, seen }) {
    const answer = document.getElementById("answer");
    verdict.dataset.state = words.state;
    setText(find("sign"), words.sign);
    setText(find("second"), words.second_sign);
    find("or").hidden = !words.second_sign;
    setText(find("headline"), words.headline);
    setText(find("percent"), words.percent && `${words.percent} sure`);
    setText(find("sentence"), words.sentence);
    find("seen").src = seen;
    columns.forEach((column, index) => showBar(column, shares[index], values[index], index === words.index));
    for (const end of ["y1", "y2"]) line.setAttribute(end, `${(100 - 100 * threshold).toFixed(1)}%`);
    if (answer.hasAttribute("data-live")) return;
    aside = [answer.querySelector(".verdict"), answer.querySelector(".bars")];
    aside.forEach((part, index) => part.replaceWith(parts[index]));
    answer.setAttribute("data-live", "");
  }

  function hide() {
    const answer = document.getElementById("answer");
    if (!answer.hasAttribute("data-live")) return;
    parts.forEach((part, index) => part.replaceWith(aside[index]));
    answer.removeAttribute("data-live");
  }

  return { show, hide };
}

function showBar({ bar, value, rect, words, name }, share, text, chosen) {
  const height = `${(100 * share).toFixed(1)}%`;
  if (rect.getAttribute("height") !== height) {
    rect.setAttribute("y", `${(100 - 100 * share).toFixed(1)}%`);
    rect.setAttribute("height", height);
  }
  setText(value, text);
  value.classList.toggle("is-long", text.length > 2);
  bar.toggleAttribute("data-said-by-network", chosen);
  setText(words, `${name}: ${text || "less than 1"} %`);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
