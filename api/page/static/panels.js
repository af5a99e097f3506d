/** The panels of an experiment: curves, verdict, pictures, runs, history, spec and downloads. */

import { h, pictured, prose, put, button, labelled, select, table, tell } from "/page/dom.js";
import { fetched, get } from "/page/api.js";
import { switches } from "/page/choice.js";
import { isDark } from "/page/colors.js";
import { Curves, LOOKS, facts } from "/page/curves.js";
import { ENDED, instant, labelOf, measuredIn, state } from "/page/format.js";
import { Series } from "/page/live.js";
import { runs } from "/page/runs.js";
import { asCurl, asPython, asYaml, posted } from "/page/spec.js";
import { findings, pairs, ranking, spread, verdictText } from "/page/verdict.js";

/** The pictures of a verdict, of those that suit its kind of experiment; the one of pairs where there are any. */
const PAIRS = "forest", FOREMOST = ["lr_range", "coordinate_check", "batch_size", "comparison", PAIRS];

/**
 * Return [name, title, make] of each; `shared.one` is the experiment as it is now, `shared.report()` its report,
 * `shared.choice` the arms to show.
 */
export function panels(shared, signal) {
  const { id } = shared.one;
  const at = `/experiments/${id}`;
  let leave = new AbortController();

  /** Begin a panel: what the one before it listened to ends. It is made again whenever runs have ended, but for a `live` one. */
  const begin = (make, live = false) => () => {
    leave.abort();
    leave = new AbortController();
    const until = AbortSignal.any([signal, leave.signal]);
    const place = h("div", {}, h("p.muted", {}, "Loading…"));
    const show = (again) => make(place, until, again).catch((error) => {
      if (error.name === "AbortError") return;
      put(place, h("p.notice", { role: "alert" }, error.message));
      document.addEventListener("back", () => show(again), { once: true, signal: until });
    });
    if (!live) onEnded(shared, until, () => show(true));
    show(false);
    return place;
  };

  return [
    ["curves", "Curves", begin((place, until) => curves(place, shared, at, until), true)],
    ["verdict", "Verdict", begin(async (place, until, again) => {
      const [report, { items }] = await Promise.all([shared.report(), get(`${at}/plots`, undefined, until)]);
      if (until.aborted) return;
      const shown = FOREMOST.filter((name) => items.some((one) => one.name === name) && (name !== PAIRS || report.comparisons.length));
      put(place, h("p.verdict", {}, verdictText(report)),
        report.arms.some((arm) => arm.mean !== null || arm.diverged) && [h("h2", {}, "Arms"), ranking(report, shared.one.spec)], shown.length > 0 && chosen(shared, until), shown.map((name) => picture(shared, name, until, again)),
        h("h2", {}, "Findings"), findings(report),
        report.comparisons.length > 0 && [h("h2", {}, "Pairs"), pairs(report)],
        spread(report),
        report.notes.length > 0 && [h("h2", {}, "What was assumed of the data"), h("ul", {}, report.notes.map(({ path, message }) => h("li", {}, path && h("code", {}, path), " ", message)))]);
    })],
    ["pictures", "Pictures", begin(async (place, until, again) => {
      const { items } = await get(`${at}/plots`, undefined, until);
      const link = (name, format) => kept(shared, until, h("a", { download: `${name}.${format}` }, format.toUpperCase()), (one, arms) => {
        one.hidden = arms === null;
        one.href = `${at}/plots/${name}.${format}?${arms ?? ""}`;
      });
      put(place, chosen(shared, until), h("div.gallery", {}, items.map(({ name, summary }) => h("figure", {}, picture(shared, name, until, again),
        h("figcaption", {}, h("strong", {}, name.replaceAll("_", " ")), " ", prose(summary), " ",
          ["png", "svg", "json"].map((format) => [link(name, format), " "]))))));
    })],
    ["runs", "Runs", begin((place, until) => runs(place, shared, at, until, (work) => onEnded(shared, until, work)), true)],
    ["history", "History", begin(async (place, until) => {
      const [{ items }, trained] = await Promise.all([get(`${at}/history`, { limit: 1000 }, until), get(`${at}/environments`, undefined, until)]);
      put(place, table("What happened to it", ["When", "What", "Cohort", "Attempt", "Details"], items.map((event) => [
        h("span.time", {}, instant(event.at)), event.kind.replaceAll("_", " "), event.cohort ?? "–", event.attempt ?? "–",
        h("code.small", {}, Object.keys(event.detail).length ? JSON.stringify(event.detail) : ""),
      ])), environments(trained.items));
    })],
    ...(shared.one.spec.kind === "external" ? [["arms", "Arms", begin(async (place) => put(place, declaration(shared.one)))]] : []),
    ["spec", "Spec", begin(async (place) => put(place, spec(shared.one)), true)],
    ["download", "Download", begin(async (place) => put(place, downloads(at)), true)],
  ];
}

/** Return the switches of the arms that pictures show, where there are several. */
const chosen = ({ one, choice }, until) => one.arms.length > 1 && switches(one.arms.map(({ label }) => label), choice, until);

const PAUSE = 10_000;
/** Milliseconds between two looks at runs that end one after the other: pictures and reports take the service a while. */

/** Do something again when runs of the experiment have ended, and at once when all of it has, or its state is another. */
function onEnded(shared, until, work) {
  const known = (one) => [`${state(one)} ${one.arms.length} ${ENDED.has(one.status) ? one.attempt : ""}`, one.progress.runs_done];
  let [is, done] = known(shared.one), last = Date.now(), waiting;
  const listener = (one) => {
    const [now, ended] = known(one), other = now !== is;
    if (!other && ended === done) return;
    [is, done] = [now, ended];
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      last = Date.now();
      work();
    }, other ? 0 : Math.max(0, last + PAUSE - Date.now()));
  };
  shared.listeners.add(listener);
  until.addEventListener("abort", () => (clearTimeout(waiting), shared.listeners.delete(listener)));
}

/** Return an element after `write` has written it for the arms that are chosen, now and whenever that changes; null: none is. */
function kept({ one, choice }, until, element, write) {
  const labels = one.arms.map(({ label }) => label);
  const update = () => write(element, choice.isEmpty(labels) ? null : choice.query(labels));
  choice.addEventListener("change", update, { signal: until });
  document.addEventListener("theme", update, { signal: until });
  update();
  return element;
}

/**
 * Return a picture of the API in the page's colours, of the arms that are chosen, with what it shows in words. Where it was
 * shown before, and is `again`, it is fetched: of one address a browser shows an image that it has.
 */
function picture(shared, name, until, again) {
  const image = h("img.picture", { alt: `The picture ${name.replaceAll("_", " ")} of this experiment; its numbers are in the tables and in ${name}.json`, loading: "lazy" });
  const failed = h("p.muted", { hidden: true }, `The picture ${name} cannot be drawn yet.`), empty = h("p.muted", {}, `The picture ${name} shows no arm: choose one.`);
  for (const event of ["load", "error"]) image.addEventListener(event, () => {
    image.hidden = event === "error" || !empty.hidden;
    failed.hidden = event === "load" || !empty.hidden;
  });
  kept(shared, until, image, async (_, arms) => {
    empty.hidden = arms !== null;
    failed.hidden = true;
    image.hidden = arms === null;
    if (arms === null) return;
    const address = `/experiments/${shared.one.id}/plots/${name}.svg?theme=${isDark() ? "dark" : "light"}${arms}`;
    image.src = again ? await fetched(address, until).catch(() => address) : address;
  });
  return pictured(`The picture ${name.replaceAll("_", " ")}`, image, failed, empty);
}

async function curves(place, shared, at, until) {
  const { choice } = shared, looks = LOOKS(), holder = h("div"), menu = h("div.menu");
  let chart, chosen, runs, metrics;
  const series = new Series(shared.one, { changed: () => chart?.refresh(), state: (state) => shared.head(state) });
  until.addEventListener("abort", () => (series.close(), chart?.close()));

  /** Ask for the runs as they are now: which metrics they have, and how long they took. */
  async function look() {
    const { one } = shared;
    const [{ items }, report] = await Promise.all([get(`${at}/runs`, { limit: 2000, repeat: false }, until), shared.report().catch(() => null)]);
    runs = items;
    metrics = measuredIn(one, runs, report);
    chosen ??= firstOf(metrics, one, report);
    put(menu, labelled("Metric", select(metrics.map((name) => [name, labelOf(one.spec, name)]), chosen, choose)));
  }

  async function choose(metric) {
    chosen = metric;
    chart?.close();
    chart = new Curves(series, facts(shared.one, runs, metric), metric, { title: labelOf(shared.one.spec, metric), choice, looks });
    put(holder, chart.element);
    await Promise.all([series.choose(metric, until), chart.build()]);  // together: neither may fail unheard
    chart.refresh();
  }

  onEnded(shared, until, async () => {
    try {
      await look();
      const arms = facts(shared.one, runs, chosen), over = series.isOver(shared.one);
      if (over) series.follow(shared.one);
      if (!over && String(arms.map(({ label }) => label)) === String(chart?.arms.map(({ label }) => label))) chart.renew(arms);
      else await choose(chosen);
    } catch { /* the service is away, which the bar says; the next that ends has it asked again */ }
  });
  document.addEventListener("theme", () => chart?.build(), { signal: until });
  await look();
  put(place, menu, holder);
  await choose(chosen);
}

/** Return the metric that is shown first: the outcome, or the nearest to it that is a curve. */
function firstOf(metrics, { spec }, report) {
  const outcome = spec.outcome ?? report?.metric ?? "";
  return [outcome.replace(/^best_/, "").replace(/^test_/, "valid_"), "valid_accuracy", "valid_loss", "train_loss"].find((name) => metrics.includes(name)) ?? metrics[0];
}

/** Return what was declared of an experiment that is trained elsewhere: arms by their settings, metrics, runs that wait. */
function declaration({ id, spec, next }) {
  const flat = (config, path = "") => Object.entries(config).flatMap(([name, value]) =>
    value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length ? flat(value, `${path}${name}.`) : [[path + name, value]]);
  const settings = spec.arms.map(({ config }) => Object.fromEntries(flat(config ?? {})));
  const names = [...new Set(settings.flatMap(Object.keys))];
  const shown = (value) => (value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value));
  return [
    h("p", {}, "It is trained elsewhere. Seeds pair its runs as declared."),
    table("Arms as declared", ["Arm", ...names], spec.arms.map(({ label }, index) => [label, ...names.map((name) => shown(settings[index][name]))])),
    h("h2", {}, "Metrics"), table("Metrics as declared", ["Metric", "Better", "Per", ""], spec.metrics.map(({ name, label, direction, per }) => [
      label ?? name, { max: "more", min: "less" }[direction] ?? "–", per === "step" ? "update" : "epoch", name === spec.outcome ? "decides" : ""])),
    next.length > 0 && [h("h2", {}, "Runs to train next"), table("Runs to train next", ["Run", "Arm", "Seed"], next.map(({ run, arm, seed }) => [run, arm, seed]))],
  ];
}

/** Return what the attempts were trained in: one table, an environment a column, and what is not set left out. */
function environments(items) {
  if (!items.length) return [];
  const flat = items.map(({ environment, attempts }) => ({
    attempts: `${attempts.length}, of cohort ${[...new Set(attempts.map((one) => one.cohort))].slice(0, 8).join(", ")}`, ...environment,
    packages: undefined, settings: undefined, ...environment.packages, ...environment.settings,
  }));
  const names = [...new Set(flat.flatMap(Object.keys))].filter((name) => flat.some((one) => (one[name] ?? null) !== null));
  return [h("h2", {}, "Trained in"), table("What its attempts were trained in", ["", ...items.map((_, i) => (items.length > 1 ? `Environment ${i + 1}` : "Environment"))],
    names.map((name) => [name === name.toUpperCase() ? name : name.replaceAll("_", " "), ...flat.map((one) => one[name] ?? "–")]))];
}

function spec(one) {
  const again = posted(one.spec);
  const written = { JSON: JSON.stringify(again, null, 2), YAML: asYaml(again), curl: asCurl(again, one.project), Python: asPython(again, one.project) };
  const text = h("pre", { tabindex: 0 }, written.JSON);
  let chosen = "JSON";
  return [
    h("div.switches", {}, labelled("As", select(Object.keys(written), chosen, (name) => {
      chosen = name;
      text.textContent = written[name];
    })), button("Copy", async () => {
      if (!navigator.clipboard) throw new Error("A browser copies over HTTPS or on this machine only: select the text.");
      await navigator.clipboard.writeText(written[chosen]);
      tell("It was copied.");
    })),
    text,
  ];
}

function downloads(at) {
  const link = (href, title, name) => h("li", {}, h("a", { href, download: name ?? "" }, title));
  return h("ul", {},
    link(`${at}/report?format=html`, "Report as a web page", "report.html"), link(`${at}/report?format=md`, "Report as Markdown", "report.md"),
    link(`${at}/report?format=json`, "Report as JSON", "report.json"), link(`${at}/metrics?format=csv`, "All series as CSV", "metrics.csv"), link(`${at}/metrics?format=parquet`, "All series as Parquet", "metrics.parquet"), link(`${at}/metrics?format=arrow`, "All series as an Arrow stream", "metrics.arrows"),
    link(`${at}/plots.zip`, "All pictures as a ZIP: PNG, SVG and the data of each", "pictures.zip"), link(`${at}/metrics?format=json`, "All series as JSON", "metrics.json"),
    link(`${at}/bundle.zip`, "Bundle, once it has ended: everything above, spec, environments and checksums, to be reproduced", "bundle.zip"),
    link(`${at}/experiment.eln`, "For a lab notebook such as eLabFTW, once it has ended (.eln)", "experiment.eln"),
    link(`${at}/runs`, "Runs as JSON", "runs.json"), link(`${at}`, "The experiment as JSON", "experiment.json"));
}
