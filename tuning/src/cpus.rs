//! Sets of processors, in the two ways the kernel writes them.

use std::collections::BTreeSet;
use std::fmt;

/// The greatest number of a processor that is believed.
const CPU_MAX: usize = 8_191;

/// A set of processors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpus(BTreeSet<usize>);

impl Cpus {
    /// Reads a list such as `0-3,8`; an empty text is the empty set.
    #[must_use]
    pub fn of_list(text: &str) -> Option<Self> {
        let mut cpus = BTreeSet::new();
        for part in text.trim().split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: usize = first.trim().parse().ok()?;
            let last: usize = last.trim().parse().ok()?;
            if first > last || last > CPU_MAX {
                return None;
            }
            cpus.extend(first..=last);
        }
        Some(Self(cpus))
    }

    /// Reads a mask such as `3` or `ff,ffffffff`, the last group being that of the processors 0
    /// to 31.
    #[must_use]
    pub fn of_mask(text: &str) -> Option<Self> {
        let mut cpus = BTreeSet::new();
        for (group, word) in text.trim().rsplit(',').enumerate() {
            let word = u32::from_str_radix(word, 16).ok()?;
            let first = group * 32;
            if first > CPU_MAX {
                return None;
            }
            cpus.extend(
                (0..32)
                    .filter(|bit| word >> bit & 1 == 1)
                    .map(|bit| first + bit),
            );
        }
        Some(Self(cpus))
    }

    /// The mask of a set, as the kernel reads it.
    #[must_use]
    pub fn mask(&self) -> String {
        let groups = self.0.last().map_or(1, |last| last / 32 + 1);
        let mut words = vec![0u32; groups];
        for cpu in &self.0 {
            words[groups - 1 - cpu / 32] |= 1 << (cpu % 32);
        }
        let mut text = format!("{:x}", words[0]);
        for word in &words[1..] {
            text.push_str(&format!(",{word:08x}"));
        }
        text
    }

    /// Its processors, upward.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `cpu` is one of them.
    #[must_use]
    pub fn has(&self, cpu: usize) -> bool {
        self.0.contains(&cpu)
    }

    /// Those in both.
    #[must_use]
    pub fn both(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// Those in either.
    #[must_use]
    pub fn either(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }
}

impl FromIterator<usize> for Cpus {
    fn from_iter<I: IntoIterator<Item = usize>>(cpus: I) -> Self {
        Self(cpus.into_iter().collect())
    }
}

impl fmt::Display for Cpus {
    /// Writes the shortest list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.iter().peekable();
        let mut comma = "";
        while let Some(first) = rest.next() {
            let mut last = first;
            while rest.next_if_eq(&(last + 1)).is_some() {
                last += 1;
            }
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
            comma = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_masks_say_the_same() {
        let cases = [
            ("", "0"),
            ("0", "1"),
            ("0-1", "3"),
            ("1,3", "a"),
            ("0-3,8", "10f"),
            ("31-32", "1,80000000"),
            ("64", "1,00000000,00000000"),
            ("0-127", "ffffffff,ffffffff,ffffffff,ffffffff"),
        ];
        for (list, mask) in cases {
            let cpus = Cpus::of_list(list).unwrap();
            assert_eq!(cpus.to_string(), list);
            assert_eq!(cpus.mask(), mask);
            assert_eq!(Cpus::of_mask(mask), Some(cpus));
        }
        assert_eq!(Cpus::of_mask("00000000,00000003\n"), Cpus::of_list("0-1\n"));
    }

    #[test]
    fn nonsense_is_no_set() {
        for text in ["a", "3-1", "1-", "-1", "0-99999", "1 2"] {
            assert_eq!(Cpus::of_list(text), None, "{text}");
        }
        for text in ["", "g", "1,,2", "123456789"] {
            assert_eq!(Cpus::of_mask(text), None, "{text}");
        }
    }
}
