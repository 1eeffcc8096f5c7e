import { watchAgreement } from "../features/challenge-agreement.js";
import { Clock } from "../features/challenge-clock.js";
import { challengePanel } from "../features/challenge-panel.js";
import { challengePlaces } from "../features/challenge-places.js";
import { ChallengeSender } from "../features/challenge-sender.js";
import { announce } from "../lib/announce.js";
import { isInField, listen, onLeave } from "../lib/events.js";
import { errorNotice, fetchFragment, RequestError } from "../lib/fragments.js";
import { Drawing } from "../slate/drawing.js";
import { Slate } from "../slate/slate.js";

/** The width of the brush in slate units. */
const BRUSH = 20;
/** How often the clock is shown (ms). */
const TICK = 100;
/** How long the end waits for a guess that is on its way (s). */
const GUESS_TIMEOUT = 2;

start(document.querySelector("[data-challenge]"));

function start(root) {
  const canvas = root.querySelector("#slate");
  const board = root.querySelector("[data-board]");
  const form = root.querySelector("[data-start-form]");
  const limit = Number(root.dataset.seconds);
  const drawing = new Drawing();
  const slate = new Slate(canvas, drawing, { brush: () => BRUSH, submit: () => accept("Taken.") });
  const panel = challengePanel(root);
  const places = challengePlaces(root.querySelector("[data-places]"));
  const sender = new ChallengeSender(places.judge);
  const agreement = watchAgreement(canvas, root.querySelector("[data-guess]"), drawing, {
    prompt: () => round.places[index].prompt,
    agreeing,
    agreed: () => accept("Yes."),
    seen: (guess) => announce(guess.words.guess_short),
  });
  const { on, stop } = listen();
  const actions = { undo: () => drawing.undo(), clear: () => drawing.clear(), accept: () => accept("Taken."), finish, retry, "go-on": goOn };
  let round = null;
  let clock = new Clock(limit);
  let index = 0;

  const isRunning = () => root.dataset.state === "running";

  async function begin(event) {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    try {
      round = readRound(await fetchFragment(form.action, {}, "#round"));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return notice(error.notice);
    } finally {
      form.ariaBusy = "false";
    }
    clock = new Clock(root.querySelector("[data-clock-switch]").checked ? limit : null);
    run();
    ask("");
  }

  function run() {
    panel.show("running");
    panel.time(clock);
    board.inert = false;
    notice(null);
    update();
    root.querySelector(".task").scrollIntoView({ block: "nearest" });
    canvas.focus({ preventScroll: true });
  }

  function ask(said) {
    places.mark(index);
    panel.ask(round.places[index].prompt, index, round.places.length, said);
  }

  function accept(said) {
    if (!isRunning() || drawing.drawing) return;
    if (drawing.empty) return notice(errorNotice("The slate is empty.", `Draw ${panel.part("article").textContent} ${round.places[index].prompt} first.`));
    const place = round.places[index];
    places.fill(place, drawing.sheet);
    sender.send(place, drawing.toJSON());
    drawing.restore({ strokes: [] });
    slate.recentre();
    index += 1;
    if (index < round.places.length) return ask(said);
    finish();
  }

  /** The clock stands still while the guess agrees. */
  function agreeing(agrees) {
    board.toggleAttribute("data-agreed", agrees);
    if (agrees) clock.pause();
    else clock.start();
  }

  function tick() {
    if (!isRunning()) return;
    panel.time(clock);
    const waits = drawing.drawing || (agreement.open && clock.seconds < limit + GUESS_TIMEOUT);
    if (clock.left === 0 && !waits) end();
  }

  function end() {
    halt("over");
    const kept = index === 1 ? "One digit is drawn, and kept." : `${index || "No"} digits are drawn${index ? ", and kept" : ""}.`;
    panel.part("so-far").textContent = kept;
    announce(`Time’s up! ${kept}`);
  }

  function goOn() {
    clock.switchOff();
    run();
    ask("The clock is off.");
  }

  function halt(state) {
    clock.pause();
    places.mark(null);
    panel.hush();
    panel.show(state, root.contains(document.activeElement));
    board.inert = true;
    update();
  }

  async function finish() {
    panel.title(clock.on && index === round.places.length ? `Done in ${clock.seconds.toFixed(1)} s!` : "Done!");
    halt("done");
    await sender.settled();
    if (sender.unsent) return fail(sender.problem);
    try {
      await fetchFragment(round.finish, { seconds: clock.on ? Math.min(limit, clock.seconds).toFixed(2) : "" }, "#round");
      location.assign(round.results);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      fail(error.message);
    }
  }

  function fail(problem) {
    root.querySelector("[data-problem]").textContent = problem;
    root.querySelector("[data-results]").href = round.results;
    halt("unsent");
    announce(`Not everything is saved yet. ${problem}`);
  }

  function retry() {
    sender.again();
    finish();
  }

  function notice(section) {
    root.querySelector("[data-notice]").replaceChildren(...(section ? [section] : []));
  }

  function update() {
    slate.enable(root.querySelector("[data-do=undo]"), isRunning() && drawing.canUndo);
    slate.enable(root.querySelector("[data-do=clear]"), isRunning() && !drawing.empty);
    root.querySelector("[data-do=accept]").disabled = !isRunning();
  }

  function switchClockOff() {
    clock.switchOff();
    panel.time(clock);
    announce("The clock is off.");
    canvas.focus({ preventScroll: true });
  }

  on(form, "submit", begin);
  on(root, "click", (event) => actions[event.target.closest("[data-do]")?.dataset.do]?.());
  on(root.querySelector("[data-clock-off]"), "click", switchClockOff);
  on(drawing, "change", update);
  on(drawing, "pen", () => {
    notice(null);
    update();
    if (isRunning() && drawing.drawing) clock.start();
  });
  on(document, "visibilitychange", () => (document.hidden || !isRunning() || clock.seconds === 0 ? clock.pause() : clock.start()));
  on(document, "keydown", (event) => {
    const action = isRunning() && !isInField(event) && actionFor(event);
    if (!action) return;
    event.preventDefault();
    actions[action]();
  });
  board.inert = true;
  form.querySelector("button").disabled = false; // without this script it would leave the page
  const ticking = setInterval(tick, TICK);

  onLeave(() => {
    stop();
    agreement.stop();
    slate.destroy();
    clearInterval(ticking);
  });
  // The back button would restore a round that is over.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

/** The round that the server began: its places, and the addresses of its end and of its results. */
function readRound(page) {
  const { results, finish } = page.querySelector("#round").dataset;
  const places = [...page.querySelectorAll("[data-prompt]")].map(({ dataset }, index) => ({
    index,
    prompt: Number(dataset.prompt),
    address: dataset.send,
  }));
  return { places, results, finish };
}

/** The action of a key: Escape clears, and the platform's shortcut undoes. */
function actionFor(event) {
  if (event.key === "Escape") return "clear";
  return (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z" ? "undo" : null;
}
