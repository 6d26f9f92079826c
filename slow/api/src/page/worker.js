// Keeps the page's own files, so that it opens while the service restarts. Figures are never kept.
const KEPT = "page-VERSION";
const FILES = ["/", "/icon.svg", "PATHS"];
self.addEventListener("install", event => {
  event.waitUntil(caches.open(KEPT).then(cache => cache.addAll(FILES)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", event => {
  event.waitUntil(caches.keys().then(names => Promise.all(names.filter(name => name !== KEPT).map(name => caches.delete(name))))
    .then(() => self.clients.claim()));
});
self.addEventListener("fetch", event => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !FILES.includes(url.pathname)) return;
  // What has a hash in its name never changes; the page itself is asked for anew while that works.
  if (url.pathname.startsWith("/assets/")) {
    event.respondWith(caches.match(event.request).then(kept => kept || fetch(event.request)));
  } else {
    event.respondWith(fetch(event.request).catch(() => caches.match(url.pathname)));
  }
});
