/** How long a response may take (ms). */
const TIMEOUT = 20_000;
let last = Promise.resolve();

/** A failed request. `notice` explains it to the visitor, `message` is the same as text, `code` is for programs. */
export class RequestError extends Error {
  constructor(notice) {
    super([...notice.children].map((line) => line.textContent.trim()).join(" "));
    this.notice = notice;
    this.code = notice.dataset.error ?? "";
  }
}

/** An error notice, with the markup of `errors/_notice.html`. */
export function errorNotice(title, text) {
  const section = document.createElement("section");
  section.className = "notice";
  section.setAttribute("role", "alert");
  for (const [line, name] of [[title, "notice-title"], [text, ""]]) {
    const paragraph = document.createElement("p");
    paragraph.className = name;
    paragraph.textContent = line;
    section.append(paragraph);
  }
  return section;
}

/**
 * Post `body` to `url`, or get it when there is no body: a form, or an object that is sent as JSON. Returns the
 * fragment of the response. `options` are fetch's. It is not cached, for a page may have the same address.
 *
 * Throws RequestError when the server can't be reached, answers with an error, or sends a fragment without an
 * element that matches the selector `expected`.
 */
export async function fetchFragment(url, body, expected, headers, options) {
  let response, text;
  try {
    response = await fetch(url, {
      method: body ? "POST" : "GET",
      body: body && encoded(body),
      headers: { "X-Fragment": "true", ...(body && headersOf(body)), ...headers },
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT),
      ...options,
    });
    text = await response.text();
  } catch {
    throw new RequestError(unreachable());
  }
  const page = document.createElement("template");
  page.innerHTML = text;
  if (response.ok && page.content.querySelector(expected)) return page.content;
  throw new RequestError(page.content.querySelector("#error") ?? unreachable());
}

/**
 * Start `task()`, a request about labels, once all those before it are done.
 *
 * So of two labels for a drawing the later one stays, and no response is older than what the page says.
 */
export function inTurn(task) {
  const mine = last.then(task);
  last = mine.catch(() => {});
  return mine;
}

/** Put `section` in place of the element with its id, and keep the focus in it. Dispatches "fragment" on it. */
export function replace(section) {
  const old = document.getElementById(section.id);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : null;
  old.replaceWith(section);
  if (focused !== null) focusIn(section, focused);
  section.dispatchEvent(new CustomEvent("fragment", { bubbles: true }));
}

/** Focus the element `id` of `section`, or where it is gone what says how it went. */
function focusIn(section, id) {
  const part = document.getElementById(id) ?? section.querySelector("[tabindex='-1']");
  part?.focus({ preventScroll: true });
}

function headersOf(body) {
  return { "X-CSRFToken": token(), ...(!(body instanceof FormData) && { "Content-Type": "application/json" }) };
}

/** JSON of an object, and a form without its boundaries where it has no files: the server reads both faster. */
function encoded(body) {
  if (!(body instanceof FormData)) return JSON.stringify(body);
  const fields = [...body];
  return fields.every(([, value]) => typeof value === "string") ? new URLSearchParams(fields) : body;
}

/** The page's token against forged requests: fragments come without one. */
function token() {
  return document.querySelector("[name=csrf_token]")?.value ?? "";
}

/**
 * Return a function that imports a module, whose `path` begins at this one.
 *
 * Browsers remember that an import failed, so each further attempt has another address.
 */
export function onDemand(path) {
  let failures = 0;
  return async () => {
    try {
      return await import(failures ? `${path}?${failures}` : path);
    } catch (error) {
      failures += 1;
      throw error;
    }
  };
}

/** The notice for a server that can't be reached. */
export function unreachable() {
  return navigator.onLine
    ? errorNotice("The server doesn’t answer.", "Nothing is lost. Try again in a moment.")
    : errorNotice("You are offline.", "Nothing is lost. Try again once you are connected.");
}
