/** Several experiments side by side: their verdicts, and one metric of all of their arms. */

import { h, put, labelled, select, table } from "/page/dom.js";
import { get } from "/page/api.js";
import { Curves, facts } from "/page/curves.js";
import { measured, metricName, state } from "/page/format.js";

export async function show(main, [ids], signal) {
  document.title = "initlab: compared";
  const all = await Promise.all(ids.split(",").slice(0, 12).map(async (id) => {
    const one = await get(`/experiments/${id}`, undefined, signal);
    const [report, { items }] = await Promise.all([get(`/experiments/${id}/report`, undefined, signal), get(`/experiments/${id}/runs`, { limit: 2000, repeat: false }, signal)]);
    return { one, report, runs: items, metrics: new Set(["train_loss", ...items.flatMap((run) => Object.keys(run.final))]) };
  }));
  const shared = [...all[0].metrics].filter((name) => all.every(({ metrics }) => metrics.has(name))).sort();
  const holder = h("div");
  const labelOf = ({ one }, arm) => `#${one.id} ${arm}`;
  let chart;

  async function draw(metric) {
    chart?.close();
    const found = await Promise.all(all.map(({ one }) => get(`/experiments/${one.id}/metrics`, { metric, max_points: 1000 }, signal)));
    const series = { all: all.flatMap((each, index) => found[index].series.map((line) => ({ ...line, arm: labelOf(each, line.arm) }))) };
    const arms = all.flatMap((each) => facts(each.one, each.runs).map((arm) => ({ ...arm, label: labelOf(each, arm.label) })));
    chart = new Curves(series, arms, metric);
    put(holder, chart.element);
    await chart.build();
  }

  signal.addEventListener("abort", () => chart?.close());
  const first = shared.find((name) => name === "valid_accuracy") ?? shared.find((name) => name === "valid_loss") ?? shared[0];
  put(main, h("p", {}, h("a", { href: "#/experiments" }, "Experiments")), h("h1", {}, `${all.length} experiments side by side`),
    h("p.muted", {}, "They are shown beside each other, and not tested against each other: only arms of one experiment share their seeds by design."),
    table("Experiments", ["Experiment", "State", "Arms that none beats", "Mean of the first", "Runs"], all.map(({ one, report }) => {
      const best = report.verdict.groups[0] ?? [];
      const arm = report.arms.find(({ label }) => label === best[0]);
      return [h("a", { href: `#/experiments/${one.id}` }, one.name || `#${one.id}`), state(one), best.join(", ") || "–", arm ? `${measured(report, report.metric, arm.mean)} ${metricName(report.metric)}` : "–", one.progress.runs_total];
    })),
    shared.length ? labelled("Metric", select(shared.map((name) => [name, metricName(name)]), first, draw)) : h("p", {}, "They have no metric in common."), holder);
  if (first) await draw(first);
}
