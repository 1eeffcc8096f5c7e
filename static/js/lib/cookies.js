/** Keep `value` in a cookie for `age` seconds, also in a frame of another site. */
export function keepCookie(name, value, age = 31536000) {
  // In such a frame browsers keep only cookies that are told apart by the embedding site.
  const scope = window === window.top ? "samesite=lax" : "samesite=none; secure; partitioned";
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${age}; ${scope}`;
}
