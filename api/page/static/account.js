/** Signing in with a key, where the service has keys, and signing out. */

import { h, put, button, labelled } from "/page/dom.js";
import { call, get } from "/page/api.js";
import { instant } from "/page/format.js";

/** The one who is signed in: `me` as the API has it; null: nobody has asked yet, or may not. */
export const who = { me: null };

/** Ask anew who is signed in: its roles may be others by now. */
export const renew = async (signal) => (who.me = await get("/me", undefined, signal));

/** Return whether the one who is signed in may send something new. */
export const maySend = () => who.me?.scope !== "read";

/** Return whether it may change something: its own, what is of a project that it maintains, and an admin all. */
export function mayChange({ owner, project }) {
  const { me } = who;
  if (!me || me.scope === "admin") return true;
  return maySend() && (owner === me.id || me.projects.some(({ name, role }) => name === project && role === "maintainer"));
}

/** Add who is signed in to the bar; ask for a key where one is needed. `again` is called after signing in. */
export async function account(bar, again) {
  const place = bar.appendChild(h("span.account"));
  const refresh = async () => {
    const me = await get("/me").catch(() => null);
    who.me = me;
    if (me?.link) {
      put(place, h("span.muted", {}, `Read-only link until ${instant(me.session_expires_at)}`), button("Sign in", () => ask(async () => location.reload()), { class: "quiet" }));
    } else if (me?.id) {
      put(place, h("span.muted", {}, me.id), me.session_expires_at && button("Sign out", async () => {
        await call("DELETE", "/session");
        location.reload();
      }, { class: "quiet" }));
    }
  };
  document.addEventListener("signed-out", ({ detail }) => ask(async () => {
    await refresh();
    if (!detail.stay) await again();
  }));
  await refresh();
}

let dialog;

/** Return whether users may sign in at a provider: then its address answers with a redirection. */
const provided = () => fetch("/session/login", { method: "HEAD", redirect: "manual" }).then(({ type }) => type === "opaqueredirect", () => false);

async function ask(done) {
  if (dialog?.open) return;
  const key = h("input", { type: "password", autocomplete: "current-password", required: true, autofocus: true });
  const wrong = h("p.notice", { hidden: true, role: "alert" });
  const form = h("form", { method: "dialog", onsubmit: async (event) => {
    event.preventDefault();
    const given = key.value.trim();
    try {
      if (/[^!-~]/.test(given)) throw Object.assign(new Error(), { status: 401 });  // no key has it, and no header may
      await call("POST", "/session", { headers: { Authorization: `Bearer ${given}` } });
      dialog.close();
      await done();
    } catch (error) {
      wrong.hidden = false;
      wrong.textContent = error.status === 401 ? "This is not a key of the service, or it has ended." : error.message;
    }
  } },
  h("h2", {}, "Sign in"),
  h("p", {}, "This service asks for an API key. The browser keeps a session, and not the key."),
  labelled("API key", key, "as initlab keys create shows it"), wrong,
  h("p.buttons", {}, h("button.main", {}, "Sign in"), h("a.button", { href: "/session/login", hidden: true }, "Sign in with your account")));
  dialog?.remove();
  dialog = document.body.appendChild(h("dialog", { "aria-label": "Sign in" }, form));
  dialog.showModal();
  form.querySelector("a").hidden = !(await provided());
}
