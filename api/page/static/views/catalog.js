/** The catalogue: every entry with its formula, source, parameters to play with, and a picture. */

import { h, pictured, prose, put, table } from "/page/dom.js";
import { catalog, get } from "/page/api.js";
import { drawer, titleOf, written } from "/page/entry_picture.js";
import { field } from "/page/fields.js";
import { formula } from "/page/formula.js";
import { written as valueOf } from "/page/values.js";

const KINDS = { initializers: "Initializers", schedules: "Schedules", optimizers: "Optimizers", models: "Models", layers: "Layers", datasets: "Data sets", plots: "Pictures", metrics: "Metrics", outcomes: "Outcomes", findings: "Findings" };
const DIRECTIONS = { max: "more is better", min: "less is better", none: "neither" };
const IN_WORDS = new Set(["datasets", "plots"]);
/** Kinds whose formulas are sentences. */

export async function show(main, [kind, name], signal) {
  if (!kind) return all(main, signal);
  const items = await catalog(kind);
  if (!name) return list(main, kind, items);
  const found = items.find((one) => one.name === name || one.aliases?.includes(name));
  if (!found) throw new Error(`The catalogue has no ${name}.`);
  (found.parameters ? one : record)(main, kind, found, signal);
}

async function all(main, signal) {
  document.title = "initlab: catalogue";
  const entries = await get("/catalog", undefined, signal);
  put(main, h("h1", {}, "Catalogue"), h("p.muted", {}, "All that a spec can name, and what a training is measured and judged by, as this version of the service has it."),
    Object.entries(KINDS).filter(([kind]) => entries[kind]).map(([kind, title]) => [
      h("h2", {}, h("a", { href: `#/catalog/${kind}` }, title), ` (${entries[kind].length})`),
      h("ul.entries", {}, entries[kind].map((entry) => h("li", {}, h("a", { href: `#/catalog/${kind}/${entry.name}` }, entry.name)))),
    ]));
}

function list(main, kind, items) {
  document.title = `initlab: ${kind}`;
  const named = items.every((entry) => entry.aliases);
  put(main, h("p", {}, h("a", { href: "#/catalog" }, "Catalogue")), h("h1", {}, KINDS[kind] ?? kind),
    table(KINDS[kind] ?? kind, ["Name", "What it is", named ? "Other names" : "Better"], items.map((entry) => [
      h("a", { href: `#/catalog/${kind}/${entry.name}` }, entry.name), h("span", {}, prose(entry.summary.split("\n")[0]), entry.plugin && h("span.small", {}, ` (plug-in ${entry.plugin})`)),
      h("span.small", {}, named ? entry.aliases.join(", ") : DIRECTIONS[entry.direction] ?? "–"),
    ])));
}

/** Show what a training is measured and judged by. */
function record(main, kind, entry) {
  document.title = `initlab: ${entry.name}`;
  const said = [
    ["Better", DIRECTIONS[entry.direction]],
    ["Unit", entry.unit],
    ["Measured", entry.per && (entry.per === "step" ? "by update" : "by epoch")],
    ["Split", entry.split],
    ["Tasks", entry.tasks?.join(", ")],
    ["Arms are compared by it", entry.compared && "yes"],
    ["Looks at", entry.looks_at],
    ["Explains", entry.explains?.map((name, index) => [index ? ", " : "", h("a", { href: `#/catalog/findings/${name}` }, name)])],
  ].filter(([, value]) => value?.length);
  put(main, ...head(kind, entry), h("p", {}, prose(entry.summary)),
    entry.plugin && h("p.muted", {}, "Of the plug-in ", h("strong", {}, entry.plugin), "."),
    said.length > 0 && table(entry.name, ["What", "Value"], said),
    entry.bounds && table("Bounds", ["Number", "Bound", "What it is"], Object.entries(entry.bounds).map(([name, bound]) => [name, String(bound.value), bound.meaning])));
}

const head = (kind, entry) => [h("p", {}, h("a", { href: "#/catalog" }, "Catalogue"), " / ", h("a", { href: `#/catalog/${kind}` }, KINDS[kind])), h("h1", {}, entry.name)];

function one(main, kind, entry, signal) {
  document.title = `initlab: ${entry.name}`;
  const given = structuredClone(entry.example), image = drawer(kind, entry, signal);
  const place = h("div", { "aria-live": "polite" }), text = h("pre", { tabindex: 0 });
  const properties = Object.entries(entry.parameters.properties ?? {}).filter(([name]) => name !== "name");
  const needed = (entry.parameters.required ?? []).filter((name) => name !== "name");
  let waiting, newest = 0;

  const draw = async () => {
    text.textContent = written(kind, entry, given);
    const turn = (newest += 1), missing = needed.filter((name) => given[name] === undefined);
    if (missing.length) put(place, h("p.notice", {}, "Give ", missing.map((name, index) => [index ? ", " : "", h("code", {}, name)]), `: without a value there is no ${kind.slice(0, -1)} and no picture.`));
    if (missing.length) return;
    try {
      const { address, note } = await image(given);
      if (turn !== newest) return;
      put(place, address && pictured(`The picture of ${entry.name}`, h("img.picture", { src: address, alt: `${entry.name} with these parameters` })), note && h("p.muted", {}, note));
    } catch (error) {
      if (turn === newest && error.name !== "AbortError") put(place, h("p.notice", {}, error.message));
    }
  };
  const play = () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, 400);
  };

  const [first, ...more] = entry.summary.split("\n\n");
  put(main, ...head(kind, entry), h("p", {}, prose(first)), more.map((part) => h("p", {}, prose(part))),
    entry.formula && h("div.formula", { tabindex: 0, role: "region", "aria-label": "Formula" }, IN_WORDS.has(kind) ? entry.formula : formula(entry.formula)),
    h("p.muted", {}, "Source: ", entry.source ? prose(entry.source) : "–"),
    entry.plugin && h("p.muted", {}, "Of the plug-in ", h("strong", {}, entry.plugin), ": specs that use it say its version and the hash of its files, and only workers that have the same train them."),
    entry.aliases.length > 0 && h("p.muted", {}, "Other names: ", entry.aliases.join(", ")),
    Object.entries(entry.alias_defaults).map(([alias, defaults]) => h("p.muted", {}, `As ${alias}: `, h("code", {}, Object.entries(defaults).map(([name, value]) => `${name}=${valueOf(value)}`).join(", ")))),
    h("div.two", {},
      h("form.card", { onsubmit: (event) => event.preventDefault() }, h("h2", {}, "Parameters"),
        properties.length ? h("div.fields", {}, properties.map(([name, schema]) => field(name, schema, given[name], (value) => {
          if (value === undefined) delete given[name];
          else given[name] = value;
          play();
        }))) : h("p.muted", {}, "It has none."),
        h("h2", {}, titleOf(kind)), text),
      place));
  document.addEventListener("theme", draw, { signal });
  draw();
}
