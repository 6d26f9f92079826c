//! Models as XGBoost writes them: JSON or its binary form, its boosters `gbtree` and `dart`.
//!
//! A number below a threshold goes left, and all sums are of `f32`, from the margin of `base_score`
//! on.

use serde::Deserialize;

use super::forest::Told;
use super::tree::{Missing, Node, Tree};
use super::{CLASSES_MAX, Link, Unread, ubjson};

#[derive(Deserialize)]
struct File {
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    gradient_booster: Booster,
    learner_model_param: Parameters,
    objective: Objective,
    #[serde(default)]
    feature_names: Vec<String>,
}

/// Numbers stand in quotes.
#[derive(Deserialize)]
struct Parameters {
    base_score: String,
    num_class: String,
    num_feature: String,
    num_target: Option<String>,
}

#[derive(Deserialize)]
struct Objective {
    name: String,
}

#[derive(Deserialize)]
struct Booster {
    name: String,
    /// Of a `gbtree`.
    model: Option<Model>,
    /// Of a `dart`.
    gbtree: Option<Inner>,
    weight_drop: Option<Vec<f32>>,
}

#[derive(Deserialize)]
struct Inner {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    tree_info: Vec<usize>,
    trees: Vec<Nodes>,
}

/// A tree, column by column; `split_conditions` of leaves are their values.
#[derive(Deserialize)]
struct Nodes {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_conditions: Vec<f32>,
    split_indices: Vec<usize>,
    default_left: Vec<Flag>,
    #[serde(default)]
    split_type: Vec<u8>,
    tree_param: TreeParameters,
}

/// Older versions write `true`, newer ones 1.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Flag {
    Word(bool),
    Number(u8),
}

#[derive(Deserialize)]
struct TreeParameters {
    size_leaf_vector: Option<String>,
}

pub(super) fn read(file: &[u8]) -> Result<Told, Unread> {
    // After the brace JSON has a quote or a space, the binary form the kind of a length.
    let is_text = !matches!(
        file.get(1),
        Some(b'i' | b'U' | b'I' | b'l' | b'L' | b'#' | b'$')
    );
    let learner = if is_text {
        serde_json::from_slice::<File>(file)?.learner
    } else {
        serde_json::from_value::<File>(ubjson::read(file)?)?.learner
    };
    let parameters = &learner.learner_model_param;
    let features = whole("num_feature", &parameters.num_feature)?;
    let targets = parameters.num_target.as_deref().unwrap_or("1");
    if whole("num_target", targets)? > 1 {
        let what = "several targets are not supported: train a model for each";
        return Err(Unread::new(what).within("num_target"));
    }
    let names = learner.feature_names;
    if !names.is_empty() && names.len() != features {
        let what = format!("{} names of {features} features", names.len());
        return Err(Unread::new(what).within("feature_names"));
    }
    let outputs = whole("num_class", &parameters.num_class)?.max(1);
    if outputs > CLASSES_MAX {
        let what = format!("{outputs} classes, up to {CLASSES_MAX} are read");
        return Err(Unread::new(what).within("num_class"));
    }
    let link = link(&learner.objective.name)?;
    let start = start(&parameters.base_score, outputs, &learner.objective.name)?;
    let booster = learner.gradient_booster;
    let name = booster.name;
    let model = booster.model.or(booster.gbtree.map(|inner| inner.model));
    let Some(model) = model.filter(|_| name == "gbtree" || name == "dart") else {
        let what = format!("{name:?} is not supported: gbtree and dart are");
        return Err(Unread::new(what).within("gradient_booster"));
    };
    let trees = model.trees.len();
    let weights = booster.weight_drop.unwrap_or_else(|| vec![1.0; trees]);
    if [model.tree_info.len(), weights.len()] != [trees; 2] {
        let what = "tree_info, weight_drop and trees are not of one length";
        return Err(Unread::new(what).within("gradient_booster"));
    }
    let trees = model.trees.iter().zip(model.tree_info).zip(weights);
    let trees = trees.enumerate().map(|(at, ((nodes, class), weight))| {
        let tree = if class < outputs {
            nodes.tree(features, class, weight)
        } else {
            Err(Unread::new(format!("class {class} of {outputs}")))
        };
        tree.map_err(|unread| unread.within(format!("tree {at}")))
    });
    Ok(Told {
        trees: trees.collect::<Result<_, _>>()?,
        features,
        names,
        start,
        is_single: true,
        has_zero_rule: false,
        divisor: None,
        link,
    })
}

fn whole(name: &str, text: &str) -> Result<usize, Unread> {
    let wrong = |_| Unread::new(format!("{text:?} is not a whole number")).within(name);
    text.parse().map_err(wrong)
}

fn link(objective: &str) -> Result<Link, Unread> {
    Ok(match objective {
        "binary:logistic" | "reg:logistic" => Link::Logistic { slope: 1.0 },
        "multi:softprob" | "multi:softmax" => Link::Softmax,
        "count:poisson" | "reg:gamma" | "reg:tweedie" => Link::Exponential,
        "reg:squarederror"
        | "reg:linear"
        | "reg:absoluteerror"
        | "reg:pseudohubererror"
        | "reg:squaredlogerror"
        | "reg:quantileerror"
        | "binary:logitraw"
        | "rank:ndcg"
        | "rank:map"
        | "rank:pairwise" => Link::Identity,
        _ => {
            let what = format!("{objective:?} is not an objective that is known");
            return Err(Unread::new(what).within("objective"));
        }
    })
}

/// Margins of `base_score`: a number, or in newer files a list of them.
fn start(text: &str, outputs: usize, objective: &str) -> Result<Vec<f64>, Unread> {
    let wrong = || Unread::new(format!("{text:?}: no score, or not for each class"));
    let list = text.strip_prefix('[').and_then(|x| x.strip_suffix(']'));
    let scores = list.unwrap_or(text).split(',');
    let scores = scores.map(|x| x.trim().parse::<f32>());
    let mut scores: Vec<f32> = scores
        .collect::<Result<_, _>>()
        .map_err(|_| wrong().within("base_score"))?;
    if let [score] = *scores {
        scores = vec![score; outputs];
    }
    let margin = |score: f32| match objective {
        "binary:logistic" | "reg:logistic" | "binary:logitraw" => -libm::logf(1.0 / score - 1.0),
        "count:poisson" | "reg:gamma" | "reg:tweedie" => libm::logf(score),
        _ => score,
    };
    let margins: Vec<f64> = scores.iter().map(|x| f64::from(margin(*x))).collect();
    if margins.len() != outputs || margins.iter().any(|x| !x.is_finite()) {
        return Err(wrong().within("base_score"));
    }
    Ok(margins)
}

impl Nodes {
    fn tree(&self, features: usize, class: usize, weight: f32) -> Result<Tree, Unread> {
        let count = self.left_children.len();
        let lengths = [
            self.right_children.len(),
            self.split_conditions.len(),
            self.split_indices.len(),
            self.default_left.len(),
        ];
        if lengths != [count; 4] {
            let what = format!("columns of nodes are not of one length: {lengths:?} and {count}");
            return Err(Unread::new(what));
        }
        let vector = self.tree_param.size_leaf_vector.as_deref();
        if !matches!(vector, None | Some("0" | "1")) {
            let what = "leaves of several numbers are not supported: train with \
                        multi_strategy=one_output_per_tree";
            return Err(Unread::new(what));
        }
        let nodes = (0..count).map(|at| self.node(at, features, weight));
        let nodes = nodes.collect::<Result<_, _>>()?;
        Ok(Tree { nodes, class })
    }

    fn node(&self, at: usize, features: usize, weight: f32) -> Result<Node, Unread> {
        let value = self.split_conditions[at];
        let blame = |what: String| Unread::new(what).within(format!("node {at}"));
        if !value.is_finite() {
            return Err(blame(format!("{value} is no threshold and no value")));
        }
        let children = [self.left_children[at], self.right_children[at]];
        if children == [-1, -1] {
            return Ok(Node::Leaf(f64::from(value * weight)));
        }
        if self.split_type.get(at).is_some_and(|kind| *kind != 0) {
            let what = "categorical splits are not supported: train on numbers";
            return Err(blame(what.to_owned()));
        }
        let feature = self.split_indices[at];
        if feature >= features {
            return Err(blame(format!("feature {feature} of {features}")));
        }
        let is_left = match self.default_left[at] {
            Flag::Word(is_left) => is_left,
            Flag::Number(number) => number != 0,
        };
        Ok(Node::Split {
            feature,
            // Below it is left: above the number before it is right.
            threshold: value.next_down(),
            missing: if is_left {
                Missing::Left
            } else {
                Missing::Right
            },
            children: children.map(|child| usize::try_from(child).unwrap_or(usize::MAX)),
        })
    }
}
