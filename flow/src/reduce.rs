//! Cuts a failing stream of inputs down to one in which every input matters.

use wire::ring::Input;

/// Leaves out inputs as long as the rest still fails, and gives a stream from which no single input
/// can be left out (delta debugging: Zeller and Hildebrandt 2002, `ddmin` by complements). The
/// inputs that stay keep their times and are numbered anew from 1, so that `fails` always sees a
/// sequence without gaps. A stream that does not fail comes back as it was.
///
/// `fails` is called about `n log n` times for a few inputs that matter, `n²` times at worst.
pub fn reduce(inputs: &[Input], mut fails: impl FnMut(&[Input]) -> bool) -> Vec<Input> {
    let mut kept = inputs.to_vec();
    if !fails(&kept) {
        return kept;
    }
    let mut chunk = kept.len().div_ceil(2);
    while chunk > 0 {
        let before = kept.len();
        // From the end: what comes late hangs on what came before it, seldom the other way round.
        let mut end = kept.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let without = numbered(kept[..start].iter().chain(&kept[end..]));
            if fails(&without) {
                kept = without;
            }
            end = start;
        }
        if kept.len() == before || chunk > kept.len() {
            chunk /= 2;
        }
    }
    kept
}

fn numbered<'i>(inputs: impl Iterator<Item = &'i Input>) -> Vec<Input> {
    let numbered = (1..)
        .zip(inputs)
        .map(|(sequence, input)| Input { sequence, ..*input });
    numbered.collect()
}
