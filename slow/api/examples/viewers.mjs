// Viewers of the page without a browser: each runs the code of a view that the service serves, once a second, and keeps
// its view. What they ask is what the page asks; tests/page.mjs holds that against a real Chromium.
//
//     node viewers.mjs BASE SECONDS TOKEN VIEW=COUNT...
const [, , base, seconds, token, ...crowd] = process.argv;
const EVERY_MS = 1000;

// As much of a page as a view needs to be made.
globalThis.document = { createElement: () => ({ setAttribute() {}, append() {} }), createElementNS: () => ({ setAttribute() {}, append() {} }) };

const headers = { authorization: `Bearer ${token}`, "cache-control": `max-age=${EVERY_MS / 1000}` };
async function ask(path) {
  const answer = await fetch(base + path, { headers, cache: "no-store" });
  if (answer.status === 429) throw REFUSED;
  if (!answer.ok) throw new Error(`${path}: ${answer.status}: ${await answer.text()}`);
  asked += 1;
  return answer.json();
}
let asked = 0, refused = 0;
const REFUSED = new Error("too many at once");

async function served(path, name) {
  const text = await (await fetch(base + path)).text();
  const found = text.match(new RegExp(`/assets/${name}\\.[0-9a-f]+\\.js`));
  if (!found) throw new Error(`${path} names no ${name}`);
  return found[0];
}
const code = await (await fetch(base + await served(await served("/", "page"), "views"))).text();
const views = await import(`data:text/javascript,${encodeURIComponent(code)}`);
const key = await ask("/api/v1/key");
asked = 0;

const end = Date.now() + Number(seconds) * 1000;
const wait = ms => new Promise(done => setTimeout(done, ms));
async function view(name) {
  // Nobody comes at the same moment.
  await wait(Math.random() * EVERY_MS);
  while (Date.now() < end) {
    try {
      await views[name]({ ask, key, token, into: { replaceChildren() {} } });
    } catch (error) {
      // The page says so and tries again.
      if (error !== REFUSED) throw error;
      refused += 1;
    }
    await wait(EVERY_MS);
  }
}
const viewers = crowd.flatMap(word => {
  const [name, count] = word.split("=");
  if (!views[name] || !(count > 0)) throw new Error(`${word}: a view and how many look at it`);
  return Array.from({ length: Number(count) }, () => view(name));
});
await Promise.all(viewers);
console.log(`${viewers.length} viewers asked ${asked} times, ${refused} refused`);
