//! The program: everything it does is in the library, its command line in `cli`.

/// A report is hundreds of thousands of small texts; the system's allocator takes a third of a night's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    overstay::cli::main()
}
