/** Event listeners that are removed together: `on(target, type, listener)` adds one, `stop()` removes them all. */
export function listen() {
  const listening = new AbortController();
  return {
    on: (target, type, listener) => target.addEventListener(type, listener, { signal: listening.signal }),
    stop: () => listening.abort(),
  };
}

/** Call `stop` when the page is left for good. A page that the back button may restore (bfcache) stays alive. */
export function onLeave(stop) {
  addEventListener("pagehide", (event) => {
    if (!event.persisted) stop();
  });
}

/** Whether a key is pressed with Ctrl, Meta or Alt: those combinations belong to the browser. */
export function isShortcut(event) {
  return event.ctrlKey || event.metaKey || event.altKey;
}

/** Whether a click asks for a new tab or window. */
export function opensNewTab(event) {
  return event.ctrlKey || event.metaKey || event.shiftKey;
}

/** Whether a key press goes to a form field that takes keys. */
export function isInField(event) {
  return event.target.matches("input:not([type=radio]), select, textarea");
}
