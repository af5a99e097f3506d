/** The curves of an experiment: every seed a faint line, every arm its mean and interval, live while it trains. */

import { h, put, labelled, select } from "/page/dom.js";
import { colorOf, dashOf } from "/page/colors.js";
import { counted, metricName } from "/page/format.js";
import { figure, library, place, release } from "/page/chart.js";
import { Choice, switches } from "/page/choice.js";
import { PARTS, band, meant, thin } from "/page/statistics.js";

const SECOND = 1000, FRAME = 250, MOST = 2500, DOTTED = 40;

/** The units of the axis below: from an update, or an epoch, of a run of an arm. */
export const UNITS = {
  update: { title: "update", of: (arm, step) => step, epoch: (arm, epoch) => (epoch + 1) * arm.stepsPerEpoch },
  epoch: { title: "epoch", of: (arm, step) => step / arm.stepsPerEpoch, epoch: (arm, epoch) => epoch + 1 },
  examples: { title: "training examples seen", of: (arm, step) => step * arm.batchSize, epoch: (arm, epoch) => (epoch + 1) * arm.stepsPerEpoch * arm.batchSize },
  seconds: { title: "seconds since its first update (mean speed of the arm)", of: (arm, step) => step * arm.secondsPerStep, epoch: (arm, epoch) => (epoch + 1) * arm.stepsPerEpoch * arm.secondsPerStep },
};

/** Return how a chart looks at first: its axes, and what is drawn of an arm. */
export const LOOKS = () => ({ unit: "update", x: "linear", y: "linear", seeds: true, band: true });

/** What must be known of an arm for a unit: one of updates for points by epoch, and of epochs for points by update, how many there are. */
const NEEDS = {
  update: (arm) => arm.per !== "epoch" || arm.stepsPerEpoch,
  epoch: (arm) => arm.per === "epoch" || arm.stepsPerEpoch,
  examples: (arm) => arm.batchSize && NEEDS.update(arm),
  seconds: (arm) => arm.secondsPerStep && NEEDS.update(arm),
};

/**
 * A chart of one metric, with switches for arms, axes and seeds. `arms` as of `facts`, `choice` of those that are shown;
 * `looks` are written into, so that another chart looks the same.
 */
export class Curves {
  constructor(series, arms, metric, { title = metricName(metric), choice = new Choice(), looks = LOOKS() } = {}) {
    this.series = series;
    this.arms = arms;
    this.metric = metric;
    this.title = title;
    this.choice = choice;
    this.closed = new AbortController();
    choice.addEventListener("change", () => this.arms.forEach(({ label }) => this.show(label)), { signal: this.closed.signal });
    this.looks = looks;
    this.place = h("div.plot", { role: "img", "aria-label": `${title} of every arm` });
    this.note = h("p.muted");
    this.controls = h("div", {}, this.switches());
    this.element = h("div", {}, this.controls, this.place, switches(arms.map(({ label }) => label), choice, this.closed.signal), this.note);
  }

  switches() {
    const choose = (name, label, options) => labelled(label, select(options, this.looks[name], (value) => {
      this.looks[name] = value;
      this.build();
    }));
    const tick = (name, label) => h("label.tick", {}, h("input", { type: "checkbox", checked: this.looks[name], onchange: (event) => {
      this.looks[name] = event.target.checked;
      this.build();
    } }), label);
    this.units = Object.keys(UNITS).filter((unit) => this.arms.every(NEEDS[unit]));
    if (!this.units.length) this.units = ["update"];  // beside each other, of which one counts by epochs alone
    if (!this.units.includes(this.looks.unit)) this.looks.unit = this.units[0];
    return h("div.switches", {},
      choose("unit", "Axis", this.units), choose("x", "Scale →", ["linear", "log"]), choose("y", "Scale ↑", ["linear", "log"]),
      tick("seeds", "each seed"), tick("band", "95 % interval"));
  }

  /** Take what is known of the same arms by now: of runs that have ended it is known how long they took. */
  renew(arms) {
    this.arms = arms;
    const before = String(this.units), made = this.switches();
    if (String(this.units) !== before) put(this.controls, made);
    this.refresh();
  }

  /** Draw an arm, or leave it out, as is chosen. Dots are drawn of few points. */
  show(label) {
    const { drawn = [], dots, few } = this.parts?.get(label) ?? {};
    for (const one of drawn) one.visible = this.choice.shows(label);
    if (dots) dots.visible = few && this.choice.shows(label);
  }

  /** Make the figure anew, for other axes or colours. */
  async build() {
    const Bokeh = await library();
    const { unit, x, y, seeds, band: banded } = this.looks;
    const made = await figure({ x: UNITS[unit].title, y: this.title, xScale: x, yScale: y });
    this.parts = new Map();
    this.sources = this.arms.map(({ label }, index) => {
      const lines = new Bokeh.ColumnDataSource({ data: { xs: [], ys: [] } });
      const means = new Bokeh.ColumnDataSource({ data: { x: [], mean: [], low: [], high: [] } });
      const color = colorOf(index), dash = dashOf(index), drawn = [];
      if (banded) drawn.push(made.varea({ field: "x" }, { field: "low" }, { field: "high" }, { source: means, fill_color: color, fill_alpha: 0.15 }));
      if (seeds) drawn.push(made.multi_line({ field: "xs" }, { field: "ys" }, { source: lines, line_color: color, line_alpha: 0.3 }));
      drawn.push(made.line({ field: "x" }, { field: "mean" }, { source: means, line_color: color, line_width: 2.5, line_dash: dash }));
      const dots = made.scatter({ field: "x" }, { field: "mean" }, { source: means, marker: "circle", size: 5, fill_color: color, line_color: color, visible: false });
      this.parts.set(label, { drawn, dots, few: false });
      this.show(label);
      return { lines, means };
    });
    this.fill();
    release(this.view);
    this.view = await place(made, this.place);
  }

  /** Show what the series are now, a few times a second at most. */
  refresh() {
    if (this.waiting || !this.sources) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.fill();
    }, FRAME);
  }

  fill() {
    const { unit, x, y } = this.looks;
    const drawable = (value, scale) => Number.isFinite(value) && (scale === "linear" || value > 0);
    let lost = 0, points = 0, low = 0, first = 0, some = false;
    this.arms.forEach((arm, index) => {
      const mine = this.series.all.filter((one) => one.arm === arm.label);
      const where = (step) => (mine[0].unit === "epoch" ? UNITS[unit].epoch(arm, step) : UNITS[unit].of(arm, step));
      /** Return what can be drawn of places and values, as lists of each. */
      const shown = (steps, ...columns) => {
        const xs = steps.map(where), kept = xs.map((_, at) => at).filter((at) => columns[0][at] !== null && drawable(columns[0][at], y) && drawable(xs[at], x));
        return [xs, ...columns].map((column) => kept.map((at) => column[at]));
      };
      const drawn = mine.map(({ steps, values }) => shown(steps, values));
      for (const { steps, values } of mine) values.forEach((value, at) => {
        if (value === null || (drawable(value, y) && drawable(where(steps[at]), x))) return;
        if (drawable(value, y)) first += 1;
        else low += 1;
      });
      some ||= mine.some(({ means }) => means);
      const lines = mine.map(meant);
      mine.forEach(({ values, total = values.length }, at) => (lost += total - lines[at][2].reduce((sum, count) => sum + count, 0)));
      points += drawn.reduce((sum, [xs]) => sum + xs.length, 0);
      const { lines: source, means } = this.sources[index];
      const thinned = drawn.map(([xs, ys]) => thin(xs, ys, MOST));
      source.data = { xs: thinned.map(([xs]) => xs), ys: thinned.map(([, ys]) => ys) };
      const found = band(lines, PARTS), [at, mean, half] = shown(found.x, found.mean, found.half);
      const end = y === "log" ? (value, part) => value * Math.exp(Math.max(-7, Math.min(7, part / value))) : (value, part) => value + part;  // as the picture of the loss has it
      means.data = { x: at, mean, low: mean.map((value, place) => end(value, -half[place])), high: mean.map((value, place) => end(value, half[place])) };
      this.parts.get(arm.label).few = at.length > 0 && at.length <= DOTTED;
      this.show(arm.label);
    });
    this.note.textContent = [
      points
        ? "Faint lines are seeds; the strong one is an arm's mean over them, with its 95 % interval (Student's t)" + (y === "log" ? ", m·exp(±h/m) of the interval m ± h." : ".")
        : low || first ? "There is nothing to draw on a logarithmic scale." : "There is nothing to draw: no run has a finite point of this metric.",
      low ? `${some ? "Some values" : counted(low, "value")} ${low === 1 && !some ? "is" : "are"} not positive, and not drawn on a logarithmic scale.` : "",
      first ? `${counted(first, "point")} at 0 of the axis below ${first === 1 ? "is" : "are"} not drawn on a logarithmic scale.` : "",
      lost ? `${lost} values are not finite, and not drawn.` : "",
    ].join(" ");
  }

  close() {
    this.closed.abort();
    clearTimeout(this.waiting);
    release(this.view);
  }
}

/**
 * Return of every arm what the axes of a metric need: its label, updates an epoch, batch size and seconds an update; 0 where
 * that is not known, as the batch size is not of arms that a grid or a scan made of several. `per` is what the points of
 * one that is trained elsewhere are counted in, as declared.
 *
 * Runs that train together begin together, and an update takes all of them the same time: all have the speed of the one
 * that made the most. How long one took that diverged at once is above all how long it began, so the updates of all count.
 */
export function facts(one, runs, metric) {
  const { spec } = one;
  const listed = spec.arms?.length === one.arms.length;
  const several = !listed && (spec.batch_size_scan || "batch_size" in (spec.grid ?? {}));
  const elsewhere = spec.kind === "external", per = elsewhere ? spec.metrics.find(({ name }) => name === metric)?.per ?? "epoch" : null;
  const timed = runs.filter((run) => run.started_at && run.finished_at && run.steps_done);
  const longest = new Map();
  for (const run of timed) if (!(run.steps_done <= longest.get(run.started_at)?.steps_done)) longest.set(run.started_at, run);
  const sum = (found, of) => found.reduce((total, run) => total + of(run), 0);
  return one.arms.map((arm, index) => {
    const own = { ...spec, ...(listed ? spec.arms[index] : {}) };
    const mine = timed.filter((run) => run.arm === arm.label).map((run) => longest.get(run.started_at));
    return {
      label: arm.label,
      per,
      stepsPerEpoch: elsewhere ? spec.steps_per_epoch ?? 0 : one.steps_per_epoch[index],
      batchSize: several ? 0 : own.batch_size ?? spec.batch_size ?? 0,
      secondsPerStep: mine.length && sum(mine, (run) => new Date(run.finished_at) - new Date(run.started_at)) / SECOND / sum(mine, (run) => run.steps_done),
    };
  });
}
