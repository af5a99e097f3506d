/** Arms: a row each with what it changes, or a grid of fields and their values. */

import { h, put, button, labelled, tell } from "/page/dom.js";
import { catalog } from "/page/api.js";
import { read, readMany, written, writtenMany } from "/page/values.js";

const OFTEN = ["initializer", "schedule", "optimizer", "model", "batch_size", "optimizer.lr", "epochs", "gradient_clip", "label_smoothing", "ema_decay", "dataset"];
const CATALOGS = { initializer: "initializers", schedule: "schedules", optimizer: "optimizers", model: "models", dataset: "datasets" };

/** Return the editor of a spec's `arms` and `grid`; `changed` is called after each change of it. */
export function arms(spec, changed) {
  const place = h("fieldset.card", {}, h("legend", {}, "What is compared"));
  const suggestions = Object.entries(CATALOGS).map(([field, kind]) => {
    const list = h("datalist", { id: `names-${field}` });
    catalog(kind).then((items) => put(list, items.map(({ name }) => h("option", { value: name }))), () => {});
    return list;
  });
  const fields = h("datalist", { id: "fields" }, OFTEN.map((value) => h("option", { value })));
  const body = h("div"), before = {};
  const mode = (name, title) => h("label.tick", {}, h("input", { type: "radio", name: "arms-as", checked: (spec.grid ? "grid" : "table") === name, onchange: () => {
    Object.assign(before, { arms: spec.arms ?? before.arms, grid: spec.grid ?? before.grid });  // what was typed comes back
    delete spec[name === "grid" ? "arms" : "grid"];
    if (name === "grid") spec.grid ??= before.grid ?? { initializer: ["he_normal", "glorot_normal"] };
    else spec.arms ??= before.arms ?? [{ initializer: "he_normal" }, { initializer: "glorot_normal" }];
    build();
    changed();
  } }), title);
  const added = [];
  const build = () => put(body, spec.grid ? grid(spec, changed) : list(spec, added, changed, build));
  place.append(h("div.switches", {}, mode("table", "arms one by one"), mode("grid", "all combinations of fields")), body, fields, ...suggestions);
  build();
  return place;
}

/** Return the rows of arms; `added` are fields that have a column and no value yet. */
function list(spec, added, changed, build) {
  spec.arms ??= [];
  const columns = [...new Set([...spec.arms.flatMap((arm) => Object.keys(arm)), ...added].filter((name) => name !== "label"))];
  if (!columns.length) columns.push("initializer");
  const cell = (arm, index, name) => h("td", {}, h("input", { value: name === "label" ? arm.label ?? "" : written(arm[name]), "data-path": `arms[${index}].${name}`, list: CATALOGS[name] ? `names-${name}` : null, "aria-label": `${name} of arm ${index + 1}`, autocomplete: "off", spellcheck: "false", placeholder: name === "label" ? "from what differs" : "as above", oninput: (event) => {
    const value = name === "label" ? event.target.value || undefined : read(event.target.value);
    if (value === undefined) delete arm[name];
    else arm[name] = value;
    changed();
  } }));
  const add = h("input", { list: "fields", "aria-label": "A field that arms differ in", placeholder: "field, such as batch_size" });
  return [
    h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Arms" }, h("table", {}, h("caption.hidden", {}, "Arms"),
      h("thead", {}, h("tr", {}, ["label", ...columns].map((name) => h("th", { scope: "col" }, name)), h("th", { scope: "col" }, h("span.hidden", {}, "Remove")))),
      h("tbody", {}, spec.arms.map((arm, index) => h("tr", {}, ["label", ...columns].map((name) => cell(arm, index, name)),
        h("td", {}, button("×", async () => {
          spec.arms.splice(index, 1);
          build();
          changed();
        }, { class: "quiet", "aria-label": `Remove arm ${index + 1}` }))))))),
    h("div.switches", {},
      button("Add an arm", async () => {
        spec.arms.push({});
        build();
        changed();
      }),
      labelled("Arms differ in", add), button("Add this field", async () => {
        const name = add.value.trim();
        if (!name || columns.includes(name)) return;
        added.push(name);
        build();
      })),
  ];
}

/** Return the rows of a grid: a field and its values each. One without values is in no spec yet. */
function grid(spec, changed) {
  const rows = Object.entries(spec.grid).map(([name, values]) => ({ name, values }));
  const write = () => {
    spec.grid = Object.fromEntries(rows.filter(({ name, values }) => name && values.length).map(({ name, values }) => [name, values]));
    changed();
  };
  const place = h("div");

  /** Give a row another name, none of which removes it; the name of another row is refused, or that one's values were gone. */
  const rename = (row, inputs) => {
    const name = inputs[0].value.trim();
    if (name && rows.some((other) => other !== row && other.name === name)) {
      inputs[0].value = row.name;
      return tell(`${name} is a field of the grid already.`, "wrong");
    }
    row.name = name;
    for (const input of inputs) input.dataset.path = `grid.${name}`;
    if (!name) {
      rows.splice(rows.indexOf(row), 1);
      show();
    }
    write();
  };
  const shown = (row, index) => {
    const path = `grid.${row.name}`;
    const name = h("input", { value: row.name, list: "fields", "data-path": path, onchange: () => rename(row, [name, values]) });
    const values = h("input", { value: writtenMany(row.values), size: 40, "data-path": path, oninput: () => {
      row.values = readMany(values.value);
      write();
    } });
    return h("div.switches", {}, labelled(`Field ${index + 1}`, name), labelled("Its values, with commas", values));
  };
  const show = () => put(place, rows.map(shown));
  show();
  return [place, button("Add a field", async () => {
    rows.push({ name: OFTEN.find((one) => !rows.some(({ name }) => name === one)) ?? "", values: [] });
    show();
  })];
}
