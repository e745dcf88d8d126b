//! The program: everything it does is in the library, its command line in `cli`.

/// A report is hundreds of thousands of small texts; the system's allocator takes a third of a night's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Asks for large pages where the allocator begins, and for small ones behind that: a night touches some fifty megabytes, and
/// to be given them in pages of four kilobytes takes a tenth of its time. In all of the memory of a large scan they would
/// make it larger. Where the kernel knows no large pages nothing changes.
#[cfg(target_os = "linux")]
fn ask_for_large_pages() {
    /// The allocator takes memory from the system in segments of this size, aligned to it, one behind the other.
    const SEGMENT: usize = 32 << 20;
    const LARGE: usize = 2 * SEGMENT;
    /// What the allocator reserves at once.
    const RESERVED: usize = 1 << 30;
    let probe = Box::new(0_u8);
    let base = std::ptr::from_ref(&*probe).addr() & !(SEGMENT - 1);
    for (from, length, advice) in [
        (base, LARGE, libc::MADV_HUGEPAGE),
        (base + LARGE, RESERVED - LARGE, libc::MADV_NOHUGEPAGE),
    ] {
        #[expect(unsafe_code, reason = "the only way to give the kernel advice")]
        // SAFETY: advice on the size of pages changes no content, whatever is mapped there.
        let _ = unsafe { libc::madvise(std::ptr::without_provenance_mut(from), length, advice) };
    }
}

fn main() -> std::process::ExitCode {
    #[cfg(target_os = "linux")]
    ask_for_large_pages();
    overstay::cli::main()
}
