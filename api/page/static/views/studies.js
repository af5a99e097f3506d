/** Studies: chains of experiments that share one error; what each decided, and what is spent and left. */

import { h, named, put, table } from "/page/dom.js";
import { get } from "/page/api.js";
import { ago, count, number } from "/page/format.js";

const level = (value) => number(value, 2);

export async function show(main, [project, name], signal) {
  if (name) return one(main, project, name, signal);
  document.title = "initlab: studies";
  const { items } = await get("/studies", undefined, signal);
  put(main, h("h1", {}, "Studies"),
    h("p", {}, "A study is a chain of experiments that try one change after another and share one error: ", h("code", {}, "alpha"), " is spent over their verdicts."),
    items.length ? table("Studies", ["Study", "Project", "Experiments", "Kept", "Not decided", "alpha", "Spent", "Left", "The next is judged at", "Begun"], items.map((study) => [
      h("a", { href: `#/studies/${study.project}/${study.name}` }, study.name), study.project, count(study.experiments), count(study.kept), count(study.undecided),
      level(study.alpha), level(study.spent), level(study.left), level(study.following), ago(study.created_at),
    ])) : h("p.notice", {}, "There is none yet. It begins with the first experiment whose spec names one: ", h("code", {}, '"study": "my-chain"'), "."));
}

/** Show one study: its budget, and the verdicts in the order of the posts. */
async function one(main, project, name, signal) {
  document.title = `initlab: study ${name}`;
  const study = await get(`/studies/${encodeURIComponent(name)}`, { project }, signal);
  put(main, h("p", {}, h("a", { href: "#/studies" }, "All studies")), h("h1", {}, name),
    h("p", {}, `Of alpha ${level(study.alpha)} it has spent ${level(study.spent)} on ${count(study.experiments)} experiment${study.experiments === 1 ? "" : "s"}; ${level(study.left)} is left, and more is earned by what is kept. An experiment posted now is judged at ${level(study.following)}.`),
    table(`Verdicts of ${name}`, ["No.", "Experiment", "State", "Verdict", "Arm", "p, adjusted", "Judged at", "Decided"], study.verdicts.map((verdict) => [
      verdict.position,
      verdict.status ? h("a", { href: `#/experiments/${verdict.experiment_id}` }, named(verdict.name || `#${verdict.experiment_id}`)) : `#${verdict.experiment_id}, deleted`,
      verdict.status ?? "–", verdict.decision ? h("strong", {}, verdict.decision) : "not decided", verdict.arm ?? "–",
      verdict.p == null ? "–" : number(verdict.p, 2), level(verdict.alpha), verdict.decided_at ? ago(verdict.decided_at) : "–",
    ])));
}
