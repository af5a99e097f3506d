/** Numbers for charts: series made thin with their spikes kept, and means over seeds with their intervals. */

/** The 97.5 % points of Student's t for 1 to 30 degrees of freedom; beyond them the normal's will do for a band. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042];
export const t975 = (freedom) => T[freedom - 1] ?? 1.96;

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

/**
 * Return the mean of lines [xs, ys] with half its 95 % interval by Student's t, in at most `parts` parts of the axis: of each
 * part the mean of every line's own mean. A part is left out unless all lines that reach so far have points in it.
 */
export function band(lines, parts) {
  const ends = lines.filter(([xs]) => xs.length);
  if (!ends.length) return { x: [], mean: [], half: [] };
  const left = Math.min(...ends.map(([xs]) => xs[0])), right = Math.max(...ends.map(([xs]) => xs.at(-1)));
  const distinct = Math.max(...ends.map(([xs]) => xs.length));
  const bins = Math.min(parts, distinct), width = (right - left) / Math.max(1, bins - 1) || 1;
  const cells = Array.from({ length: bins }, () => []);
  for (const [xs, ys] of ends) {
    const sums = new Float64Array(bins), counts = new Uint32Array(bins);
    xs.forEach((x, index) => {
      const bin = Math.min(bins - 1, Math.round((x - left) / width));
      sums[bin] += ys[index];
      counts[bin] += 1;
    });
    counts.forEach((count, bin) => count && cells[bin].push(sums[bin] / count));
  }
  const found = { x: [], mean: [], half: [] };
  cells.forEach((values, bin) => {
    const n = values.length;
    if (!n) return;
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
    found.x.push(left + bin * width);
    found.mean.push(mean);
    found.half.push(n > 1 ? t975(n - 1) * Math.sqrt(variance / n) : 0);
  });
  return found;
}
