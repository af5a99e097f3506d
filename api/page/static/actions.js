/** What can be done to an experiment, each by one call of the API. */

import { button, h, labelled, tell } from "/page/dom.js";
import { call, get, post } from "/page/api.js";
import { ENDED } from "/page/format.js";
import { mayChange, maySend, who } from "/page/account.js";
import { clone } from "/page/draft.js";
import { share } from "/page/share.js";
import { readTexts, writtenTexts } from "/page/values.js";

/** Return what makes sense in its present state, by the label of its button; `changed` is called after each. */
function actions(one, changed) {
  const found = new Map(), elsewhere = one.spec.kind === "external";
  if (who.me?.link) return found;
  if (!mayChange(one)) {
    if (!elsewhere && maySend()) found.set("Clone", () => clone(one.spec, one.project));
    return found;
  }
  const at = `/experiments/${one.id}`;
  const ask = (verb, said) => async () => {
    await post(`${at}/${verb}`);
    tell(said);
    await changed();
  };
  const ended = ENDED.has(one.status);
  if (!ended && !one.paused && !elsewhere) found.set("Pause", ask("pause", "It pauses at its next checkpoint."));
  if (!ended && one.paused) found.set("Resume", ask("resume", "It goes on."));
  if (!ended && !one.cancelling) found.set("Cancel", async () => confirm(`Cancel "${one.name}"? What was measured is kept.`) && ask("cancel", "It is being cancelled.")());
  if (ended && one.arms.some((arm) => arm.failed)) found.set("Retry", ask("retry", elsewhere ? "What failed waits for its points again." : "What failed is trained again."));
  found.set("Edit", () => edit(one, changed));
  if (!elsewhere) found.set("Clone", () => clone(one.spec, one.project));
  if (who.me?.id) found.set("Share", () => share(one));
  if (ended) {
    found.set("Delete", async () => {
      if (!confirm(`Delete "${one.name}" and all that it measured? This cannot be undone.`)) return;
      await call("DELETE", at);
      tell("It was deleted.");
      location.hash = "#/experiments";
    });
  }
  return found;
}

/** Return the place of the buttons, and a function that shows those of a newer state. A button that stays is not touched:
 * what is redrawn while somebody presses it would swallow that, and take the focus away. */
export function buttonsOf(changed) {
  const place = h("div.buttons"), made = new Map();
  let now = new Map();
  return [place, (one) => {
    now = actions(one, changed);
    const had = [...place.children].indexOf(document.activeElement);
    for (const [label, gone] of made) if (!now.has(label)) gone.remove();
    [...now.keys()].forEach((label, index) => {
      if (!made.has(label)) made.set(label, button(label, () => now.get(label)()));
      if (place.children[index] !== made.get(label)) place.insertBefore(made.get(label), place.children[index] ?? null);
    });
    if (had >= 0 && !place.contains(document.activeElement)) (place.children[had] ?? place.lastElementChild)?.focus();
  }];
}

/** Ask for another name, other tags and notes; what somebody else has edited meanwhile is not written over. */
async function edit({ id }, changed) {
  const answer = await call("GET", `/experiments/${id}`), tag = answer.headers.get("ETag"), one = await answer.json();
  const name = h("input", { value: one.name, required: true, maxlength: 120 });
  const tags = h("input", { value: writtenTexts(one.tags) });
  const notes = h("textarea", { rows: 8 }, one.notes);
  const dialog = document.body.appendChild(h("dialog", { "aria-label": "Edit", onclose: () => dialog.remove() },
    h("form", { method: "dialog" }, h("h2", {}, "Edit"), labelled("Name", name), labelled("Tags, with commas", tags), labelled("Notes", notes),
      h("p.buttons", {}, button("Save", async () => {
        const json = { name: name.value, tags: readTexts(tags.value), notes: notes.value };
        await call("PATCH", `/experiments/${id}`, { json, headers: tag ? { "If-Match": tag } : {} });
        dialog.close();
        await changed();
      }, { class: "main" }), button("Leave it", async () => dialog.close())))));
  dialog.showModal();
}

/** Return an experiment as it is now. */
export const fresh = (id, signal) => get(`/experiments/${id}`, undefined, signal);
