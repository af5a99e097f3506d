/** The verdict in words and tables, as the report has it. */

import { h, table } from "/page/dom.js";
import { ENDED, isShare, labelOf, measured, number, percent } from "/page/format.js";

/** Return what is decided and open, and the first of the reasons, or why there is none yet. */
export function verdictLine(one, { verdict: { headline, text } }) {
  if (text) return [headline, firstSentence(text)].filter(Boolean).join(" ");
  return ENDED.has(one.status) ? "There is nothing to compare." : "No verdict yet: it is given when runs of two arms have ended.";
}

/** Return a text up to its first end of a sentence: a point that is followed by a space and a capital letter. */
const firstSentence = (text) => text.match(/^.*?\.(?= [A-Z]|$)/s)?.[0] ?? text;

/** Return the arms in the verdict's order, with the places that its decisions leave to each; `spec` has what was declared. */
export function ranking(report, spec) {
  const { metric, verdict } = report, label = labelOf(spec, metric);
  const place = new Map(verdict.order.map((label, index) => [label, index]));
  const arms = [...report.arms].sort((a, b) => (place.get(a.label) ?? 1e9) - (place.get(b.label) ?? 1e9));
  return table(`Arms by ${label}`,
    ["Places", "Arm", `Mean ${label}`, "95 % interval", "P(best)", "Runs", "Diverged"],
    arms.map((arm) => [
      places(arm), h("strong", {}, arm.label), measured(metric, arm.mean), ends(arm, (value) => measured(metric, value)),
      arm.p_best == null ? "–" : percent(arm.p_best), `${arm.n} of ${arm.runs}`, arm.diverged || "–",
    ]));
}

const places = ({ rank_low: low, rank_high: high }) => (low == null ? "–" : low === high ? low : `${low}–${high}`);

/** Return an interval, its ends written by a function. */
const ends = ({ ci_low: low, ci_high: high }, write) => (low == null ? "–" : `${write(low)} to ${write(high)}`);

/** Return the pairs of arms: the decision about each, its difference over shared seeds, and both intervals. */
export function pairs({ metric, comparisons, alpha, margin }) {
  const level = `${number(100 * (1 - alpha), 4)} %`;
  return table("Pairs of arms over shared seeds",
    ["Pair", "Decision", "Difference", `${level} interval, all pairs together`, "This pair alone", "p, adjusted", "Seeds"],
    comparisons.map((one) => [
      `${one.a} − ${one.b}`, decision(one, margin == null ? "" : ` within ${difference(metric, margin)}`),
      difference(metric, one.difference), ends(one, (value) => difference(metric, value)),
      ends(one.individual, (value) => difference(metric, value)),
      one.p_adjusted == null ? "–" : number(one.p_adjusted, 2), one.n,
    ]));
}

/** Say in words what is decided about a pair. */
function decision({ a, b, decision: what, test }, within) {
  const ranks = test === "ranks" ? " (by ranks, lost runs last)" : "";
  if (what === "better" || what === "worse") return `${what === "better" ? a : b} is better${ranks}`;
  return what === "equivalent" ? `equivalent${within}` : `open${ranks}`;
}

const difference = (metric, value) => (value == null ? "–" : isShare(metric, value) ? `${(100 * value).toFixed(1)} points` : number(value));

/** Return how much of each arm's spread is whose, of the sources of randomness that vary; nothing where none are named. */
export function spread({ metric, variance }) {
  if (!variance) return null;
  const whole = (value) => `${Math.round(100 * value)} %`;
  return [h("h2", {}, "Where the spread comes from"), h("p", {}, variance.text),
    table("Sources of randomness", ["Arm", "Source", "Runs", "Spread by it alone (sd)", "95 % interval", "Share of the variance", "95 % interval"],
      variance.arms.flatMap((arm) => arm.sources.map((one) => [
        arm.label, one.source, one.n, difference(metric, one.sd), ends(one.sd_interval, (value) => difference(metric, value)), one.share ? whole(one.share.estimate) : "–", one.share ? ends(one.share, whole) : "–",
      ])))];
}

/** Return the findings: what is wrong with an arm, and what explains it. */
export function findings(report) {
  if (!report.findings.length) return h("p", {}, "Nothing was found to be wrong with any arm.");
  return h("ul.findings", {}, report.findings.map((one) => h("li", {},
    h("strong", {}, one.arm), " · ", one.kind.replaceAll("_", " "), one.layer && ` in ${one.layer}`, ` at update ${one.step}`,
    h("p", {}, one.explanation), one.explained_by && h("p.muted", {}, `It follows from: ${one.explained_by.replaceAll("_", " ")}.`))));
}
