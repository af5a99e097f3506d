/** Fields made from JSON schemas: of a spec, and of the catalogue, an entry with its parameters. */

import { h, labelled, prose, put, select } from "/page/dom.js";
import { catalog } from "/page/api.js";
import { begun, brief, resolved } from "/page/schemas.js";
import { read, written } from "/page/values.js";

/**
 * Return the field of one setting; `changed` is called with its value, undefined for its default. `schemas` has what the
 * schema refers to, `path` is where the setting stands in the spec, `hint` what it means, where that is not the schema's word.
 */
export function field(name, schema, value, changed, { schemas = {}, path = name, hint } = {}) {
  const found = resolved(schema, schemas);
  if (found.several) return several(name, found, value, changed, path);
  if (found.properties) return group(name, found, value, changed, { schemas, path });
  const choices = found.enum ?? (found.const !== undefined ? [found.const] : found.type === "boolean" ? [false, true] : null);
  const preset = found.default === undefined ? "" : found.default === null ? "none" : written(found.default);
  const said = bounds(found);
  hint ??= said && prose(said);
  if (choices) {
    const now = value === undefined ? "" : written(value);
    return labelled(name, select([["", `${preset || "–"} (default)`], ...choices.filter((one) => written(one) !== preset).map((one) => [written(one), written(one)])], now, (text) => changed(read(text)), { name: path }), hint);
  }
  const number = found.type === "integer" || found.type === "number", text = found.type === "string";
  return labelled(name, h("input", { name: path, value: text ? value ?? "" : written(value), placeholder: preset, inputmode: number ? "decimal" : "text", autocomplete: "off", spellcheck: "false",
    oninput: (event) => changed(text ? event.target.value.trim() || undefined : read(event.target.value)) }), hint);
}

function bounds(schema) {
  if (schema.description) return brief(schema.description);
  const low = schema.minimum ?? schema.exclusiveMinimum, high = schema.maximum ?? schema.exclusiveMaximum;
  if (low === undefined || high === undefined || Math.abs(high) >= 1e9) return null;
  return `${schema.minimum === undefined ? "above" : "from"} ${low} ${schema.maximum === undefined ? "to below" : "to"} ${high}`;
}

/** Return a box to tick for each of several values. */
function several(name, { several: choices, description }, value, changed, path) {
  const ticked = new Set([value ?? []].flat());
  return h("fieldset.group", { "data-path": path }, h("legend", {}, name), h("div.switches", {}, choices.map((one) => h("label.tick", {}, h("input", { type: "checkbox", checked: ticked.has(one), onchange: (event) => {
    ticked[event.target.checked ? "add" : "delete"](one);
    changed(ticked.size ? choices.filter((each) => ticked.has(each)) : undefined);
  } }), one))), description && h("small.muted", {}, prose(brief(description))));
}

/** Return the fields of an object; one that may be left out has a box to tick for it, and its fields only then. */
function group(name, schema, value, changed, { schemas, path }) {
  if (typeof (value ?? {}) !== "object") throw new TypeError(`${path} is no object`);  // which has no fields to show
  let given = value ?? (schema.optional ? undefined : {});
  const body = h("div");
  const say = () => changed(schema.optional || Object.keys(given ?? {}).length ? given : undefined);
  const build = () => put(body, given && h("div.fields", {}, Object.entries(schema.properties).map(([one, inner]) => field(one, inner, given[one], (typed) => {
    if (typed === undefined) delete given[one];
    else given[one] = typed;
    say();
  }, { schemas, path: `${path}.${one}` }))));
  build();
  const tick = schema.optional && h("label.tick", {}, h("input", { type: "checkbox", name: path, checked: Boolean(given), onchange: (event) => {
    given = event.target.checked ? begun(schema, schemas) : undefined;
    build();
    say();
  } }), "give it");
  return h("fieldset.group", {}, h("legend", {}, name), tick, schema.description && h("small.muted", {}, prose(brief(schema.description))), body);
}

/** Return an entry as short as it can be: its name where it has no parameters of its own. */
export const entryOf = (name, given) => (Object.keys(given).length ? { name, ...given } : name);

/** Return what an entry begins with: of its example what must be given. A user's data set is one's own. */
const begin = (found) => (found?.kind === "dataset" ? {} : Object.fromEntries((found?.parameters.required ?? []).filter((one) => one in found.example).map((one) => [one, structuredClone(found.example[one])])));

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
      given = begin(of(chosen));
      build();
      say();
    }, { "aria-label": title })), about, fields);
    build();
  }, (error) => place.append(h("p.notice", {}, error.message)));
  return place;
}
