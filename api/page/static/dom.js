/** Elements, made of plain values: text is always text, whatever a label holds. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element: h("a.button", {href: "#/", onclick: go}, "Go", [more]).
 * Properties whose name begins with "on" are listeners; true and false set and leave out an attribute.
 */
export function h(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return fill(document.createElement(name), classes, properties, children);
}

/** Make an element of a picture: as h, in the namespace of SVG. */
export function svg(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return fill(document.createElementNS(SVG, name), classes, properties, children);
}

function fill(element, classes, properties, children) {
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** Return a name that somebody gave: letters that run from right to left turn nothing around it. */
export const named = (text) => h("bdi", {}, text);

/** Return a text as children, what stands in `backticks` as code. */
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

/**
 * Put children in the place of all that an element has. The focus goes to what says the same as what had it, or else to what
 * stands in its place: somebody who uses the keyboard goes on from there, and not from the beginning of the page.
 */
export function put(element, ...children) {
  const had = element.contains(document.activeElement) && document.activeElement !== element ? document.activeElement : null;
  const alike = () => [...element.querySelectorAll(had.localName)], before = had && alike(), said = had && saidBy(had);
  const place = had && before.indexOf(had), turn = had && before.filter((one) => saidBy(one) === said).indexOf(had);
  element.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
  if (had && !had.isConnected) {
    const now = alike(), same = now.filter((one) => saidBy(one) === said);
    (same[turn] ?? same.at(-1) ?? now[place] ?? now.at(-1))?.focus({ preventScroll: true });
  }
  return element;
}

/** Return what an element is called: by itself, by its label without what is chosen in it, or by its text. */
function saidBy(element) {
  const label = element.labels?.[0];
  return element.getAttribute("aria-label") ?? (label ? label.querySelector(":scope > span")?.textContent || label.textContent : element.textContent);
}

/** Return a place and what shows something newer in it, which leaves what has not changed as it is: opened, selected, read. */
export function renewed(make, of) {
  const place = h("div");
  let shown;
  return [place, (given) => {
    const now = JSON.stringify(of(given));
    if (now !== shown) put(place, make(given));
    shown = now;
  }];
}

let told;

/** Say something to the user, also to one who listens; an error stays until the next. An open dialog says it: all else is behind it. */
export function tell(text, kind = "done") {
  const dialog = document.querySelector("dialog[open]");
  const place = dialog ? dialog.querySelector(".said") ?? dialog.appendChild(h("div.said", { role: "status" })) : document.getElementById("told");
  clearTimeout(told);
  put(place, h(`p.told.${kind}`, { role: kind === "wrong" ? "alert" : null }, text, h("button.quiet", { onclick: () => put(place), "aria-label": "Dismiss" }, "×")));
  if (kind === "done") told = setTimeout(() => put(place), 6000);
}

/** Return a function that does the same, and says what went wrong, unless what asked for it was left meanwhile. */
export const heard = (work) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    if (error.name !== "AbortError") tell(error.message, "wrong");
  }
};

/**
 * Make a button that does something, says what went wrong, and cannot be pressed twice meanwhile. It is not `disabled` then,
 * which would take the focus from it.
 */
export function button(label, action, properties = {}) {
  const made = h("button", { type: "button", ...properties }, label);
  made.addEventListener("click", async () => {
    if (made.ariaDisabled) return;
    made.ariaDisabled = "true";
    await heard(action)();
    made.ariaDisabled = null;
  });
  return made;
}

let hints = 0;

/** Make a field with its label above it, and below it a hint that is read out after it. */
export function labelled(label, input, hint) {
  const made = h("label.field", {}, h("span", {}, label), input);
  if (!hint) return made;
  const id = `hint-${(hints += 1)}`;
  input.setAttribute("aria-describedby", id);
  return h("div", {}, made, h("small.muted", { id }, hint));
}

/** Make a choice of values, each [value, text] or a text. */
export function select(options, chosen, onchange, properties = {}) {
  const made = h("select", { onchange: heard((event) => onchange(event.target.value)), ...properties });
  for (const option of options) {
    const [value, text] = Array.isArray(option) ? option : [option, option];
    made.append(h("option", { value, selected: value === chosen }, text));
  }
  made.value = chosen;
  return made;
}

/** Make a table of a caption, heads and rows of cells; a row may be [cells, properties]. It scrolls by itself. */
export function table(caption, heads, rows) {
  return h("div.scroll", { tabindex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("caption.hidden", {}, caption),
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => cell instanceof HTMLTableCellElement ? cell : h("td", {}, typeof cell === "string" ? named(cell) : cell)))))));
}

/** Make the place of a picture: on a narrow screen, where it keeps a size that can be read, it scrolls by itself. */
export function pictured(title, ...children) {
  const narrow = matchMedia("(max-width: 34rem)").matches;
  return h("div.scroll.pictured", narrow ? { tabindex: 0, role: "region", "aria-label": title } : {}, children);
}

/** Make tabs, [name, title, make] each; make() gives the panel's content when it is first shown. */
export function tabs(entries, chosen, onchange) {
  const panel = h("div.panel", { role: "tabpanel", tabindex: 0 });
  const list = h("div.tabs", { role: "tablist" });
  const show = (name, focus) => {
    for (const tab of list.children) {
      const mine = tab.dataset.name === name;
      tab.setAttribute("aria-selected", mine);
      tab.tabIndex = mine ? 0 : -1;
      if (mine && focus) tab.focus();
    }
    panel.setAttribute("aria-labelledby", `tab-${name}`);
    put(panel, entries.find(([one]) => one === name)[2]());
    onchange?.(name);
  };
  for (const [name, title] of entries) {
    list.append(h("button.tab", { role: "tab", id: `tab-${name}`, "data-name": name, onclick: () => show(name) }, title));
  }
  list.addEventListener("keydown", (event) => {
    const names = entries.map(([name]) => name);
    const at = names.indexOf(document.activeElement.dataset.name);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(names[(to + names.length) % names.length], true);
  });
  show(entries.some(([name]) => name === chosen) ? chosen : entries[0][0]);
  return [list, panel];
}
