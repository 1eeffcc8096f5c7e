/** Have screen readers read `text` aloud. */
export function announce(text) {
  document.getElementById("announcement").textContent = text;
}
