/** Formulas of the catalogue as MathML: letters, powers, indices, roots; words between them stay words. */

const NAMESPACE = "http://www.w3.org/1998/Math/MathML";
const GREEK = { alpha: "α", beta: "β", gamma: "γ", delta: "δ", eps: "ε", epsilon: "ε", eta: "η", theta: "θ", lambda: "λ", lamb: "λ", mu: "μ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", Delta: "Δ", Phi: "Φ" };
const SIGNS = { "<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "*": "·", "-": "−", "+-": "±", "...": "…" };
const FUNCTIONS = new Set(["sqrt", "exp", "log", "ln", "cos", "sin", "tan", "tanh", "max", "min", "floor", "ceil", "erf", "sign", "mean", "sum"]);
const TOKEN = /\s+|\d+(?:\.\d+)?(?:e-?\d+)?|[A-Za-zα-ωΑ-Ω][A-Za-z0-9α-ω']*(?:_[A-Za-z0-9]+)*|<=|>=|!=|->|\+-|\.\.\.|./gu;

const m = (tag, ...children) => {
  const element = document.createElementNS(NAMESPACE, tag);
  element.append(...children);
  return element;
};

/** Return a formula as an element; each line, and each part after a semicolon, is a formula of its own. */
export function formula(text) {
  const lines = text.split(/\n|;\s+/).map((line) => {
    const made = m("math", row(line.match(TOKEN) ?? []));
    made.setAttribute("display", "block");
    made.setAttribute("alttext", line);
    return made;
  });
  const place = document.createElement("div");
  place.append(...lines);
  return place;
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
    return tokens.shift() === ")" ? [m("mo", "("), inside, m("mo", ")")] : [m("mo", "("), inside];
  }
  if (token === "sqrt" && tokens[0] === "(") {
    tokens.shift();
    const inside = row(tokens);
    tokens.shift();
    return [m("msqrt", inside)];
  }
  if (/^\d/.test(token)) return [m("mn", token)];
  if (!/^[\p{L}]/u.test(token)) return [sign(token)];
  return [name(token, tokens[0] === "(")];
}

const sign = (token) => m("mo", SIGNS[token] ?? token);

function name(token, applied) {
  if (FUNCTIONS.has(token) && applied) return m("mi", token);
  const [stem, ...index] = token.split("_");
  const letter = GREEK[stem] ?? (stem.length === 1 ? stem : null);
  if (letter === null) return m("mtext", token);
  return index.length ? m("msub", m("mi", letter), m(index.join("").length > 1 ? "mtext" : "mi", index.join(","))) : m("mi", letter);
}
