//! Every path: what it gives, and who may have it.

use crate::rights::Right;

/// What a path gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Rows of this query.
    Rows(&'static str),
    /// Answers to many calls.
    Batch,
    /// Who the key is.
    WhoAmI,
    /// The venue's figures for Prometheus.
    Metrics,
    /// The same for the page.
    Figures,
    /// How many shards there are to be, and why.
    Scaling,
    /// What processes take of memory.
    Memory,
    /// That the service lives.
    Health,
    /// The description of all this.
    OpenApi,
    /// Market data over WebSocket.
    Stream,
    /// What this command of `wirecross quant` says.
    Quant(&'static str),
}

/// A method and a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) what: What,
    pub(crate) right: Right,
    pub(crate) summary: &'static str,
}

impl Route {
    pub(crate) const fn method(&self) -> &'static str {
        match self.what {
            What::Batch | What::Quant(_) => "POST",
            _ => "GET",
        }
    }
}

const fn rows(
    path: &'static str,
    query: &'static str,
    right: Right,
    summary: &'static str,
) -> Route {
    Route {
        path,
        what: What::Rows(query),
        right,
        summary,
    }
}

const fn quant(path: &'static str, command: &'static str, summary: &'static str) -> Route {
    Route {
        path,
        what: What::Quant(command),
        right: Right::Compute,
        summary,
    }
}

/// All of them but the page's files.
pub(crate) const ROUTES: &[Route] = &[
    rows(
        "/api/v1/tape",
        "tape",
        Right::Market,
        "Trades, without who made them",
    ),
    rows(
        "/api/v1/bars",
        "bars",
        Right::Market,
        "Bars of a symbol or of all",
    ),
    rows(
        "/api/v1/tops",
        "tops",
        Right::Market,
        "The top of each book",
    ),
    rows(
        "/api/v1/turns",
        "turns",
        Right::Market,
        "Turns of the day and of symbols",
    ),
    rows(
        "/api/v1/open-orders",
        "open-orders",
        Right::Accounts,
        "Live orders",
    ),
    rows(
        "/api/v1/fills",
        "fills",
        Right::Accounts,
        "Executions of an account",
    ),
    rows(
        "/api/v1/positions",
        "positions",
        Right::Accounts,
        "Sums of a day by account and symbol",
    ),
    rows(
        "/api/v1/profits",
        "profits",
        Right::Accounts,
        "Positions of all days with profit",
    ),
    rows(
        "/api/v1/trades",
        "trades",
        Right::Everything,
        "Trades with both accounts",
    ),
    rows(
        "/api/v1/audit",
        "audit",
        Right::Everything,
        "Who did what and why",
    ),
    Route {
        path: "/api/v1/key",
        what: What::WhoAmI,
        right: Right::Key,
        summary: "What the key is called and may do",
    },
    Route {
        path: "/api/v1/figures",
        what: What::Figures,
        right: Right::Metrics,
        summary: "The venue's counters and latencies",
    },
    Route {
        path: "/api/v1/scaling",
        what: What::Scaling,
        right: Right::Metrics,
        summary: "How many shards there are to be, and why",
    },
    Route {
        path: "/api/v1/memory",
        what: What::Memory,
        right: Right::Metrics,
        summary: "What the venue's processes take of memory, and took",
    },
    Route {
        path: "/api/v1/stream",
        what: What::Stream,
        right: Right::Market,
        summary: "Books, tops and trades over WebSocket",
    },
    quant(
        "/api/v1/quant/optimise",
        "optimise",
        "The best weights of a portfolio, with the proof that they are",
    ),
    quant(
        "/api/v1/quant/frontier",
        "frontier",
        "All efficient portfolios",
    ),
    quant(
        "/api/v1/quant/risk",
        "risk",
        "What a portfolio may lose, and which assets make the risk",
    ),
    quant(
        "/api/v1/quant/simulate",
        "simulate",
        "What an option is worth by simulation, with the error",
    ),
    quant(
        "/api/v1/quant/rebalance",
        "rebalance",
        "Orders of whole lots that bring positions to target weights",
    ),
    quant(
        "/api/v1/quant/forecast",
        "forecast",
        "A series' forecast, by what forecast its end best",
    ),
    quant(
        "/api/v1/quant/predict",
        "predict",
        "What a trained model says of rows",
    ),
    quant(
        "/api/v1/quant/train",
        "train",
        "Trees trained on rows with labels, and how good they are on later ones",
    ),
    Route {
        path: "/api/batch",
        what: What::Batch,
        right: Right::Key,
        summary: "JSON-RPC 2.0: a call or a batch of them",
    },
    Route {
        path: "/metrics",
        what: What::Metrics,
        right: Right::Metrics,
        summary: "The venue's counters and latencies for Prometheus",
    },
    Route {
        path: "/healthz",
        what: What::Health,
        right: Right::Open,
        summary: "Whether this service and its venue live",
    },
    Route {
        path: "/openapi.json",
        what: What::OpenApi,
        right: Right::Open,
        summary: "This description",
    },
];

/// A method of JSON-RPC is a query's name, `quant.` and a command, or one of these.
pub(crate) fn route_named(method: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| match route.what {
        What::Rows(query) => query == method,
        What::WhoAmI => method == "key",
        What::Figures => method == "figures",
        What::Scaling => method == "scaling",
        What::Memory => method == "memory",
        What::Quant(command) => method.strip_prefix("quant.") == Some(command),
        _ => false,
    })
}
