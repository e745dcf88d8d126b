//! The program: everything it does is in the library, its command line in `cli`.

fn main() -> std::process::ExitCode {
    overstay::cli::main()
}
