/** What can be done to an experiment, each by one call of the API. */

import { button, h, labelled, tell } from "/page/dom.js";
import { call, get, post } from "/page/api.js";
import { ENDED } from "/page/format.js";
import { who } from "/page/account.js";
import { share } from "/page/share.js";

/** Return the buttons that make sense in its present state; `changed` is called after each. */
export function actions(one, changed) {
  if (who.me?.link) return [];
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
  found.push(button("Edit", () => edit(one, changed)));
  found.push(button("Clone", () => clone(one.spec)));
  if (who.me?.id) found.push(button("Share", () => share(one)));
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

/** Ask for another name, other tags and notes; what somebody else has edited meanwhile is not written over. */
async function edit(one, changed) {
  const tag = (await call("GET", `/experiments/${one.id}`)).headers.get("ETag");
  const name = h("input", { value: one.name, required: true, maxlength: 120 });
  const tags = h("input", { value: one.tags.join(", ") });
  const notes = h("textarea", { rows: 8 }, one.notes);
  const dialog = document.body.appendChild(h("dialog", { "aria-label": "Edit", onclose: () => dialog.remove() },
    h("form", { method: "dialog" }, h("h2", {}, "Edit"), labelled("Name", name), labelled("Tags, with commas", tags), labelled("Notes", notes),
      h("p.buttons", {}, button("Save", async () => {
        const json = { name: name.value, tags: tags.value.split(",").map((text) => text.trim()).filter(Boolean), notes: notes.value };
        await call("PATCH", `/experiments/${one.id}`, { json, headers: tag ? { "If-Match": tag } : {} });
        dialog.close();
        await changed();
      }, { class: "main" }), button("Leave it", async () => dialog.close())))));
  dialog.showModal();
}

/** Begin a new experiment with a spec. */
export function clone(spec) {
  sessionStorage.setItem("draft", JSON.stringify(spec));
  location.hash = "#/new";
}

/** Return an experiment as it is now. */
export const fresh = (id, signal) => get(`/experiments/${id}`, undefined, signal);
