/** The page: shows the view that the address names, and the bar above it. */

import { h, put, tell } from "/page/dom.js";
import { get } from "/page/api.js";
import { account, maySend, who } from "/page/account.js";

const VIEWS = [
  [/^$|^experiments$/, "experiments", "Experiments", "/experiments"],
  [/^experiments\/(\d+)(?:\/(\w+))?$/, "experiment"],
  [/^compare\/([\d,]+)$/, "compare"],
  [/^new$/, "new", "New", "/new"],
  [/^catalog(?:\/(\w+)(?:\/(\w+))?)?$/, "catalog", "Catalogue", "/catalog"],
  [/^studies(?:\/([\w.-]+)\/([\w.-]+))?$/, "studies", "Studies", "/studies"],
  [/^datasets(?:\/([\w.-]+))?$/, "datasets", "Data sets", "/datasets"],
  [/^workers$/, "workers", "Workers", "/workers"],
  [/^mlflow\/experiments\/(\d+)(?:\/runs\/(\w+))?/, "mlflow"],
  [/^shared\/([\w.-]+)$/, "shared"],
];
/** The address behind #/, the module of views/, and for the bar a title and an address. */

if (location.search === "?mlflow") history.replaceState(null, "", location.hash ? `/#/mlflow${location.hash.slice(1)}` : "/");
/* A link that an MLflow client has printed: what stands behind its # names MLflow's ids, and not ours. */

const main = document.getElementById("main");
let shown = new AbortController(), failed = false;

/** Return a part of the address as it is meant; one with a "%" that begins no letter says it as it stands. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Show what the address names; what was shown hears of its end by its signal. */
async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  failed = false;
  let path = decoded(location.hash.replace(/^#\/?/, "").replace(/\?.*$/, ""));
  if (who.me?.link && !path.startsWith("shared/")) path = path.split("/", 2).join("/") === `experiments/${who.me.link}` ? path : `experiments/${who.me.link}`;
  const found = VIEWS.find(([pattern]) => pattern.test(path));
  bar(path);
  document.title = "initlab";  // until the view says what it shows
  if (!found) {
    document.title = "initlab: nothing here";
    put(main, h("h1", {}, "Nothing here"), h("p", {}, "The page has no ", h("code", {}, path), ". ", h("a", { href: "#/experiments" }, "All experiments")));
    return;
  }
  try {
    const view = await import(`/page/views/${found[1]}.js`);
    if (!signal.aborted) await view.show(main, path.match(found[0]).slice(1), signal);
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    failed = true;
    document.title = "initlab: this cannot be shown";
    put(main, h("h1", {}, "This cannot be shown"), h("p.notice", { role: "alert" }, error.message), h("button", { type: "button", onclick: show }, "Try again"));
  }
}

function bar(path) {
  if (who.me?.link) return;  // a link opens one experiment
  put(document.getElementById("nav"), VIEWS.filter(([, view, title]) => title && (view !== "new" || maySend())).map(([pattern, , title, to]) =>
    h("a", { href: `#${to}`, "aria-current": pattern.test(path) || (to === "/experiments" && path.startsWith("experiments")) ? "page" : null }, title)),
    h("a", { href: "/manual/" }, "Manual"), h("a", { href: "/docs" }, "API"));
}

const themes = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };

/** Let the reader choose light, dark, or what the system has. */
function theme() {
  const names = Object.keys(themes);
  let chosen = localStorage.getItem("theme") ?? "auto";
  const made = h("button.quiet", { type: "button", title: "Colours: as the system, light or dark" });
  const apply = () => {
    document.documentElement.dataset.theme = chosen;
    made.textContent = themes[chosen];
    document.dispatchEvent(new CustomEvent("theme"));
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);  // which "auto" follows
  made.addEventListener("click", () => {
    chosen = names[(names.indexOf(chosen) + 1) % names.length];
    localStorage.setItem("theme", chosen);
    apply();
  });
  apply();
  return made;
}

const PAUSE = 5000, PATIENCE = 10_000;
/** Milliseconds between two looks at the service, and in which it has to answer one: it may be frozen, or busy. */

/** Say it when the service goes away and when it comes back: what is shown then goes on, and what somebody types stays. */
async function watch() {
  let away = false;
  for (;;) {
    await new Promise((done) => setTimeout(done, PAUSE));
    if (document.hidden) continue;
    const answers = await get("/healthz", undefined, AbortSignal.timeout(PATIENCE)).then(() => true, ({ status }) => status < 500);  // of none there is no status
    if (!answers && !away) tell("The service does not answer. What is shown may be old; it is tried again.", "wrong");
    if (answers && away) {
      tell("The service answers again.");
      if (failed) show();
      else document.dispatchEvent(new CustomEvent("back"));
    }
    away = !answers;
  }
}

const end = document.getElementById("top-end");
put(end, theme());
if (!location.hash.startsWith("#/shared/")) await account(end, show);
addEventListener("hashchange", () => {
  show();  // a view that asks again and again goes on until it is left
  main.focus();
});
show();
watch();
