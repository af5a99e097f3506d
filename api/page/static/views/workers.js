/** The workers: their machines, what they train, when they were last heard of; and what waits for them. */

import { h, put, table } from "/page/dom.js";
import { get, poll } from "/page/api.js";
import { ago, count, duration } from "/page/format.js";

export async function show(main, _, signal) {
  document.title = "initlab: workers";
  const list = h("div"), queue = h("div");
  put(main, h("h1", {}, "Workers and queue"), list, h("h2", {}, "Queue"), queue);
  await poll(3, signal, async () => {
    const { items, queue: waiting } = await get("/workers", undefined, signal);
    put(list, items.length ? table("Training processes", ["Host", "Process", "Machine", "Device", "Queues", "Trains", "Last sign"], items.map((one) => [
      one.host, one.process, one.machine ?? "not measured yet", one.devices.join(", "), one.queues.join(", "),
      one.experiments.length ? one.experiments.map((id) => [h("a", { href: `#/experiments/${id}` }, `#${id}`), " "]) : "nothing",
      one.alive ? ago(one.last_seen) : h("strong", {}, `silent, ${ago(one.last_seen)}`),
    ])) : h("p.notice", {}, "No worker gives a sign of life: what is posted waits. Start one with ", h("code", {}, "initlab worker"), "."));
    put(queue, table("What waits and runs", ["What", "How many"], [
      ...Object.entries(waiting.experiments).map(([state, number]) => [`experiments ${state}`, count(number)]),
      ...Object.entries(waiting.cohorts).map(([state, number]) => [`cohorts ${state}`, count(number)]),
      ["the one queued longest has waited", waiting.waited_seconds ? duration(waiting.waited_seconds) : "–"],
    ]));
  });
}
