//! Asking the processor for a cache line: the only `unsafe` of this crate.
#![allow(unsafe_code)]

/// Asks for the line of an entry of a table. A hint: it reads nothing that the program can see and
/// cannot fault, whatever the index.
#[inline(always)]
pub(crate) fn prefetch<T>(table: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let line = table.as_ptr().wrapping_add(index).cast();
        // SAFETY: a prefetch of any address is allowed; every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (table, index);
}
