/** The verdict in words and tables, as the report has it. */

import { h, table } from "/page/dom.js";
import { ENDED, isShare, measured, metricName, number, percent } from "/page/format.js";

/** Return the report's first sentence, or the reason why there is none yet. */
export function verdictLine(one, report) {
  if (report.verdict.text) return [decided(report), firstSentence(report.verdict.text)].filter(Boolean).join(" ");
  return ENDED.has(one.status) ? "There is nothing to compare." : "No verdict yet: it is given when runs of two arms have ended.";
}

/** Say which arms the foremost one beats, and of which that is open: the best mean alone decides nothing. */
function decided({ baseline, comparisons, verdict: { beats, groups } }) {
  const foremost = groups[0]?.[0];
  if (baseline || !foremost) return "";
  const won = beats.filter(({ winner }) => winner === foremost).map(({ loser }) => loser);
  const open = comparisons.filter(({ a, b }) => a === foremost || b === foremost).map(({ a, b }) => (a === foremost ? b : a)).filter((label) => !won.includes(label));
  return `Decided: ${won.length ? `${foremost} is better than ${won.join(", ")}` : "nothing"}; open: ${open.length ? `${foremost} against ${open.join(", ")}` : "nothing"}.`;
}

/** Return a text up to its first end of a sentence: a point that is followed by a space and a capital letter. */
const firstSentence = (text) => text.match(/^.*?\.(?= [A-Z]|$)/s)?.[0] ?? text;

/** Return the places of the arms: groups that cannot be told apart, best first. */
export function ranking(report) {
  const { metric, verdict } = report;
  const place = new Map(verdict.groups.flatMap((labels, index) => labels.map((label) => [label, index + 1])));
  const arms = [...report.arms].sort((a, b) => (place.get(a.label) ?? 1e9) - (place.get(b.label) ?? 1e9) || (b.p_best ?? -1) - (a.p_best ?? -1));
  return table(`Arms by ${metricName(metric)}`,
    ["Place", "Arm", `Mean ${metricName(metric)}`, "95 % interval", "P(best)", "Runs", "Diverged"],
    arms.map((arm) => [
      place.get(arm.label) ?? "–", h("strong", {}, arm.label), measured(metric, arm.mean),
      arm.ci_low == null ? "–" : `${measured(metric, arm.ci_low)} to ${measured(metric, arm.ci_high)}`,
      arm.p_best == null ? "–" : percent(arm.p_best), `${arm.n} of ${arm.runs}`, arm.diverged || "–",
    ]));
}

/** Return the pairs of arms with their difference over shared seeds. */
export function pairs(report) {
  const { metric, comparisons } = report;
  return table("Pairs of arms over shared seeds", ["Pair", "Difference", "95 % interval", "p, adjusted", "Seeds", "Decided"],
    comparisons.map((one) => [
      `${one.a} − ${one.b}`, difference(metric, one.difference),
      one.ci_low == null ? "–" : `${difference(metric, one.ci_low)} to ${difference(metric, one.ci_high)}`,
      one.p_adjusted == null ? "–" : number(one.p_adjusted, 2), one.n, one.better ? `${one.better} is better` : "open",
    ]));
}

const difference = (metric, value) => (value == null ? "–" : isShare(metric) ? `${(100 * value).toFixed(1)} points` : number(value));

/** Return the findings: what is wrong with an arm, and what explains it. */
export function findings(report) {
  if (!report.findings.length) return h("p", {}, "Nothing was found to be wrong with any arm.");
  return h("ul.findings", {}, report.findings.map((one) => h("li", {},
    h("strong", {}, one.arm), " · ", one.kind.replaceAll("_", " "), one.layer && ` in ${one.layer}`, ` at update ${one.step}`,
    h("p", {}, one.explanation), one.explained_by && h("p.muted", {}, `It follows from: ${one.explained_by.replaceAll("_", " ")}.`))));
}
