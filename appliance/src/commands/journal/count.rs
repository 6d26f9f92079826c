//! `wirecross journal stat`: what a journal holds, in numbers.

use std::collections::BTreeMap;
use std::io::Write;

use journal::Input;
use journal::record::{Header, KIND_CLOSE, KIND_GROUP};
use wire::ring::CommandKind;

use super::{Journal, Stopped, time};

#[derive(Debug, Default)]
struct Counts {
    records: u64,
    groups: u64,
    group_max: usize,
    /// Starts of the appliance that wrote something, and clean stops.
    epochs: u64,
    epoch: u64,
    stops: u64,
    bytes: u64,
    durable: u64,
    first: Option<Input>,
    last: Option<Input>,
    kinds: BTreeMap<u8, u64>,
    /// Inputs in the present second, and in the fullest one.
    second: (u64, u64),
    second_max: u64,
}

/// Counts a journal and prints the counts.
pub(super) fn count(mut journal: Journal, out: &mut dyn Write) -> Result<(), Stopped> {
    let mut counts = Counts::default();
    while let Some(record) = journal.record()? {
        counts.record(&record.header);
        counts.group_max = counts.group_max.max(record.inputs.len());
        record.inputs.iter().for_each(|input| counts.input(input));
    }
    let names = journal.segments().iter();
    let files: Vec<String> = names.map(|at| journal.file(at.number)).collect();
    writeln!(out, "files         {}", files.join(", "))?;
    counts.tell(out)?;
    let end = journal.end();
    let how = match end {
        Some(end) if end.clean => "clean",
        Some(end) if end.torn.is_some() => "torn: the next start cuts the rest of a write",
        _ => "open",
    };
    Ok(writeln!(out, "end           {how}")?)
}

impl Counts {
    fn record(&mut self, header: &Header) {
        self.records += 1;
        self.bytes += u64::from(header.bytes);
        self.durable = header.durable;
        self.groups += u64::from(header.kind == KIND_GROUP);
        self.stops += u64::from(header.kind == KIND_CLOSE);
        self.epochs += u64::from(header.epoch != self.epoch);
        self.epoch = header.epoch;
    }

    fn input(&mut self, input: &Input) {
        self.first.get_or_insert(*input);
        self.last = Some(*input);
        *self.kinds.entry(input.command.kind).or_insert(0) += 1;
        let second = input.time_ns / session::SECOND_NS;
        let (present, count) = self.second;
        self.second = (second, if second == present { count + 1 } else { 1 });
        self.second_max = self.second_max.max(self.second.1);
    }

    fn tell(&self, out: &mut dyn Write) -> Result<(), Stopped> {
        writeln!(out, "bytes         {}", self.bytes)?;
        writeln!(out, "records       {}", self.records)?;
        writeln!(out, "groups        {}", self.groups)?;
        writeln!(out, "group_max     {}", self.group_max)?;
        writeln!(out, "starts        {}", self.epochs)?;
        writeln!(out, "clean_stops   {}", self.stops)?;
        writeln!(out, "durable       {}", self.durable)?;
        for (name, input) in [("first", &self.first), ("last", &self.last)] {
            if let Some(input) = input {
                let when = time::told(input.time_ns);
                writeln!(out, "{name:<13} {} {when}", input.sequence)?;
            }
        }
        writeln!(out, "second_max    {}", self.second_max)?;
        let inputs: u64 = self.kinds.values().sum();
        writeln!(out, "inputs        {inputs}")?;
        for (kind, count) in &self.kinds {
            let name = match CommandKind::from_byte(*kind) {
                Some(kind) => format!("{kind:?}"),
                None => format!("kind {kind}"),
            };
            writeln!(out, "  {name:<13} {count}")?;
        }
        Ok(())
    }
}
