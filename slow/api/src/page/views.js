// What each view shows. A view is asked every second and puts itself into `into`.
const HOPS = [
  ["hop.gate_engine_ns", "arrival to sequence"], ["hop.engine_durable_ns", "sequence to disk"],
  ["hop.engine_reply_ns", "sequence to reply"], ["hop.engine_feed_ns", "sequence to feed"],
];
const TILES = ["gate", "engine", "journal", "publish"];

function make(kind, content, attributes = {}) {
  const it = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) it.setAttribute(name, value);
  if (Array.isArray(content)) it.append(...content); else if (content !== undefined) it.textContent = content;
  return it;
}
function drawn(kind, attributes, text) {
  const it = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) it.setAttribute(name, value);
  if (text !== undefined) it.textContent = text;
  return it;
}
const count = value => value === null || value === undefined ? "-" : Number(value).toLocaleString("en-GB");
const price = value => value === null || value === undefined ? "-" : (value / 10000).toFixed(4);
const when = ns => new Date(Number(ns) / 1e6).toISOString().slice(11, 23);
function time(ns) {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`;
  return `${(ns / 1e9).toFixed(2)} s`;
}
function table(columns, rows, empty) {
  if (!rows.length) return make("p", empty, { class: "empty" });
  const head = make("tr", columns.map(([name, , kind]) => make("th", name, { scope: "col", class: kind?.(rows[0]).includes("text") ? "text" : "" })));
  const lines = rows.map(row => make("tr", columns.map(([, value, kind]) => make("td", value(row), { class: kind ? kind(row) : "" }))));
  return make("div", [make("table", [make("thead", [head]), make("tbody", lines)])], { class: "scroll", tabindex: "0", role: "region" });
}
const tile = (value, label, isBad) => make("div", [make("b", value), make("span", label)], { class: isBad ? "tile bad" : "tile" });

// How much a counter grew a second, between each two looks.
function rates(figures, name) {
  return figures.slice(1).map((now, at) => {
    const before = figures[at];
    return Math.max(0, (now.counters[name] - before.counters[name]) * 1000 / (now.at - before.at));
  });
}
function chart(values, label) {
  const [width, height, left] = [1100, 160, 90];
  const most = Math.max(1, ...values);
  const picture = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (const part of [0, 0.5, 1]) {
    const y = 10 + (height - 20) * (1 - part);
    picture.append(drawn("line", { x1: left, x2: width, y1: y, y2: y, class: "grid" }));
    picture.append(drawn("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, count(Math.round(most * part))));
  }
  const step = (width - left) / Math.max(1, 119);
  const points = values.map((value, at) => `${left + (119 - values.length + at + 1) * step},${10 + (height - 20) * (1 - value / most)}`);
  picture.append(drawn("polyline", { points: points.join(" "), class: "line" }));
  return picture;
}
// What is wrong, in the words of who would mend it.
export function alerts(now) {
  const it = now.counters;
  const list = [];
  const unless = (isGood, words) => isGood || list.push(words);
  unless(now.up, "the venue's process is gone");
  unless(it["venue.phase"] === 0, "the venue is ending or failing");
  unless(it["journal.failed"] === 0, "the journal failed: nothing is acknowledged");
  unless(it["journal.held"] === 0, "the disk is full: inputs wait");
  unless(it["journal.disk_full"] === 0, "the disk has no room for the next segment");
  unless(it["shadow.failed"] === 0, "the shadow stopped: no streams, no snapshots");
  unless(it["keeper.failing"] === 0, "segments cannot be compressed or removed");
  unless(it["clock.over_line"] === 0, "the clock is more than 100 µs from the system's");
  unless(it["venue.insecure"] === 0, "the venue runs without its sandbox (--insecure-dev)");
  return [...list, ...now.memory.alarms];
}

export function overview({ figures, into }) {
  const now = figures.at(-1), it = now.counters;
  const rate = name => rates(figures, name).at(-1) ?? 0;
  const wrong = alerts(now);
  into.replaceChildren(
    make("h2", "Alerts"),
    ...(wrong.length ? wrong.map(words => make("p", words, { class: "alert" })) : [make("p", "none", { class: "good", id: "no-alerts" })]),
    make("div", [
      tile(count(Math.round(rate("engine.inputs"))), "inputs a second"),
      tile(count(it["engine.inputs"]), "inputs in all"),
      tile(count(it["engine.live_orders"]), "orders on the books"),
      tile(count(it["gate.connections"]), "connections"),
      tile(time(now.hops["hop.engine_reply_ns"].p99), "p99 from sequence to reply"),
      tile(time(it["journal.lag_ns"]), "journal lag", it["journal.failed"] === 1),
      tile(count(it["shadow.lag"]), "inputs the shadow is behind"),
      tile(count(Math.round(rate("publish.messages"))), "feed messages a second"),
    ], { class: "tiles" }),
    ...service(figures), ...memory(now.memory),
    make("h2", "Inputs a second, the last two minutes"), chart(rates(figures, "engine.inputs"), "inputs a second"),
    make("h2", "Where the tiles' time goes"),
    table([["tile", row => row.name], ["busy", row => row.busy], ["waiting", row => row.waiting], ["idle", row => row.idle]],
      TILES.map(name => share(figures, name)), "no turns yet"),
  );
}
// The reads of the tables: how many were answered by what is kept, and which servers answered the others.
function service(figures) {
  const now = figures.at(-1).service, before = figures[0].service;
  const grew = name => now.cache[name] - before.cache[name];
  const tiles = [tile(`${count(now.reads.running)} of ${count(now.reads.limit)}`, "reads at once"), tile(count(now.reads.refused), "reads refused")];
  if (now.cache) {
    const asked = grew("l1_hits") + grew("l1_misses");
    const part = hits => asked ? `${(100 * hits / asked).toFixed(1)} %` : "-";
    tiles.unshift(tile(part(grew("l1_hits")), "answered from memory"), tile(part(grew("l2_hits")), now.cache.redis_up ? "from Redis" : "from Redis: none"),
      tile(count(now.cache.entries), "answers kept"));
  }
  const rows = now.servers.map(it => [it.server, it.primary ? "primary" : "replica", it.up ? "up" : "gone", it.lag_bytes, it.reads, it.failures]);
  const servers = table([["server", row => row[0]], ["role", row => row[1]], ["is", row => row[2], row => row[2] === "up" ? "" : "sell"],
    ["bytes behind", row => count(row[3])], ["reads", row => count(row[4])], ["failures", row => count(row[5])]], rows, "");
  return [make("h2", "Reads of the tables, the last two minutes"), make("div", tiles, { class: "tiles", id: "reads" }), ...(rows.length ? [servers] : [])];
}
function memory(now) {
  const mib = bytes => bytes === null ? "-" : `${(bytes / 1048576).toFixed(1)} MiB`;
  return [make("h2", "Memory"), table([["process", row => row.name], ["resident", row => mib(row.now.resident_bytes)], ["at most", row => mib(row.now.peak_bytes)],
    ["on huge pages", row => mib(row.now.transparent_huge_bytes + row.now.pool_huge_bytes)], ["an hour adds", row => mib(row.growth_bytes_an_hour), row => row.growing ? "sell" : ""],
    ["read from disk when touched", row => count(row.now.major_faults)]], now.processes.filter(row => row.now), "")];
}
function share(figures, name) {
  const of = what => rates(figures, `${name}.${what}_ns`).at(-1) ?? 0;
  const [busy, waiting, idle] = ["busy", "waiting", "idle"].map(of);
  const all = busy + waiting + idle || 1;
  const part = value => `${(100 * value / all).toFixed(1)} %`;
  return { name, busy: part(busy), waiting: part(waiting), idle: part(idle) };
}

export function latency({ figures, into }) {
  const now = figures.at(-1);
  const rows = HOPS.map(([name, label]) => ({ label, ...now.hops[name] }));
  into.replaceChildren(
    make("h2", "From the venue's start on"),
    table([["hop", row => row.label], ["count", row => count(row.count)], ["p50", row => time(row.p50)], ["p99", row => time(row.p99)],
      ["p99.9", row => time(row.p99_9)], ["max", row => time(row.max)]], rows, ""),
    ...HOPS.flatMap(([name, label]) => [make("h2", `${label}, the last two minutes`), heat(figures, name, label)]),
  );
}
// A column a second, a row a power of two; the darker, the more of that second's values.
function heat(figures, name, label) {
  const rows = figures[0].hops[name].below.length;
  const counts = figures.map(it => it.hops[name].count);
  if (counts.at(-1) === counts[0]) return make("p", "Nothing came in this time.", { class: "empty" });
  const [width, left, cell] = [1100, 90, 7];
  const height = rows * cell + 10;
  const picture = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${label}: latencies by time` });
  for (let row = 0; row < rows; row += 5) {
    const bound = now_ns(figures) * 2 ** row;
    picture.append(drawn("text", { x: left - 6, y: height - row * cell - 1, "text-anchor": "end" }, `< ${time(bound)}`));
  }
  const step = (width - left) / 119;
  figures.slice(1).forEach((now, at) => {
    const before = figures[at].hops[name].below, after = now.hops[name].below;
    const grew = after.map((value, row) => value - before[row] - (row ? after[row - 1] - before[row - 1] : 0));
    const all = grew.reduce((sum, value) => sum + value, 0);
    grew.forEach((value, row) => value > 0 && picture.append(drawn("rect", {
      x: left + (119 - figures.length + at + 1) * step, y: height - (row + 1) * cell, width: step, height: cell, class: "cell",
      "fill-opacity": 0.15 + 0.85 * value / all,
    })));
  });
  return picture;
}
const now_ns = figures => figures.at(-1).below_first_ns;

export async function books({ ask, into }) {
  const rows = await ask("/api/v1/tops");
  into.replaceChildren(make("h2", "The top of each book"), table([
    ["symbol", row => row.symbol], ["bid units", row => count(row.bid_units)], ["bid", row => price(row.bid), () => "buy"],
    ["ask", row => price(row.ask), () => "sell"], ["ask units", row => count(row.ask_units)], ["at", row => when(row.time_ns)],
  ], rows, "No book has an order yet: wirecross load sends some."));
}
export async function depth(it) {
  const { show } = await import("DEPTH_PATH");
  return show(it);
}
// The newest rows of a table. Their time begins at a multiple of a 60th of it, in whole seconds, so that all who look
// then ask for the same.
function newest(ask, name, span_ms, wanted) {
  const step = Math.ceil(span_ms / 60000) * 1000;
  const from = BigInt(Math.floor((Date.now() - span_ms) / step) * step) * 1000000n;
  return ask(`/api/v1/${name}?order=desc&limit=${wanted}&from=${from}`);
}
export async function trades({ ask, into, key }) {
  const name = key.role === "auditor" ? "trades" : "tape";
  into.replaceChildren(make("h2", "Trades of the last hour, newest first"), table([
    ["time", row => when(row.time_ns)], ["symbol", row => row.symbol, () => "text"], ["units", row => count(row.units)],
    ["price", row => price(row.price)], ["buyer", row => row.buyer ?? ""], ["seller", row => row.seller ?? ""],
    ["taken back", row => row.broken ?? ""],
  ], await newest(ask, name, 3600e3, 200), "No trades in the last hour."));
}
export async function orders({ ask, into, key }) {
  const of = key.accounts.length > 1 ? key.accounts : [null];
  const lists = await Promise.all(of.map(account => ask(`/api/v1/open-orders?limit=200${account === null ? "" : `&account=${account}`}`)));
  into.replaceChildren(make("h2", "Live orders, oldest first"), table([
    ["entered", row => when(row.entered_ns)], ["account", row => row.account], ["symbol", row => row.symbol, () => "text"],
    ["side", row => row.side, row => row.side === "B" || row.side === "buy" ? "buy" : "sell"], ["open", row => count(row.open_units)],
    ["of", row => count(row.units)], ["price", row => price(row.price)],
  ], lists.flat(), "No live orders."));
}
export async function accounts({ ask, into, key }) {
  const of = key.accounts.length > 1 ? key.accounts : [null];
  const lists = await Promise.all(of.map(account => ask(`/api/v1/profits${account === null ? "" : `?account=${account}`}`)));
  into.replaceChildren(make("h2", "Positions and profit"), table([
    ["account", row => row.account], ["symbol", row => row.symbol, () => "text"], ["position", row => count(row.position)],
    ["mark", row => price(row.mark)], ["profit", row => price(row.profit), row => row.profit < 0 ? "bad" : "good"],
    ["realised", row => price(row.realised)], ["unrealised", row => price(row.unrealised)],
  ], lists.flat(), "Nobody traded yet."));
}
export async function audit({ ask, into }) {
  into.replaceChildren(make("h2", "Who did what in the last day, newest first"), table([
    ["time", row => when(row.time_ns)], ["act", row => row.act, () => "text"], ["user", row => row.user ?? ""],
    ["why", row => row.why ?? "", () => "text"], ["account", row => row.account || ""], ["symbol", row => row.symbol ?? "", () => "text"],
  ], await newest(ask, "audit", 86400e3, 300), "Nothing was asked of the venue beside orders."));
}
export function figures({ figures, into }) {
  const now = figures.at(-1);
  const rows = Object.keys(now.counters).map(name => ({ name, value: now.counters[name], rate: rates(figures, name).at(-1) ?? 0 }));
  into.replaceChildren(make("h2", "Counters of the venue"), table([
    ["counter", row => row.name], ["value", row => count(row.value)], ["a second", row => row.rate ? count(Math.round(row.rate)) : ""],
  ], rows, ""));
}
// Who may log in, and what accounts use of their limits: counters named `session.USER` and `risk.ACCOUNT.LIMIT.used`.
const IN_MONEY = ["gross_credit", "net_credit"];
export function members({ figures, into }) {
  const it = figures.at(-1).counters, names = Object.keys(it);
  const users = names.filter(name => name.startsWith("session.")).map(name => ({ name: name.slice(8), bits: it[name] }));
  const limits = names.filter(name => /^risk[.].*[.]used$/.test(name)).map(name => {
    const [, account, limit] = name.split("."), most = it[name.replace(/used$/, "limit")];
    return { account, limit, used: it[name], most, told: IN_MONEY.includes(limit) ? price : count };
  }).sort((a, b) => a.account - b.account);
  const share = row => row.most ? row.used / row.most : 0;
  const kind = row => share(row) > 0.9 ? "bad" : "";
  const meter = row => make("meter", undefined, { value: row.used, max: row.most || 1, high: 0.9 * row.most, "aria-label": `${row.account} ${row.limit}` });
  const risk = table([["account", row => row.account], ["limit", row => row.limit.replace("_", " "), () => "text"], ["used", row => row.told(row.used)],
    ["of", row => row.most ? row.told(row.most) : "no limit"], ["share", row => row.most ? `${(100 * share(row)).toFixed(1)} %` : "", kind],
    ["", row => row.most ? [meter(row)] : ""]], limits, "No account has limits, or the venue has no [shadow], which tells of them.");
  into.replaceChildren(
    make("h2", "Sessions"), table([["user", row => row.name], ["is", row => row.bits & 1 ? "connected" : "away", row => row.bits & 1 ? "text good" : "text"],
      ["locked", row => row.bits & 2 ? "locked" : "", () => "bad text"]], users, "The venue tells of no users."),
    make("h2", "Limits of accounts and what is used"), risk,
  );
}
