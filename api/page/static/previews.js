/** What the service says of a spec before it is posted: its plan, warnings and problems, and pictures of what differs. */

import { h, pictured, put } from "/page/dom.js";
import { picture, post } from "/page/api.js";
import { projectQuery } from "/page/project.js";
import { bytes, count, counted, duration } from "/page/format.js";

const PAUSE = 500;

export class Previews {
  /** `mark` is called with the problems of the last spec. */
  constructor(signal, mark) {
    this.signal = signal;
    this.mark = mark;
    this.plan = h("div", { "aria-live": "polite" });
    this.pictures = h("div");
    document.addEventListener("theme", () => this.spec && this.of(this.spec, this.project), { signal });
    this.element = h("section.card", {}, h("h2", {}, "Preview"), this.plan, this.pictures);
  }

  /** Ask anew, once the typing pauses; an answer to what was asked before is dropped. */
  of(spec, project) {
    clearTimeout(this.waiting);
    Object.assign(this, { spec, project });
    const body = structuredClone(spec);
    this.waiting = setTimeout(() => this.ask(body, project), PAUSE);
  }

  async ask(spec, project) {
    this.asked?.abort();
    this.asked = new AbortController();
    const signal = AbortSignal.any([this.signal, this.asked.signal]);
    try {
      const found = await post("/experiments/preview", spec, { query: projectQuery(project), signal });
      put(this.plan, told(found));
      this.mark([]);
      await this.draw(found, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      put(this.plan, h("div.notice.wrong", { role: "alert" }, h("strong", {}, "The service would refuse it"), h("ul", {}, error.message.split("\n").map((line) => h("li", {}, line)))));
      this.mark(error.problems ?? []);
    }
  }

  /** Draw what arms differ in: schedules, first weights, and the signal that initializers send through the network. */
  async draw(found, signal) {
    const { spec, arms, plan } = found;
    if (!plan) {  // trained elsewhere: there is nothing to draw beforehand
      put(this.pictures);
      return;
    }
    const epochs = spec.epochs ?? 10;
    const steps = Math.min(100000, arms[0].steps);
    const different = (name) => {
      const own = (spec.arms ?? []).map((arm) => arm[name]);
      const values = spec.grid?.[name] ?? (own.length && own.every(Boolean) ? own : [spec[name], ...own]);
      return [...new Map(values.filter(Boolean).map((one) => [JSON.stringify(one), one])).values()];
    };
    const initializers = different("initializer").slice(0, 8);
    const lr = spec.optimizer?.lr;
    const wanted = [
      ["The signal through the layers before any training", "/previews/signal", { model: spec.model, dataset: spec.dataset, initializers }],
      ...different("schedule").slice(0, 3).map((schedule) => ["The learning rate", "/previews/schedule", { schedule, steps, steps_per_epoch: Math.max(1, Math.round(steps / epochs)), ...(lr && { lr }) }]),
      ...initializers.slice(0, 3).map((initializer) => ["First weights of one layer", "/previews/initializer", { initializer }]),
    ];
    const places = wanted.map(([title]) => h("figure", {}, h("figcaption", {}, title)));
    put(this.pictures, places);
    await Promise.all(wanted.map(async ([title, path, body], index) => {
      try {
        places[index].prepend(pictured(`${title}, picture ${index + 1}`, h("img.picture", { src: await picture(path, body, signal), alt: title })));
      } catch (error) {
        if (error.name !== "AbortError") places[index].append(h("p.muted", {}, error.message));
      }
    }));
  }
}

function told(found) {
  const { plan } = found;
  const said = (title, items) => items.length > 0 && h("div.notice", {}, h("strong", {}, title), h("ul", {}, items.map(({ path, message }) => h("li", {}, path && h("code", {}, path), path && ": ", message))));
  return [
    h("p", {}, `${counted(found.arms.length, "arm")} × ${counted(found.seeds.length, "seed")}: ${counted(found.runs_total, "run")}${plan ? `, ${count(found.steps_total)} updates.` : ", trained elsewhere: they wait for points."}`),
    plan && h("p", {}, h("strong", {}, plan.estimated_seconds < 1 ? "Under 1 s" : `About ${duration(plan.estimated_seconds)}`), ` on ${plan.device}, ${plan.processes} process${plan.processes === 1 ? "" : "es"}, ${bytes(plan.estimated_bytes)} of memory (${plan.numbers === "measured" ? "this machine was measured" : "a guess"}).`),
    said("Probably not meant", found.warnings), said("What was assumed of the data", found.notes),
  ];
}
