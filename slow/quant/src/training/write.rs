//! Trees as LightGBM's text, version 4.

use std::fmt::{Display, Write};

use super::boost::{Booster, Kept};

/// What a split's type says: what is missing is NaN, and goes to the left.
const MISSING_NAN: u8 = 2 << 2;
const MISSING_LEFT: u8 = 1 << 1;

impl Booster {
    /// The model as [`crate::models::Forest::lightgbm`] and LightGBM read it. Names of features are
    /// written without what would divide them; those that are not given are numbered.
    #[must_use]
    pub fn text(&self, names: &[String]) -> String {
        let name = |feature: usize| match names.get(feature) {
            Some(name) if !name.is_empty() => name.replace(|x: char| !x.is_alphanumeric(), "_"),
            _ => format!("column_{feature}"),
        };
        let span = |span: &Option<[f32; 2]>| match span {
            Some([least, most]) => format!("[{least}:{most}]"),
            None => "none".to_owned(),
        };
        let trees = self.trees.iter().enumerate();
        let trees: Vec<String> = trees.map(|(at, tree)| self.tree(at, tree)).collect();
        let mut text = format!(
            "tree\nversion=v4\nnum_class={0}\nnum_tree_per_iteration={0}\nlabel_index=0\n\
             max_feature_idx={1}\nobjective=multiclass num_class:{0}\n",
            self.classes,
            self.features - 1,
        );
        line(&mut text, "feature_names", (0..self.features).map(name));
        line(&mut text, "feature_infos", self.spans.iter().map(span));
        line(&mut text, "tree_sizes", trees.iter().map(String::len));
        text.push('\n');
        text.extend(trees);
        text.push_str("end of trees\n\npandas_categorical:null\n");
        text
    }

    fn tree(&self, at: usize, tree: &Kept) -> String {
        let splits = || tree.splits.iter();
        let kind = |is_left: bool| MISSING_NAN | if is_left { MISSING_LEFT } else { 0 };
        let mut text = format!("Tree={at}\nnum_leaves={}\nnum_cat=0\n", tree.leaves.len());
        line(&mut text, "split_feature", splits().map(|x| x.feature));
        line(&mut text, "split_gain", splits().map(|x| x.gain));
        let threshold = splits().map(|x| self.bins.threshold(x.feature, x.bin));
        line(&mut text, "threshold", threshold);
        let kinds = splits().map(|x| kind(x.is_missing_left));
        line(&mut text, "decision_type", kinds);
        line(&mut text, "left_child", splits().map(|x| x.children[0]));
        line(&mut text, "right_child", splits().map(|x| x.children[1]));
        line(&mut text, "leaf_value", tree.leaves.iter());
        line(&mut text, "leaf_count", tree.counts.iter());
        text.push_str("is_linear=0\nshrinkage=1\n\n\n");
        text
    }
}

/// `name=` and numbers that are read back as they are.
fn line(text: &mut String, name: &str, values: impl Iterator<Item = impl Display>) {
    let _ = write!(text, "{name}=");
    for (at, value) in values.enumerate() {
        let between = if at == 0 { "" } else { " " };
        let _ = write!(text, "{between}{value}");
    }
    text.push('\n');
}
