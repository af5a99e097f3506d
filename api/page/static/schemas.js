/** JSON schemas of the API, read for forms: what a field holds, what it may be, and what it is left out as. */

/** Return a schema with what it refers to in its place: {type, enum, several, optional, properties, ...}. */
export function resolved(schema, schemas) {
  const whole = named(schema, schemas);
  const given = (whole.anyOf ?? []).filter(({ type }) => type !== "null").map((one) => named(one, schemas));
  const listed = [whole, ...given].find(({ type, items }) => type === "array" && items);
  const several = listed && named(listed.items, schemas).enum;
  return { ...(given.length === 1 ? given[0] : {}), ...whole, several, optional: given.length < (whole.anyOf ?? []).length };
}

const named = (schema, schemas) => (schema.$ref ? { ...schemas[schema.$ref.split("/").at(-1)], ...schema } : schema);

/** Return what an object of a schema begins with: what must be given, where there is one way or a first of several. */
export function begun({ properties, required = [] }, schemas) {
  const first = (name) => {
    const { const: only, enum: choices } = resolved(properties[name], schemas);
    return only ?? choices?.[0];
  };
  return Object.fromEntries(required.map((name) => [name, first(name)]).filter(([, value]) => value !== undefined));
}

/** Return the first sentence of a description: the whole of it is in the API's own pages. */
export const brief = (text = "") => text.replaceAll("\n", " ").replaceAll("None", "none").match(/^.*?[.:](?= [A-Z`]|$)/)?.[0].replace(/:$/, ".") ?? text;
