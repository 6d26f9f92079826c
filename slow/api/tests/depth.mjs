// The view of one book in a real Chromium, over a feed whose orders are known. Says what is to happen next.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
const [, , base, folder, shots] = process.argv;
const { chromium } = createRequire(`${folder}/`)("playwright-core");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const BOUND = { timeout: 60000 };
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await (await browser.newContext({ viewport: { width: 1000, height: 600 } })).newPage();
const wrong = [];
page.on("pageerror", error => wrong.push(error.message));
// A browser says of a question that is not a stream's that it was refused.
page.on("console", it => it.type() === "error" && !/Failed to load resource/.test(it.text()) && wrong.push(it.text()));
const cells = (id, columns) => page.waitForFunction(([id, due]) => {
  const rows = [...document.querySelectorAll(`#${id} tbody tr`)].map(row => [...row.cells].slice(id === "tape" ? 1 : 0, 3).map(it => it.textContent));
  return JSON.stringify(rows) === due;
}, [id, JSON.stringify(columns)], BOUND);
const next = async words => { console.log(words); await lines.next(); };
const shot = name => shots && page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });

await page.goto(base);
await page.fill("#token", "market-token");
await page.keyboard.press("Enter");
await page.waitForSelector("#tabs button", BOUND);
await page.keyboard.press("2");
await page.waitForFunction(() => document.querySelector("#feed")?.textContent === "the feed is live", null, BOUND);
// The first symbol by name.
await cells("levels", [["1", "1,234", "100.0100"], ["1", "100", "100.0000"], ["1", "50", "99.9900"]]);
await next("trade");
await cells("levels", [["1", "1,000", "100.0100"], ["1", "1", "100.0050"], ["1", "100", "100.0000"]]);
await cells("tape", [["234", "100.0100"]]);
await shot("depth");
await next("bust");
await cells("tape", []);
await page.selectOption("#symbol", "MSFT");
await page.waitForSelector("#levels .empty", BOUND);
await page.selectOption("#symbol", "AAPL");
await cells("levels", [["1", "1,000", "100.0100"], ["1", "1", "100.0050"], ["1", "100", "100.0000"]]);
// Another view and back: the same book is chosen again.
await page.keyboard.press("1");
await page.waitForFunction(() => document.querySelector("[aria-current]")?.dataset.tab === "books", null, BOUND);
await page.keyboard.press("2");
await cells("levels", [["1", "1,000", "100.0100"], ["1", "1", "100.0050"], ["1", "100", "100.0000"]]);
await page.setViewportSize({ width: 375, height: 700 });
const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
if (wide > 0) wrong.push(`on a phone it is ${wide} too wide`);
await page.emulateMedia({ colorScheme: "dark" });
await shot("depth-phone-dark");
if (wrong.length) throw new Error(wrong.join("; "));
await browser.close();
console.log("good");
process.exit(0);
