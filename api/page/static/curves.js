/** The curves of an experiment: every seed a faint line, every arm its mean and interval, live while it trains. */

import { h, put, labelled, select } from "/page/dom.js";
import { colorOf, dashOf } from "/page/colors.js";
import { metricName } from "/page/format.js";
import { figure, library, place, release } from "/page/chart.js";
import { Choice, switches } from "/page/choice.js";
import { band, thin } from "/page/statistics.js";

const SECOND = 1000, FRAME = 250, PARTS = 400, MOST = 2500, DOTTED = 40;

/** The units of the axis below: from an update, or an epoch, of a run of an arm. */
export const UNITS = {
  update: { title: "update", of: (arm, step) => step, epoch: (arm, epoch) => (epoch + 1) * arm.stepsPerEpoch },
  epoch: { title: "epoch", of: (arm, step) => step / arm.stepsPerEpoch, epoch: (arm, epoch) => epoch + 1 },
  examples: { title: "training examples seen", of: (arm, step) => step * arm.batchSize, epoch: (arm, epoch) => (epoch + 1) * arm.stepsPerEpoch * arm.batchSize },
  seconds: { title: "seconds since its first update (mean speed of the arm)", of: (arm, step) => step * arm.secondsPerStep, epoch: (arm, epoch) => (epoch + 1) * arm.stepsPerEpoch * arm.secondsPerStep },
};

/** A chart of one metric, with switches for arms, axes and seeds. `arms` as of `facts`, `choice` of those that are shown. */
export class Curves {
  constructor(series, arms, metric, { title = metricName(metric), choice = new Choice() } = {}) {
    this.series = series;
    this.arms = arms;
    this.title = title;
    this.choice = choice;
    this.closed = new AbortController();
    choice.addEventListener("change", () => this.arms.forEach(({ label }) => this.show(label)), { signal: this.closed.signal });
    this.looks = { unit: "update", x: "linear", y: "linear", seeds: true, band: true };
    this.place = h("div.plot", { role: "img", "aria-label": `${title} of every arm` });
    this.note = h("p.muted");
    this.element = h("div", {}, this.switches(), this.place, switches(arms.map(({ label }) => label), choice, this.closed.signal), this.note);
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
    const known = { seconds: (arm) => arm.secondsPerStep, examples: (arm) => arm.batchSize };
    const units = Object.keys(UNITS).filter((unit) => this.arms.every(known[unit] ?? (() => true)));
    return h("div.switches", {},
      choose("unit", "Axis", units), choose("x", "Scale →", ["linear", "log"]), choose("y", "Scale ↑", ["linear", "log"]),
      tick("seeds", "each seed"), tick("band", "95 % interval"));
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
    let lost = 0, points = 0;
    this.arms.forEach((arm, index) => {
      const lines = this.series.all.filter((one) => one.arm === arm.label).map(({ unit: counted, steps, values }) => {
        const xs = [], ys = [];
        steps.forEach((step, at) => {
          const where = counted === "epoch" ? UNITS[unit].epoch(arm, step) : UNITS[unit].of(arm, step);
          if (values[at] !== null && drawable(values[at], y) && drawable(where, x)) {
            xs.push(where);
            ys.push(values[at]);
            points += 1;
          } else lost += values[at] === null;
        });
        return [xs, ys];
      });
      const { lines: source, means } = this.sources[index];
      const drawn = lines.map(([xs, ys]) => thin(xs, ys, MOST));
      source.data = { xs: drawn.map(([xs]) => xs), ys: drawn.map(([, ys]) => ys) };
      const { x: at, mean, low, high } = band(lines, PARTS);
      const floor = y === "log" ? mean.map((value, place) => Math.max(low[place], value / 1e3)) : low;
      means.data = { x: at, mean, low: floor, high };
      this.parts.get(arm.label).few = at.length > 0 && at.length <= DOTTED;
      this.show(arm.label);
    });
    this.note.textContent = [
      points
        ? "Faint lines are seeds; the strong one is an arm's mean over them, with its 95 % interval (Student's t)."
        : "There is nothing to draw: no run has a finite point of this metric.",
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
 * Return of every arm what the axes need: its label, updates an epoch, batch size and seconds an update; 0 where that is
 * not known, as the batch size is not of arms that a grid or a scan made of several.
 */
export function facts(one, runs) {
  const { spec } = one, elsewhere = spec.kind === "external";
  const listed = spec.arms?.length === one.arms.length;
  const several = !listed && (spec.batch_size_scan || "batch_size" in (spec.grid ?? {}));
  return one.arms.map((arm, index) => {
    const own = { ...spec, ...(listed ? spec.arms[index] : {}) };
    const mine = runs.filter((run) => run.arm === arm.label);
    const epochs = own.epochs ?? spec.epochs;
    const timed = mine.filter((run) => run.started_at && run.finished_at && run.steps_done);
    const seconds = timed.map((run) => (new Date(run.finished_at) - new Date(run.started_at)) / SECOND / run.steps_done);
    return {
      label: arm.label,
      stepsPerEpoch: elsewhere ? own.steps_per_epoch ?? 1 : Math.max(1, arm.steps_total / arm.runs_total / epochs) || 1,
      batchSize: several ? 0 : own.batch_size ?? spec.batch_size ?? 0,
      secondsPerStep: seconds.length ? seconds.reduce((sum, value) => sum + value, 0) / seconds.length : 0,
    };
  });
}
