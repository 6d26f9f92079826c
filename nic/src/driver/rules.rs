//! What a ring is allowed to do for the rest of its life.
//!
//! A port's ring starts its few operations on files of its own table and nothing else: whoever gets
//! hold of the ring cannot open, read or dial anything with it. The kernel refuses the rest with
//! EACCES.

use std::io;

use io_uring::register::Restriction;
use io_uring::{Submitter, opcode, squeue};

use super::Purpose;

/// `IORING_REGISTER_FILES_UPDATE`: connections come and go.
const REGISTER_FILES_UPDATE: u8 = 6;
/// `IORING_REGISTER_SYNC_CANCEL`: how a port ends.
const REGISTER_SYNC_CANCEL: u8 = 24;

/// The kinds of operations of a port.
fn operations(purpose: Purpose) -> &'static [u8] {
    const LISTEN: [u8; 5] = [
        opcode::Recv::CODE,
        opcode::Send::CODE,
        opcode::Connect::CODE,
        opcode::AsyncCancel::CODE,
        opcode::Accept::CODE,
    ];
    match purpose {
        Purpose::Listen => &LISTEN,
        Purpose::Dial => LISTEN.split_at(LISTEN.len() - 1).0,
        Purpose::Datagrams => const { &[opcode::RecvMsg::CODE, opcode::SendMsg::CODE] },
    }
}

/// Restricts a ring that is not enabled yet; it cannot be undone.
pub(super) fn restrict(submitter: &Submitter<'_>, purpose: Purpose) -> io::Result<()> {
    let fixed = squeue::Flags::FIXED_FILE.bits();
    let optional = match purpose {
        Purpose::Datagrams => 0,
        _ => squeue::Flags::BUFFER_SELECT.bits(),
    };
    let mut rules = vec![
        Restriction::register_op(REGISTER_FILES_UPDATE),
        Restriction::register_op(REGISTER_SYNC_CANCEL),
        Restriction::sqe_flags_required(fixed),
        Restriction::sqe_flags_allowed(fixed | optional),
    ];
    rules.extend(
        operations(purpose)
            .iter()
            .map(|&it| Restriction::sqe_op(it)),
    );
    submitter.register_restrictions(&mut rules)
}
