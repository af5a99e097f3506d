/** The seeds of an experiment: a number of them, a list, or added until every comparison is decided. */

import { h, labelled, put, select } from "/page/dom.js";
import { field } from "/page/fields.js";
import { read, readMany, written } from "/page/values.js";

const WAYS = { number: "a number of them", list: "a list", adaptive: "added until it is decided" };
const BEGIN = { number: undefined, list: [0, 1, 2, 3, 4], adaptive: { from: 5, to: 20 } };

/** Return the field of `seeds`; `changed` is called with its value, undefined for the default. */
export function seeds(value, changed, schemas) {
  let way = Array.isArray(value) ? "list" : value && typeof value === "object" ? "adaptive" : "number";
  const place = h("div.fields");
  const build = () => put(place, input(way, value, changed, schemas));
  build();
  const which = labelled("which", select(Object.entries(WAYS), way, (chosen) => {
    way = chosen;
    value = structuredClone(BEGIN[way]);
    changed(value);
    build();
  }));
  return h("fieldset.group", {}, h("legend", {}, "Seeds"), h("div.seeds", {}, which, place));
}

function input(way, value, changed, schemas) {
  const typed = (name, text, given, hint) => labelled(name, h("input", { name: "seeds", value: text, placeholder: "5", inputmode: "decimal", autocomplete: "off", oninput: (event) => changed(given(event.target.value)) }), hint);
  if (way === "number") return typed("seeds", written(value), read, "seeds 0, 1, ...; each pairs one run of every arm");
  if (way === "list") return typed("seeds", (value ?? []).join(", "), readMany, "with commas");
  return Object.entries(schemas.AdaptiveSeeds.properties).map(([name, schema]) => field(name, schema, value[name], (given) => {
    if (given === undefined) delete value[name];
    else value[name] = given;
    changed(value);
  }, { schemas, path: `seeds.${name}` }));
}
