//! Pages that the kernel joins behind the program's back.

use super::Ask;
use super::setting::{Setting, with_kept};
use crate::finding::{About, Finding};

const FOLDER: &str = "/sys/kernel/mm/transparent_hugepage";

const ABOUT: About = About {
    why: "while the kernel joins small pages into a large one, the thread that touches them waits \
          up to milliseconds; the appliance asks for large pages itself",
    risk: "programs that live on such pages (some databases) get slower",
};

pub(super) fn look(ask: Ask<'_>) -> Vec<Finding> {
    let setting = |subject, wanted, lacking| Setting {
        subject,
        wanted,
        lacking,
        about: ABOUT,
    };
    let none = "a kernel without transparent huge pages";
    let compaction = setting(
        "compaction ahead of need",
        "0",
        "a kernel without compaction",
    );
    let joining = setting("joining pages", "never", none);
    let joining = joining.check_one(ask, &format!("{FOLDER}/enabled"));
    vec![
        // The kernel keeps more memory free while it joins pages.
        with_kept(ask, joining, &["/proc/sys/vm/min_free_kbytes".to_owned()]),
        setting("making room for it", "never", none).check_one(ask, &format!("{FOLDER}/defrag")),
        compaction.check_one(ask, "/proc/sys/vm/compaction_proactiveness"),
    ]
}
