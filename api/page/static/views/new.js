/** A new experiment: a form and the JSON that it makes, with what the service says of it beside them. */

import { h, put, button, labelled, tell } from "/page/dom.js";
import { get, post } from "/page/api.js";
import { arms } from "/page/arms.js";
import { entry, field } from "/page/fields.js";
import { Previews } from "/page/previews.js";

const START = {
  name: "Three ways to begin", dataset: "digits", model: { name: "mlp", hidden: [64] }, optimizer: "adam", schedule: "constant",
  batch_size: 100, epochs: 10, seeds: 5,
  arms: [{ initializer: "zeros" }, { initializer: "glorot_normal" }, { initializer: "he_normal" }],
};
const ENTRIES = [["datasets", "dataset", "Data set"], ["models", "model", "Model"], ["optimizers", "optimizer", "Optimizer"], ["schedules", "schedule", "Schedule"], ["initializers", "initializer", "Initializer"]];
const FEW = ["batch_size", "epochs", "seeds"];
const OWN = new Set([...FEW, "name", "tags", "arms", "grid", "dataset", "model", "optimizer", "schedule", "initializer"]);

export async function show(main, _, signal) {
  document.title = "initlab: new experiment";
  let spec = JSON.parse(sessionStorage.getItem("draft")) ?? structuredClone(START);
  const document_ = await get("/openapi.json", undefined, signal);
  const schemas = document_.components.schemas;
  const { properties } = schemas.Spec;
  const form = h("form", { onsubmit: (event) => event.preventDefault() });
  const text = h("textarea", { spellcheck: "false", "aria-label": "The spec as JSON", rows: 24, oninput: () => {
    try {
      spec = JSON.parse(text.value);
      text.removeAttribute("aria-invalid");
      build();
      keep();
    } catch {
      text.setAttribute("aria-invalid", "true");
    }
  } });
  const previews = new Previews(signal, mark);

  function keep() {
    sessionStorage.setItem("draft", JSON.stringify(spec));
    previews.of(spec);
  }

  /** Write the spec that the form has made. */
  function changed() {
    text.value = JSON.stringify(spec, null, 2);
    text.removeAttribute("aria-invalid");
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
      const name = input.dataset.path ?? input.closest("[data-path]")?.dataset.path ?? input.name;
      const wrong = problems.some(({ path }) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
      if (wrong) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }

  function build() {
    const others = Object.entries(properties).filter(([name]) => !OWN.has(name));
    put(form,
      h("fieldset.card", {}, h("legend", {}, "Experiment"), h("div.fields", {},
        labelled("name", h("input", { name: "name", value: spec.name ?? "", maxlength: 120, oninput: (event) => set("name")(event.target.value || undefined) })),
        labelled("tags, with commas", h("input", { name: "tags", value: (spec.tags ?? []).join(", "), oninput: (event) => {
          const tags = event.target.value.split(",").map((tag) => tag.trim()).filter(Boolean);
          set("tags")(tags.length ? tags : undefined);
        } })),
        FEW.map((name) => field(name, resolved(properties[name]), spec[name], set(name))))),
      arms(spec, changed),
      ENTRIES.map(([kind, name, title]) => entry(kind, title, spec[name], properties[name].default, set(name), { "data-path": name })),
      h("details.card", { open: others.some(([name]) => name in spec) }, h("summary", {}, "More settings"), h("div.fields", {},
        others.map(([name, schema]) => field(name, resolved(schema), spec[name], set(name))))));
  }

  /** Return a schema with the choices of what it refers to. */
  function resolved(schema) {
    const named = schema.$ref?.split("/").at(-1);
    const found = named ? schemas[named] ?? {} : {};
    return { ...schema, ...(found.enum && { enum: found.enum }) };
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
        const made = await post("/experiments", spec, { headers: { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) } });
        sessionStorage.removeItem("draft");
        tell(`Experiment ${made.id} is queued.`);
        location.hash = `#/experiments/${made.id}`;
      }, { class: "main" }))),
    h("div.two", {}, form, h("div", {}, previews.element, h("section.card", {}, h("h2", {}, "The same as JSON"), h("p.muted", {}, "What curl would post. Either side may be edited."), text))));
  build();
  changed();
}
