/**
 * Keep which network is chosen in `select`: a cookie, so that the server chooses it in every page that it writes.
 *
 * An address that names a network (`?model=`) chooses, too. Returns the teardown.
 */
export function keepChoice(select) {
  const listening = new AbortController();
  const keep = () => (document.cookie = `network=${encodeURIComponent(select.value)}; path=/; max-age=31536000; samesite=lax`);

  if (new URLSearchParams(location.search).has("model")) keep();
  select.addEventListener("change", keep, { signal: listening.signal });
  return () => listening.abort();
}
