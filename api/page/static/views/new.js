/** A new experiment: a form and the JSON that it makes, with what the service says of it beside them. */

import { h, put, button, labelled, select, tell } from "/page/dom.js";
import { get, post } from "/page/api.js";
import { arms } from "/page/arms.js";
import { external, rows } from "/page/external.js";
import { entry, field } from "/page/fields.js";
import { Previews } from "/page/previews.js";
import { begun, resolved } from "/page/schemas.js";
import { seeds } from "/page/seeds.js";

const START = {
  name: "Three ways to begin", dataset: "digits", model: { name: "mlp", hidden: [64] }, optimizer: "adam", schedule: "constant",
  batch_size: 100, epochs: 10, seeds: 5,
  arms: [{ initializer: "zeros" }, { initializer: "glorot_normal" }, { initializer: "he_normal" }],
};
const ENTRIES = [["datasets", "dataset", "Data set"], ["models", "model", "Model"], ["optimizers", "optimizer", "Optimizer"], ["schedules", "schedule", "Schedule"], ["initializers", "initializer", "Initializer"]];
const KINDS = { "": "comparison", lr_range_test: "learning-rate range test", batch_size_scan: "batch-size scan", coordinate_check: "coordinate check", external: "trained elsewhere" };
/** Kinds of experiment by `kind`. */
const SETTINGS = { lr_range_test: "lr_range", batch_size_scan: "batch_size_scan", coordinate_check: "coordinate_check" };
/** The field with the settings of a kind. */
const TARGET = { metric: "valid_accuracy", value: 0.9 };
/** What a scan counts its updates to where nothing else is chosen: it must have one. */
const PARTS = [
  ["Verdict", ["baseline", "margin", "alpha", "study", "outcome", "target", "split", "vary", "pruning"]],
  ["What is measured and kept", ["evaluate", "diagnostics", "keep", "repeat", "data", "notes"]],
  ["Where and how fast it is trained", ["device", "queue", "priority", "precision", "layout", "threads", "lanes", "memory_limit", "checkpoint_every", "micro_batch_size"]],
];
const REST = "Training";
/** The part of fields that stand in no other, so that a new one is there by itself. */
const OWN = new Set(["name", "tags", "kind", "arms", "grid", "metrics", "seeds", "batch_size", "epochs", "dataset", "model", "optimizer", "schedule", "initializer", "plugins", ...Object.values(SETTINGS)]);
/** Fields that are in none of the parts; plug-ins the service writes. */

export async function show(main, _, signal) {
  document.title = "initlab: new experiment";
  let spec = JSON.parse(sessionStorage.getItem("draft")) ?? structuredClone(START);
  const document_ = await get("/openapi.json", undefined, signal);
  const schemas = document_.components.schemas;
  const form = h("form", { onsubmit: (event) => event.preventDefault() });
  let broken = "";
  const wrong = h("p.notice.wrong", { hidden: true, role: "alert" });
  const text = h("textarea", { spellcheck: "false", "aria-label": "The spec as JSON", rows: 24, oninput: () => {
    try {
      const given = JSON.parse(text.value);
      if (given?.constructor !== Object) throw new Error("a spec is an object, in { }");
      spec = given;
      breaks("");
      build();
      keep();
    } catch (error) {
      breaks(error.message);
    }
  } });

  /** Say why the text is no spec, and where it breaks; "" of one that is. */
  function breaks(why) {
    broken = why && `The JSON is broken: ${why}. Nothing is posted until it is mended.`;
    if (broken) text.setAttribute("aria-invalid", "true");
    else text.removeAttribute("aria-invalid");
    wrong.hidden = !broken;
    wrong.textContent = broken;
  }
  const previews = new Previews(signal, mark);

  function keep() {
    sessionStorage.setItem("draft", JSON.stringify(spec));
    previews.of(spec);
  }

  /** Write the spec that the form has made. */
  function changed() {
    text.value = JSON.stringify(spec, null, 2);
    breaks("");
    keep();
  }

  const set = (name) => (value) => {
    if (value === undefined) delete spec[name];
    else spec[name] = value;
    changed();
  };

  /** Mark the fields that the service has refused. */
  function mark(problems) {
    for (const input of form.querySelectorAll("[name], [data-path]")) {
      const name = input.dataset.path ?? (input.name.includes(".") ? input.name : input.closest("[data-path]")?.dataset.path ?? input.name);
      const wrong = problems.some(({ path }) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
      const attribute = input instanceof HTMLFieldSetElement ? "data-invalid" : "aria-invalid";  // which groups may not have
      if (wrong) input.setAttribute(attribute, "true");
      else input.removeAttribute(attribute);
    }
  }

  /** Choose another kind of experiment: its settings come, those of others go. */
  function become(kind) {
    if (kind === "external" || spec.kind === "external") spec = kind === "external" ? external(spec) : structuredClone(START);
    for (const one of Object.values(SETTINGS)) delete spec[one];
    if (SETTINGS[kind]) spec[SETTINGS[kind]] = begun(resolved(schemas.Spec.properties[SETTINGS[kind]], schemas), schemas);
    if (kind === "batch_size_scan") spec.target ??= structuredClone(TARGET);
    else if (JSON.stringify(spec.target) === JSON.stringify(TARGET)) delete spec.target;
    if (kind) spec.kind = kind;
    else delete spec.kind;
    build();
    changed();
  }

  function build() {
    const elsewhere = spec.kind === "external";
    const { properties } = elsewhere ? schemas.ExternalSpec : schemas.Spec;
    const of = (name) => field(name, properties[name], spec[name], set(name), { schemas });
    const given = (name) => name in spec && JSON.stringify(spec[name]) !== JSON.stringify(properties[name].default);
    const others = Object.keys(properties).filter((name) => !OWN.has(name));
    const parts = [...PARTS, [REST, others.filter((name) => !PARTS.some(([, names]) => names.includes(name)))]];
    const settings = SETTINGS[spec.kind];
    put(form,
      h("fieldset.card", {}, h("legend", {}, "Experiment"), h("div.fields", {},
        labelled("name", h("input", { name: "name", value: spec.name ?? "", maxlength: 120, oninput: (event) => set("name")(event.target.value || undefined) })),
        labelled("tags, with commas", h("input", { name: "tags", value: (spec.tags ?? []).join(", "), oninput: (event) => {
          const tags = event.target.value.split(",").map((tag) => tag.trim()).filter(Boolean);
          set("tags")(tags.length ? tags : undefined);
        } })),
        labelled("kind", select(Object.entries(KINDS), spec.kind === "comparison" ? "" : spec.kind ?? "", become, { name: "kind" })),
        !elsewhere && ["batch_size", "epochs"].map(of)), seeds(spec.seeds, set("seeds"), schemas)),
      settings && h("fieldset.card", {}, h("legend", {}, KINDS[spec.kind]), of(settings)),
      elsewhere
        ? [rows("arms", "Arm", "What is compared", schemas.ExternalArm, spec, changed, schemas), rows("metrics", "Metric", "What is measured", schemas.DeclaredMetric, spec, changed, schemas)]
        : [arms(spec, changed), ENTRIES.map(([kind, name, title]) => entry(kind, title, spec[name], properties[name].default, set(name), { "data-path": name }))],
      parts.map(([title, names]) => [title, names.filter((name) => others.includes(name))]).filter(([, names]) => names.length).map(([title, names]) =>
        h("details.card", { open: names.some(given) }, h("summary", {}, title), h("div.fields.wide", {}, names.map(of)))));
  }

  put(main,
    h("div.heading", {}, h("h1", {}, "New experiment"), h("div.buttons", {},
      button("Start again", async () => {
        sessionStorage.removeItem("draft");
        spec = structuredClone(START);
        build();
        changed();
      }),
      button("Post it", async () => {
        if (broken) {
          text.focus();
          throw new Error(broken);
        }
        const made = await post("/experiments", spec, { headers: { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) } });
        sessionStorage.removeItem("draft");
        tell(`Experiment ${made.id} is queued.`);
        location.hash = `#/experiments/${made.id}`;
      }, { class: "main" }))),
    h("div.two", {}, form, h("div", {}, previews.element, h("section.card", {}, h("h2", {}, "The same as JSON"), h("p.muted", {}, "What curl would post. Either side may be edited."), text, wrong))));
  build();
  changed();
}
