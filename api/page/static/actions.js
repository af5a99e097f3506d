/** What can be done to an experiment, each by one call of the API. */

import { button, tell } from "/page/dom.js";
import { call, get, post } from "/page/api.js";
import { ENDED } from "/page/format.js";

/** Return the buttons that make sense in its present state; `changed` is called after each. */
export function actions(one, changed) {
  const at = `/experiments/${one.id}`;
  const ask = (verb, said) => async () => {
    await post(`${at}/${verb}`);
    tell(said);
    await changed();
  };
  const ended = ENDED.has(one.status);
  const found = [];
  if (!ended && !one.paused) found.push(button("Pause", ask("pause", "It pauses at its next checkpoint.")));
  if (!ended && one.paused) found.push(button("Resume", ask("resume", "It goes on.")));
  if (!ended && !one.cancelling) found.push(button("Cancel", async () => confirm(`Cancel "${one.name}"? What was measured is kept.`) && ask("cancel", "It is being cancelled.")()));
  if (ended && one.arms.some((arm) => arm.failed) || one.status === "cancelled") found.push(button("Retry", ask("retry", "What failed is trained again.")));
  found.push(button("Clone", () => clone(one.spec)));
  if (ended) {
    found.push(button("Delete", async () => {
      if (!confirm(`Delete "${one.name}" and all that it measured? This cannot be undone.`)) return;
      await call("DELETE", at);
      tell("It was deleted.");
      location.hash = "#/experiments";
    }));
  }
  return found;
}

/** Begin a new experiment with a spec. */
export function clone(spec) {
  sessionStorage.setItem("draft", JSON.stringify(spec));
  location.hash = "#/new";
}

/** Return an experiment as it is now. */
export const fresh = (id, signal) => get(`/experiments/${id}`, undefined, signal);
