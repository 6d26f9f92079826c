//! Models as LightGBM writes them: lines of `name=value`, a part for all, then one for each tree.
//!
//! The rules of a split are those of LightGBM's `Tree::NumericalDecision`, and that its rows leave
//! out what is within 1e-35 of 0, which is then 0.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::forest::Told;
use super::tree::{Missing, NODES_MAX, Node, Tree, at_most};
use super::{CLASSES_MAX, Link, Unread};

/// Bits of a split's type.
const IS_CATEGORICAL: u8 = 1;
const IS_LEFT_DEFAULT: u8 = 2;

/// The lines of a part of the file.
struct Part<'a> {
    line: usize,
    fields: BTreeMap<&'a str, (usize, &'a str)>,
}

pub(super) fn read(text: &str) -> Result<Told, Unread> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    if lines.next().map(|(_, line)| line.trim()) != Some("tree") {
        let what = "a model of LightGBM as text begins with the word \"tree\"";
        return Err(Unread::new(what).within("line 1"));
    }
    let (parts, has_end) = parts(lines);
    let Some((head, parts)) = parts.split_first().filter(|_| has_end) else {
        let what = "the file is cut off: there is no line \"end of trees\"";
        return Err(Unread::new(what));
    };
    let classes: usize = head.number("num_class")?;
    let per_turn: usize = head.number("num_tree_per_iteration")?;
    if per_turn == 0 || per_turn > CLASSES_MAX || per_turn < classes {
        let what = format!("{per_turn} trees at a time for {classes} classes");
        return Err(head.blame("num_tree_per_iteration", what));
    }
    let features = head.number::<usize>("max_feature_idx")?.saturating_add(1);
    let trees = parts.iter().enumerate().map(|(at, part)| {
        let tree = part.tree(features, at % per_turn);
        tree.map_err(|unread| unread.within(format!("tree {at}")))
    });
    let trees: Vec<Tree> = trees.collect::<Result<_, _>>()?;
    if trees.is_empty() || !trees.len().is_multiple_of(per_turn) {
        let what = format!("{} trees, {per_turn} at a time", trees.len());
        return Err(Unread::new(what));
    }
    let turns = (trees.len() / per_turn) as f64;
    Ok(Told {
        features,
        names: head.names(features)?,
        start: vec![0.0; per_turn],
        is_single: false,
        has_zero_rule: true,
        divisor: head.fields.contains_key("average_output").then_some(turns),
        link: head.link()?,
        trees,
    })
}

/// The first part and those of trees, and whether their end is there.
fn parts<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> (Vec<Part<'a>>, bool) {
    let part = |line| Part {
        line,
        fields: BTreeMap::new(),
    };
    let mut parts = vec![part(1)];
    for (number, line) in lines {
        let line = line.trim();
        if line == "end of trees" {
            return (parts, true);
        }
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        if name == "Tree" {
            parts.push(part(number));
        } else if let (false, Some(part)) = (line.is_empty(), parts.last_mut()) {
            part.fields.insert(name, (number, value));
        }
    }
    (parts, false)
}

impl Part<'_> {
    fn field(&self, name: &str) -> Result<(usize, &str), Unread> {
        let missing = || {
            let place = format!("the part from line {}", self.line);
            Unread::new(format!("no line \"{name}=\"")).within(place)
        };
        self.fields.get(name).copied().ok_or_else(missing)
    }

    fn blame(&self, name: &str, what: String) -> Unread {
        let unread = Unread::new(what).within(name);
        match self.fields.get(name) {
            Some((line, _)) => unread.within(format!("line {line}")),
            None => unread,
        }
    }

    fn number<T: FromStr>(&self, name: &str) -> Result<T, Unread> {
        let (_, text) = self.field(name)?;
        let wrong = |_| self.blame(name, format!("{text:?} is not the number it should be"));
        text.trim().parse().map_err(wrong)
    }

    /// Exactly so many numbers.
    fn numbers<T: FromStr>(&self, name: &str, count: usize) -> Result<Vec<T>, Unread> {
        let (_, text) = self.field(name)?;
        let mut numbers = Vec::with_capacity(count);
        for (at, word) in text.split_ascii_whitespace().enumerate() {
            let wrong = |_| self.blame(name, format!("number {}: {word:?} is none", at + 1));
            numbers.push(word.parse().map_err(wrong)?);
        }
        if numbers.len() != count {
            let what = format!("{} numbers, {count} are needed", numbers.len());
            return Err(self.blame(name, what));
        }
        Ok(numbers)
    }

    fn tree(&self, features: usize, class: usize) -> Result<Tree, Unread> {
        let leaves: usize = self.number("num_leaves")?;
        if leaves == 0 || leaves > NODES_MAX / 2 {
            let what = format!("{leaves}: between 1 and {} are read", NODES_MAX / 2);
            return Err(self.blame("num_leaves", what));
        }
        if self.fields.get("is_linear").is_some_and(|(_, x)| *x == "1") {
            let what = "trees with linear leaves are not supported: train with linear_tree=false";
            return Err(self.blame("is_linear", what.to_owned()));
        }
        let values: Vec<f64> = self.numbers("leaf_value", leaves)?;
        let splits = leaves - 1;
        let mut nodes = Vec::with_capacity(splits + leaves);
        if splits > 0 {
            nodes = self.splits(splits, features)?;
        }
        nodes.extend(values.into_iter().map(Node::Leaf));
        Ok(Tree { nodes, class })
    }

    fn splits(&self, count: usize, features: usize) -> Result<Vec<Node>, Unread> {
        let feature: Vec<usize> = self.numbers("split_feature", count)?;
        let threshold: Vec<f64> = self.numbers("threshold", count)?;
        let kinds: Vec<u8> = self.numbers("decision_type", count)?;
        let [left, right] = ["left_child", "right_child"].map(|name| self.numbers(name, count));
        let children = [left?, right?];
        let mut nodes = Vec::with_capacity(2 * count + 1);
        for at in 0..count {
            if feature[at] >= features {
                let what = format!("split {at}: feature {} of {features}", feature[at]);
                return Err(self.blame("split_feature", what));
            }
            if threshold[at].is_nan() {
                let what = format!("split {at}: the threshold is no number");
                return Err(self.blame("threshold", what));
            }
            let child = |side: usize| place(children[side][at], count);
            nodes.push(Node::Split {
                feature: feature[at],
                threshold: at_most(threshold[at]),
                missing: self.missing(at, kinds[at])?,
                children: [child(0), child(1)],
            });
        }
        Ok(nodes)
    }

    fn missing(&self, split: usize, kind: u8) -> Result<Missing, Unread> {
        if kind & IS_CATEGORICAL > 0 {
            let what = "categorical splits are not supported: train on numbers";
            return Err(self.blame("decision_type", format!("split {split}: {what}")));
        }
        Ok(match (kind >> 2, kind & IS_LEFT_DEFAULT > 0) {
            (0, _) => Missing::AsZero,
            (1, true) => Missing::ZeroLeft,
            (1, false) => Missing::ZeroRight,
            (2, true) => Missing::Left,
            (2, false) => Missing::Right,
            _ => {
                let what = format!("split {split}: type {kind} is not known");
                return Err(self.blame("decision_type", what));
            }
        })
    }

    /// What features are called. LightGBM itself calls those without a name by their number.
    fn names(&self, features: usize) -> Result<Vec<String>, Unread> {
        let Some((_, text)) = self.fields.get("feature_names") else {
            return Ok(Vec::new());
        };
        let names: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
        let mut numbered = names.iter().enumerate();
        if numbered.all(|(at, name)| *name == format!("Column_{at}")) {
            return Ok(Vec::new());
        }
        if names.len() != features {
            let what = format!("{} names of {features} features", names.len());
            return Err(self.blame("feature_names", what));
        }
        Ok(names)
    }

    fn link(&self) -> Result<Link, Unread> {
        let Some((_, objective)) = self.fields.get("objective") else {
            let what = "no line \"objective=\": models with an objective of their own say nothing \
                        of what their sums mean; add \"objective=regression\" to have these";
            return Err(Unread::new(what));
        };
        let mut words = objective.split_ascii_whitespace();
        let name = words.next().unwrap_or("");
        let option = |key: &str| {
            let found = words.clone().find_map(|word| word.strip_prefix(key));
            found.map(str::parse::<f64>)
        };
        Ok(match name {
            "regression" if words.clone().any(|word| word == "sqrt") => Link::SignedSquare,
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape"
            | "lambdarank" | "rank_xendcg" => Link::Identity,
            "poisson" | "gamma" | "tweedie" => Link::Exponential,
            "cross_entropy" => Link::Logistic { slope: 1.0 },
            "cross_entropy_lambda" => Link::LogPlusOne,
            "multiclass" => Link::Softmax,
            "binary" | "multiclassova" => match option("sigmoid:").unwrap_or(Ok(1.0)) {
                Ok(slope) if slope > 0.0 && slope.is_finite() => Link::Logistic { slope },
                _ => return Err(self.blame("objective", format!("{objective:?}: sigmoid"))),
            },
            _ => {
                let what = format!("{name:?} is not an objective that is known");
                return Err(self.blame("objective", what));
            }
        })
    }
}

/// Where a child is among the nodes: splits first, then leaves, which are numbered -1, -2, ...
fn place(child: i64, splits: usize) -> usize {
    if child < 0 {
        usize::try_from(!child).map_or(usize::MAX, |leaf| leaf.saturating_add(splits))
    } else {
        // A split that is not there must not be taken for a leaf.
        usize::try_from(child).map_or(usize::MAX, |at| if at < splits { at } else { usize::MAX })
    }
}
