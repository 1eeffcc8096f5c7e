/** Enable or disable `button`. The focus, which a disabled one would lose, goes to `refuge`. */
export function setEnabled(button, enabled, refuge) {
  if (!enabled && button === document.activeElement) refuge.focus({ preventScroll: true });
  button.disabled = !enabled;
}
