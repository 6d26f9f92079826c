//! Days that were kept: into a data directory, as the venue that wrote them left them.

use journal::BLOCK_BYTES;
use journal::record::Header;
use std::fs;
use std::path::Path;

/// Puts a golden folder into a day's directory, the journal's segments as long as they were.
pub fn unpack(folder: &Path, day: &Path) {
    fs::create_dir_all(day).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        if name.starts_with("journal-") {
            let opening: Header = bytemuck::pod_read_unaligned(&bytes[..64]);
            bytes.resize(opening.count as usize * BLOCK_BYTES, 0);
        }
        fs::write(day.join(name), bytes).unwrap();
    }
}
