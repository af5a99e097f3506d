/** The form of an experiment that is trained elsewhere: arms and metrics as rows of what their schemas have. */

import { h, put, button } from "/page/dom.js";
import { field } from "/page/fields.js";

/** What it begins with: of the arms their labels alone, and one metric to judge them by. */
export function external({ name, tags, seeds, margin, alpha, baseline, study, arms = [] }) {
  const labels = arms.map(({ label, ...settings }, index) => label ?? (Object.values(settings).filter((one) => typeof one === "string").join(", ") || `arm ${index + 1}`));
  const kept = Object.fromEntries(Object.entries({ name, tags, seeds, margin, alpha, baseline, study }).filter(([, value]) => value !== undefined));
  return { kind: "external", ...kept, arms: (labels.length ? labels : ["a", "b"]).map((label) => ({ label })), metrics: [{ name: "valid_accuracy", direction: "max" }] };
}

/** Return the rows of `spec[name]`, each an object of a schema; `title` is what one of them is called. */
export function rows(name, title, legend, schema, spec, changed, schemas) {
  const body = h("div");
  const build = () => put(body, (spec[name] ?? []).map((one, index) => h("fieldset.group", {}, h("legend", {}, `${title} ${index + 1}`), h("div.fields", {},
    Object.entries(schema.properties).map(([key, inner]) => field(key, inner, one[key], (value) => {
      if (value === undefined) delete one[key];
      else one[key] = value;
      changed();
    }, { schemas, path: `${name}[${index}].${key}` }))),
  button("Remove", async () => {
    spec[name].splice(index, 1);
    build();
    changed();
  }, { class: "quiet", "aria-label": `Remove ${title.toLowerCase()} ${index + 1}` }))), button(`Add ${title === "Arm" ? "an arm" : "a metric"}`, async () => {
    (spec[name] ??= []).push({});
    build();
    changed();
  }));
  build();
  return h("fieldset.card", {}, h("legend", {}, legend), body);
}
