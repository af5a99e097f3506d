/** Data sets: those of the lab, with what was assumed when they were read, and sending a new one. */

import { h, put, button, table, tell } from "/page/dom.js";
import { call, get } from "/page/api.js";
import { mayChange, maySend } from "/page/account.js";
import { START, clone } from "/page/draft.js";
import { firstLook } from "/page/look.js";
import { bytes, count, number } from "/page/format.js";
import { upload } from "/page/upload.js";

export async function show(main, [name], signal) {
  document.title = name ? `initlab: ${name}` : "initlab: data sets";
  if (name) return one(main, await get(`/datasets/${name}`, undefined, signal), signal);
  const list = h("div");
  const refresh = async () => {
    const { items } = await get("/datasets", undefined, signal);
    put(list, items.length ? table("Data sets", ["Name", "Task", "Examples", "Classes or outputs", "Notes"], items.map((set) => [
      h("a", { href: `#/datasets/${set.name}` }, set.name), set.task ?? "–", count(set.examples), set.classes?.length || set.outputs, set.notes.length || "–",
    ])) : h("p.muted", {}, "None yet. Those that come with the service are in the ", h("a", { href: "#/catalog/datasets" }, "catalogue"), "."));
  };
  const stored = async (found) => {
    await refresh();
    return [h("p", {}, "Stored as ", h("a", { href: `#/datasets/${found.name}` }, found.name), "."), notes(found)];
  };
  put(main, h("h1", {}, "Data sets"), maySend() && await upload(stored, signal), list);
  await refresh();
}

const notes = (set) => set.notes.length > 0 && h("div.notice", {}, h("strong", {}, "What was assumed"), h("ul", {}, set.notes.map(({ path, message }) => h("li", {}, path && h("code", {}, path), " ", message))));

function one(main, set, signal) {
  const facts = Object.entries(set).filter(([name, value]) => !["notes", "columns", "features", "classes", "name"].includes(name) && value != null && typeof value !== "object");
  put(main, h("p", {}, h("a", { href: "#/datasets" }, "Data sets")),
    h("div.heading", {}, h("h1", {}, set.name), h("div.buttons", {},
      maySend() && button("Use in an experiment", () => clone({ name: `On ${set.name}`, dataset: { name: "uploaded", id: set.name }, arms: START.arms }, set.project)),
      mayChange(set) && button("Delete", async () => {
        if (!confirm(`Delete the data set "${set.name}"?`)) return;
        await call("DELETE", `/datasets/${set.name}`);
        tell("It was deleted.");
        location.hash = "#/datasets";
      }))),
    notes(set), firstLook(set.name, signal),
    h("h2", {}, "Facts"), table("Facts", ["What", "Value"], facts.map(([name, value]) => [name.replaceAll("_", " "), name === "bytes" ? bytes(value) : typeof value === "number" ? number(value, 6) : String(value)])),
    set.columns?.length > 0 && [h("h2", {}, "Columns"), table("Columns", ["Column", "Kind", "Categories"], set.columns.map(({ name, kind, categories }) => [name, kind, categories.slice(0, 20).join(", ") + (categories.length > 20 ? `, and ${categories.length - 20} more` : "")]))]);
}
