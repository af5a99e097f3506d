/** The table of an experiment's runs. */

import { h, put, button, labelled, select, table } from "/page/dom.js";
import { who } from "/page/account.js";
import { get } from "/page/api.js";
import { count, counted, duration, labelOf, measured, number } from "/page/format.js";

const PAGE = 500;
/** Runs that are shown more of at a time. */

const COLUMNS = [["Run", (run) => run.id], ["Arm", (run) => run.arm], ["Seed", (run) => run.seed], ["State", (run) => run.status], ["Outcome", (run) => run.outcome ?? "–"]];

/** Return links to the weights that a run has kept, and of those that could not be written the reason. */
function weights(run) {
  return Object.entries(run.weights).map(([which, one]) => [one.error
    ? h("span.small", { title: one.error }, `no ${which}`)
    : who.me?.link ? which  // a link opens no file of them
    : h("a", { href: one.link, download: "", title: `${number(one.bytes)} bytes${one.epoch ? `, after epoch ${one.epoch}` : ""}`, "aria-label": `The ${which} weights of run ${run.id}` }, which), " "]);
}

/** Return what sets a second training apart from the first of its arm and seed. */
const again = ({ repeat, varied }) => (repeat ? `again, with other ${varied === "rounding" ? "rounding" : `randomness of ${varied}`}` : "first");

/** Show the runs, and again `whenEnded`, which is given what then has to be done. */
export async function runs(place, shared, at, until, whenEnded) {
  const list = h("div"), more = button("Show more", async () => {
    pages += 1;
    await load();
  }, { hidden: true });
  let status = "", pages = 1, turn = 0;
  const load = async () => {
    const mine = (turn += 1);
    const [{ items, total }, report] = await Promise.all([get(`${at}/runs`, { status, limit: PAGE * pages }, until), shared.report()]);
    if (mine !== turn) return;
    const finals = [...new Set(items.flatMap((run) => Object.keys(run.final)))].sort();
    const { spec: asked } = shared.one;
    const columns = [...COLUMNS, ...(items.some((run) => run.repeat) ? [["Training", again]] : []), ...(asked.keep ? [["Weights", weights]] : [])];
    more.hidden = items.length === total;
    put(list, h("p.muted", {}, total > items.length ? `The first ${count(items.length)} of ${counted(total, "run")}.` : `${counted(total, "run")}.`),
      table("Runs", [...columns.map(([title]) => title), "Updates", "Time", ...finals.map((name) => labelOf(asked, name)), "Error"], items.map((run) => [
        ...columns.map(([, value]) => value(run)), run.steps_total ? `${run.steps_done} of ${run.steps_total}` : run.steps_done,
        run.started_at && run.finished_at ? duration((new Date(run.finished_at) - new Date(run.started_at)) / 1000) : "–",
        ...finals.map((name) => measured(report, name, run.final[name])), run.error ?? "",
      ])));
  };
  put(place, labelled("State", select([["", "all"], "queued", "running", "succeeded", "failed", "cancelled"], "", (wanted) => {
    status = wanted;
    pages = 1;
    return load();
  })), list, more);
  whenEnded(() => load().catch(() => {}));  // the service is away, which the bar says
  await load();
}
