/** A spec as text that people paste: YAML, a curl command, a Python program. */

/** Return a stored spec as it is posted once more: the alpha of an experiment of a study is written by the study, and left out. */
export function posted(spec) {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => name !== "alpha" || !spec.study));
}

const PLAIN = /^[A-Za-z_][\w .\/%-]*$/;
const WORDS = /^(true|false|null|yes|no|on|off|~|y|n)$/i;

function scalar(value) {
  if (typeof value === "number") return JSON.stringify(value).replace(/^(-?\d+)e/, "$1.0e");  // without a point PyYAML reads a text
  return typeof value === "string" && PLAIN.test(value) && !WORDS.test(value) && value.trim() === value ? value : JSON.stringify(value);
}

const isEmpty = (value) => value === null || typeof value !== "object" || Object.keys(value).length === 0;

/** Write plain values as YAML. */
export function asYaml(value, indent = "") {
  if (isEmpty(value)) return `${indent}${scalar(value)}\n`;
  if (Array.isArray(value)) {
    if (value.every((one) => isEmpty(one))) return `${indent}[${value.map(scalar).join(", ")}]\n`;
    return value.map((one) => (isEmpty(one) ? `${indent}- ${scalar(one)}\n` : `${indent}- ${asYaml(one, `${indent}  `).trimStart()}`)).join("");
  }
  return Object.entries(value).map(([name, one]) => {
    if (isEmpty(one)) return `${indent}${scalar(name)}: ${scalar(one)}\n`;
    const below = asYaml(one, `${indent}  `);
    return Array.isArray(one) && one.every((part) => isEmpty(part)) ? `${indent}${scalar(name)}: ${below.trim()}\n` : `${indent}${scalar(name)}:\n${below}`;
  }).join("");
}

/** Write the command that posts it to a project. */
export function asCurl(spec, project = "default") {
  const body = JSON.stringify(spec, null, 2).replaceAll("'", "'\\''");
  return `curl -sS ${location.origin}/experiments${project === "default" ? "" : `?project=${project}`} -H 'Content-Type: application/json' \\\n  -H "Authorization: Bearer $INITLAB_API_KEY" -d '${body}'\n`;
}

/** Write the program that posts it, waits and prints the report. */
export function asPython(spec, project = "default") {
  const client = [JSON.stringify(location.origin), ...(project === "default" ? [] : [`project=${JSON.stringify(project)}`])].join(", ");
  return `from initlab import Client\n\nspec = ${python(spec, "")}\n\nexperiment = Client(${client}).submit(spec).wait()\nprint(experiment.report_markdown())\n`;
}

function python(value, indent) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const parts = Array.isArray(value) ? value.map((one) => python(one, deeper)) : Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${python(one, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const short = `${open}${parts.join(", ")}${close}`;
  return short.length + indent.length < 100 && !short.includes("\n") ? short : `${open}\n${parts.map((part) => `${deeper}${part},\n`).join("")}${indent}${close}`;
}
