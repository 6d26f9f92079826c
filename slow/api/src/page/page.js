// The page: who may see what, which view is shown, and asking the service for it every second.
const EVERY_MS = 1000;
const TABS = [
  ["overview", "Overview", "metrics"], ["latency", "Latency", "metrics"], ["books", "Books", "market"], ["depth", "Depth", "market"],
  ["trades", "Trades", "market"], ["orders", "Orders", "accounts"], ["accounts", "Accounts", "accounts"],
  ["audit", "Log", "everything"], ["figures", "Figures", "metrics"], ["members", "Members", "metrics"],
];
const RIGHTS = {
  market: ["market"], member: ["market", "accounts"], trader: ["market", "accounts"], metrics: ["metrics"],
  auditor: ["market", "accounts", "everything", "metrics"],
};
const $ = id => document.getElementById(id);
const state = { token: sessionStorage.getItem("token"), key: null, tab: null, views: null, figures: [], timer: 0 };

// Who looks once a second takes an answer of that age: all who look in this second share one.
async function ask(path) {
  const answer = await fetch(path, { headers: { authorization: `Bearer ${state.token}`, "cache-control": `max-age=${EVERY_MS / 1000}` }, cache: "no-store" });
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => null);
  const error = new Error(told?.error?.message ?? `${answer.status} ${answer.statusText}`);
  error.status = answer.status;
  throw error;
}

function say(words, isBad) {
  if ($("state").textContent !== words) $("state").textContent = words;
  $("state").className = isBad ? "bad" : "";
}

function tabs() {
  const rights = RIGHTS[state.key.role] ?? [];
  const list = TABS.filter(([, , right]) => rights.includes(right));
  $("tabs").replaceChildren(...list.map(([name, label]) => {
    const button = document.createElement("button");
    button.textContent = label;
    button.dataset.tab = name;
    button.onclick = () => { location.hash = name; };
    return button;
  }));
  return list.map(([name]) => name);
}

function shown() {
  const names = tabs();
  const wanted = location.hash.slice(1);
  state.tab = names.includes(wanted) ? wanted : names[0];
  for (const button of $("tabs").children) {
    if (button.dataset.tab === state.tab) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  $("view").replaceChildren();
  turn();
}

async function turn() {
  clearTimeout(state.timer);
  const tab = state.tab;
  try {
    if (RIGHTS[state.key.role].includes("metrics")) {
      const figures = await ask("/api/v1/figures");
      figures.at = performance.now();
      const last = state.figures.at(-1);
      // A venue that started again counts from 0.
      if (last && last.process !== figures.process) state.figures = [];
      state.figures = [...state.figures.slice(-119), figures];
    }
    if (tab === state.tab) await show(tab);
    const now = state.figures.at(-1);
    say(now && !now.up ? "the venue is down" : `live, ${state.key.name} (${state.key.role})`, now && !now.up);
  } catch (error) {
    if (error.status === 401) return logout(error.message);
    say(`no answer: ${error.message}; trying again`, true);
  }
  state.timer = setTimeout(turn, EVERY_MS);
}

// A view is made anew each time; where the reader was in its tables stays.
async function show(tab) {
  const regions = () => [...$("view").querySelectorAll(".scroll")];
  const before = regions().map(it => [it.scrollLeft, it === document.activeElement]);
  await state.views[tab]({ ask, figures: state.figures, into: $("view"), key: state.key, token: state.token });
  regions().forEach((it, at) => {
    const [left, isFocused] = before[at] ?? [0, false];
    it.scrollLeft = left;
    if (isFocused) it.focus({ preventScroll: true });
  });
}

function logout(words) {
  sessionStorage.removeItem("token");
  state.token = state.key = null;
  $("tabs").replaceChildren();
  $("view").hidden = true;
  $("login").hidden = false;
  say(words, true);
}

async function login() {
  try {
    state.key = await ask("/api/v1/key");
  } catch (error) {
    if (error.status === 401) return logout(error.message);
    say(`no answer: ${error.message}; trying again`, true);
    return setTimeout(login, EVERY_MS);
  }
  sessionStorage.setItem("token", state.token);
  $("login").hidden = true;
  $("view").hidden = false;
  state.views ??= await import("VIEWS_PATH");
  shown();
}

$("login").onsubmit = event => {
  event.preventDefault();
  state.token = $("token").value.trim();
  $("token").value = "";
  login();
};
addEventListener("hashchange", () => state.key && shown());
addEventListener("keydown", event => {
  if (event.target instanceof HTMLInputElement || event.ctrlKey || event.altKey || event.metaKey) return;
  // 1 to 9, and 0 for the tenth.
  const button = $("tabs").children[event.key === "0" ? 9 : Number(event.key) - 1];
  if (button) button.click();
});
if (state.token) login();
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/worker.js").catch(() => {});
