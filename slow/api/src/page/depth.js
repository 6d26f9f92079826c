// One book by its levels and its trades, as a stream tells them: loaded when it is looked at.
const LEVELS = 20;
const TRADES = 20;
const price = value => (value / 10000).toFixed(4);
const count = value => Number(value).toLocaleString("en-GB");
const when = ns => new Date(ns / 1e6).toISOString().slice(11, 23);
// What is shown now; `root` is gone from the page when another view is.
let view = null;

function make(kind, content, attributes = {}) {
  const it = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) it.setAttribute(name, value);
  if (Array.isArray(content)) it.append(...content); else if (content !== undefined) it.textContent = content;
  return it;
}

export async function show({ ask, into, token }) {
  if (view?.root.isConnected && view.socket.readyState <= WebSocket.OPEN) return;
  const symbol = view?.symbol ?? sessionStorage.getItem("symbol");
  view?.socket.close();
  view = null;
  // A service without a feed says so; one with a feed wants another protocol.
  await ask("/api/v1/stream").catch(error => { if (error.status !== 400) throw error; });
  const select = make("select", [], { id: "symbol" });
  const root = make("div", [
    make("p", [make("label", "Book of ", { for: "symbol" }), select, " ", make("span", "", { id: "feed", role: "status" })]),
    make("div", [make("div", [], { id: "levels" }), make("div", [], { id: "tape" })], { class: "pair" }),
  ]);
  into.replaceChildren(make("h2", "Depth, live"), root);
  const address = location.origin.replace(/^http/, "ws") + "/api/v1/stream";
  const socket = new WebSocket(address, ["wirecross.json", `bearer.${token}`]);
  const mine = view = { root, select, socket, symbol, bids: new Map(), asks: new Map(), trades: [], isDue: false };
  select.onchange = () => choose(mine, select.value);
  socket.onopen = () => socket.send('{"id":"symbols","op":"symbols"}');
  socket.onmessage = event => {
    if (!root.isConnected) return socket.close();
    take(mine, JSON.parse(event.data));
  };
}

function choose(it, symbol) {
  if (it.wanted) wish(it, "unsubscribe");
  Object.assign(it, { symbol, wanted: symbol, bids: new Map(), asks: new Map(), trades: [] });
  sessionStorage.setItem("symbol", symbol);
  it.select.value = symbol;
  wish(it, "subscribe");
}
function wish(it, op) {
  for (const channel of ["book", "trades"]) it.socket.send(JSON.stringify({ op, channel, symbols: [it.wanted] }));
}

function take(it, told) {
  if (told.id === "symbols" && told.result) {
    it.select.replaceChildren(...told.result.map(name => make("option", name)));
    if (told.result.length) choose(it, told.result.includes(it.symbol) ? it.symbol : told.result[0]);
  } else if (told.channel === "feed") {
    it.root.querySelector("#feed").textContent = `the feed is ${told.state}`;
    // Symbols that are known only now.
    if (!it.wanted && it.socket.readyState === WebSocket.OPEN) it.socket.send('{"id":"symbols","op":"symbols"}');
  } else if (told.symbol === it.symbol && told.channel === "book") {
    for (const side of ["bids", "asks"]) {
      if (told.snapshot) it[side].clear();
      for (const [at, units, orders] of told[side]) units ? it[side].set(at, [units, orders]) : it[side].delete(at);
    }
  } else if (told.symbol === it.symbol && told.channel === "trades") {
    if (told.snapshot) it.trades = [];
    it.trades = [...it.trades, ...told.trades].filter(([id]) => !told.broken.includes(id)).slice(-TRADES);
  }
  if (!it.isDue) {
    it.isDue = true;
    // A page that is not looked at draws nothing.
    requestAnimationFrame(() => { it.isDue = false; draw(it); });
  }
}

function draw(it) {
  const best = (side, sign) => [...it[side]].sort(([a], [b]) => sign * (a - b)).slice(0, LEVELS);
  const [bids, asks] = [best("bids", -1), best("asks", 1)];
  const most = Math.max(1, ...[...bids, ...asks].map(([, [units]]) => units));
  const row = kind => ([at, [units, orders]]) => make("tr", [
    make("td", count(orders)), make("td", count(units)), make("td", price(at), { class: kind }),
    make("td", [make("meter", undefined, { value: units, max: most, "aria-label": `${count(units)} units` })]),
  ]);
  const head = names => make("thead", [make("tr", names.map(name => make("th", name, { scope: "col" })))]);
  const levels = make("table", [head(["orders", "units", "price", "share"]),
    make("tbody", [...asks.reverse().map(row("sell")), ...bids.map(row("buy"))])]);
  it.root.querySelector("#levels").replaceChildren(bids.length + asks.length ? levels : make("p", "No order rests.", { class: "empty" }));
  const trades = it.trades.toReversed().map(([, time, at, units, side]) => make("tr", [
    make("td", when(time)), make("td", count(units)), make("td", price(at), { class: side ?? "" }),
  ]));
  it.root.querySelector("#tape").replaceChildren(trades.length ? make("table", [head(["time", "units", "price"]), make("tbody", trades)])
    : make("p", "No trade yet.", { class: "empty" }));
}
