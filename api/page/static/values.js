/** Values as people type them: JSON where it is JSON, else a text; nothing where nothing stands. */

/** Read what was typed: "0.1" is a number, "[1, 2]" a list, "cosine" a text, "" undefined. */
export function read(text) {
  const typed = text.trim();
  if (!typed) return undefined;
  try {
    return JSON.parse(typed);
  } catch {
    return typed;
  }
}

/** Write a value so that `read` gives it again. */
export function written(value) {
  if (value === undefined) return "";
  return typeof value === "string" && read(value) === value ? value : JSON.stringify(value);
}

/** Return a list where there are commas outside of brackets and quotes, or one value. */
export function readMany(text) {
  const whole = read(text);
  if (whole === undefined) return [];
  if (Array.isArray(whole)) return whole;
  if (typeof whole !== "string") return [whole];
  const parts = [];
  let depth = 0, quoted = false, part = "";
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    if (!quoted && "[{(".includes(letter)) depth += 1;
    if (!quoted && ")}]".includes(letter)) depth -= 1;
    if (letter === "," && !depth && !quoted) {
      parts.push(part);
      part = "";
    } else part += letter;
  }
  return [...parts, part].map(read).filter((value) => value !== undefined);
}

/** Write a list so that `readMany` gives it again. */
export function writtenMany(values) {
  const text = values.map(written).join(", ");
  return JSON.stringify(readMany(text)) === JSON.stringify(values) ? text : JSON.stringify(values);
}

/** Return texts that commas part; one that has a comma of its own stands in quotes. */
export function readTexts(text) {
  return [...text.matchAll(/\s*("(?:[^"\\]|\\.)*"(?=\s*(?:,|$))|[^,]*)(?:,|$)/g)].map(([, one]) => unquoted(one.trim())).filter(Boolean);
}

function unquoted(text) {
  const found = text.startsWith('"') ? read(text) : text;
  return typeof found === "string" ? found : text;
}

/** Write texts so that `readTexts` gives them again. */
export const writtenTexts = (texts) => texts.map((one) => (String(readTexts(one)) === one && !one.includes(",") ? one : JSON.stringify(one))).join(", ");
