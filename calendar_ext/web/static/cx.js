// Makes our pages live. Everything here is comfort: each page works without it.
// Parts of a page that may change carry `data-cx-part` and an id; they are fetched anew and put in place one by one,
// so that what somebody is typing, has open or has focused stays as it is.

const root = document.querySelector(".cx[data-cx-theme]");
const VISIBLE = 5000;
const HIDDEN = 60000;
const WAKE = 30000;

if (root) {
  root.querySelectorAll("[data-cx-noscript]").forEach((element) => { element.hidden = true; });
  root.addEventListener("submit", onlyOnce);
  if (root.dataset.cxChanges) watch();
  else if (root.dataset.cxRefresh) refresh(Number(root.dataset.cxRefresh) * 1000);
}

/** A button pressed twice is a form sent once. */
function onlyOnce(event) {
  const form = event.target;
  if (!form.matches("[data-cx-once]")) return;
  if (form.dataset.cxSent) event.preventDefault();
  form.dataset.cxSent = "1";
  setTimeout(() => { delete form.dataset.cxSent; }, 4000);
}

function say(text) {
  const region = root.querySelector("[data-cx-say]");
  if (region && text && region.textContent !== text) region.textContent = text;
}

/** Fetch this page and put its changed parts in place; return the fresh root, or null. */
async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return null;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".cx[data-cx-theme]");
  if (!fresh) return null;
  if (!busy()) place(fresh);
  return fresh;
}

/** Somebody is typing, or has a menu open: nothing may move under them. */
function busy() {
  const active = document.activeElement;
  const typing = active && root.contains(active) && active.matches("input:not([type=hidden]), textarea, select");
  return Boolean(typing || root.querySelector("details[open], dialog[open]"));
}

function place(fresh) {
  const active = document.activeElement;
  const focused = active && root.contains(active) ? active.id : "";
  const known = new Set([...root.querySelectorAll("[data-cx-part]")].map((part) => part.id));
  const coming = new Set([...fresh.querySelectorAll("[data-cx-part]")].map((part) => part.id));
  if (known.size !== coming.size || [...known].some((id) => !coming.has(id))) {
    location.reload();
    return;
  }
  for (const part of root.querySelectorAll("[data-cx-part]")) {
    const other = fresh.querySelector("#" + CSS.escape(part.id));
    if (!other || part.isEqualNode(other)) continue;
    mark(part, other);
    part.replaceWith(document.adoptNode(other));
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  if (fresh.dataset.cxSince) root.dataset.cxSince = fresh.dataset.cxSince;
}

/** Events that were not there before fade their frame once. */
function mark(before, after) {
  const known = new Set([...before.querySelectorAll(".cx-event")].map(signature));
  if (!known.size) return;
  for (const event of after.querySelectorAll(".cx-event")) {
    if (!known.has(signature(event))) event.classList.add("cx-new");
  }
}

function signature(event) {
  return event.id + event.textContent;
}

/** The Calendar page: ask what changed, wake the accounts now and then, say when the connection is lost. */
function watch() {
  let failures = 0;
  let pause = VISIBLE;
  let timer = 0;
  let etag = "";
  let woken = -WAKE;

  async function ask() {
    clearTimeout(timer);
    try {
      if (!document.hidden && performance.now() - woken >= WAKE) {
        woken = performance.now();
        await wake();
      }
      const headers = etag ? { "If-None-Match": etag, Accept: "application/json" } : { Accept: "application/json" };
      const url = root.dataset.cxChanges + "?since=" + encodeURIComponent(root.dataset.cxSince || "");
      const answer = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
      if (answer.status === 429) pause = Math.max(pause * 2, Number(answer.headers.get("Retry-After")) * 1000 || 0);
      else if (answer.status === 304) { failures = 0; pause = VISIBLE; }
      else if (answer.ok) {
        const news = await answer.json();
        etag = answer.headers.get("ETag") || "";
        failures = 0;
        pause = VISIBLE;
        if (news.reload || news.events.length || news.cursor !== root.dataset.cxSince) await renew();
      } else failures += 1;
    } catch {
      failures += 1;
    }
    root.classList.toggle("cx-offline", failures >= 3);
    if (failures === 3) say(root.dataset.cxLost || "");
    timer = setTimeout(ask, document.hidden ? HIDDEN : pause);
  }

  async function wake() {
    const body = new URLSearchParams({ csrf_token: root.dataset.cxCsrf || "" });
    await fetch(root.dataset.cxWake, { method: "POST", body, credentials: "same-origin" });
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  ask();
  setInterval(() => { if (!document.hidden && failures === 0) renewMark(); }, 15000);
}

/** Only the mark that says how fresh the page is. */
async function renewMark() {
  try {
    await renew();
  } catch {
    // The next question about changes notices it.
  }
}

/** Pages that show how something goes on. */
function refresh(every) {
  let announced = root.querySelector("#cx-sentence")?.textContent;
  setInterval(async () => {
    if (document.hidden) return;
    try {
      await renew();
    } catch {
      return;
    }
    const now = root.querySelector("#cx-sentence")?.textContent;
    if (now !== announced) say(now);
    announced = now;
  }, every);
}
