/** The panels of an experiment: curves, verdict, pictures, runs, history, spec and downloads. */

import { h, put, button, labelled, select, table, tell } from "/page/dom.js";
import { get } from "/page/api.js";
import { isDark } from "/page/colors.js";
import { Curves, facts } from "/page/curves.js";
import { ENDED, duration, instant, metricName, measured, number } from "/page/format.js";
import { Series } from "/page/live.js";
import { asCurl, asPython, asYaml } from "/page/spec.js";
import { findings, pairs, ranking } from "/page/verdict.js";

/** Return [name, title, make] of each; `shared.one` is the experiment as it is now. */
export function panels(shared, signal) {
  const { id } = shared.one;
  const at = `/experiments/${id}`;
  let leave = new AbortController();

  /** Begin a panel: what the one before it listened to ends. */
  const begin = (make) => () => {
    leave.abort();
    leave = new AbortController();
    const place = h("div", {}, h("p.muted", {}, "Loading…"));
    make(place, AbortSignal.any([signal, leave.signal])).catch((error) => {
      if (error.name !== "AbortError") put(place, h("p.notice", { role: "alert" }, error.message));
    });
    return place;
  };

  return [
    ["curves", "Curves", begin((place, until) => curves(place, shared, at, until))],
    ["verdict", "Verdict", begin(async (place, until) => {
      const report = await get(`${at}/report`, undefined, until);
      put(place, h("p.verdict", {}, report.verdict.text ?? "No verdict yet."),
        h("h2", {}, "Arms"), ranking(report), picture(at, "comparison", until), picture(at, "forest", until),
        h("h2", {}, "Findings"), findings(report),
        report.comparisons.length > 0 && [h("h2", {}, "Pairs"), pairs(report)],
        report.notes.length > 0 && [h("h2", {}, "What was assumed of the data"), h("ul", {}, report.notes.map(({ path, message }) => h("li", {}, path && h("code", {}, path), " ", message)))]);
    })],
    ["pictures", "Pictures", begin(async (place, until) => {
      const { items } = await get(`${at}/plots`, undefined, until);
      put(place, h("div.gallery", {}, items.map(({ name, summary }) => h("figure", {}, picture(at, name, until),
        h("figcaption", {}, h("strong", {}, name.replaceAll("_", " ")), ` ${summary} `,
          ["png", "svg", "json"].map((format) => [h("a", { href: `${at}/plots/${name}.${format}`, download: `${name}.${format}` }, format.toUpperCase()), " "]))))));
    })],
    ["runs", "Runs", begin((place, until) => runs(place, shared, at, until))],
    ["history", "History", begin(async (place, until) => {
      const { items } = await get(`${at}/history`, { limit: 1000 }, until);
      put(place, table("What happened to it", ["When", "What", "Cohort", "Attempt", "Details"], items.map((event) => [
        instant(event.at), event.kind.replaceAll("_", " "), event.cohort ?? "–", event.attempt ?? "–",
        h("code.small", {}, Object.keys(event.detail).length ? JSON.stringify(event.detail) : ""),
      ])));
    })],
    ["spec", "Spec", begin(async (place) => put(place, spec(shared.one)))],
    ["download", "Download", begin(async (place) => put(place, downloads(at)))],
  ];
}

/** Return a picture of the API in the page's colours, with what it shows in words. */
function picture(at, name, until) {
  const image = h("img.picture", { alt: `The picture ${name.replaceAll("_", " ")} of this experiment; its numbers are in the tables and in ${name}.json`, loading: "lazy" });
  const paint = () => (image.src = `${at}/plots/${name}.svg?theme=${isDark() ? "dark" : "light"}`);
  image.addEventListener("error", () => image.replaceWith(h("p.muted", {}, `The picture ${name} cannot be drawn yet.`)));
  document.addEventListener("theme", paint, { signal: until });
  paint();
  return image;
}

async function curves(place, shared, at, until) {
  const { items } = await get(`${at}/runs`, { limit: 2000, repeat: false }, until);
  const { one } = shared;
  const finals = new Set(items.flatMap((run) => Object.keys(run.final)));
  const metrics = [...new Set(["train_loss", "valid_loss", ...(one.spec.outcome ? [one.spec.outcome] : []), ...[...finals].sort(), "lr"])];
  const first = ["valid_accuracy", "valid_loss", "train_loss"].find((name) => finals.has(name)) ?? "train_loss";
  const holder = h("div");
  let chart;
  const series = new Series(one, { changed: () => chart?.refresh(), state: (state) => shared.head(state) });
  until.addEventListener("abort", () => (series.close(), chart?.close()));

  async function choose(metric) {
    chart?.close();
    chart = new Curves(series, facts(shared.one, items), metric);
    put(holder, chart.element);
    await Promise.all([series.choose(metric, until), chart.build()]);  // together: neither may fail unheard
    chart.refresh();
  }
  document.addEventListener("theme", () => chart?.build(), { signal: until });
  put(place, labelled("Metric", select(metrics.map((name) => [name, metricName(name)]), first, choose)), holder);
  await choose(first);
}

const COLUMNS = [["Run", (run) => run.id], ["Arm", (run) => run.arm], ["Seed", (run) => run.seed], ["State", (run) => run.status], ["Outcome", (run) => run.outcome ?? "–"]];

async function runs(place, shared, at, until) {
  const list = h("div");
  const load = async (status) => {
    const { items, total } = await get(`${at}/runs`, { status, limit: 500 }, until);
    const finals = [...new Set(items.flatMap((run) => Object.keys(run.final)))].sort();
    put(list, h("p.muted", {}, total > items.length ? `The first ${items.length} of ${total} runs.` : `${total} runs.`),
      table("Runs", [...COLUMNS.map(([title]) => title), "Updates", "Time", ...finals.map(metricName), "Error"], items.map((run) => [
        ...COLUMNS.map(([, value]) => value(run)), `${run.steps_done} of ${run.steps_total}`,
        run.started_at && run.finished_at ? duration((new Date(run.finished_at) - new Date(run.started_at)) / 1000) : "–",
        ...finals.map((name) => measured(name, run.final[name])), run.error ?? "",
      ])));
  };
  put(place, labelled("State", select([["", "all"], "queued", "running", "succeeded", "failed", "cancelled"], "", load)), list);
  const seen = shared.one.progress.runs_done;
  const again = (one) => one.progress.runs_done !== seen && ENDED.has(one.status) && load("");
  shared.listeners.add(again);
  until.addEventListener("abort", () => shared.listeners.delete(again));
  await load("");
}

function spec(one) {
  const written = { JSON: JSON.stringify(one.spec, null, 2), YAML: asYaml(one.spec), curl: asCurl(one.spec), Python: asPython(one.spec) };
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
    link(`${at}/report?format=json`, "Report as JSON", "report.json"), link(`${at}/metrics?format=csv`, "All series as CSV", "metrics.csv"), link(`${at}/metrics?format=parquet`, "All series as Parquet", "metrics.parquet"),
    link(`${at}/plots.zip`, "All pictures as a ZIP: PNG, SVG and the data of each", "pictures.zip"), link(`${at}/metrics?format=json`, "All series as JSON", "metrics.json"),
    link(`${at}/runs`, "Runs as JSON", "runs.json"), link(`${at}`, "The experiment as JSON", "experiment.json"));
}
