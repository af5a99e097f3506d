/** Formulas of the catalogue as MathML, by the page's own script; without scripts they stay text. */

import { formula } from "./formula.js";

for (const place of document.querySelectorAll("div.formula")) {
  place.replaceChildren(formula(place.textContent.trim()));
}
