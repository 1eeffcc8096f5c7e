/** The parts of the answer that a replay changes. */
const PARTS = [".verdict", ".bars", ".answer-facts"];

/**
 * Show points of a film in place of the answer in `section`. Returns `{show, restore}`.
 *
 * The answer's own parts are set aside meanwhile, and it can't be rated: feedback is for the whole drawing.
 */
export function replayedAnswer(section) {
  const answer = PARTS.map((part) => section.querySelector(part));
  const fields = [...section.querySelectorAll(".feedback fieldset:enabled")];
  let copies = null;
  let shown = null;

  function putCopies() {
    copies = answer.map((part) => {
      const copy = part.cloneNode(true);
      copy.style.minHeight = `${part.getBoundingClientRect().height}px`; // so that nothing below moves
      return copy;
    });
    answer.forEach((part, index) => part.replaceWith(copies[index]));
    copies[2].replaceChildren(...note());
    mark(true);
  }

  function mark(replaying) {
    section.toggleAttribute("data-replaying", replaying);
    for (const field of fields) field.disabled = replaying;
  }

  return {
    show(point, words) {
      if (!copies) putCopies();
      const [verdict, bars, facts] = copies;
      if (facts.firstChild.textContent !== words) facts.firstChild.textContent = words;
      if (point === shown) return;
      shown = point;
      showVerdict(verdict, point);
      showBars(bars, point);
    },

    restore() {
      if (!copies) return;
      copies.forEach((copy, index) => copy.replaceWith(answer[index]));
      copies = shown = null;
      mark(false);
    },
  };
}

function note() {
  const words = document.createElement("strong");
  const end = document.createElement("button");
  end.type = "button";
  end.className = "film-end";
  end.dataset.filmEnd = "";
  end.textContent = "Show the answer";
  return [words, " ", end];
}

function showVerdict(verdict, { words, seen }) {
  const { sign, second_sign: second, headline, percent } = words;
  verdict.querySelector(".verdict-digit").replaceChildren(
    sign,
    ...(second ? [made("span", "verdict-or", "or"), made("span", "verdict-second", second)] : []),
  );
  verdict.querySelector(".verdict-words").replaceChildren(
    made("p", "verdict-line", headline),
    ...(percent ? [made("p", "verdict-number", `${percent} sure`)] : []),
  );
  verdict.querySelector(".seen img").src = seen;
}

function showBars(bars, { shares, bars: values, said }) {
  [...bars.children].forEach((bar, index) => {
    const value = bar.querySelector(".bar-value");
    value.textContent = values[index];
    value.classList.toggle("is-long", values[index].length > 2);
    const height = 100 * shares[index];
    const column = bar.querySelector("rect");
    column.setAttribute("y", (100 - height).toFixed(2));
    column.setAttribute("height", height.toFixed(2));
    bar.toggleAttribute("data-said-by-network", index === said);
    const name = index < bars.children.length - 1 ? index : "Not a digit";
    bar.querySelector(".visually-hidden").textContent = `${name}: ${values[index] || "< 1"}\u00a0%`;
  });
}

function made(name, kind, text) {
  const element = document.createElement(name);
  element.className = kind;
  element.textContent = text;
  return element;
}
