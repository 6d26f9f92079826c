//! What textbooks do: currencies are places, rates are roads as long as their negative logarithm,
//! and a way around that gains is a cycle of negative length, found as Bellman and Ford do. It
//! finds cycles of any number of currencies, one at a time, and knows no quantities.

use analytics::arbitrage::{Pair, Quote};
use petgraph::algo::find_negative_cycle;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};

/// See the module.
#[derive(Clone)]
pub struct Roads {
    graph: DiGraph<(), f64>,
    /// By pair: from the base to the quote currency, and back.
    roads: Vec<[EdgeIndex; 2]>,
    pairs: Vec<Pair>,
}

impl Roads {
    /// No pair has a quote yet: every road is endless.
    pub fn new(pairs: &[Pair]) -> Self {
        let mut graph = DiGraph::new();
        let currencies = pairs.iter().map(|it| it.base.max(it.quote) + 1).max();
        (0..currencies.unwrap_or(0)).for_each(|_| {
            graph.add_node(());
        });
        let road = |pair: &Pair| {
            let [base, quote] = [pair.base, pair.quote].map(|it| NodeIndex::new(it as usize));
            let endless = f64::INFINITY;
            [
                graph.add_edge(base, quote, endless),
                graph.add_edge(quote, base, endless),
            ]
        };
        let roads = pairs.iter().map(road).collect();
        Self {
            graph,
            roads,
            pairs: pairs.to_vec(),
        }
    }

    /// Takes a quote and looks for a cycle that gains, from the first currency.
    pub fn update(&mut self, pair: u32, quote: &Quote) -> Option<Vec<NodeIndex>> {
        self.set(pair, quote);
        find_negative_cycle(&self.graph, NodeIndex::new(0))
    }

    /// Takes a quote.
    pub fn set(&mut self, pair: u32, quote: &Quote) {
        let Pair {
            decimals, fee_ppm, ..
        } = self.pairs[pair as usize];
        let keeps = 1.0 - f64::from(fee_ppm) / 1e6;
        let unit = 10f64.powi(decimals.into());
        let lengths = [
            -(f64::from(quote.bid) / unit * keeps).ln(),
            -(unit / f64::from(quote.ask) * keeps).ln(),
        ];
        for (road, length) in self.roads[pair as usize].into_iter().zip(lengths) {
            self.graph[road] = length;
        }
    }

    /// The length of a cycle: what it gains is the exponential of its negative, less 1.
    pub fn length(&self, cycle: &[NodeIndex]) -> f64 {
        let next = cycle.iter().skip(1).chain(cycle.first());
        let road = |(from, to): (&NodeIndex, &NodeIndex)| {
            let edges = self.graph.edges_connecting(*from, *to);
            edges
                .map(|edge| *edge.weight())
                .fold(f64::INFINITY, f64::min)
        };
        cycle.iter().zip(next).map(road).sum()
    }
}
