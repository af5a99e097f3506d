/** The experiment that is being written in the form: kept as long as its tab is open. */

import { posted } from "/page/spec.js";

/** What the form begins with. */
export const START = {
  name: "Three ways to begin", dataset: "digits", model: { name: "mlp", hidden: [64] }, optimizer: "adam", schedule: "constant",
  batch_size: 100, epochs: 10, seeds: 5,
  arms: [{ initializer: "zeros" }, { initializer: "glorot_normal" }, { initializer: "he_normal" }],
};

const PLACE = "experiment";

/**
 * Return what is kept: its `spec` and the `project` that it goes to, `text` where the JSON is none, `edited` once somebody
 * has changed it, and the `key` under which it was posted; null where nothing is.
 */
export const kept = () => JSON.parse(sessionStorage.getItem(PLACE));

export const keep = (draft) => sessionStorage.setItem(PLACE, JSON.stringify(draft));

export const forget = () => sessionStorage.removeItem(PLACE);

/** Begin a new experiment with a spec, in a project; what somebody has begun to write is not replaced unasked. */
export function clone(spec, project) {
  if (kept()?.edited && !confirm("The form has an experiment that you have begun and not posted. Replace it?")) return;
  keep({ spec: posted(spec), project });
  location.hash = "#/new";
}
