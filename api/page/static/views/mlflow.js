/** The place of what an MLflow client has printed a link to: the experiment here in which its runs are judged. */

import { h, named, put } from "/page/dom.js";
import { get } from "/page/api.js";

const DOOR = "/mlflow/api/2.0/mlflow";

export async function show(main, [experiment, run], signal) {
  document.title = "initlab: a link of MLflow's";
  const { experiment: found } = await get(`${DOOR}/experiments/get`, { experiment_id: experiment }, signal);
  const judged = tag(found.tags, "initlab.experiment");
  if (judged) return location.replace(`#/experiments/${judged}${run ? "/runs" : ""}`);
  const said = run && (await get(`${DOOR}/runs/get`, { run_id: run }, signal)).run;
  const note = said && tag(said.data.tags, "initlab.note");
  put(main, h("h1", {}, named(said?.info.run_name ?? found.name)),
    h("p", {}, "Nothing of MLflow's experiment ", h("strong", {}, named(found.name)), " is judged yet: a run is with its first metric where arm and seed are named, else with its end."),
    note && h("p.notice", {}, note), h("p", {}, h("a", { href: "/manual/howto/mlflow.html" }, "The rule")));
}

const tag = (tags, key) => tags?.find((one) => one.key === key)?.value;
