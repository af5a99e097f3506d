/** The first look at a data set: pictures or rows, its classes or targets, and the experiments that use it. */

import { h, named, put, table } from "/page/dom.js";
import { get } from "/page/api.js";
import { count, number, percent, state } from "/page/format.js";

const CLASSES = 200;

/** Return the look, which is asked for by itself: a large data set takes a moment. */
export function firstLook(name, signal) {
  const place = h("div", {}, h("p.muted", { role: "status" }, "Reading its first examples…"));
  get(`/datasets/${name}/preview`, undefined, signal).then(
    (found) => put(place, examples(found), learned(found), h("h2", {}, "Experiments that use it"), users(found.experiments)),
    (error) => error.name !== "AbortError" && put(place, h("p.notice.wrong", { role: "alert" }, error.message)));
  return place;
}

function examples({ pictures, rows, columns, columns_total }) {
  if (pictures.length) {
    return [h("h2", {}, "Pictures"), h("ul.sheet", {}, pictures.map(({ label, png }) =>
      h("li", {}, h("img", { src: `data:image/png;base64,${png}`, alt: `an example of ${label}` }), h("span.small", {}, named(label)))))];
  }
  const left = columns_total - columns.length + 1;
  return [h("h2", {}, "First rows"), table("First rows", columns, rows.map((row) => row.map(cell))),
    left > 0 && h("p.muted", {}, `and ${count(left)} more columns`)];
}

const cell = (value) => (value === null ? h("span.muted", {}, "missing") : typeof value === "number" ? number(value, 5) : value);

function learned({ classes, targets }) {
  if (targets.length) {
    return [h("h2", {}, "What is learned"), table("Targets", ["Target", "Least", "Mean", "Most"],
      targets.map((one) => [one.name, ...[one.min, one.mean, one.max].map((value) => number(value, 5))]))];
  }
  const total = classes.reduce((sum, one) => sum + one.examples, 0), most = Math.max(...classes.map((one) => one.examples));
  const apart = classes.some((one) => one.held_out);
  return [h("h2", {}, "Classes"), table("Examples of each class", ["Class", "Examples", "Share", ...(apart ? ["Held out by the file"] : []), ""], classes.slice(0, CLASSES).map((one) => [
    one.label, count(one.examples), percent(one.examples / total), ...(apart ? [count(one.held_out)] : []),
    h("meter", { max: most, value: one.examples, "aria-label": `${one.label}: ${count(one.examples)} of ${count(total)} examples` }),
  ])), classes.length > CLASSES && h("p.muted", {}, `and ${classes.length - CLASSES} more`)];
}

const users = (experiments) => h("ul", {}, experiments.length
  ? experiments.map((one) => h("li", {}, h("a", { href: `#/experiments/${one.id}` }, named(one.name || `Experiment ${one.id}`)), " ", h(`span.state.${state(one)}`, {}, state(one))))
  : h("li.muted", {}, "None yet."));
