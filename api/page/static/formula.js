/** Formulas of the catalogue as MathML: letters, powers, indices, roots; words between them stay words. Roots are signs before
 * brackets, as formulas have a line each: browsers without a font for mathematics draw no others.
 *
 * A line that is too long is broken where that disturbs least: each part is a box, which is broken only where it is itself
 * longer than the line; only there do its own parts count. */

const NAMESPACE = "http://www.w3.org/1998/Math/MathML";
const LETTERS = new Map(Object.entries({ alpha: "α", beta: "β", gamma: "γ", delta: "δ", eps: "ε", epsilon: "ε", eta: "η", theta: "θ", lambda: "λ", lamb: "λ", mu: "μ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", Delta: "Δ", Phi: "Φ", prod: "∏" }));
const SIGNS = new Map(Object.entries({ "<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "*": "·", "-": "−", "+-": "±", "...": "…", "-=": "−=", sqrt: "√" }));
const LOGARITHM = /^(log)(\d+)$/;

/** Parts of a formula; "a" before a word is an article and no letter: "in a row", but "of a and b". Code keeps its dots. */
const ARTICLE = "a +(?!(?:and|or|of|is|in|by|if|else|where|while|at|to)\\b)[A-Za-z]{2,}";
const NAME = "[A-Za-zα-ωΑ-Ω][A-Za-z0-9α-ω']*(?:_[A-Za-z0-9]+)*(?:\\.[A-Za-z]\\w*)*";
const NUMBER = "\\d+(?:@\\d+)?x\\d+|\\d+(?:\\.\\d+)?(?:e-?\\d+)?";
const TOKEN = new RegExp(`\\s+|${NUMBER}|${ARTICLE}|${NAME}|\`[^\`]+\`|[<>!+*/-]=|->|\\+-|//|\\.\\.\\.|.`, "gu");

const RELATION = /^(?:[<>!+*/-]?=|[<>]|->)$/, OPERATOR = /^(?:[<>!+*/-]?=|[<>|+*/-]|->|\/\/)$/;
const SHORT = 8, LONG = 24;
/** Letters and signs: of the left side of an equation, from which its right side is not parted; and of what stands in
 * brackets and may be broken too, as what is shorter fits on a phone. */

/** Where a line is broken, the best places first: after a comma or a colon, before words, relations, sums. */
const BREAKS = [
  (part) => /^[,:]$/.test(part.at(-1).at(-1)),
  (part, [first]) => /^(?:if|else|while|where|then|until)$/.test(first),
  (part, [first]) => (RELATION.test(first) && !isShort(part)) || first === "|",
  (part, [first]) => /^[+-]$/.test(first),
];

const m = (tag, ...children) => {
  const element = document.createElementNS(NAMESPACE, tag);
  element.append(...children);
  return element;
};

const make = (tag, ...children) => {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
};

/** Return a formula as an element; each line, and each part after a semicolon, is a formula of its own. */
export const formula = (text) => make("div", ...text.replace(/ *\^ */g, "^").split(/\n|;\s+/).map((line) => make("div", ...boxes(split(line.match(TOKEN) ?? [], 0), 0, BREAKS))));

/** Split a text where it has spaces in no more than so many brackets, and in no power or index. */
function split(tokens, brackets) {
  const words = [[]], open = [];
  let before;
  for (const token of tokens) {
    if (/^[([]$/.test(token)) open.push(/^[_^]$/.test(before) ? Infinity : 1);
    if (/^[)\]]$/.test(token)) open.pop();
    if (/^\s+$/.test(token) && open.reduce((sum, one) => sum + one, 0) <= brackets) words.push([]);
    else words.at(-1).push(token);
    before = token;
  }
  return words.filter((word) => word.length);
}

/** Put words into boxes by the first kind of break, and those of a box into smaller ones by the next. */
function boxes(words, brackets, [breaks, ...more]) {
  if (!breaks) return bound(words, brackets);
  const parts = parted(words, breaks);
  return parts.length === 1 ? boxes(words, brackets, more) : joined(parts.map((part) => [make("span", ...boxes(part, brackets, more))]), " ");
}

/** Bind a sign to what follows it, and the left side of an equation to its sign; other words are parted. */
function bound(words, brackets) {
  const parts = parted(words, (part, [first]) => !OPERATOR.test(part.at(-1).join("")) && !(RELATION.test(first) && isShort(part)));
  return joined(parts.map((part) => {
    const made = joined(part.map((word) => within(word, brackets)), "\u00a0");
    return made.length > 1 ? [make("span", ...made)] : made;
  }), " ");
}

/** Return a word as one formula, or as several where it is long and has brackets that may be broken. */
function within(word, brackets) {
  for (let more = brackets + 1; shown(word) >= LONG && more < brackets + 9; more += 1) {
    const words = split(word, more);
    if (words.length > 1) return boxes(words, more, BREAKS);
  }
  return [math(word)];
}

/** Part words before each for which `breaks` says so, given the words since the last. */
function parted(words, breaks) {
  const parts = [];
  for (const word of words) {
    if (!parts.length || breaks(parts.at(-1), word)) parts.push([]);
    parts.at(-1).push(word);
  }
  return parts;
}

const joined = (lists, space) => lists.flatMap((list, index) => (index ? [space, ...list] : list));

/** Count the letters and signs of a text as it is drawn. */
const shown = (tokens) => tokens.reduce((sum, token) => sum + (/^[_^]$/.test(token) ? "" : SIGNS.get(token) ?? LETTERS.get(token) ?? token.trim()).length, 0);

const isShort = (words) => shown(words.flat()) < SHORT;

function math(tokens) {
  const alone = tokens.join("");
  const left = [...tokens], found = [row(left)];
  while (left.length) found.push(...raised([sign(left.shift())], left), row(left)); // of [low, high) the bracket
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
    } else found.push(...raised([grouped(whole(token, tokens))], tokens));
  }
  return m("mrow", ...found);
}

/** Give the last part the powers and indices that follow it. */
function raised(parts, tokens) {
  while (tokens.length > 1 && /^[_^]$/.test(tokens[0])) {
    const tag = tokens.shift() === "^" ? "msup" : "msub";
    parts.push(scripts(tag, parts.pop(), one(tokens)));
  }
  return parts;
}

/** Add a power or an index: both stand above one another. Without a font for mathematics, where each stands is by the size
 * of what has it, hence one size for all. */
function scripts(tag, base, script) {
  const [own, other] = base.children;
  if (tag === "msup" && base.localName === "msub") return m("msubsup", own, other, script);
  if (tag === "msub" && base.localName === "msup") return m("msubsup", own, script, other);
  const sized = m("mpadded", base);
  sized.setAttribute("height", "0.5em");
  sized.setAttribute("depth", "0.2em");
  return m(tag, sized, script);
}

/** Make one of what stands in brackets, so that a power is one of all of it. */
const grouped = (parts) => (parts.length > 1 ? m("mrow", ...parts) : parts[0]);

/** Read the one thing that a power, an index or a root is of: of what is in brackets all, without these. */
function one(tokens) {
  const token = tokens.shift() ?? "";
  if (token === "-" || token === "+") return m("mrow", sign(token), one(tokens));
  const parts = whole(token, tokens);
  return token === "(" ? m("mrow", ...parts.slice(1, -1)) : m("mrow", ...parts);
}

function whole(token, tokens) {
  if (token === "(") {
    const inside = row(tokens);
    return tokens[0] === ")" ? [sign("("), inside, sign(tokens.shift())] : [sign("("), inside];
  }
  if (token === "sqrt" && tokens[0] === "(") return [sign(token), grouped(whole(tokens.shift(), tokens))];
  if (/^\d/.test(token)) return [m("mn", token.replace("x", "×"))];
  if (token.length > 1 && token.startsWith("`")) return [m("mi", token.slice(1, -1))];
  if (!/^[\p{L}]/u.test(token)) return [sign(token)];
  return [name(token)];
}

/** Make a sign; brackets stay as high as their line, so that one that is closed elsewhere is no higher than the other. */
function sign(token) {
  const made = m("mo", SIGNS.get(token) ?? token);
  if (/^[()[\]|]$/.test(token)) made.setAttribute("stretchy", "false");
  if (/^(?:\||sqrt|\.\.\.)$/.test(token)) {
    made.setAttribute("lspace", "0");
    made.setAttribute("rspace", "0");
  }
  return made;
}

/** Make a letter with its indices, or a word: as a name, since a sum of mere texts would count as a sign. */
function name(token) {
  const numbered = token.match(/^([A-Za-z]|beta)(\d+)$/) ?? token.match(LOGARITHM);
  const [stem, ...index] = numbered ? [numbered[1] === "b" ? "beta" : numbered[1], numbered[2]] : token.split("_");
  const letter = LETTERS.get(stem) ?? (stem.length === 1 || LOGARITHM.test(token) ? stem : null);
  if (letter === null) return m("mi", token);
  return index.length ? scripts("msub", m("mi", letter), m(numbered ? "mn" : "mi", index.join(","))) : m("mi", letter);
}
