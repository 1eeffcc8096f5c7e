/** What went wrong with a request, in a sentence for the person, as an element to show. */
export class Refusal extends Error {
  constructor(slip) {
    super([...slip.children].map((line) => line.textContent.trim()).join(" "));
    this.slip = slip;
  }
}

/** How long the server may take (ms). */
const PATIENCE = 20_000;

/**
 * Post `body` to `url` and put the fragments that come back into the page, each in place of the element with its id.
 *
 * Throws Refusal when the server can't be reached, or answers with an error.
 */
export async function post(url, body, headers) {
  const page = await fetched(url, body, "#answer", headers);
  // Not every page has all of them.
  for (const section of [...page.querySelectorAll("section[id]")]) if (document.getElementById(section.id)) replace(section);
}

/** Put `section` in place of the element with its id, leaving the focus where it was. */
export function replace(section) {
  const old = document.getElementById(section.id);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(section);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  section.dispatchEvent(new CustomEvent("fragment", { bubbles: true }));
}

/** A slip of paper with a message, as the server's `errors/_notice.html` writes them. */
export function slip(title, text) {
  const section = document.createElement("section");
  section.className = "slip";
  section.setAttribute("role", "alert");
  for (const [line, name] of [[title, "slip-title"], [text, ""]]) {
    const paragraph = document.createElement("p");
    paragraph.className = name;
    paragraph.textContent = line;
    section.append(paragraph);
  }
  return section;
}

/**
 * Post `body` to `url`, or get it where there is no body; the fragment that comes back, which must hold an element `expected` (a selector).
 *
 * Throws Refusal as `post` does.
 */
export async function fetched(url, body, expected, headers) {
  let response, text;
  try {
    response = await fetch(url, {
      method: body ? "POST" : "GET",
      body,
      headers: { "X-Fragment": "true", ...headers },
      signal: AbortSignal.timeout(PATIENCE),
    });
    text = await response.text();
  } catch {
    throw new Refusal(unreachable());
  }
  const page = document.createElement("template");
  page.innerHTML = text;
  if (response.ok && page.content.querySelector(expected)) return page.content;
  throw new Refusal(page.content.querySelector("#error") ?? unreachable());
}

function unreachable() {
  return navigator.onLine
    ? slip("The server does not answer.", "Nothing is lost. Try again in a moment.")
    : slip("You are offline.", "Nothing is lost. Try again once you are connected.");
}
