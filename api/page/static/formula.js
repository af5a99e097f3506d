/** Formulas of the catalogue as MathML: letters, powers, indices, roots; words between them stay words. Roots are signs before
 * brackets, as formulas have a line each: browsers without a font for mathematics draw no others. */

const NAMESPACE = "http://www.w3.org/1998/Math/MathML";
const GREEK = { alpha: "α", beta: "β", gamma: "γ", delta: "δ", eps: "ε", epsilon: "ε", eta: "η", theta: "θ", lambda: "λ", lamb: "λ", mu: "μ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", Delta: "Δ", Phi: "Φ" };
const SIGNS = { "<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "*": "·", "-": "−", "+-": "±", "...": "…", "-=": "−=", "sqrt": "√" };
const FUNCTIONS = new Set(["sqrt", "exp", "log", "ln", "cos", "sin", "tan", "tanh", "max", "min", "floor", "ceil", "erf", "sign", "mean", "sum"]);
const TOKEN = /\s+|\d+(?:\.\d+)?(?:e-?\d+)?|[A-Za-zα-ωΑ-Ω][A-Za-z0-9α-ω']*(?:_[A-Za-z0-9]+)*|[<>!+*/-]=|->|\+-|\.\.\.|./gu;

const m = (tag, ...children) => {
  const element = document.createElementNS(NAMESPACE, tag);
  element.append(...children);
  return element;
};

const div = (...children) => {
  const element = document.createElement("div");
  element.append(...children);
  return element;
};

/** Return a formula as an element; each line, and each part after a semicolon, is a formula of its own. */
export const formula = (text) => div(...text.split(/\n|;\s+/).map(line));

/** Make a line of its parts, between which it may be broken: where it has spaces that are not in brackets. */
function line(text) {
  const parts = [[]];
  let depth = 0;
  for (const token of text.match(TOKEN) ?? []) {
    if (/[([]/.test(token)) depth += 1;
    if (/[)\]]/.test(token)) depth -= 1;
    if (/^\s+$/.test(token) && depth <= 0) parts.push([]);
    else parts.at(-1).push(token);
  }
  return div(...parts.filter((tokens) => tokens.length).flatMap((tokens) => [math(tokens), " "]));
}

function math(tokens) {
  const alone = tokens.join("");
  const found = [row(tokens)];
  while (tokens.length) found.push(sign(tokens.shift()), row(tokens)); // of [low, high) the bracket
  const made = m("math", ...found);
  made.setAttribute("alttext", alone);
  return made;
}

/** Read tokens up to a closing bracket, or to the end. */
function row(tokens) {
  const found = [];
  while (tokens.length && tokens[0] !== ")") {
    const token = tokens.shift();
    if (/^\s+$/.test(token)) {
      found.push(m("mspace"));
      found.at(-1).setAttribute("width", "0.25em");
    } else if (token === "^") found.push(m("msup", found.pop() ?? m("mrow"), one(tokens)));
    else found.push(grouped(whole(token, tokens)));
  }
  return m("mrow", ...found);
}

/** Make one of what stands in brackets, so that a power is one of all of it. */
const grouped = (parts) => (parts.length > 1 ? m("mrow", ...parts) : parts[0]);

/** Read the one thing that a power or a root is of. */
function one(tokens) {
  const token = tokens.shift() ?? "";
  if (token === "-" || token === "+") return m("mrow", sign(token), one(tokens));
  const parts = whole(token, tokens);
  return token === "(" ? m("mrow", ...parts.slice(1, -1)) : m("mrow", ...parts);
}

function whole(token, tokens) {
  if (token === "(") {
    const inside = row(tokens);
    return tokens.shift() === ")" ? [sign("("), inside, sign(")")] : [sign("("), inside];
  }
  if (token === "sqrt" && tokens[0] === "(") return [sign(token), grouped(whole(tokens.shift(), tokens))];
  if (/^\d/.test(token)) return [m("mn", token)];
  if (!/^[\p{L}]/u.test(token)) return [sign(token)];
  return [name(token, tokens[0] === "(")];
}

/** Make a sign; brackets stay as high as their line, so that one that is closed elsewhere is no higher than the other. */
function sign(token) {
  const made = m("mo", SIGNS[token] ?? token);
  if (/^[()[\]|]$/.test(token)) made.setAttribute("stretchy", "false");
  return made;
}

function name(token, applied) {
  if (FUNCTIONS.has(token) && applied) return m("mi", token);
  const numbered = token.match(/^([A-Za-z]|beta)(\d+)$/);
  const [stem, ...index] = numbered ? [numbered[1] === "b" ? "beta" : numbered[1], numbered[2]] : token.split("_");
  const letter = GREEK[stem] ?? (stem.length === 1 ? stem : null);
  if (letter === null) return m("mtext", token);
  return index.length ? m("msub", m("mi", letter), m(numbered ? "mn" : index.join("").length > 1 ? "mtext" : "mi", index.join(","))) : m("mi", letter);
}
