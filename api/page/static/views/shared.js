/** A read-only link: its token is sent once, for a cookie, and is gone from the address. */

import { h, put } from "/page/dom.js";
import { post } from "/page/api.js";

export async function show(main, [token]) {
  put(main, h("p.muted", { role: "status" }, "Opening the link…"));
  try {
    const { link } = await post("/session", undefined, { headers: { Authorization: `Bearer ${token}` }, quiet: true });
    history.replaceState(null, "", `#/experiments/${link}`);
    location.reload();
  } catch (error) {
    put(main, h("h1", {}, "This link opens nothing"), h("p.notice.wrong", { role: "alert" }, error.message));
  }
}
