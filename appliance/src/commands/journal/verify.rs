//! `wirecross journal verify`: every record, and the first bad byte.

use std::io::Write;
use std::path::{Path, PathBuf};

use journal::storage::{archive_number, segment_number};
use journal::{Corrupt, Field, FileList, Flipped, Segments, flipped};

use super::{Journal, Stopped, time};

/// What the records of a segment hold.
#[derive(Debug, Default)]
struct Sum {
    records: u64,
    /// First and last input.
    inputs: Option<(u64, u64)>,
    time_ns: u64,
}

/// Reads every record and says what each segment holds.
pub(super) fn verify(mut journal: Journal, out: &mut dyn Write) -> Result<(), Stopped> {
    let mut sums: Vec<(u32, Sum)> = Vec::new();
    loop {
        let record = match journal.record() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(error) => {
                // What is in order before the damage is told first.
                tell(&journal, &sums, out)?;
                out.flush()?;
                return Err(error.into());
            }
        };
        let number = record.at.number;
        if sums.last().is_none_or(|(last, _)| *last != number) {
            sums.push((number, Sum::default()));
        }
        let Some((_, sum)) = sums.last_mut() else {
            continue;
        };
        sum.records += 1;
        if let [first, .., last] | [first @ last] = record.inputs {
            let from = sum.inputs.map_or(first.sequence, |(from, _)| from);
            sum.inputs = Some((from, last.sequence));
            sum.time_ns = last.time_ns;
        }
    }
    tell(&journal, &sums, out)?;
    let files = journal.segments().len();
    let Some(end) = journal.end() else {
        return Ok(());
    };
    if let (Some(torn), true) = (&end.torn, sums.is_empty()) {
        return Err(Stopped::Damaged(format!(
            "{}: not one whole record: this is no journal, or the rest of its very first write",
            torn.file
        )));
    }
    if let Some(torn) = &end.torn {
        writeln!(
            out,
            "{} from byte {}: the rest of a write that nobody was told about; the next start cuts \
             it",
            torn.file, torn.offset
        )?;
    }
    let how = if end.clean { "clean" } else { "open" };
    Ok(writeln!(out, "in order: files={files} end={how}")?)
}

fn tell(journal: &Journal, sums: &[(u32, Sum)], out: &mut dyn Write) -> Result<(), Stopped> {
    for (segment, sum) in sums {
        write!(out, "{}: records={}", journal.file(*segment), sum.records)?;
        if let Some((first, last)) = sum.inputs {
            let until = time::told(sum.time_ns);
            write!(out, " inputs={first}..{last} until={until}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Damage in words: file, byte, field, what stands there and what should.
pub(super) fn told(corrupt: &Corrupt) -> String {
    let Corrupt {
        file,
        offset,
        field,
        found,
        expected,
    } = corrupt;
    match (field, field.offset()) {
        (Field::File, _) => format!("{file}: the file is missing"),
        (_, None) => {
            let hint = foreign(file).unwrap_or_default();
            format!("{file}: it has {found} bytes where {expected} are due{hint}")
        }
        (Field::Checksum, Some(at)) => {
            let why = match look(corrupt) {
                Some(one) => format!(
                    "byte {} is {:#04x} where {:#04x} makes the record right",
                    one.offset, one.found, one.expected
                ),
                None => "more than one bit of the record is wrong".to_owned(),
            };
            format!(
                "{file} at byte {}: the checksum of the record at byte {offset} is {found:#010x} \
                 where {expected:#010x} is due; {why}",
                offset + at
            )
        }
        (_, Some(at)) => {
            let hint = foreign(file).filter(|_| *offset == 0 && *field == Field::Magic);
            format!(
                "{file} at byte {}: {field:?} of the record at byte {offset} is {found:#x} where \
                 {expected:#x} is due{}",
                offset + at,
                hint.unwrap_or_default()
            )
        }
    }
}

/// What to say of a file whose name is no segment's: perhaps it is none.
fn foreign(file: &str) -> Option<&'static str> {
    let name = Path::new(file).file_name()?.to_str()?;
    let is_segment = segment_number(name).is_some() || archive_number(name).is_some();
    let hint = "; if it is no segment, name one, journal-0000000001 for example, or a day's \
                directory";
    (!is_segment).then_some(hint)
}

/// Looks for the one bit that is wrong.
fn look(corrupt: &Corrupt) -> Option<Flipped> {
    let mut file = FileList::open(&[PathBuf::from(&corrupt.file)]).ok()?;
    let at = *file.list().ok()?.first()?;
    flipped(&mut file, at, corrupt).ok()?
}
