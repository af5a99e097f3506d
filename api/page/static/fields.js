/** Fields made from JSON schemas, as the catalogue has them: an entry of a catalogue with its parameters. */

import { h, labelled, prose, put, select } from "/page/dom.js";
import { catalog } from "/page/api.js";
import { read, written } from "/page/values.js";

/** Return the field of one parameter; `changed` is called with its value, undefined for its default. */
export function field(name, schema, value, changed) {
  const choices = schema.enum ?? (schema.type === "boolean" ? [false, true] : null);
  const preset = schema.default === undefined ? "" : schema.default === null ? "none" : written(schema.default);
  if (choices) {
    const now = value === undefined ? "" : written(value);
    return labelled(name, select([["", `${preset || "–"} (default)`], ...choices.filter((one) => written(one) !== preset).map((one) => [written(one), written(one)])], now, (text) => changed(read(text)), { name }));
  }
  const number = schema.type === "integer" || schema.type === "number";
  return labelled(name, h("input", { name, value: written(value), placeholder: preset, inputmode: number ? "decimal" : "text", autocomplete: "off", spellcheck: "false",
    oninput: (event) => changed(read(event.target.value)) }), bounds(schema));
}

function bounds(schema) {
  if (schema.description) return schema.description;
  const low = schema.minimum ?? schema.exclusiveMinimum, high = schema.maximum ?? schema.exclusiveMaximum;
  if (low === undefined || high === undefined || Math.abs(high) >= 1e9) return null;
  return `${schema.minimum === undefined ? "above" : "from"} ${low} ${schema.maximum === undefined ? "to below" : "to"} ${high}`;
}

/** Return an entry as short as it can be: its name where it has no parameters of its own. */
export const entryOf = (name, given) => (Object.keys(given).length ? { name, ...given } : name);

/** Return a choice of a catalogue's entry and the fields of its parameters. `value` as in a spec; undefined is `preset`. */
export function entry(kind, title, value, preset, changed, properties = {}) {
  const place = h("fieldset.card", { ...properties }, h("legend", {}, title));
  let { name, ...given } = typeof value === "string" ? { name: value } : value ?? {};
  const fields = h("div.fields"), about = h("p.muted.small");
  const say = () => changed(name ? entryOf(name, given) : undefined);

  catalog(kind).then((items) => {
    const of = (wanted) => items.find((one) => one.name === wanted || one.aliases.includes(wanted));
    const build = () => {
      const found = of(name || preset);
      put(about, prose(found?.summary.split("\n")[0] ?? ""));
      const own = Object.entries(found?.parameters.properties ?? {}).filter(([one]) => one !== "name");
      put(fields, own.map(([one, schema]) => field(one, schema, given[one], (typed) => {
        name ||= preset;
        if (typed === undefined) delete given[one];
        else given[one] = typed;
        say();
      })));
    };
    const names = items.map((one) => one.name);
    const others = names.includes(name) || !name ? names : [name, ...names];
    place.append(labelled(title, select([["", `${preset} (default)`], ...others], name ?? "", (chosen) => {
      name = chosen;
      given = {};
      build();
      say();
    }, { "aria-label": title })), about, fields);
    build();
  }, (error) => place.append(h("p.notice", {}, error.message)));
  return place;
}
