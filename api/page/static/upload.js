/** The form that sends a data set: its file, its name, and every option for reading it. */

import { renew } from "/page/account.js";
import { Refused, get, signedOut } from "/page/api.js";
import { button, h, labelled, prose, put } from "/page/dom.js";
import { field } from "/page/fields.js";
import { projectField, projectQuery } from "/page/project.js";

/** What options are called here; others by their own names. */
const TITLES = {
  name: "Name", target: "Target column", task: "Task", drop: "Columns to leave out", missing: "Where values are missing", missing_values: "Missing values", header: "Header", scale: "Scale",
  separator: "Separator", decimal: "Decimal sign", encoding: "Encoding", categorical: "Columns of categories", numeric: "Columns of numbers", resize: "Size of pictures",
  background: "Background of transparent pictures", channels: "Channels", limit: "At most so many examples",
};
/** Those that stand elsewhere, and the earlier name of another. */
const OTHERS = new Set(["file", "text"]);
const LISTS = "; several with commas";

/** Return the form. `stored` is called with what the service has made of a file, and returns what is to be said of it. */
export async function upload(stored, signal) {
  const [{ components: { schemas } }] = await Promise.all([get("/openapi.json", undefined, signal), renew(signal)]);
  const file = h("input", { type: "file", name: "file", required: true, accept: ".csv,.tsv,.gz,.parquet,.npz,.zip,.xlsx,.jsonl,.ndjson" });
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "Sent" }), said = h("div", { "aria-live": "polite" });

  async function give() {
    if (!form.reportValidity()) return;
    const fields = new FormData(form);
    const project = fields.get("project") || undefined;
    for (const [name, value] of [...fields]) if (value === "" || name === "project") fields.delete(name);
    bar.hidden = false;
    put(said);
    try {
      const found = await send(fields, projectQuery(project), (share) => {
        bar.value = share;
        if (share === 1) put(said, h("p.muted", {}, "It has been sent, and is being read…"));
      });
      put(said, await stored(found));
      form.reset();
    } catch (error) {
      put(said, h("p.notice.wrong", { role: "alert" }, error.message));
    } finally {
      bar.hidden = true;
    }
  }

  const submit = button("Send", give, { class: "main", type: "submit" });
  const form = h("form.card", { onsubmit: (event) => event.preventDefault() },
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
    projectField(undefined, () => {}),
    h("details", {}, h("summary", {}, "Name, and how to read it"), h("div.fields.wide", {}, options(schemas))),
    h("p", {}, submit), bar, said);
  return form;
}

/** Return a field of each option, which names it as the service does in what it says of a file. */
function options(schemas) {
  const { properties } = schemas.DatasetForm;
  const names = Object.keys(properties).filter((name) => !OTHERS.has(name));
  const order = Object.keys(TITLES), place = (name) => (name in TITLES ? order.indexOf(name) : order.length);
  return names.sort((a, b) => place(a) - place(b)).map((name) => {
    const { default: _, description = "", ...schema } = properties[name];
    const several = [schema, ...(schema.anyOf ?? [])].some(({ type }) => type === "array");
    return field(TITLES[name] ?? name, schema, undefined, () => {}, { schemas, path: name, hint: prose(`\`${name}\`: ${description}${several ? LISTS : ""}`) });
  });
}

/** Send a form, telling its progress, which fetch cannot. */
function send(fields, query, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/datasets?${new URLSearchParams(query)}`);
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.upload.addEventListener("load", () => progress(1));
    request.addEventListener("load", () => {
      const body = (() => {
        try {
          return JSON.parse(request.responseText);
        } catch {
          return {};
        }
      })();
      if (request.status < 300) done(body);
      else failed(request.status === 401 ? signedOut({ stay: true }) : new Refused(request.status, body));
    });
    request.addEventListener("error", () => failed(new Error("The service does not answer.")));
    request.send(fields);
  });
}
