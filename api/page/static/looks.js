/** Looks at adaptive seeds: what each has decided, and who is trained further. */

import { h } from "/page/dom.js";

/** Return the looks that were taken, one line each; nothing for an experiment whose seeds are not adaptive. */
export function looksOf({ looks, spec: { seeds } }) {
  if (Array.isArray(seeds) || !seeds?.looks) return null;
  const next = seeds.looks[looks.length], goesOn = !looks.length || looks.at(-1).arms.length > 0;
  return h("section", { "aria-label": "Looks" }, h("h2", {}, "Looks"), h("ol.looks", {},
    looks.map((look) => h("li", {}, h("strong", {}, `After ${look.seeds} seeds: `), found(look))),
    next && goesOn && h("li.muted", {}, `The next look is after ${next} of ${seeds.to} seeds at most.`)));
}

function found({ decided, open, arms }) {
  const said = decided.map(({ a, b, decision }) => `${a} is ${decision === "equivalent" ? "equivalent to" : `${decision} than`} ${b}`);
  said.push(`${open} comparison${open === 1 ? " is" : "s are"} open`);
  if (arms.length) said.push(`more seeds of ${arms.join(", ")}`);
  return `${said.join("; ")}.`;
}
