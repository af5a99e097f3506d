/** All experiments: filtered, sorted, in pages, each with its state and a small chart. */

import { h, heard, named, put, button, labelled, select } from "/page/dom.js";
import { maySend } from "/page/account.js";
import { get, poll } from "/page/api.js";
import { ENDED, ago, counted, done, instant, left, labelOf, state } from "/page/format.js";
import { thinned } from "/page/live.js";
import { POINTS, sparkline } from "/page/sparkline.js";

const STATES = ["queued", "running", "succeeded", "failed", "cancelled"];
const PAGE = 50, MOST = 200;
/** Experiments that are shown more of at a time, and that one call gives. */
const METRICS = ["valid_accuracy", "valid_loss", "train_loss"];

const NONE = { name: "", tag: "", status: "", owner: "", project: "", sort: "newest" };
/** What the list is asked for where nothing is chosen; what is chosen stands in the address, so that "Back" finds it. */
const TICKED = "ticked";
/** Where the ids of what is ticked stand in the address, in the same way. */

export async function show(main, _, signal) {
  document.title = "initlab: experiments";
  const given = new URLSearchParams(location.hash.split("?")[1]);
  const asked = { ...NONE, ...Object.fromEntries([...given].filter(([name]) => name in NONE)) };
  const rows = new Map();
  const ticked = new Set(given.get(TICKED)?.match(/\d+/g)?.map(Number));
  let pages = 1, next = null, turn = 0;

  const list = h("ul.experiments", { "aria-label": "Experiments" });
  const total = h("p.muted", { role: "status" });
  const more = button("Show more", async () => {
    pages += 1;
    await refresh();
  }, { hidden: true });
  const compare = h("a.button", { hidden: true });
  const refilter = heard(async () => {
    if (signal.aborted) return;
    pages = 1;
    await refresh();
  });
  let typed;

  /** Take a filter into the address at once: a moment later it may be that of another view. */
  function ask(name, value) {
    asked[name] = value;
    write();
  }

  /** Write what is chosen into the address. */
  function write() {
    const chosen = new URLSearchParams(Object.entries(asked).filter(([each, one]) => one !== NONE[each]));
    if (ticked.size) chosen.set(TICKED, [...ticked].join("-"));
    history.replaceState(null, "", `#/experiments${chosen.size ? `?${chosen}` : ""}`);
  }

  function offer() {
    compare.hidden = ticked.size < 2;
    compare.href = `#/compare/${[...ticked].join(",")}`;
    compare.textContent = `Compare ${ticked.size}`;
  }

  const text = (name, label, type = "search") => labelled(label, h("input", { type, value: asked[name], oninput: (event) => {
    ask(name, event.target.value.trim());
    clearTimeout(typed);
    typed = setTimeout(refilter, 250);
  } }));
  const choose = (name, label, options) => labelled(label, select(options, asked[name], (value) => {
    ask(name, value);
    refilter();
  }));

  put(main,
    h("div.heading", {}, h("h1", {}, "Experiments"), compare, maySend() && h("a.button.main", { href: "#/new" }, "New experiment")),
    h("form.filters", { role: "search", onsubmit: (event) => event.preventDefault() },
      text("name", "Name"), text("tag", "Tag"), text("owner", "Owner"), text("project", "Project"),
      choose("status", "State", [["", "all"], ...STATES]),
      choose("sort", "Order", [["newest", "newest first"], ["oldest", "oldest first"], ["name", "by name"], ["finished", "last ended first"], ["progress", "most done first"]])),
    total, list, more);
  offer();

  const seen = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
    const row = rows.get(Number(target.dataset.id));
    if (row) row.seen = isIntersecting;
    if (row && isIntersecting) chart(row);
  }));
  signal.addEventListener("abort", () => seen.disconnect());

  async function refresh() {
    const items = [], mine = (turn += 1);
    let cursor;
    for (let left = PAGE * pages; left > 0; left -= MOST) {
      const found = await get("/experiments", { ...asked, limit: Math.min(left, MOST), cursor }, signal);
      if (mine !== turn) return;  // something else has been asked for meanwhile
      items.push(...found.items);
      cursor = next = found.next;
      total.textContent = found.total ? counted(found.total, "experiment") : "";
      if (next == null) break;
    }
    more.hidden = next == null;
    const ids = items.map(({ id }) => id);
    for (const id of rows.keys()) if (!ids.includes(id)) rows.delete(id);
    for (const one of items) update(one);
    const wanted = ids.map((id) => rows.get(id).element);
    if (wanted.length !== list.children.length || wanted.some((element, index) => list.children[index] !== element)) put(list, wanted);
    if (!items.length) put(list, empty());
  }

  function empty() {
    const filtered = Object.keys(NONE).some((name) => name !== "sort" && asked[name]);
    return h("li.empty", {}, filtered ? "No experiment is like that." : ["No experiment yet. ", h("a", { href: "#/new" }, "Compare something"), ", or run ", h("code", {}, "make demo"), "."]);
  }

  function update(one) {
    let row = rows.get(one.id);
    if (!row) {
      row = { chart: h("div.chart"), body: h("div.about"), drawn: null, seen: false };
      const tick = h("input", { type: "checkbox", "aria-label": `Compare ${one.name || one.id}`, checked: ticked.has(one.id), onchange: (event) => {
        ticked[event.target.checked ? "add" : "delete"](one.id);
        write();
        offer();
      } });
      row.element = h("li.experiment", { "data-id": one.id }, tick, row.body, row.chart);
      rows.set(one.id, row);
      seen.observe(row.element);
    }
    const written = JSON.stringify(one);
    if (row.written === written) return;
    row.written = written;
    row.one = one;
    put(row.body, summary(one));
    if (row.seen) chart(row);
  }

  async function chart(row) {
    const { one } = row;
    const version = `${one.status} ${one.progress.steps_done}`;
    if (row.drawn === version || row.drawing || !one.progress.steps_done) return;
    row.drawing = true;
    try {
      for (const metric of one.spec.kind === "external" ? [one.spec.outcome] : METRICS) {
        const drawn = sparkline(await thinned(one.id, metric, POINTS, POINTS, signal), one.arms.map(({ label }) => label), `${labelOf(one.spec, metric)} of ${one.name}`);
        if (!drawn) continue;
        put(row.chart, drawn, h("small.muted", {}, labelOf(one.spec, metric)));
        break;
      }
      row.drawn = version;
    } catch (error) {
      if (error.name !== "AbortError") row.drawn = null;
    } finally {
      row.drawing = false;
    }
  }

  await poll(() => ([...rows.values()].some(({ one }) => !ENDED.has(one.status)) ? 2 : 5), signal, async () => {
    try {
      await refresh();
    } catch (error) {
      if (error.status !== 401) throw error;  // of a 401 the dialog says it
    }
  });
}

function summary(one) {
  const { progress } = one;
  const [made, all] = done(one), share = made / Math.max(1, all);
  const live = !ENDED.has(one.status);
  return [
    h("div.title", {}, h("a", { href: `#/experiments/${one.id}` }, named(one.name || `Experiment ${one.id}`)), " ", h(`span.state.${state(one)}`, {}, state(one)),
      one.tags.map((tag) => h("span.tag", {}, named(tag)))),
    h("div.muted", {}, `#${one.id} · ${counted(one.arms.length, "arm")} · ${progress.runs_done - progress.runs_cancelled} of ${progress.runs_total} runs`,
      progress.runs_cancelled ? `, ${progress.runs_cancelled} cancelled` : "",
      live && left(one) && ` · ${left(one)}`,
      one.owner ? ` · ${one.owner}` : "", " · ", h("time", { datetime: one.created_at, title: instant(one.created_at) }, ago(one.created_at))),
    live && h("progress", { max: 1, value: share, "aria-label": `${Math.round(100 * share)} % done` }),
  ];
}
