//! The page and its files, which are part of the program.

use crate::answer::{Answer, Refusal, typed};
use crate::routes::is_look;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LINK};
use axum::http::{HeaderValue, Request};
use std::sync::LazyLock;

/// What the page may load and do: its own files, and nothing of anybody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src 'self' data:; manifest-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Files with a hash in their name never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

struct File {
    /// Its path, with the hash of its text in it where that is no entry of its own.
    path: String,
    kind: &'static str,
    text: String,
    is_for_ever: bool,
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(files);

/// 32 bits of a text's hash, which tell its versions apart.
fn hash_of(text: &str) -> String {
    use sha2::{Digest, Sha256};
    crate::keys::digits_of(&Sha256::digest(text.as_bytes())[..4])
}

fn files() -> Vec<File> {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let hashed = |name: &str, end: &str, kind, text: &str| File {
        path: format!("/assets/{name}.{}.{end}", hash_of(text)),
        kind,
        text: text.to_owned(),
        is_for_ever: true,
    };
    let style = hashed(
        "page",
        "css",
        "text/css; charset=utf-8",
        include_str!("page/page.css"),
    );
    let depth = hashed("depth", "js", SCRIPT, include_str!("page/depth.js"));
    let views = include_str!("page/views.js").replace("DEPTH_PATH", &depth.path);
    let views = hashed("views", "js", SCRIPT, &views);
    let script = include_str!("page/page.js").replace("VIEWS_PATH", &views.path);
    let script = hashed("page", "js", SCRIPT, &script);
    let page = include_str!("page/index.html")
        .replace("STYLE_PATH", &style.path)
        .replace("SCRIPT_PATH", &script.path);
    let kept =
        [&style.path, &script.path, &views.path, &depth.path].map(|path| format!("{path:?}"));
    let worker = include_str!("page/worker.js")
        .replace("VERSION", &hash_of(&(kept.join(",") + &page)))
        .replace("\"PATHS\"", &kept.join(","));
    let plain = |path: &str, kind, text| File {
        path: path.to_owned(),
        kind,
        text,
        is_for_ever: false,
    };
    vec![
        plain("/", "text/html; charset=utf-8", page),
        plain("/worker.js", SCRIPT, worker),
        plain(
            "/icon.svg",
            "image/svg+xml",
            include_str!("page/icon.svg").to_owned(),
        ),
        style,
        script,
        views,
        depth,
    ]
}

/// A file of the page, or that there is no such thing.
pub(crate) async fn answer(request: Request<Body>) -> Answer {
    let path = request.uri().path();
    let Some(file) = FILES.iter().find(|file| file.path == path) else {
        let told: String = path.chars().take(200).collect();
        return Refusal::NotFound(format!("{told:?}: see /openapi.json")).answer();
    };
    if !is_look(request.method()) {
        return Refusal::Method("GET").answer();
    }
    let mut answer = typed(file.kind, file.text.as_str());
    let headers = answer.headers_mut();
    if file.is_for_ever {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    } else {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    if path == "/" {
        let links: Vec<String> = FILES
            .iter()
            // What one view alone needs is loaded with that.
            .filter(|file| file.is_for_ever && !file.path.contains("/depth."))
            .map(|file| {
                let kind = if file.path.ends_with("css") {
                    "preload; as=style"
                } else {
                    "modulepreload"
                };
                format!("<{}>; rel={kind}", file.path)
            })
            .collect();
        if let Ok(links) = HeaderValue::from_str(&links.join(", ")) {
            headers.insert(LINK, links);
        }
    }
    answer
}
