import { announce } from "../lib/announce.js";
import { listen } from "../lib/events.js";

/** How long the button says that the link is copied (ms). */
const CONFIRMATION = 2500;

/** Share the page of the answered drawing, or of a round, where the browser can, or copy its address. Returns the teardown. */
export function enhanceShare(root) {
  const { on, stop } = listen();

  on(root, "click", (event) => {
    const share = event.target.closest("button")?.closest("[data-share]");
    if (share) send(share);
  });
  on(root, "fragment", (event) => name(event.target));
  name(root);
  return stop;
}

/** Name the buttons after what they do in this browser. */
function name(root) {
  if (!navigator.share) return;
  for (const label of root.querySelectorAll("[data-share-name]")) label.textContent = "Share";
}

async function send(share) {
  const url = new URL(share.dataset.share, location.href).href;
  if (!navigator.share) return copy(share, url);
  try {
    await navigator.share({ title: share.dataset.shareTitle, url });
  } catch (error) {
    if (error.name !== "AbortError") await copy(share, url); // the visitor closed the browser's dialog
  }
}

async function copy(share, url) {
  try {
    await navigator.clipboard.writeText(url);
  } catch {
    return showAddress(share, url);
  }
  share.dataset.copied = "";
  announce("Link copied");
  setTimeout(() => delete share.dataset.copied, CONFIRMATION);
}

/** Without access to the clipboard, as on a site without TLS, the visitor copies the selected address. */
function showAddress(share, url) {
  const address = share.querySelector("input") ?? document.createElement("input");
  address.className = "field share-address";
  address.readOnly = true;
  address.value = url;
  address.setAttribute("aria-label", "Link to this drawing");
  share.append(address);
  address.select();
  address.focus();
}
