// The page in a real Chromium, over a service whose figures are known. Says `hop` when a latency is to be recorded,
// `restart` when the service is to go, and waits for a line after `back`.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
const [, , base, folder, shots] = process.argv;
const { chromium } = createRequire(`${folder}/`)("playwright-core");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const BOUND = { timeout: 60000 };

function due(is, words) {
  if (!is) throw new Error(words);
}
async function login(page, key) {
  await page.goto(base);
  await page.fill("#token", `${key}-token`);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#tabs button", BOUND);
}
const tabs = page => page.$$eval("#tabs button", list => list.map(it => it.textContent));
const cells = page => page.$$eval("#view tbody tr", rows => rows.map(row => [...row.cells].map(it => it.textContent)));
const shot = (page, name) => shots && page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const wrong = [], asked = [];
async function opened(options) {
  const page = await (await browser.newContext(options)).newPage();
  page.on("request", it => /[/]api[/]/.test(it.url()) && asked.push([it.url(), it.headers()["cache-control"]]));
  page.on("pageerror", error => wrong.push(error.message));
  // What a browser says of an answer that is refused is what is tried here.
  page.on("console", it => it.type() === "error" && !/Failed to load resource/.test(it.text()) && wrong.push(it.text()));
  return page;
}

// Who has no key sees nothing, and is told why.
const page = await opened({ viewport: { width: 1200, height: 900 } });
await page.goto(base);
await page.fill("#token", "wrong");
await page.keyboard.press("Enter");
await page.waitForFunction(() => document.getElementById("state").textContent.includes("not right"), null, BOUND);
due(await page.isVisible("#login") && (await tabs(page)).length === 0, "a wrong token shows something");
await shot(page, "login");

// The engine's figures are the page's.
await login(page, "auditor");
due((await tabs(page)).length === 10, "an auditor sees ten views");
await page.waitForFunction(() => document.querySelectorAll("#view .tile b")[1]?.textContent === "7,654,321", null, BOUND);
const kept = await page.$$eval("#reads .tile", list => list.map(it => it.textContent));
due(kept.length === 5 && kept[1].endsWith("from Redis: none") && /^[0-9]+ of [0-9]+reads at once$/.test(kept[3]), `reads are ${kept}`);
const memory = await page.$$eval("#view tr", rows => rows.map(it => it.cells[0].textContent));
due(memory.includes("venue") && memory.includes("api") && !memory.includes("slow"), `memory is told of ${memory}`);
due(await page.textContent("#no-alerts") === "none", "there are alerts");
due(!await page.isVisible("#login"), "the login is still there");
await shot(page, "overview");
await page.keyboard.press("2");
await page.waitForFunction(() => document.querySelector("#view td")?.textContent === "arrival to sequence", null, BOUND);
const reply = (await cells(page)).find(row => row[0] === "sequence to reply");
due(reply[1] === "4" && reply[5] === "20.00 s", `the hop is ${reply}`);
await shot(page, "latency");
// What comes while one looks is drawn: four heat maps, of which one has cells.
console.log("hop");
await page.waitForSelector("#view svg rect.cell", BOUND);
due((await page.$$eval("#view svg", all => all.map(it => it.getAttribute("aria-label")))).join() === "sequence to reply: latencies by time", "other heat maps");
await shot(page, "heat");
// Members, by the key of the tenth view.
await page.keyboard.press("0");
await page.waitForFunction(() => document.querySelector("#view td")?.textContent === "ALPHA", null, BOUND);
const members = await cells(page);
due(JSON.stringify(members) === '[["ALPHA","connected","locked"],["BRAVO","away",""],["1","gross credit","0.0007","no limit","",""],["1","open orders","95","100","95.0 %",""]]', `members are ${JSON.stringify(members)}`);
await shot(page, "members");
for (const [view, row, what] of [
  ["books", 0, ["AAPL", "7", "100.0000", "100.0100", "9"]],
  ["trades", 0, null], ["orders", 0, null],
  ["accounts", 0, ["1", "AAPL", "5", "100.0000", "0.0000", "0.0000", "0.0000"]],
]) {
  await page.evaluate(it => { location.hash = it; }, view);
  await page.waitForFunction(it => document.querySelector("[aria-current]")?.dataset.tab === it && document.querySelector("#view h2"), view, BOUND);
  await page.waitForTimeout(300);
  if (what) due(JSON.stringify((await cells(page))[row].slice(0, what.length)) === JSON.stringify(what), `${view}: ${await cells(page)}`);
  await shot(page, view);
}
await page.evaluate(() => { location.hash = "figures"; });
await page.waitForFunction(() => [...document.querySelectorAll("#view tr")].some(it => /^engine.inputs7,654,321/.test(it.textContent)), null, BOUND);

// The service goes away and comes back: the page says so, opens meanwhile, and goes on.
await page.evaluate(() => navigator.serviceWorker.ready);
await page.evaluate(() => { location.hash = "overview"; });
console.log("restart");
await page.waitForFunction(() => document.getElementById("state").textContent.startsWith("no answer"), null, BOUND);
const second = await page.context().newPage();
await second.goto(base, BOUND);
due(await second.textContent("h1") === "wirecross", "the page does not open while the service is away");
console.log("back");
await lines.next();
await page.waitForFunction(() => document.getElementById("state").textContent.startsWith("live"), null, BOUND);
await second.close();

// Other keys see what is theirs.
const market = await opened({});
await login(market, "market");
due(JSON.stringify(await tabs(market)) === '["Books","Depth","Trades"]', `a market key sees ${await tabs(market)}`);

const trader = await opened({});
await login(trader, "trader");
due(JSON.stringify(await tabs(trader)) === '["Books","Depth","Trades","Orders","Accounts"]', `a trader sees ${await tabs(trader)}`);

// A service without a feed says so.
await market.evaluate(() => { location.hash = "depth"; });
await market.waitForFunction(() => document.getElementById("state").textContent.includes("no [feed]"), null, BOUND);

// A phone, and the dark.
for (const [name, options] of [["phone", { viewport: { width: 375, height: 700 } }], ["dark", { colorScheme: "dark" }]]) {
  const other = await opened(options);
  await login(other, "auditor");
  for (const view of ["overview", "latency", "books", "trades", "orders", "accounts", "audit", "figures", "members"]) {
    await other.evaluate(it => { location.hash = it; }, view);
    await other.waitForFunction(it => document.querySelector("[aria-current]")?.dataset.tab === it && document.querySelector("#view h2"), view, BOUND);
    const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    due(wide <= 0, `${name}: ${view} is ${wide} too wide`);
    await shot(other, `${name}-${view}`);
  }
  const ground = await other.evaluate(() => getComputedStyle(document.body).backgroundColor);
  due((ground === "rgb(20, 24, 28)") === (name === "dark"), `${name}: the ground is ${ground}`);
}

// Who looks in the same second asks for the same, and takes what others got.
const froms = asked.map(([url]) => url.match(/[?&]from=([0-9]+)/)?.[1]).filter(it => it);
due(froms.length > 0 && froms.every(it => it.endsWith("000000000")), `times are ${froms}`);
due(new Set(froms).size < froms.length, `times are ${froms}`);
const many = asked.filter(([url]) => Number(url.match(/limit=([0-9]+)/)?.[1] ?? 0) > 300);
due(many.length === 0, `more rows than are shown: ${many.slice(0, 3)}`);
const others = asked.filter(([, word]) => word !== "max-age=1");
due(others.length === 0, `other words about age: ${others.slice(0, 3)}`);

// Words of others are words.
due(await page.evaluate(async () => { location.hash = "audit"; await new Promise(done => setTimeout(done, 1500)); return window.hacked === undefined; }), "a word ran");
due(wrong.length === 0, wrong.join("; "));
await browser.close();
console.log("good");
process.exit(0);
