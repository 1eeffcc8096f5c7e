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

/**
 * Show guesses in the bars of an answer, in place, and bring back what they showed before.
 *
 * New bars would take a layout of the whole page each time; on a slow device the pen would wait for it.
 */
function liveBars(list) {
  const columns = [...list.children].map((bar) => ({
    bar,
    rect: bar.querySelector("rect"),
    value: bar.querySelector(".bar-value"),
    words: bar.lastElementChild,
    name: bar.lastElementChild.textContent.split(":")[0],
  }));
  const line = list.querySelector("line");
  const before = { bars: columns.map(read), line: line.getAttribute("y1") };

  function showLine(y) {
    for (const end of ["y1", "y2"]) setAttribute(line, end, y);
  }

  return {
    /** Show eleven shares 0..1 with their `values` in percent; the one at `index` is the answer. */
    show({ shares, bars: values, threshold, words: { index } }) {
      columns.forEach((column, each) => {
        const words = `${column.name}: ${values[each] || "less than 1"} %`;
        write(column, { height: percent(shares[each]), value: values[each], chosen: each === index, words });
      });
      showLine(percent(1 - threshold));
    },

    restore() {
      columns.forEach((column, each) => write(column, before.bars[each]));
      showLine(before.line);
    },
  };
}

function read({ bar, rect, value, words }) {
  return {
    height: rect.getAttribute("height"),
    value: value.textContent,
    chosen: bar.hasAttribute("data-said-by-network"),
    words: words.textContent,
  };
}

function write({ bar, rect, value, words }, state) {
  setAttribute(rect, "y", percent(1 - parseFloat(state.height) / 100));
  setAttribute(rect, "height", state.height);
  setText(value, state.value);
  value.classList.toggle("is-long", state.value.length > 2);
  bar.toggleAttribute("data-said-by-network", state.chosen);
  setText(words, state.words);
}

function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Set the text of an element, unless it is there already. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
