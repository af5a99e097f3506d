/** Data sets: those of the lab, with what was assumed when they were read, and sending a new one. */

import { h, put, button, labelled, table, tell } from "/page/dom.js";
import { Refused, call, get } from "/page/api.js";
import { mayChange, maySend } from "/page/account.js";
import { clone } from "/page/actions.js";
import { firstLook } from "/page/look.js";
import { bytes, count, number } from "/page/format.js";

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
  put(main, h("h1", {}, "Data sets"), maySend() && upload(refresh), list);
  await refresh();
}

/** Return the form that sends a file, with its progress and the problems or notes that it brings. */
function upload(done) {
  const file = h("input", { type: "file", name: "file", required: true, accept: ".csv,.tsv,.gz,.parquet,.npz,.zip,.xlsx,.jsonl,.ndjson" });
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "Sent" }), said = h("div", { "aria-live": "polite" });
  const text = (name, label, hint) => labelled(label, h("input", { name, autocomplete: "off" }), hint);
  const form = h("form.card", { onsubmit: async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    for (const [name, value] of [...fields]) if (value === "") fields.delete(name);
    bar.hidden = false;
    try {
      const found = await send(fields, (share) => (bar.value = share));
      put(said, h("p", {}, "Stored as ", h("a", { href: `#/datasets/${found.name}` }, found.name), "."), notes(found));
      form.reset();
      await done();
    } catch (error) {
      put(said, h("p.notice.wrong", { role: "alert" }, error.message));
    } finally {
      bar.hidden = true;
    }
  } },
  h("h2", {}, "Send a data set"),
  h("div.drop", {
    ondragover: (event) => (event.preventDefault(), event.currentTarget.classList.add("over")),
    ondragleave: (event) => event.currentTarget.classList.remove("over"),
    ondrop: (event) => {
      event.preventDefault();
      event.currentTarget.classList.remove("over");
      file.files = event.dataTransfer.files;
    },
  }, labelled("A table (CSV, TSV, Parquet, Excel, JSON lines), pictures in a ZIP with a folder a class, or arrays (NPZ)", file)),
  h("details", {}, h("summary", {}, "Name, and how to read it"), h("div.fields", {},
    text("name", "Name", "default: the file's"), text("target", "Target column"), text("task", "Task", "multiclass, binary or regression"),
    text("drop", "Columns to leave out", "with commas"), text("header", "Header", "true or false"), text("scale", "Scale"), text("separator", "Separator"), text("decimal", "Decimal sign"), text("encoding", "Encoding"), text("missing_values", "Missing values"),
    text("categorical", "Columns of categories"), text("numeric", "Columns of numbers"), text("channels", "Channels", "first or last"),
    text("background", "Background of transparent pictures"), text("limit", "At most so many examples"))),
  h("p", {}, h("button.main", {}, "Send")), bar, said);
  return form;
}

/** Send a form, telling its progress, which fetch cannot. */
function send(fields, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/datasets");
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.addEventListener("load", () => {
      const body = (() => {
        try {
          return JSON.parse(request.responseText);
        } catch {
          return {};
        }
      })();
      if (request.status < 300) done(body);
      else failed(new Refused(request.status, body));
    });
    request.addEventListener("error", () => failed(new Error("The service does not answer.")));
    request.send(fields);
  });
}

const notes = (set) => set.notes.length > 0 && h("div.notice", {}, h("strong", {}, "What was assumed"), h("ul", {}, set.notes.map(({ path, message }) => h("li", {}, path && h("code", {}, path), " ", message))));

function one(main, set, signal) {
  const facts = Object.entries(set).filter(([name, value]) => !["notes", "columns", "features", "classes", "name"].includes(name) && value != null && typeof value !== "object");
  put(main, h("p", {}, h("a", { href: "#/datasets" }, "Data sets")),
    h("div.heading", {}, h("h1", {}, set.name), h("div.buttons", {},
      maySend() && button("Use in an experiment", () => clone({ name: `On ${set.name}`, dataset: { name: "uploaded", id: set.name } })),
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
