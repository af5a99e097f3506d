/** Making a read-only link to an experiment. */

import { h, put, button, labelled, select, tell } from "/page/dom.js";
import { call, post } from "/page/api.js";
import { instant } from "/page/format.js";

const HOURS = [["1", "an hour"], ["24", "a day"], ["168", "a week"], ["720", "30 days"]];

/** Ask for how long, and show the link. */
export function share(one) {
  let hours = "24";
  const made = h("div", { "aria-live": "polite" });
  const dialog = document.body.appendChild(h("dialog", { "aria-label": "Share", onclose: () => dialog.remove() },
    h("form", { method: "dialog" }, h("h2", {}, "Share"),
      h("p", {}, "Who has the link reads this experiment without a key: its page and its downloads, with its history and what it was trained in, but no weights, and nothing else."),
      labelled("Open for", select(HOURS, hours, (value) => (hours = value))), made,
      h("p.buttons", {}, button("Make a link", async () => put(made, shown(one, await post(`/experiments/${one.id}/links`, { hours: Number(hours) }))), { class: "main" }),
        button("Close", async () => dialog.close())))));
  dialog.showModal();
}

function shown(one, link) {
  const url = h("input", { value: link.url, readonly: true });
  return [
    labelled("The link", url, `until ${instant(link.expires_at)}, as long as your key holds and you see the experiment`),
    h("p.buttons", {}, button("Copy", async () => {
      url.select();
      if (!navigator.clipboard) throw new Error("A browser copies over HTTPS or on this machine only: the link is selected.");
      await navigator.clipboard.writeText(link.url);
      tell("It was copied.");
    }), button("End it now", async () => {
      await call("DELETE", `/experiments/${one.id}/links/${link.id}`);
      url.closest("div").replaceWith(h("p", {}, "It opens nothing any more."));
    })),
  ];
}
