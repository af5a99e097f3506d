/** One experiment: live while it trains, with its verdict once there is one. */

import { h, named, put, renewed, tabs, tell } from "/page/dom.js";
import { get, poll } from "/page/api.js";
import { buttonsOf, fresh } from "/page/actions.js";
import { Choice } from "/page/choice.js";
import { ENDED, counted, done, instant, left, state, updates } from "/page/format.js";
import { looksOf } from "/page/looks.js";
import { verdictLine } from "/page/verdict.js";
import { panels } from "/page/panels.js";

export async function show(main, [id, tab], signal) {
  let one = await fresh(id, signal);
  const [buttons, offer] = buttonsOf(changed), title = h("h1"), about = h("div");
  const [notes, note] = renewed((now) => now.notes && h("p.notes", {}, now.notes), (now) => now.notes);
  const [problems, warn] = renewed(problemsOf, ({ errors, warnings }) => [errors, warnings]);
  const head = h("div.head", {}, h("div.heading", {}, title, buttons), about, notes, problems), line = h("p.verdict", { role: "status" }), arms = h("div.arms"), looks = h("div");
  const shared = { one, head: update, report, choice: new Choice(), listeners: new Set() };
  let asked = null;

  async function changed() {
    update(await fresh(id, signal));
  }

  /** Show a newer state of the experiment, or a part of it, everywhere. */
  function update(newer) {
    const before = one;
    one = shared.one = { ...one, ...newer };
    offer(one);
    put(title, named(one.name || `Experiment ${one.id}`), " ", h(`span.state.${state(one)}`, {}, state(one)));
    document.title = `initlab: ${one.name || `experiment ${id}`}`;
    put(about, aboutIt(one));
    note(one);
    warn(one);
    put(arms, progressOfArms(one));
    put(looks, looksOf(one));
    for (const listener of shared.listeners) listener(one);
    if (before.status !== one.status && ENDED.has(one.status)) tell(one.status === "cancelled" ? "It was cancelled." : `It ${one.status}.`);
    if (before.status !== one.status || before.progress.runs_done !== one.progress.runs_done) judge();
  }

  /** Return the report as it is now: asked for once, until more runs have ended. */
  function report() {
    const version = `${one.status} ${one.progress.runs_done}`;
    if (asked?.version !== version) {
      const found = get(`/experiments/${id}/report`, undefined, signal);
      asked = { version, found };
      found.catch(() => asked?.found === found && (asked = null));  // it is asked for again
    }
    return asked.found;
  }

  async function judge() {
    try {
      put(line, verdictLine(one, await report()));
    } catch (error) {
      if (error.name !== "AbortError") put(line, h("span.muted", {}, "The report cannot be read now."));
    }
  }

  put(main, head, line, arms, looks, tabs(panels(shared, signal), tab, (name) => history.replaceState(null, "", `#/experiments/${id}/${name}`)));
  document.addEventListener("back", judge, { signal });
  update(one);
  judge();
  await poll(() => (ENDED.has(one.status) ? 10 : 2), signal, async () => {
    try {
      const newer = await fresh(id, signal);
      if (JSON.stringify(newer) !== JSON.stringify(one)) update(newer);
    } catch (error) {
      if (error.status === 404) {
        document.title = "initlab: a deleted experiment";
        put(main, h("h1", {}, "This experiment was deleted"), h("a", { href: "#/experiments" }, "All experiments"));
        throw Object.assign(error, { name: "AbortError" });
      }
    }
  });
}

function aboutIt(one) {
  const { progress } = one;
  const [made, all] = done(one), share = made / Math.max(1, all);
  const ended = ENDED.has(one.status);
  return [
    h("p.muted", {}, [
      `#${one.id}`, `${counted(one.arms.length, "arm")} × ${counted(Math.round(progress.runs_total / Math.max(1, one.arms.length)), "run")}`,
      `${progress.runs_done} of ${progress.runs_total} runs have ended${progress.runs_cancelled ? `, ${progress.runs_cancelled} of them cancelled` : ""}`, updates(one),
      ended ? `ended ${instant(one.finished_at)}` : left(one),
      one.owner ? `by ${one.owner}` : "", one.project === "default" ? "" : `project ${one.project}`,
    ].filter(Boolean).join(" · "), " ", one.tags.map((tag) => h("span.tag", {}, named(tag)))),
    ended ? null : h("progress", { max: 1, value: share, "aria-label": `${Math.round(100 * share)} % done` }),
  ];
}

function problemsOf({ errors, warnings }) {
  return [
    errors.map((error) => h("p.notice.wrong", {}, error)),
    warnings.length > 0 && h("details.notice", { open: warnings.length < 3 }, h("summary", {}, counted(warnings.length, "warning")),
      h("ul", {}, warnings.map(({ path, message }) => h("li", {}, path && h("code", {}, path), path && ": ", message)))),
  ];
}

function progressOfArms(one) {
  if (ENDED.has(one.status) || one.arms.length > 24) return [];
  return one.arms.map((arm) => [arm, ...done(one, arm)]).map(([arm, made, all]) => h("div.arm-progress", {}, h("span", {}, named(arm.label)),
    h("progress", { max: Math.max(1, all), value: made, "aria-label": `${arm.label}: ${arm.runs_done} of ${arm.runs_total} runs` }),
    h("small.muted", {}, `${arm.runs_done}/${arm.runs_total}${arm.diverged ? `, ${arm.diverged} diverged` : ""}`)));
}
