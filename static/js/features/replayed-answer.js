import { livePanel } from "./live-panel.js";

/**
 * Show points of a film in place of the answer, as a live guess is shown. Returns `{show, restore}`.
 *
 * `blank` is the template of `livePanel`. Meanwhile the answer can't be rated: feedback is for the whole drawing.
 */
export function replayedAnswer(blank) {
  const panel = livePanel(blank);
  const note = replayNote();
  let fields = [];

  // The replay's parts are as high as the answer's, so that nothing below moves.
  function open(answer) {
    const height = (part) => answer.querySelector(part).getBoundingClientRect().height;
    const [verdict, facts] = [height(".verdict"), height(".answer-facts")];
    fields = [...answer.querySelectorAll(".feedback fieldset:enabled")];
    mark(answer, true);
    note.style.minHeight = `${facts}px`;
    answer.querySelector(".answer-foot").prepend(note);
    return verdict;
  }

  function mark(answer, replaying) {
    answer.toggleAttribute("data-replaying", replaying);
    for (const field of fields) field.disabled = replaying;
  }

  return {
    show(point, words) {
      const answer = document.getElementById("answer");
      const height = answer.hasAttribute("data-replaying") ? 0 : open(answer);
      panel.show(point);
      if (height) answer.querySelector(".verdict").style.minHeight = `${height}px`;
      if (note.firstChild.textContent !== words) note.firstChild.textContent = words;
    },

    restore() {
      const answer = document.getElementById("answer");
      if (!answer.hasAttribute("data-replaying")) return;
      panel.hide();
      note.remove();
      mark(answer, false);
    },
  };
}

function replayNote() {
  const note = document.createElement("p");
  const end = document.createElement("button");
  note.className = "answer-note";
  note.dataset.when = "replaying";
  end.type = "button";
  end.className = "film-end";
  end.dataset.filmEnd = "";
  end.textContent = "Show the answer";
  note.append(document.createElement("strong"), " ", end);
  return note;
}
