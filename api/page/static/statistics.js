/** Numbers for charts: series made thin with their spikes kept, and means over seeds with their intervals. */

/** The 97.5 % points of Student's t for 1 to 30 degrees of freedom; beyond them the normal's will do for a band. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042];
export const t975 = (freedom) => T[freedom - 1] ?? 1.96;

/** Parts of the axis that a mean is drawn of, and that are asked for of series that the API thins. */
export const PARTS = 400;

/** Keep at most `most` points of a line: the lowest and the highest of each of its parts, in their order. */
export function thin(xs, ys, most) {
  if (xs.length <= most) return [xs, ys];
  const parts = Math.max(1, Math.floor(most / 2));
  const keptX = [], keptY = [];
  for (let part = 0; part < parts; part += 1) {
    const from = Math.floor((part * xs.length) / parts), to = Math.floor(((part + 1) * xs.length) / parts);
    let low = from, high = from;
    for (let index = from + 1; index < to; index += 1) {
      if (ys[index] < ys[low]) low = index;
      if (ys[index] > ys[high]) high = index;
    }
    for (const index of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) {
      keptX.push(xs[index]);
      keptY.push(ys[index]);
    }
  }
  return [keptX, keptY];
}

/** Return the points of a series of the API that a mean is made of: its finite points, or where it was thinned their means. */
export function meant({ steps, values, means }) {
  const of = means ?? { steps, values }, kept = [[], [], []];
  of.values.forEach((value, index) => {
    if (value === null) return;
    kept[0].push(of.steps[index]);
    kept[1].push(value);
    kept[2].push(of.counts?.[index] ?? 1);
  });
  return kept;
}

/**
 * Return the mean of lines of `meant` with half its 95 % interval by Student's t, in at most `most` parts of the steps: of
 * each part the mean of every line's own mean, at the mean of their steps. A part is left out unless all lines that reach
 * it have points in it; parts are as wide as leaves the most of them, where lines have their points at different steps.
 *
 * Widths are powers of two and parts begin at their multiples, as in the API's means: of those the same comes out as of all points.
 */
export function band(lines, most) {
  let parts = lines.filter(([steps]) => steps.length), width = 1, best = null;
  if (!parts.length) return { x: [], mean: [], half: [] };
  const first = Math.min(...parts.map(([steps]) => steps[0])), last = Math.max(...parts.map(([steps]) => steps.at(-1)));
  const count = () => Math.floor(last / width) - Math.floor(first / width) + 1;
  while (count() > most) width *= 2;
  do {
    parts = parts.map((line) => merged(line, width));
    const found = complete(parts, width);
    if (!best || found.length > best.length) best = found;
    width *= 2;
  } while (count() > best.length);
  const found = { x: [], mean: [], half: [] };
  for (const [steps, values] of best) {
    const n = values.length, mean = average(values);
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
    found.x.push(average(steps));
    found.mean.push(mean);
    found.half.push(n > 1 ? t975(n - 1) * Math.sqrt(variance / n) : 0);
  }
  return found;
}

const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Put the points of a line that are in one part together: [mean steps, means, counts]. */
function merged([steps, values, counts], width) {
  const made = [[], [], []];
  let at = -1, part = null;
  steps.forEach((step, index) => {
    const count = counts[index], place = Math.floor(step / width);
    if (place !== part) {
      at = made[0].push(0) - 1;
      made[1].push(0);
      made[2].push(0);
      part = place;
    }
    const share = count / (made[2][at] += count);
    made[0][at] += (step - made[0][at]) * share;
    made[1][at] += (values[index] - made[1][at]) * share;
  });
  return made;
}

/**
 * Return of each part in which all lines that reach it have points their [steps, values]. A line reaches as far beyond its
 * ends as its points are apart: in between it had none to have.
 */
function complete(lines, width) {
  const parts = new Map(), from = new Map(), behind = new Map();
  const place = (step) => Math.floor(step / width), add = (places, at) => places.set(at, (places.get(at) ?? 0) + 1);
  for (const [steps, values, counts] of lines) {
    const n = steps.length, first = steps[0], last = steps[n - 1];
    const apart = (one, next) => (n > 1 ? (2 * (steps[next] - steps[one])) / (counts[one] + counts[next]) : 0);
    add(from, Math.min(place(first), place(first - apart(0, 1) + 1)));
    add(behind, Math.max(place(last) + 1, Math.ceil((last + apart(n - 2, n - 1)) / width)));
    steps.forEach((step, index) => {
      if (!parts.has(place(step))) parts.set(place(step), [[], []]);
      parts.get(place(step))[0].push(step);
      parts.get(place(step))[1].push(values[index]);
    });
  }
  const ends = [...from.keys(), ...behind.keys()].sort((a, b) => a - b);
  let reaching = 0, end = 0;
  return [...parts].sort(([a], [b]) => a - b).filter(([at, [steps]]) => {
    for (; ends[end] <= at; end += 1) {
      if (ends[end] === ends[end - 1]) continue;
      reaching += (from.get(ends[end]) ?? 0) - (behind.get(ends[end]) ?? 0);
    }
    return steps.length === reaching;
  }).map(([, found]) => found);
}
