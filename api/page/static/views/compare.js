/** Several experiments side by side: their verdicts, and one metric of all of their arms, as they are now. */

import { h, named, put, labelled, select, table } from "/page/dom.js";
import { get, poll } from "/page/api.js";
import { Curves, LOOKS, facts } from "/page/curves.js";
import { thinned } from "/page/live.js";
import { PARTS } from "/page/statistics.js";
import { ENDED, measured, measuredIn, metricName, state } from "/page/format.js";

const MOST = 12;
/** Experiments that are shown: more have too many lines to be told apart. */
const POINTS = 1000;
/** Points of a series. */

export async function show(main, [ids], signal) {
  document.title = "initlab: compared";
  const wanted = [...new Set(ids.split(",").filter(Boolean))], looks = LOOKS();
  const title = h("h1"), note = h("p.notice", { hidden: true }), facing = h("div"), menu = h("div.menu"), holder = h("div");
  const labelOf = ({ one }, arm) => `#${one.id} ${arm}`;
  const lines = { all: [] };
  let all = [], chart, metric, seen, offered;

  /** Ask for one experiment; null where there is none any more. */
  async function read(id) {
    try {
      const one = await get(`/experiments/${id}`, undefined, signal);
      const [report, { items }] = await Promise.all([get(`/experiments/${id}/report`, undefined, signal), get(`/experiments/${id}/runs`, { limit: 2000, repeat: false }, signal)]);
      return { one, report, runs: items, metrics: new Set(measuredIn(one, items, report)) };
    } catch (error) {
      if (error.status === 404) return null;
      throw error;
    }
  }

  async function refresh() {
    const found = await Promise.all(wanted.slice(0, MOST).map(read));
    const gone = wanted.filter((_, index) => found[index] === null);
    all = found.filter(Boolean);
    const now = JSON.stringify([gone, all.map(({ one }) => [one.name, state(one), one.progress])]);
    if (now === seen) return;
    put(title, `${all.length} experiment${all.length === 1 ? "" : "s"} side by side`);
    note.textContent = [
      wanted.length > MOST && `Of ${wanted.length} that were chosen the first ${MOST} are shown.`,
      gone.length && `There is no experiment ${gone.map((id) => `#${id}`).join(", ")} any more.`,
    ].filter(Boolean).join(" ");
    note.hidden = !note.textContent;
    put(facing, summary(all));
    const shared = all.length ? [...all[0].metrics].filter((name) => all.every(({ metrics }) => metrics.has(name))).sort() : [];
    if (!shared.includes(metric)) metric = shared.find((name) => name === "valid_accuracy") ?? shared.find((name) => name === "valid_loss") ?? shared[0];
    if (String(shared) !== offered) put(menu, shared.length ? labelled("Metric", select(shared.map((name) => [name, metricName(name)]), metric, draw)) : h("p", {}, "They have no metric in common."));
    offered = String(shared);
    if (metric) await draw(metric);
    seen = now;
  }

  async function draw(chosen) {
    const found = await Promise.all(all.map(({ one }) => thinned(one.id, chosen, POINTS, PARTS, signal)));
    lines.all = all.flatMap((each, index) => found[index].map((line) => ({ ...line, arm: labelOf(each, line.arm) })));
    const arms = all.flatMap((each) => facts(each.one, each.runs, chosen).map((arm) => ({ ...arm, label: labelOf(each, arm.label) })));
    const labels = (these) => JSON.stringify(these?.map(({ label }) => label));
    if (chart && chosen === chart.metric && labels(arms) === labels(chart.arms)) return chart.renew(arms);
    metric = chosen;
    chart?.close();
    chart = new Curves(lines, arms, chosen, { looks });
    put(holder, chart.element);
    await chart.build();
  }

  signal.addEventListener("abort", () => chart?.close());
  document.addEventListener("theme", () => chart?.build(), { signal });
  put(main, h("p", {}, h("a", { href: "#/experiments" }, "Experiments")), title, note,
    h("p.muted", {}, "They are shown beside each other, and not tested against each other: only arms of one experiment share their seeds by design."),
    facing, menu, holder);
  await poll(() => (all.every(({ one }) => ENDED.has(one.status)) ? 10 : 3), signal, refresh);
}

function summary(all) {
  return table("Experiments", ["Experiment", "State", "Arms that none beats", "Mean of the first", "Runs"], all.map(({ one, report }) => {
    const best = report.verdict.groups[0] ?? [];
    const arm = report.arms.find(({ label }) => label === best[0]);
    return [h("a", { href: `#/experiments/${one.id}` }, named(one.name || `#${one.id}`)), state(one), best.length ? best.map((label, index) => [index ? ", " : "", named(label)]) : "–", arm ? `${measured(report, report.metric, arm.mean)} ${metricName(report.metric)}` : "–", one.progress.runs_total];
  }));
}
