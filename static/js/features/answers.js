/** Random text. (crypto.randomUUID() exists in secure contexts only.) */
const randomKey = () => crypto.getRandomValues(new Uint32Array(6)).join("-");

/**
 * Which answer was given for which drawing.
 *
 * A sheet of `drawing` is sent to a model under one idempotency key, so it is saved once however often it is sent.
 * `show` says which sheet the answer in the page was given for. Dispatches "change" when what `entries` returns for
 * the sheet on the slate, or `current`, may have changed.
 */
export class Answers extends EventTarget {
  #drawing;
  #known = new WeakMap();
  #shown = null;

  constructor(drawing) {
    super();
    this.#drawing = drawing;
  }

  /** Whether the answer in the page was given for what is on the slate. */
  get current() {
    return !this.#drawing.drawing && this.#drawing.sheet === this.#shown;
  }

  /** The answer in the page was given for `sheet` (null: for another drawing, or there is none). */
  show(sheet) {
    this.#shown = sheet;
    this.#changed();
  }

  /** The idempotency key for `sheet`, which stays the same until its prediction is deleted. */
  key(sheet, model) {
    const entry = this.#entry(sheet, model);
    if (!entry.key) {
      entry.key = randomKey();
      this.#changed();
    }
    return entry.key;
  }

  /** The id of the prediction that was saved for `sheet`, "" if there is none. */
  id(sheet, model) {
    return this.#known.get(sheet)?.get(model)?.id ?? "";
  }

  /** Whether prediction `id` was saved for `sheet`, by whichever model. */
  has(sheet, id) {
    return id !== "" && this.entries(sheet).some((entry) => entry.id === id);
  }

  /** Remember that prediction `id` was saved for `sheet`. */
  keep(sheet, model, id) {
    this.#entry(sheet, model).id = id;
    this.#changed();
  }

  /** Forget a prediction that was deleted: its drawing can be sent anew. */
  forget(sheet, id) {
    const models = this.#known.get(sheet);
    for (const [model, entry] of models ?? []) if (entry.id === id) models.delete(model);
    this.#changed();
  }

  /** What is known of `sheet`, as a list of `{model, key, id}` for `restore`. */
  entries(sheet) {
    return [...(this.#known.get(sheet) ?? [])].map(([model, entry]) => ({ model, ...entry }));
  }

  /** Load the `entries` of a sheet that was kept. */
  restore(sheet, entries) {
    for (const { model, key, id } of entries ?? []) Object.assign(this.#entry(sheet, model), { key, id });
  }

  #entry(sheet, model) {
    if (!this.#known.has(sheet)) this.#known.set(sheet, new Map());
    const models = this.#known.get(sheet);
    if (!models.has(model)) models.set(model, { key: "", id: "" });
    return models.get(model);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
