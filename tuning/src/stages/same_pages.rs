//! Merging of equal pages.

use super::Ask;
use super::setting::Setting;
use crate::finding::{About, Finding};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let setting = Setting {
        subject: "merging equal pages",
        wanted: "0",
        lacking: "a kernel without KSM",
        about: About {
            why: "a thread of the kernel compares pages all day, and the first write to a merged \
                  one costs a fault",
            risk: "guests that share pages need more memory",
        },
    };
    vec![setting.check_one(ask, "/sys/kernel/mm/ksm/run")]
}
