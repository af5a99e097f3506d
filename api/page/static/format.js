/** Numbers, times and states in words, in one style. */

/** Write a number with at most so many digits that count: 0.0432, 12.3, 4.6·10⁻⁷. */
export function number(value, digits = 3) {
  if (value == null || !Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e");
    return `${mantissa}·10${superscript(Number(power))}`;
  }
  return Number(value.toPrecision(digits)).toLocaleString("en", { maximumSignificantDigits: Math.max(digits, String(Math.trunc(Math.abs(value))).length) });
}

const superscript = (power) => String(power).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);

/** Write a share in percent with one digit, as reports do. */
export const percent = (value) => (value == null ? "–" : `${(100 * value).toFixed(1)} %`);

/** Write a count with thousands apart. */
export const count = (value) => (value == null ? "–" : value.toLocaleString("en"));

/** Write a count with its noun: 1 arm, 2 arms. */
export const counted = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** Write seconds in their largest units: 3 s, 2 min 5 s, 4 h 10 min, 2 d 3 h. */
export function duration(seconds, most = 2) {
  if (seconds == null) return "–";
  if (seconds < 1) return "under 1 s";
  const whole = Math.round(seconds);
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = parts.findIndex(([unit]) => whole >= unit);
  return parts.slice(at, at + most)
    .map(([unit, name], index) => [Math.floor(index ? (whole % parts[at][0]) / unit : whole / unit), name])
    .filter(([amount], index) => amount || !index)
    .map(([amount, name]) => `${amount} ${name}`).join(" ");
}

/** Write bytes: 12 kB, 3.4 MB. */
export function bytes(value) {
  const at = Math.min(4, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  return `${number(value / 1000 ** at)} ${["B", "kB", "MB", "GB", "TB"][at]}`;
}

/** Write an instant of the API in the reader's time zone. */
export const instant = (text) => (text ? new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "–");

/** Write how long ago an instant was, in its largest unit. */
export const ago = (text) => `${duration(Math.max(0, (Date.now() - new Date(text)) / 1000), 1)} ago`.replaceAll(" ", "\u00a0");

/** Return the state of an experiment in a word that people see. */
export const state = (one) => (one.cancelling ? "cancelling" : one.paused ? "paused" : one.status);

/** Return whether nobody knows how long its runs will be: they are trained elsewhere, and nothing was said of it. */
const isOpenEnded = ({ spec }) => spec.kind === "external" && spec.steps == null;

/** Return how much of it, or of an arm of it, is done: [done, total] in updates, in runs where nobody knows how long they will be. */
export const done = (one, of = one.progress) => (isOpenEnded(one) ? [of.runs_done, of.runs_total] : [of.steps_done, of.steps_total]);

/** Write the updates that it has made, of those that it is to make where that is known. */
export function updates(one) {
  const { steps_done: made, steps_total: all } = one.progress;
  if (!isOpenEnded(one)) return `${count(made)} of ${count(all)} updates`;
  return counted(made, one.spec.metrics.some(({ per }) => per === "step") || one.spec.steps_per_epoch ? "update" : "epoch");
}

/** Write the time that is left of it; "" where that is not known. */
export const left = (one) => (one.progress.eta_seconds == null || isOpenEnded(one) ? "" : `${duration(one.progress.eta_seconds)} left`);

export const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** Write the name of a metric for people: valid_accuracy -> validation accuracy. */
export const metricName = (name) => name.replace(/^valid_/, "validation ").replace(/^train_/, "training ").replace(/^lr$/, "learning rate").replaceAll("_", " ");

/** Return the name of a metric for people, in an experiment of this spec: as it was declared, where it was. */
export const labelOf = (spec, name) => spec.metrics?.find((one) => one.name === name)?.label ?? metricName(name);

/** Return the metrics that its runs have series of: those declared, or had by a run that has ended, or foreseen by the report. */
export function measuredIn({ spec }, runs, report) {
  if (spec.kind === "external") return spec.metrics.map(({ name }) => name);
  const finals = runs.flatMap((run) => Object.keys(run.final));
  const foreseen = Object.keys(report?.arms[0]?.outcomes ?? {}).filter((name) => /^(train|valid)_/.test(name));
  return [...new Set(["train_loss", "valid_loss", ...[...new Set([...foreseen, ...finals])].sort(), "lr"])];
}

/** Write a value of a metric in an experiment of this report: of shares in percent, of all else as it is. */
export const measured = ({ shares }, name, value) => (shares.includes(name) ? percent(value) : number(value, 4));

/** Write a difference of two values of the report's metric: of shares in percentage points. */
export const difference = ({ shares, metric }, value) => (value == null ? "–" : shares.includes(metric) ? `${(100 * value).toFixed(1)} points` : number(value));
