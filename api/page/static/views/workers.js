/** The workers: their machines, what they train, when they were last heard of; and what waits for them. */

import { h, put, button, table, tell } from "/page/dom.js";
import { get, poll, post } from "/page/api.js";
import { ago, count, duration } from "/page/format.js";

export async function show(main, _, signal) {
  document.title = "initlab: workers";
  const list = h("div"), queue = h("div");
  put(main, h("h1", {}, "Workers and queue"), list, h("h2", {}, "Queue"), queue);
  const { scope } = await get("/me", undefined, signal);

  /** Return what can be done to a worker: an admin may have it leave. */
  function drain(one) {
    if (one.draining) return h("span.state.paused", {}, "draining");
    return scope === "admin" && one.alive ? button("Drain", async () => {
      if (!confirm(`Have ${one.name} give back what it trains, and end?`)) return;
      await post(`/workers/${encodeURIComponent(one.name)}/drain`);
      tell("It takes nothing more, and ends as soon as it has given back what it trains.");
      await refresh();
    }, { "aria-label": `Drain ${one.name}` }) : "";
  }

  async function refresh() {
    const { items, queue: waiting } = await get("/workers", undefined, signal);
    put(list, items.length ? table("Training processes", ["Name", "Machine", "Device", "Queues", "Trains", "Last sign", ""], items.map((one) => [
      h("span", { title: `process ${one.process} on ${one.host}${one.version ? `, initlab ${one.version}` : ""}` }, one.name, Object.entries(one.plugins).map(([name, pin]) => h("div.small", { title: pin.sha256 }, `${name} ${pin.version}`))), one.machine ?? "not measured yet", one.devices.join(", "), one.queues.join(", "),
      one.experiments.length ? one.experiments.map((id) => [h("a", { href: `#/experiments/${id}` }, `#${id}`), " "]) : "nothing",
      one.alive ? ago(one.last_seen) : h("strong", {}, `silent, ${ago(one.last_seen)}`), drain(one),
    ])) : h("p.notice", {}, "No worker gives a sign of life: what is posted waits. Start one with ", h("code", {}, "initlab worker"), "."));
    put(queue, table("What waits and runs", ["What", "How many"], [
      ...Object.entries(waiting.experiments).map(([state, number]) => [`experiments ${state}`, count(number)]),
      ...Object.entries(waiting.cohorts).map(([state, number]) => [`cohorts ${state}`, count(number)]),
      ["the one queued longest has waited", waiting.waited_seconds ? duration(waiting.waited_seconds) : "–"],
    ]));
  }

  await poll(3, signal, refresh);
}
