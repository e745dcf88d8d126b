//! How the program takes memory from the system and gives it back.

/// Asks for large pages where the allocator begins, and for small ones behind that: a night touches some fifty megabytes, and
/// to be given them in pages of four kilobytes takes a tenth of its time. Elsewhere large pages would make the program larger
/// and not faster, so the allocator is built to do without. Where the kernel has none nothing changes.
#[cfg(target_os = "linux")]
pub(super) fn ask_for_large_ones() {
    /// The allocator takes memory from the system in segments of this size, aligned to it, one behind the other.
    const SEGMENT: usize = 32 << 20;
    /// What a night touches; large pages take all of their memory as soon as any of it is used.
    const LARGE: usize = SEGMENT + SEGMENT / 2;
    /// What the allocator reserves at once.
    const RESERVED: usize = 1 << 30;
    const OFF: libc::c_ulong = 0;
    let probe = Box::new(0_u8);
    let base = std::ptr::from_ref(&*probe).addr() & !(SEGMENT - 1);
    #[expect(unsafe_code, reason = "the only way to give the kernel advice")]
    let advise = |from: usize, length, advice| {
        // SAFETY: advice on the size of pages changes no content, whatever is mapped there.
        unsafe { libc::madvise(std::ptr::without_provenance_mut(from), length, advice) }
    };
    advise(base, LARGE, libc::MADV_HUGEPAGE);
    advise(base + LARGE, RESERVED - LARGE, libc::MADV_NOHUGEPAGE);
    #[expect(unsafe_code, reason = "the only way to take it back")]
    // SAFETY: a switch of this process that takes no address. The allocator has switched large pages off.
    let _ = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, OFF, OFF, OFF, OFF) };
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub(super) const fn ask_for_large_ones() {}

/// What the allocator calls the milliseconds for which it keeps memory that nobody uses: `mi_option_purge_delay` of its second
/// version, for which the crate has no name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Its value where nobody asks for another.
const LATER: libc::c_long = 10;

/// Gives memory back as soon as nobody uses it: a scan that reads everything is then smaller by a tenth, and takes one part in
/// twenty-five more CPU time than if it gave it back some milliseconds later. Not for nights: it would break large pages up.
pub(super) fn give_back_at_once() {
    give_back_after(0);
}

/// Gives memory back some milliseconds after its last use: of a history, most memory is what is known of its objects, which is
/// used to the end.
pub(super) fn give_back_later() {
    give_back_after(LATER);
}

fn give_back_after(milliseconds: libc::c_long) {
    #[expect(unsafe_code, reason = "the only way to set an option of the allocator")]
    // SAFETY: one number is set, while no other thread searches; nothing that was handed out depends on it.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, milliseconds);
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allocator_means_the_same_option() {
        #[expect(unsafe_code, reason = "an option of the allocator")]
        // SAFETY: a number is asked for.
        let default = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(
            default, LATER,
            "milliseconds; the options beside it have other values"
        );
    }
}
