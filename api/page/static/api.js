/** Calls of the API, as curl would make them. */

import { isDark } from "/page/colors.js";

/** A call that was refused, with the problems by field: {path, message, known}. */
export class Refused extends Error {
  constructor(status, body) {
    const problems = body.errors ?? [];
    super(problems.length ? problems.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("\n") : body.detail ?? body.message ?? body.title ?? `status ${status}`);
    this.status = status;
    this.problems = problems;
  }
}

const PATIENCE = 100_000;
/** Milliseconds that a call may take: more than the service gives its longest, so that one that is frozen is noticed. */

/** Send a request and return its answer; throws Refused, and Error where no service answers. With `quiet` a 401 asks nobody to sign in. */
export async function call(method, path, { query, json, body, headers = {}, signal, quiet = false } = {}) {
  const asked = new URLSearchParams(pairs(query ?? {}));
  const given = json === undefined ? { body } : { body: JSON.stringify(json) };
  if (json !== undefined) headers = { "Content-Type": "application/json", ...headers };
  let answer;
  try {
    answer = await fetch(asked.size ? `${path}?${asked}` : path, { method, headers, signal: AbortSignal.any([AbortSignal.timeout(PATIENCE), ...(signal ? [signal] : [])]), ...given });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The service does not answer.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && !quiet) throw signedOut();
  throw new Refused(answer.status, await answer.json().catch(() => ({})));
}

/** Ask for a sign-in, and return the refusal. With `stay` what is shown stays as it is after it. */
export function signedOut({ stay = false } = {}) {
  document.dispatchEvent(new CustomEvent("signed-out", { detail: { stay } }));
  return new Refused(401, { detail: "You are not signed in, or no longer. Sign in, and do it again." });
}

/** Yield the names and values of a query: what is empty asks for nothing, a list is a name again and again. */
function* pairs(query) {
  for (const [name, value] of Object.entries(query)) {
    if (value == null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) yield [name, one];
  }
}

/** Return what a path has, as plain values. */
export const get = async (path, query, signal) => (await call("GET", path, { query, signal })).json();

/** Post plain values, and return the answer's. */
export async function post(path, json, more = {}) {
  const answer = await call("POST", path, { json, ...more });
  return answer.status === 204 ? null : answer.json();
}

/** Return a picture in the page's colours as an address that an <img> takes, made by a post; throws Refused. */
export async function picture(path, json, signal) {
  const answer = await call("POST", path, { query: { theme: isDark() ? "dark" : "light" }, json, signal, headers: { Accept: "image/png" } });
  return URL.createObjectURL(await answer.blob());
}

/** Return what a path has now as an address that an <img> takes, until the signal. */
export async function fetched(path, until) {
  const address = URL.createObjectURL(await (await call("GET", path, { signal: until })).blob());
  until.addEventListener("abort", () => URL.revokeObjectURL(address));
  return address;
}

const known = new Map();

/** Return the catalogue of one kind, asked for once. */
export async function catalog(kind) {
  if (!known.has(kind)) known.set(kind, get(`/catalog/${kind}`).then(({ items }) => items));
  try {
    return await known.get(kind);
  } catch (error) {
    known.delete(kind);
    throw error;
  }
}

/**
 * Call something again and again, `seconds` apart, while the page is seen and until the signal; the first time at once, and
 * then it may not fail. Later it may: the bar says when the service is away, and once it is back it is called at once.
 */
export async function poll(seconds, signal, work) {
  let begun = false;
  while (!signal.aborted) {
    try {
      if (!document.hidden) {
        await work();
        begun = true;
      }
    } catch (error) {
      if (!begun || error.name === "AbortError") throw error;
    }
    await new Promise((done) => {
      const over = new AbortController();
      const now = () => (clearTimeout(timer), over.abort(), done());
      const timer = setTimeout(now, 1000 * (typeof seconds === "function" ? seconds() : seconds));
      signal.addEventListener("abort", now, { signal: over.signal });
      document.addEventListener("back", now, { signal: over.signal });
    });
  }
}
