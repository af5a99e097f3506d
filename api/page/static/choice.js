/** Arms that are shown: one choice for the chart of an experiment and for its pictures. */

import { h, put, button, named } from "/page/dom.js";

/** The labels of the arms that are hidden; says "change" where that changes. */
export class Choice extends EventTarget {
  hidden = new Set();

  shows(label) {
    return !this.hidden.has(label);
  }

  /** Show these arms of `labels`, and no other. */
  show(labels, wanted) {
    for (const label of labels) this.hidden[wanted(label) ? "delete" : "add"](label);
    this.dispatchEvent(new Event("change"));
  }

  /** Return the arms that a picture is asked for, as `arm=` of the API: none, which is all, where none is hidden. */
  query(labels) {
    const shown = labels.filter((label) => this.shows(label));
    return shown.length === labels.length ? "" : shown.map((label) => `&arm=${encodeURIComponent(label)}`).join("");
  }

  /** Return whether every one of `labels` is hidden: then there is nothing to ask for. */
  isEmpty(labels) {
    return labels.every((label) => this.hidden.has(label));
  }
}

const MANY = 4;

/** Return a switch for each arm, in the colours of the chart, and of many arms one for all; kept up to date. */
export function switches(labels, choice, until) {
  const boxes = labels.map((label) => h("input", { type: "checkbox", onchange: (event) => choice.show([label], () => event.target.checked) }));
  const update = () => boxes.forEach((box, index) => (box.checked = choice.shows(labels[index])));
  choice.addEventListener("change", update, { signal: until });
  update();
  const every = (title, shown) => button(title, async () => choice.show(labels, () => shown), { class: "quiet" });
  return put(h("fieldset.legend"), h("legend", {}, "Arms"),
    labels.map((label, index) => h("label", {}, boxes[index], h(`span.key.key-${index % 10}`, { "aria-hidden": "true" }), named(label))),
    labels.length > MANY && [every("all", true), every("none", false)]);
}
