/** The series of an experiment: all at once where it has ended, by server-sent events while it trains. */

import { get } from "/page/api.js";
import { ENDED } from "/page/format.js";
import { PARTS } from "/page/statistics.js";

const MOST = 2500;
/** Points of a series that are asked for of one that has ended: more than a chart has pixels, spikes kept. */

/** Return the series of a metric, each thinned to `most` points with the means that a mean over seeds is made of. */
export const thinned = async (id, metric, most, parts, signal) => (await get(`/experiments/${id}/metrics`, { metric, max_points: most, means: parts }, signal)).series;

/** Holds series by run and metric, and calls `changed` when points came or went, `state` with states and progress. */
export class Series {
  constructor(one, { changed, state }) {
    this.id = one.id;
    this.changed = changed;
    this.state = state;
    this.byKey = new Map();
    this.follow(one);
  }

  /** Take the experiment as it is now: one that has ended is trained again where it is retried, or more of it declared. */
  follow({ status, attempt }) {
    this.ended = ENDED.has(status);
    this.attempt = attempt;
  }

  /** Return whether it holds the series of an end that is none any more. */
  isOver({ status, attempt }) {
    return this.ended && !(ENDED.has(status) && attempt === this.attempt);
  }

  /** Show one metric from now on. */
  async choose(metric, signal) {
    this.close();
    this.byKey.clear();
    this.metric = metric;
    this.last = "";
    if (this.ended) return this.read(signal);
    this.closed = new AbortController();
    const until = { signal: AbortSignal.any([signal, this.closed.signal]) };
    document.addEventListener("visibilitychange", () => this.listen(), until);
    document.addEventListener("back", () => this.source?.readyState === EventSource.CLOSED && this.listen(), until);
    signal.addEventListener("abort", () => this.close(), until);
    this.listen();
  }

  async read(signal) {
    for (const { run_id, metric, ...one } of await thinned(this.id, this.metric, MOST, PARTS, signal)) this.byKey.set(`${run_id} ${metric}`, one);
    this.changed();
  }

  /** Listen while the page is seen, after the last event: a browser has six connections to a host, for all of its tabs. */
  listen() {
    this.source?.close();
    this.source = null;
    if (document.hidden || this.ended) return;
    const asked = new URLSearchParams({ metric: this.metric, ...(this.last && { after: this.last }) });
    const source = (this.source = new EventSource(`/experiments/${this.id}/events?${asked}`));
    const on = (name, work) => source.addEventListener(name, (event) => {
      if (source !== this.source) return;
      this.last = event.lastEventId;
      work(JSON.parse(event.data));
    });
    on("metric", (points) => this.add(points));
    on("rewind", (where) => this.rewind(where));
    on("progress", (progress) => this.state({ progress }));
    on("state", async (state) => {
      this.state(state);
      this.follow(state);
      if (!this.ended) return;
      source.close();
      this.changed();
    });
  }

  add({ run_id, arm, seed, metric, unit, first, every, values, steps: places }) {
    const key = `${run_id} ${metric}`;
    if (!this.byKey.has(key)) this.byKey.set(key, { arm, seed, unit, steps: [], values: [] });
    const { steps, values: known } = this.byKey.get(key);
    values.forEach((value, index) => {
      steps.push(places ? places[index] : first + index * every);
      known.push(value);
    });
    this.changed();
  }

  /** Forget the points that are void: a training goes on from a checkpoint, and they come again. */
  rewind({ runs, step, epoch }) {
    const back = new Set(runs.map(String));
    for (const [key, { unit, steps, values }] of this.byKey) {
      if (!back.has(key.split(" ")[0])) continue;
      const kept = steps.findIndex((one) => one >= (unit === "epoch" ? epoch : step));
      if (kept >= 0) steps.length = values.length = kept;
    }
    this.changed();
  }

  close() {
    this.closed?.abort();
    this.source?.close();
    this.source = null;
  }

  get all() {
    return [...this.byKey.values()];
  }
}
