/** Small charts: a mean line of each arm, as SVG. */

import { svg } from "/page/dom.js";
import { band, meant } from "/page/statistics.js";

const WIDTH = 120, HEIGHT = 32;

/** Points of a series, and parts of its mean, that one shows. */
export const POINTS = 40;

/** Draw series of the API as one line an arm, the mean over its seeds. */
export function sparkline(series, arms, label) {
  const lines = arms.map((arm) => mean(series.filter((one) => one.arm === arm)));
  const all = lines.flat();
  if (!all.length) return null;
  const [left, right] = extent(all.map(([x]) => x)), [low, high] = extent(all.map(([, y]) => y));
  const at = ([x, y]) => `${(2 + ((WIDTH - 4) * (x - left)) / (right - left || 1)).toFixed(1)},${(HEIGHT - 3 - ((HEIGHT - 6) * (y - low)) / (high - low || 1)).toFixed(1)}`;
  return svg("svg.sparkline", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": label },
    lines.map((line, index) => line.length > 1
      ? svg(`polyline.key-${index % 10}`, { points: line.map(at).join(" ") })
      : line.map((point) => svg(`circle.key-${index % 10}`, { cx: at(point).split(",")[0], cy: at(point).split(",")[1], r: 2 }))));
}

function mean(series) {
  const { x, mean: values } = band(series.map(meant), POINTS);
  return x.map((step, index) => [step, values[index]]);
}

const extent = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
