/** A new experiment: a form and the JSON that it makes, with what the service says of it beside them. */

import { h, put, button, labelled, select, tell } from "/page/dom.js";
import { get, post } from "/page/api.js";
import { maySend, renew } from "/page/account.js";
import { arms } from "/page/arms.js";
import { START, forget, keep, kept } from "/page/draft.js";
import { external, rows } from "/page/external.js";
import { entry, field } from "/page/fields.js";
import { Previews } from "/page/previews.js";
import { projectField, projectQuery } from "/page/project.js";
import { begun, resolved } from "/page/schemas.js";
import { seeds } from "/page/seeds.js";
import { readTexts, writtenTexts } from "/page/values.js";

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
  const [document_] = await Promise.all([get("/openapi.json", undefined, signal), renew(signal)]);
  if (!maySend()) return put(main, h("h1", {}, "New experiment"), h("p.notice", {}, "Your key may read, and post nothing: ask for one of the scope “submit”."));
  const schemas = document_.components.schemas;
  const draft = kept() ?? { spec: structuredClone(START) };
  const form = h("form", { onsubmit: (event) => event.preventDefault() });
  const wrong = h("p.notice.wrong", { hidden: true, role: "alert" });
  const text = h("textarea", { spellcheck: "false", "aria-label": "The spec as JSON", rows: 24, oninput: () => {
    if (!read()) return edited();
    build();
    edited();
  } });
  const previews = new Previews(signal, mark);
  let broken = "";

  /** Take the text for the spec, and return whether it is one; where it is none it is kept as it is. */
  function read() {
    try {
      const given = JSON.parse(text.value);
      if (given?.constructor !== Object) throw new SyntaxError("a spec is an object, in { }");
      draft.spec = given;
      delete draft.text;
      breaks("");
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      draft.text = text.value;
      breaks(error.message);
    }
    return !broken;
  }

  /** Say why the text is no spec, and where it breaks; "" of one that is. */
  function breaks(why) {
    broken = why && `The JSON is broken: ${why}. Nothing is posted until it is mended.`;
    if (broken) text.setAttribute("aria-invalid", "true");
    else text.removeAttribute("aria-invalid");
    wrong.hidden = !broken;
    wrong.textContent = broken;
  }

  /** Write the spec that the form has made. */
  function write() {
    text.value = JSON.stringify(draft.spec, null, 2);
    delete draft.text;
    breaks("");
    previews.of(draft.spec, draft.project);
  }

  /** Keep what somebody has changed: it is posted as another one than before. */
  function edited() {
    draft.edited = true;
    delete draft.key;
    keep(draft);
    if (!broken) previews.of(draft.spec, draft.project);
  }

  function changed() {
    write();
    edited();
  }

  const set = (name) => (value) => {
    if (value === undefined) delete draft.spec[name];
    else draft.spec[name] = value;
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
    if (kind === "external" || draft.spec.kind === "external") draft.spec = kind === "external" ? external(draft.spec) : structuredClone(START);
    const { spec } = draft;
    for (const one of Object.values(SETTINGS)) delete spec[one];
    if (SETTINGS[kind]) spec[SETTINGS[kind]] = begun(resolved(schemas.Spec.properties[SETTINGS[kind]], schemas), schemas);
    if (kind === "batch_size_scan") spec.target ??= structuredClone(TARGET);
    else if (JSON.stringify(spec.target) === JSON.stringify(TARGET)) delete spec.target;
    if (kind) spec.kind = kind;
    else delete spec.kind;
    build();
    changed();
  }

  /** Make the form. Of a spec that is of another shape the service says what is wrong with it. */
  function build() {
    try {
      put(form, parts());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      put(form, h("p.notice", {}, "The form cannot show this JSON. What the service says of it is in the preview."));
    }
  }

  function parts() {
    const { spec } = draft, elsewhere = spec.kind === "external";
    const { properties } = elsewhere ? schemas.ExternalSpec : schemas.Spec;
    const of = (name) => field(name, properties[name], spec[name], set(name), { schemas });
    const given = (name) => name in spec && JSON.stringify(spec[name]) !== JSON.stringify(properties[name].default);
    const others = Object.keys(properties).filter((name) => !OWN.has(name));
    const groups = [...PARTS, [REST, others.filter((name) => !PARTS.some(([, names]) => names.includes(name)))]];
    const settings = SETTINGS[spec.kind];
    return [
      h("fieldset.card", {}, h("legend", {}, "Experiment"), h("div.fields", {},
        labelled("name", h("input", { name: "name", value: spec.name ?? "", maxlength: 120, oninput: (event) => set("name")(event.target.value || undefined) })),
        labelled("tags, with commas", h("input", { name: "tags", value: writtenTexts(spec.tags ?? []), oninput: (event) => {
          const tags = readTexts(event.target.value);
          set("tags")(tags.length ? tags : undefined);
        } })),
        labelled("kind", select(Object.entries(KINDS), spec.kind === "comparison" ? "" : spec.kind ?? "", become, { name: "kind" })),
        projectField(draft.project, (name) => {
          draft.project = name;
          edited();
        }),
        !elsewhere && ["batch_size", "epochs"].map(of)), seeds(spec.seeds, set("seeds"), schemas)),
      settings && h("fieldset.card", {}, h("legend", {}, KINDS[spec.kind]), of(settings)),
      elsewhere
        ? [rows("arms", "Arm", "What is compared", schemas.ExternalArm, spec, changed, schemas), rows("metrics", "Metric", "What is measured", schemas.DeclaredMetric, spec, changed, schemas)]
        : [arms(spec, changed), ENTRIES.map(([kind, name, title]) => entry(kind, title, spec[name], properties[name].default, set(name), { "data-path": name }))],
      groups.map(([title, names]) => [title, names.filter((name) => others.includes(name))]).filter(([, names]) => names.length).map(([title, names]) =>
        h("details.card", { open: names.some(given) }, h("summary", {}, title), h("div.fields.wide", {}, names.map(of)))),
    ];
  }

  put(main,
    h("div.heading", {}, h("h1", {}, "New experiment"), h("div.buttons", {},
      button("Start again", async () => {
        forget();
        for (const name of Object.keys(draft)) delete draft[name];
        draft.spec = structuredClone(START);
        build();
        write();
      }),
      button("Post it", async () => {
        if (broken) {
          text.focus();
          throw new Error(broken);
        }
        const query = projectQuery(draft.project);
        draft.key ??= crypto.randomUUID?.() ?? String(Math.random());  // of one whose answer was lost it is the same again
        keep(draft);
        const made = await post("/experiments", draft.spec, { query, headers: { "Idempotency-Key": draft.key } });
        forget();
        tell(`Experiment ${made.id} is queued.`);
        location.hash = `#/experiments/${made.id}`;
      }, { class: "main" }))),
    h("div.two", {}, form, h("div", {}, previews.element, h("section.card", {}, h("h2", {}, "The same as JSON"), h("p.muted", {}, "What curl would post. Either side may be edited."), text, wrong))));
  build();
  if (draft.text === undefined) return write();
  text.value = draft.text;
  read();
}
