/** Pictures of catalogue entries: the previews of what a spec names, and plots of the newest experiment that has them. */

import { fetched, get, picture } from "/page/api.js";
import { isDark } from "/page/colors.js";
import { h } from "/page/dom.js";
import { entryOf } from "/page/fields.js";

const PREVIEWS = { initializers: "initializer", schedules: "schedule", optimizers: "optimizer", models: "signal", layers: "layer", datasets: "dataset" };
/** The preview that shows the entries of a kind. */
const LOOKED_AT = 20;
/** The most experiments that are asked whether they have a plot. */

const TITLES = { layers: "In the layers of a sequential model", plots: "Its address" };
export const titleOf = (kind) => TITLES[kind] ?? "In a spec";

/** Return what a user writes to have an entry with these parameters: in a spec, or the address of a plot. */
export function written(kind, entry, given) {
  if (kind === "plots") return addressOf("{id}", entry.name, given);
  return JSON.stringify(kind === "layers" ? layerOf(entry.name, given) : { [kind.slice(0, -1)]: entryOf(entry.name, given) }, null, 2);
}

/** Return what draws an entry with given parameters: (given) -> {address, note} of an image; no address where there is none. */
export function drawer(kind, entry, signal) {
  if (kind === "plots") return plotted(entry.name, signal);
  const named = kind.slice(0, -1);
  return async (given) => {
    const spelled = kind === "layers" ? layerOf(entry.name, given) : { name: entry.name, ...given };
    return { address: await picture(`/previews/${PREVIEWS[kind]}`, { [named]: spelled, ...entry.preview }, signal) };
  };
}

function plotted(name, signal) {
  const newest = newestWith(name, signal);
  newest.catch(() => {});  // told where it is awaited
  return async (given) => {
    const id = await newest;
    if (!id) return { note: "No experiment here has it yet." };
    const address = await fetched(addressOf(id, name, { ...given, theme: isDark() ? "dark" : "light" }), signal);
    return { address, note: ["Of ", h("a", { href: `#/experiments/${id}` }, `experiment ${id}`), ", the newest that has it."] };
  };
}

/** Return the id of the newest experiment that has a plot; undefined where none of the last does. */
async function newestWith(name, signal) {
  const { items } = await get("/experiments", { status: "succeeded", sort: "newest", limit: LOOKED_AT }, signal);
  for (const { id } of items) {
    const plots = await get(`/experiments/${id}/plots`, undefined, signal);
    if (plots.items.some((plot) => plot.name === name)) return id;
  }
}

/** Return a layer as the list of a sequential model has it. */
const layerOf = (name, given) => (Object.keys(given).length ? { [name]: given } : name);

const addressOf = (id, name, given) => `/experiments/${id}/plots/${name}.png${Object.keys(given).length ? `?${new URLSearchParams(given)}` : ""}`;
