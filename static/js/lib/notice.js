/** The place for slips of paper with messages; they go when the person goes on. */
export class Notice {
  #place;

  constructor(place) {
    this.#place = place;
  }

  show(slip) {
    this.#place.replaceChildren(slip);
  }

  hide() {
    this.#place.replaceChildren();
  }
}
