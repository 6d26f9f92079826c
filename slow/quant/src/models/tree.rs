//! Trees as files tell them, before they are laid out for speed.

use super::Unread;

/// The most nodes of a tree: what a compiled one can point across.
pub(super) const NODES_MAX: usize = 1 << 16;

/// What happens to a number that is missing, at one split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Missing {
    /// NaN goes left.
    Left,
    /// NaN goes right.
    Right,
    /// NaN counts as 0.
    AsZero,
    /// NaN and 0 go left.
    ZeroLeft,
    /// NaN and 0 go right.
    ZeroRight,
}

/// A place in a tree: a question or an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Node {
    /// What is above the threshold goes right, all else left.
    Split {
        feature: usize,
        threshold: f32,
        missing: Missing,
        children: [usize; 2],
    },
    /// What is added to the sum of the tree's class.
    Leaf(f64),
}

/// A tree; its root is the first node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    /// Which sum its leaves are added to.
    pub class: usize,
}

impl Tree {
    /// Its nodes level by level, the two children of a split side by side; how many levels of
    /// splits there are. Refuses what is no tree: a child that is not there, or that two splits
    /// have.
    pub fn levels(&self) -> Result<(Vec<usize>, usize), Unread> {
        let count = self.nodes.len();
        if count == 0 || count > NODES_MAX {
            return Err(Unread::new(format!(
                "{count} nodes: between 1 and {NODES_MAX} are read"
            )));
        }
        let mut order = vec![0];
        let mut is_seen = vec![false; count];
        let (mut depth, mut level_end, mut at) = (0, 1, 0);
        while let Some(node) = order.get(at).copied() {
            if at == level_end {
                (depth, level_end) = (depth + 1, order.len());
            }
            at += 1;
            let Node::Split { children, .. } = self.nodes[node] else {
                continue;
            };
            for child in children {
                let seen = is_seen.get_mut(child).filter(|seen| !**seen && child > 0);
                let Some(seen) = seen else {
                    let nodes = format!("node {node} of {count} has the child {child}");
                    return Err(Unread::new(format!("{nodes}, which is not its own")));
                };
                *seen = true;
                order.push(child);
            }
        }
        Ok((order, depth))
    }
}

/// The greatest `f32` that is not above a number: an `f32` is above one exactly if it is above the
/// other.
pub(super) fn at_most(threshold: f64) -> f32 {
    let nearest = threshold as f32;
    if nearest == f32::INFINITY && threshold < f64::INFINITY {
        return f32::MAX;
    }
    if f64::from(nearest) > threshold {
        nearest.next_down()
    } else {
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_rounded_so_that_comparisons_stay() {
        for threshold in [
            0.1,
            -0.1,
            1.000_000_018_002_509_5e-35,
            -1e-46,
            1e-46,
            f64::MAX,
            f64::MIN,
            0.0,
            1.0 + f64::EPSILON,
        ] {
            let rounded = at_most(threshold);
            let near = [rounded.next_down(), rounded, rounded.next_up(), 0.0];
            for x in near.into_iter().chain([f32::INFINITY, f32::NEG_INFINITY]) {
                assert_eq!(f64::from(x) > threshold, x > rounded, "{x} {threshold}");
            }
        }
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let split = |children| Node::Split {
            feature: 0,
            threshold: 0.0,
            missing: Missing::Left,
            children,
        };
        let leaf = Node::Leaf(1.0);
        for nodes in [
            vec![],
            vec![split([1, 1]), leaf],
            vec![split([0, 1]), leaf],
            vec![split([1, 3]), leaf, leaf],
            vec![split([1, 2]), split([2, 3]), leaf, leaf],
        ] {
            let tree = Tree { nodes, class: 0 };
            assert!(tree.levels().is_err(), "{tree:?}");
        }
        let nodes = vec![split([2, 1]), leaf, split([3, 4]), leaf, leaf];
        let tree = Tree { nodes, class: 0 };
        assert_eq!(tree.levels().ok(), Some((vec![0, 2, 1, 3, 4], 2)));
    }
}
