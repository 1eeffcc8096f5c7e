/** Have screen readers read `text` aloud, also where it is what they read last: some pass over text that stays the same. */
export function announce(text) {
  const place = document.getElementById("announcement");
  place.textContent = place.textContent === text ? `${text}\u00a0` : text;
}
