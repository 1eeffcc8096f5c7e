import { announce } from "../lib/announce.js";
import { isShortcut, listen } from "../lib/events.js";
import { fetchFragment, replace, RequestError } from "../lib/fragments.js";

const ACTIONS = { Enter: "accept", n: "none", r: "rejected", h: "hide" };
const STEPS = { ArrowRight: 1, j: 1, ArrowLeft: -1, k: -1 };

/**
 * Review without leaving the page: keys move, choose and decide, and what was decided stays where it is.
 *
 * An action decides on the chosen drawings, or else on the current one. Keys work while the focus is in the form.
 * `undoForm` takes back what was decided last. Returns the teardown.
 */
export function enhanceReview(form, undoForm) {
  const { on, stop } = listen();
  const tiles = [...form.querySelectorAll("[data-tile]")];
  const undoButton = form.querySelector("[data-undo]");
  const settled = new WeakMap(); // the state of a tile after the last answer
  const decided = undoForm.elements.moment.value ? [{ moment: undoForm.elements.moment.value, ids: [] }] : [];
  let current = tiles[0];
  let sending = Promise.resolve();

  const box = (tile) => tile.querySelector("input");
  const chosen = () => tiles.filter((tile) => box(tile).checked);

  on(form, "submit", (event) => {
    if (!event.submitter?.matches("[name=decision]")) return;
    event.preventDefault();
    decide(event.submitter.value);
  });
  on(undoForm, "submit", (event) => {
    event.preventDefault();
    undo();
  });
  on(form, "focusin", (event) => {
    const tile = event.target.closest("[data-tile]");
    if (tile) makeCurrent(tile);
  });
  on(form, "change", showChosen);
  on(form, "keydown", (event) => {
    if (isShortcut(event) || (event.key === "Enter" && !event.target.matches("input"))) return;
    if (!press(event.key)) return;
    event.preventDefault();
  });

  function press(key) {
    const action = ACTIONS[key] ?? (/^[0-9]$/.test(key) ? key : null);
    if (action) decide(action);
    else if (key in STEPS) go(tiles.indexOf(current) + STEPS[key]);
    else if (key === "ArrowDown") go(tiles.indexOf(current) + columns());
    else if (key === "ArrowUp") go(tiles.indexOf(current) - columns());
    else if (key === "Home") go(0);
    else if (key === "End") go(tiles.length - 1);
    else if (key === "a") choose(chosen().length < tiles.length);
    else if (key === "Escape") choose(false);
    else if (key === "u") undo();
    else return false;
    return true;
  }

  function columns() {
    return tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
  }

  function go(index) {
    const tile = tiles[index];
    if (tile) focus(tile);
  }

  function focus(tile) {
    box(tile).focus({ preventScroll: true });
    tile.scrollIntoView({ block: "nearest" });
  }

  /** One drawing is current: the Tab key goes past all others. */
  function makeCurrent(tile) {
    current = tile;
    for (const each of tiles) {
      each.toggleAttribute("data-current", each === tile);
      for (const part of each.querySelectorAll("input, a")) part.tabIndex = each === tile ? 0 : -1;
    }
  }

  function choose(all) {
    for (const tile of tiles) box(tile).checked = all && !tile.dataset.state;
    showChosen();
  }

  function showChosen() {
    const number = chosen().length;
    form.querySelector("[data-chosen]").textContent = number ? `${number} chosen` : "";
  }

  function decide(action) {
    const meant = chosen().length ? chosen() : [current];
    const body = new FormData(form);
    body.delete("drawing");
    body.set("decision", action);
    for (const tile of meant) {
      box(tile).checked = false;
      tile.dataset.state = "sent";
    }
    showChosen();
    goOn(meant.at(-1));
    send(form.action, body, meant, () => {
      // The label that a drawing has by now is part of its value.
      for (const tile of meant) body.append("drawing", box(tile).value);
    });
  }

  function undo() {
    sending = sending.then(() => {
      const last = decided.at(-1);
      if (!last) return;
      undoForm.elements.moment.value = last.moment;
      const meant = tiles.filter((tile) => last.ids.includes(tile.dataset.tile));
      if (meant.length) focus(meant[0]);
      return post(undoForm.action, new FormData(undoForm), meant, () => decided.pop());
    });
  }

  /** Requests go one after the other, in the order of the keys. */
  function send(url, body, meant, prepare) {
    sending = sending.then(() => {
      prepare();
      return post(url, body, meant);
    });
  }

  async function post(url, body, meant, succeeded) {
    try {
      const page = await fetchFragment(url, body, "#review-done");
      succeeded?.();
      show(page, meant);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      for (const tile of meant) setState(tile, settled.get(tile));
      form.querySelector("#review-done").replaceChildren(error.notice);
    }
    undoButton.disabled = !decided.length;
  }

  function show(page, meant) {
    const done = page.querySelector("#review-done");
    const labels = new Map([...done.querySelectorAll("[data-decided]")].map((each) => [each.dataset.decided, each]));
    for (const tile of meant) showOutcome(tile, labels.get(tile.dataset.tile));
    if (done.dataset.moment) {
      decided.push({ moment: done.dataset.moment, ids: [...labels.keys()] });
    }
    replace(done);
    announce(done.dataset.words);
  }

  function showOutcome(tile, label) {
    const [id, , accepted] = box(tile).value.split(":");
    if (label) box(tile).value = [id, label.dataset.label, accepted].join(":");
    settled.set(tile, label ? (label.dataset.label ? "decided" : "") : "missed");
    setState(tile, settled.get(tile));
    tile.querySelector("[data-outcome]").textContent = label ? label.textContent : "changed meanwhile";
  }

  function setState(tile, state) {
    if (state) tile.dataset.state = state;
    else delete tile.dataset.state;
  }

  /** Go to the next drawing that waits, or where all are decided to more of them. */
  function goOn(from) {
    const at = tiles.indexOf(from);
    const next = [...tiles.slice(at + 1), ...tiles.slice(0, at)].find((tile) => !tile.dataset.state);
    if (next) focus(next);
    else document.querySelector("[data-more]").focus();
  }

  undoButton.disabled = !decided.length;
  makeCurrent(current);
  box(current).focus({ preventScroll: true });
  return stop;
}
