/** The project that something is posted to, where there are several that one may post to. */

import { who } from "/page/account.js";
import { labelled, select } from "/page/dom.js";

const DEFAULT = "default";
/** The project of the API where none is named. */

const open = () => (who.me?.projects ?? []).filter(({ role }) => role !== "viewer").map(({ name }) => name);

/** Return where it goes when `wanted` is asked for; undefined asks for nothing. */
function targetOf(wanted) {
  const names = open();
  return { names, target: wanted ?? (names.includes(DEFAULT) ? DEFAULT : names[0] ?? DEFAULT) };
}

/** Return the choice of the project, null where there is but one; `changed` is called with its name. */
export function projectField(wanted, changed) {
  const { names, target } = targetOf(wanted), may = names.includes(target);
  if (may && names.length === 1) return null;
  return labelled("project", select(may ? names : [["", "choose one"], ...names], may ? target : "", (name) => changed(name || wanted), { name: "project" }),
    may ? null : `you may not post to ${target}, which it comes from`);
}

/** Return the query that posts to it; throws where one may not: it is then to be chosen, and never another one unasked. */
export function projectQuery(wanted) {
  const { names, target } = targetOf(wanted);
  if (!names.includes(target)) throw Object.assign(new Error(`project: you may not post to ${target}: choose one that you are a member of`), { problems: [{ path: "project" }] });
  return target === DEFAULT ? {} : { project: target };
}
