/** The verdict in words and tables, as the report has it. */

import { h, named, prose, table } from "/page/dom.js";
import { ENDED, difference, labelOf, measured, number, percent } from "/page/format.js";

/** Return what is decided and open, and the first of the reasons, or why there is none yet. */
export function verdictLine(one, report) {
  const { headline, text } = report.verdict;
  if (!text) return ENDED.has(one.status) ? "There is nothing to compare." : "No verdict yet: it is given when runs of two arms have ended.";
  return [headline && [quoting(headline, report), " "], quoting(firstSentence(text, report), report)];
}

/** Return the verdict in full. */
export const verdictText = (report) => (report.verdict.text ? quoting(report.verdict.text, report) : "No verdict yet.");

/** Return the parts of a text: every second one is a label that it quotes. */
const parted = (text, { arms }) => text.split(new RegExp(`(?<=")(${arms.map(({ label }) => label.replace(/[^\w\s]/g, "\\$&")).sort((a, b) => b.length - a.length).join("|")})(?=")`, "s"));

const quoting = (text, report) => parted(text, report).map((part, index) => (index % 2 ? named(part) : part));

/** Return a text up to its first end of a sentence: a point, outside of all labels, that a space and a capital letter or a label follow. */
function firstSentence(text, report) {
  let length = 0;
  for (const [index, part] of parted(text, report).entries()) {
    const end = index % 2 ? -1 : part.search(/\.(?= ["A-Z])/);
    if (end >= 0) return text.slice(0, length + end + 1);
    length += part.length;
  }
  return text;
}

/** Return the arms in the verdict's order, with the places that its decisions leave to each; `spec` has what was declared. */
export function ranking(report, spec) {
  const { metric, verdict } = report, label = labelOf(spec, metric);
  const place = new Map(verdict.order.map((label, index) => [label, index]));
  const arms = [...report.arms].sort((a, b) => (place.get(a.label) ?? 1e9) - (place.get(b.label) ?? 1e9));
  return table(`Arms by ${label}`,
    ["Places", "Arm", `Mean ${label}`, "95 % interval", "P(best)", "Runs", "Diverged"],
    arms.map((arm) => [
      places(arm), h("strong", {}, named(arm.label)), measured(report, metric, arm.mean), ends(arm, (value) => measured(report, metric, value)),
      arm.p_best == null ? "–" : percent(arm.p_best), `${arm.n} of ${arm.runs}`, arm.diverged || "–",
    ]));
}

const places = ({ rank_low: low, rank_high: high }) => (low == null ? "–" : low === high ? low : `${low}–${high}`);

/** Return an interval, its ends written by a function. */
const ends = ({ ci_low: low, ci_high: high }, write) => (low == null ? "–" : `${write(low)} to ${write(high)}`);

/** Return the pairs of arms: the decision about each, its difference over shared seeds, and both intervals. */
export function pairs(report) {
  const { comparisons, alpha, margin } = report, points = (value) => difference(report, value);
  const level = `${number(100 * (1 - alpha), 4)} %`;
  return table("Pairs of arms over shared seeds",
    ["Pair", "Decision", "Difference", `${level} interval, all pairs together`, "This pair alone", "p, adjusted", "Seeds"],
    comparisons.map((one) => [
      h("span", {}, named(one.a), " − ", named(one.b)), decision(one, margin == null ? "" : ` within ${points(margin)}`),
      points(one.difference), ends(one, points), ends(one.individual, points),
      one.p_adjusted == null ? "–" : number(one.p_adjusted, 2), one.n,
    ]));
}

/** Say in words what is decided about a pair. */
function decision({ a, b, decision: what, test }, within) {
  const ranks = test === "ranks" ? " (by ranks, lost runs last)" : "";
  if (what === "better" || what === "worse") return h("span", {}, named(what === "better" ? a : b), ` is better${ranks}`);
  return what === "equivalent" ? `equivalent${within}` : `open${ranks}`;
}

/** Return how much of each arm's spread is whose, of the sources of randomness that vary; nothing where none are named. */
export function spread(report) {
  const { variance } = report, points = (value) => difference(report, value);
  if (!variance) return null;
  const whole = (value) => `${Math.round(100 * value)} %`;
  return [h("h2", {}, "Where the spread comes from"), h("p", {}, variance.text),
    table("Sources of randomness", ["Arm", "Source", "Runs", "Spread by it alone (sd)", "95 % interval", "Share of the variance", "95 % interval"],
      variance.arms.flatMap((arm) => arm.sources.map((one) => [
        arm.label, one.source, one.n, points(one.sd), ends(one.sd_interval, points), one.share ? whole(one.share.estimate) : "–", one.share ? ends(one.share, whole) : "–",
      ])))];
}

/** Return the findings: what is wrong with an arm, and what explains it; once where it is the same of several arms. */
export function findings(report) {
  if (!report.findings.length) return h("p", {}, "Nothing was found to be wrong with any arm.");
  const alike = Map.groupBy(report.findings, ({ kind, layer, step, explanation, explained_by }) => JSON.stringify([kind, layer, step, explanation, explained_by]));
  return h("ul.findings", {}, [...alike.values()].map((those) => h("li", {},
    those.map(({ arm }, index) => [index ? ", " : "", h("strong", {}, named(arm))]), ` · ${those[0].kind.replaceAll("_", " ")}`, those[0].layer && ` in ${those[0].layer}`, ` at update ${those[0].step}`,
    h("p", {}, prose(those[0].explanation)), those[0].explained_by && h("p.muted", {}, `It follows from: ${those[0].explained_by.replaceAll("_", " ")}.`))));
}
